"""Engines side by side: the same model on the same board, what each costs, and whether they agree.

Each engine's firmware is exported, built and run; the same random inputs go to it and to
TFLite-Micro on the host, and outputs and layers are compared. An engine whose library is missing,
or that cannot run a model, is reported as that.
"""

import dataclasses
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgeasr import deploy, hil, microlite, oracle, speech, toolchain
from edgeasr.bench import layers
from edgeasr.bench.layers import LayerCost
from edgeasr.boards import Board
from edgeasr.codegen import extensions
from edgeasr.connect import SIMULATOR, Connected, connect
from edgeasr.errors import CheckError, EdgeasrError, InputError, ToolError
from edgeasr.hil import TensorReport
from edgeasr.peers import INEXACT, PEERS
from edgeasr.project import Project
from edgeasr.runners import INSTRUCTIONS
from edgeasr.speech import SpeechModel
from edgeasr.toolchain import parts
from edgeasr.toolchain.parts import Part

INPUTS = 8
ENGINES = (*deploy.ALL_ENGINES, *PEERS)
# What main.c says once the model is set up.
_READY = re.compile(r"^model: ready after ticks (\d+)$", re.MULTILINE)
# What python/listen.py says of the runtime alone.
_ALONE = re.compile(r"^an inference takes ns (\d+)$", re.MULTILINE)
_NANOSECONDS = 1_000_000_000
_ARENA = re.compile(r"^arena: used bytes (\d+) of \d+$", re.MULTILINE)


@dataclass(frozen=True)
class Measured:
    """One engine with one model. why: why there is nothing to show, "" where there is; failed:
    whether it should have worked.

    report: outputs and layers against the host's. instructions: of an inference, and
    start_instructions: of setting the model up; None where the board's runner cannot count.
    arena_used_bytes: what the engine says that it takes of the arena; None where it has no say.
    layers: of one inference, on the first input.
    """

    engine: str
    why: str = ""
    failed: bool = False
    report: TensorReport | None = None
    start_instructions: int | None = None
    flash_bytes: int = 0
    ram_bytes: int = 0
    stack_bytes: int = 0
    arena_bytes: int = 0
    arena_used_bytes: int | None = None
    sections: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)
    layers: tuple[LayerCost, ...] = ()

    @property
    def instructions(self) -> int | None:
        counted = self.report is not None and self.report.counted == INSTRUCTIONS
        return self.report.instructions if counted else None

    @property
    def equal(self) -> int | None:
        """Inputs whose outputs are the host's, bit for bit; None where nothing ran."""
        return self.report.inputs - len(self.report.unequal) if self.report else None

    def to_dict(self) -> dict[str, object]:
        if self.report is None:
            return {"engine": self.engine, "why": self.why, "failed": self.failed}
        hidden = ("why", "failed", "report")
        shown = {key: value for key, value in vars(self).items() if key not in hidden}
        return shown | {
            "instructions": self.instructions,
            "sections": dict(self.sections),
            "parts": {name: vars(part) for name, part in self.parts.items()},
            "layers": [layer.to_dict() for layer in self.layers],
            "reference": self.report.reference,
            "outputs_equal": self.equal,
            "distinct_outputs": self.report.distinct_outputs,
            "layers_compared": self.report.layers,
            "layers_unequal": list(self.report.layers_unequal),
        }


@dataclass(frozen=True)
class Comparison:
    """One model on one board, with each engine; operations: their kinds, sorted."""

    model: str
    sha256: str
    board: str
    macs: int
    operations: tuple[str, ...]
    inputs: int
    engines: tuple[Measured, ...]

    @property
    def agrees(self) -> bool:
        """False when anything differs from the host's, or an engine failed that should run."""
        return all(
            engine.report.agrees or engine.engine in INEXACT if engine.report else not engine.failed
            for engine in self.engines
        )

    def to_dict(self) -> dict[str, object]:
        return {
            "model": self.model,
            "model_sha256": self.sha256,
            "board": self.board,
            "macs": self.macs,
            "operations": list(self.operations),
            "inputs": self.inputs,
            "agrees": self.agrees,
            "engines": [engine.to_dict() for engine in self.engines],
        }


def compare(
    model: SpeechModel,
    board: Board,
    folder: Path,
    *,
    engines: Sequence[str] = deploy.ENGINES,
    inputs: int = INPUTS,
    seed: int = 1,
    on_step: Callable[[str], None] = lambda what: None,
    reach: Callable[[Project], str] = lambda made: SIMULATOR,
) -> Comparison:
    """Run one model on a board with each engine, on `inputs` random inputs.

    folder: where the projects are written, one in a folder of each engine's name; one that is there
    is replaced. on_step hears what is being done. reach: puts a built project on the board, and
    returns its port; the simulator by default.
    """
    refused = _refused(model)
    measured = []
    for engine in engines:
        on_step(f"{model.name} on {board.name}: {engine}")
        try:
            made = _export(model, board, folder / engine, engine, refused)
        except (CheckError, InputError, ToolError) as error:
            measured.append(Measured(engine, why=str(error)))
            continue
        try:
            measured.append(_measure(made, board, engine, inputs, seed, reach))
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
    )


def _refused(model: SpeechModel) -> str:
    """Return why TFLite-Micro takes the model on no machine; "" where it does, or is not here."""
    if oracle.available():
        try:
            oracle.Oracle(model.content, graph=model.graph)
        except InputError as error:
            return str(error)
    return ""


def _export(model: SpeechModel, board: Board, folder: Path, engine: str, refused: str) -> Project:
    if engine == "tflm":
        if refused:
            raise InputError(refused)
        microlite.find(board)
    shutil.rmtree(folder, ignore_errors=True)
    if engine in PEERS:
        return PEERS[engine](model, board, folder)
    return deploy.export(model, board, folder, engine=engine)


def _measure(
    made: Project,
    board: Board,
    engine: str,
    inputs: int,
    seed: int,
    reach: Callable[[Project], str],
) -> Measured:
    built = toolchain.build(made.folder)
    with connect(made, port=reach(made), front_end=speech.OPTIONAL) as connected:
        rows = hil.random_inputs(connected.model.graph, inputs, seed)
        report = hil.compare_tensors(connected, rows)
        log = made.folder / "build" / "runner.log"
        said = log.read_text(errors="replace") if connected.runner else ""
        ready, arena, alone = _READY.search(said), _ARENA.search(said), _ALONE.search(said)
        if alone and connected.instructions:
            ticks = int(alone[1]) * board.ticks_hz // _NANOSECONDS
            report = dataclasses.replace(report, instructions=connected.instructions(ticks))
        starting = (
            connected.instructions(int(ready[1])) if ready and connected.instructions else None
        )
        by_layer = _by_layer(connected, board, rows[0])
    return Measured(
        engine=engine,
        report=report,
        start_instructions=starting,
        flash_bytes=built.flash_bytes,
        ram_bytes=built.ram_bytes,
        stack_bytes=built.stack_bytes,
        arena_bytes=made.manifest.arena_bytes,
        arena_used_bytes=int(arena[1]) if arena else None,
        sections=built.sections,
        parts=built.parts,
        layers=by_layer,
    )


def _by_layer(connected: Connected, board: Board, values: np.ndarray) -> tuple[LayerCost, ...]:
    """Profile one inference from a fresh start, and say what each layer takes beside it."""
    manifest = connected.project.manifest
    counts: list[int | None] = [None] * len(manifest.layers)
    if connected.instructions is not None:
        connected.device.reset()
        counts = [connected.instructions(t) for t in connected.device.profile(values).layer_ticks]
    graph = connected.model.graph
    if manifest.engine != "ear":
        return layers.costs(graph, manifest.layers, counts)
    extension = extensions.of_core(board.core)
    code = deploy.generate_model(connected.model, board.name, extension=extension)
    sizes = parts.flash_by_file(connected.project.folder / "build" / "firmware.map")
    return layers.costs(graph, manifest.layers, counts, code=sizes, plan=code.plan)


def summary(found: Sequence[Comparison]) -> list[str]:
    """Return the lines of a Markdown table of comparisons with the same engines, a row a model.

    Equal: inputs whose output was the host's, and layers that always were; of the engines that ran
    and are to be exact.
    """
    engines = [engine.engine for engine in found[0].engines] if found else []
    costs = ("instructions", "flash", "RAM")
    heads = ["Model", "Operations", "Equal", *(f"{e}: {cost}" for cost in costs for e in engines)]
    lines = [_row(heads), _row(["---", "---", *["---:"] * (len(heads) - 2)])]
    for one in found:
        costs_of = [
            [engine.instructions for engine in one.engines],
            [engine.report and engine.flash_bytes for engine in one.engines],
            [engine.report and engine.ram_bytes for engine in one.engines],
        ]
        cells = ["–" if value is None else f"{value:,}" for row in costs_of for value in row]
        kinds = ", ".join(kind.removeprefix("CUSTOM:") for kind in one.operations)
        lines.append(_row([f"`{one.model}`", kinds, _equal(one), *cells]))
    return lines


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _equal(one: Comparison) -> str:
    ran = [engine for engine in one.engines if engine.report and engine.engine not in INEXACT]
    if not ran:
        return "–"
    outputs = min(engine.equal for engine in ran)
    layers = min(e.report.layers - len(e.report.layers_unequal) for e in ran)
    most = min(engine.report.layers for engine in ran)
    return f"{outputs} of {one.inputs}; {layers} of {most} layers"
