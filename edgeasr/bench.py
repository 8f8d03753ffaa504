"""Engines side by side: the same model on the same board, what each costs, and whether they agree.

Each engine's firmware is exported, built and run; inputs of random bits go to both and to
TFLite-Micro on the host. An engine whose library is missing, or that cannot run a model, is
reported as that; one whose firmware fails to build or to run is a failure.
"""

import re
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgeasr import deploy, microlite, oracle, speech, toolchain
from edgeasr.boards import Board
from edgeasr.connect import Connected, connect
from edgeasr.errors import CheckError, EdgeasrError, InputError, ToolError
from edgeasr.graph import Graph
from edgeasr.project import Project
from edgeasr.speech import SpeechModel
from edgeasr.toolchain import Built
from edgeasr.toolchain.parts import Part

INPUTS = 8
# Operators that write part of their output, and those that hand each element on.
_LEAVES_SOME = ("CUSTOM:SignalEnergy",)
_EACH_ALONE = ("CAST", "RESHAPE")
# What main.c says once the model is set up.
_READY = re.compile(r"^model: ready after ticks (\d+)$", re.MULTILINE)
_ARENA = re.compile(r"^arena: used bytes (\d+) of \d+$", re.MULTILINE)


@dataclass(frozen=True)
class Measured:
    """One engine with one model. why: why there is nothing to show, "" where there is; failed:
    whether it should have worked.

    instructions: of an inference, and start_instructions: of setting the model up; None where the
    board's runner cannot count. arena_used_bytes: what the engine says that it takes of the arena;
    None where it has no say. outputs: CRC-32 of the output of each input. layers: by tensor of the
    model, CRC-32 of the layer's output with the first input, but for those of which TFLite-Micro
    leaves elements unwritten.
    """

    engine: str
    why: str = ""
    failed: bool = False
    instructions: int | None = None
    start_instructions: int | None = None
    flash_bytes: int = 0
    ram_bytes: int = 0
    stack_bytes: int = 0
    arena_bytes: int = 0
    arena_used_bytes: int | None = None
    sections: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)
    outputs: tuple[int, ...] = ()
    layers: Mapping[int, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        if self.why:
            return {"engine": self.engine, "why": self.why, "failed": self.failed}
        hidden = ("why", "failed", "outputs")
        shown = {key: value for key, value in vars(self).items() if key not in hidden}
        return shown | {
            "sections": dict(self.sections),
            "parts": {name: vars(part) for name, part in self.parts.items()},
            "layers": len(self.layers),
        }


@dataclass(frozen=True)
class Comparison:
    """One model on one board. reference: outputs of TFLite-Micro on the host; empty without it."""

    model: str
    sha256: str
    board: str
    macs: int
    operations: tuple[str, ...]
    inputs: int
    engines: tuple[Measured, ...]
    reference: tuple[int, ...] = ()

    def agreeing(self, engine: Measured) -> int | None:
        """Return how many outputs equal TFLite-Micro's on the host; None where either lacks."""
        if not (self.reference and engine.outputs):
            return None
        return sum(a == b for a, b in zip(self.reference, engine.outputs, strict=True))

    def differing(self) -> tuple[int, int] | None:
        """Return outputs, and layers, that differ between the engines; None with fewer than two."""
        ran = [engine for engine in self.engines if engine.outputs]
        if len(ran) < 2:
            return None
        outputs = sum(
            len(set(values)) > 1 for values in zip(*(e.outputs for e in ran), strict=True)
        )
        shared = set.intersection(*(set(engine.layers) for engine in ran))
        layers = sum(len({engine.layers[tensor] for engine in ran}) > 1 for tensor in shared)
        return outputs, layers

    @property
    def agrees(self) -> bool:
        """False when anything that ran differs from anything else, or should have run."""
        against = [self.agreeing(engine) for engine in self.engines]
        equal = all(count in (None, self.inputs) for count in against)
        failed = any(engine.failed for engine in self.engines)
        return equal and not failed and self.differing() in (None, (0, 0))

    def to_dict(self) -> dict[str, object]:
        differing = self.differing()
        return {
            "model": self.model,
            "model_sha256": self.sha256,
            "board": self.board,
            "macs": self.macs,
            "operations": list(self.operations),
            "inputs": self.inputs,
            "agrees": self.agrees,
            "outputs_differing": differing and differing[0],
            "layers_differing": differing and differing[1],
            "engines": [
                {**engine.to_dict(), "outputs_as_tflite_micro": self.agreeing(engine)}
                for engine in self.engines
            ],
        }


def compare(
    model: SpeechModel,
    board: Board,
    folder: Path,
    *,
    engines: Sequence[str] = deploy.ENGINES,
    inputs: int = INPUTS,
    layers: bool = True,
    seed: int = 1,
    on_step: Callable[[str], None] = lambda what: None,
) -> Comparison:
    """Run one model on a board with each engine.

    folder: where the projects are written, one in a folder of each engine's name; one that is there
    is replaced. layers: look at every layer too. on_step hears what is being done.

    Raises ToolError when a program that every engine needs is missing.
    """
    windows = _windows(model.graph, inputs, seed)
    reference, refused = _reference(model, windows)
    measured = []
    for engine in engines:
        on_step(f"{model.name} on {board.name}: {engine}")
        if engine == "tflm" and refused:
            measured.append(Measured(engine, why=refused))
            continue
        try:
            made = _export(model, board, folder / engine, engine)
        except (CheckError, InputError, ToolError) as error:
            measured.append(Measured(engine, why=str(error)))
            continue
        try:
            measured.append(_measure(model.graph, made, engine, windows, layers))
        except EdgeasrError as error:
            measured.append(Measured(engine, why=str(error), failed=True))
    return Comparison(
        model=model.path.name,
        sha256=model.sha256,
        board=board.name,
        macs=deploy.macs(model),
        operations=tuple(sorted({op.kind for op in model.graph.ops})),
        inputs=inputs,
        engines=tuple(measured),
        reference=reference,
    )


def _windows(graph: Graph, count: int, seed: int) -> list[np.ndarray]:
    """Return inputs of random values of the whole range; floats of a normal distribution."""
    rng = np.random.default_rng(seed)
    entry = graph.tensor(graph.inputs[0])
    if entry.dtype.startswith("float"):
        return [rng.standard_normal(entry.shape).astype(entry.dtype) for _ in range(count)]
    limits = np.iinfo(entry.dtype)
    return [
        rng.integers(limits.min, limits.max, entry.shape, entry.dtype, endpoint=True)
        for _ in range(count)
    ]


def _export(model: SpeechModel, board: Board, folder: Path, engine: str) -> Project:
    if engine == "tflm":
        microlite.find(board)
    shutil.rmtree(folder, ignore_errors=True)
    return deploy.export(model, board, folder, engine=engine)


def _measure(
    graph: Graph, made: Project, engine: str, windows: Sequence[np.ndarray], layers: bool
) -> Measured:
    built = toolchain.build(made.folder)
    with connect(made, front_end=speech.OPTIONAL) as connected:
        device = connected.device
        device.reset()
        outputs = tuple(zlib.crc32(device.tensor(window)) for window in windows)
        ticks = device.inference_ticks
        seen = _layers(connected, windows[0], _unspecified(graph)) if layers else {}
        said = (made.folder / "build" / "runner.log").read_text(errors="replace")
        return _measured(engine, built, connected, ticks or 0, said, outputs, seen)


def _unspecified(graph: Graph) -> set[int]:
    """Return the tensors of which TFLite-Micro leaves elements as they were in the arena."""
    found: set[int] = set()
    for op in graph.ops:
        if op.kind in _LEAVES_SOME or (op.kind in _EACH_ALONE and found.intersection(op.inputs)):
            found.update(op.outputs)
    return found


def _layers(connected: Connected, window: np.ndarray, without: set[int]) -> dict[int, int]:
    """Return the CRC-32 of each layer's output, in the first inference after a reset."""
    seen = {}
    for layer in connected.project.manifest.layers:
        if layer.tensor in without:
            continue
        connected.device.reset()
        seen[layer.tensor] = zlib.crc32(connected.device.tensor(window, layer=layer.index))
    return seen


def _measured(
    engine: str,
    built: Built,
    connected: Connected,
    ticks: int,
    said: str,
    outputs: tuple[int, ...],
    layers: Mapping[int, int],
) -> Measured:
    count = connected.count or (lambda ticks: None)
    ready, arena = _READY.search(said), _ARENA.search(said)
    return Measured(
        engine=engine,
        instructions=count(ticks),
        start_instructions=count(int(ready[1])) if ready else None,
        flash_bytes=built.flash_bytes,
        ram_bytes=built.ram_bytes,
        stack_bytes=built.stack_bytes,
        arena_bytes=connected.project.manifest.arena_bytes,
        arena_used_bytes=int(arena[1]) if arena else None,
        sections=built.sections,
        parts=built.parts,
        outputs=outputs,
        layers=layers,
    )


def _reference(model: SpeechModel, windows: Sequence[np.ndarray]) -> tuple[tuple[int, ...], str]:
    """Return TFLite-Micro's outputs on the host, and why it refuses the model ("": it does not)."""
    if not oracle.available():
        return (), ""
    try:
        host = oracle.Oracle(model.content, graph=model.graph)
    except InputError as error:
        return (), str(error)
    host.reset()
    outputs = (np.ascontiguousarray(host.invoke(window)) for window in windows)
    return tuple(zlib.crc32(output.tobytes()) for output in outputs), ""
