"""Inputs of any kind through a firmware's tensor mode: every layer's output against the host's.

The model needs no front end and no facts. One with state takes the inputs as a sequence, and is
reset on both sides every now and then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeasr import speech
from edgeasr.client import Device
from edgeasr.connect import Connected, connect
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Tensor
from edgeasr.hil.reference import Reference
from edgeasr.project import Layer, Project
from edgeasr.runners import INSTRUCTIONS

_FILES = (".npy", ".bin")
# Inputs from one reset to the next, and those that are timed.
RESET_EVERY = 50
TIMED = 10
# Random integers stay below it, as float64 holds them all.
_MOST = (1 << 32) - 1
# TFLite-Micro leaves elements of this operation's output unwritten.
_UNWRITTEN = "CUSTOM:SignalEnergy"


@dataclass(frozen=True)
class TensorReport:
    """One run. unequal: places of the inputs whose outputs differ. stateful: whether it was reset
    every RESET_EVERY inputs. layers: how many could be compared at each input; layers_unequal: the
    numbers of those that differed at any. instructions: the median of an inference; None if not
    counted. counted: what that is; cycles where the board's runner counts those. tolerance: as of a
    Reference."""

    board: str
    engine: str
    model: str
    model_sha256: str
    reference: str
    inputs: int
    unequal: tuple[int, ...]
    layers: int
    layers_unequal: tuple[int, ...]
    stateful: bool
    instructions: int | None
    distinct_outputs: int
    counted: str = INSTRUCTIONS
    tolerance: float = 0.0

    @property
    def agreement(self) -> float:
        """Part of the inputs whose outputs are the same on both sides, 0 to 1."""
        return 1 - len(self.unequal) / self.inputs

    @property
    def agrees(self) -> bool:
        return not self.unequal and not self.layers_unequal

    def to_dict(self) -> dict[str, object]:
        lists = {"unequal": list(self.unequal), "layers_unequal": list(self.layers_unequal)}
        return vars(self) | lists | {"agreement": self.agreement}


def random_inputs(graph: Graph, count: int, seed: int) -> list[np.ndarray]:
    """Return `count` random inputs of a graph, in its input's dtype and shape.

    The first has the whole range of its type; each other one a range of its own within it, so that
    a model is not always saturated. The range of floats is that of the QUANTIZE that reads them,
    and a tenth more, else -1 to 1.
    """
    window = _window(graph)
    low, high = _range(graph, window)
    rng = np.random.default_rng(seed)
    made = []
    for place in range(count):
        ends = (low, high) if place == 0 else sorted(rng.uniform(low, high, 2))
        values = rng.uniform(*ends, window.shape)
        if window.dtype != "float32":
            values = np.clip(np.rint(values), low, high)
        made.append(values.astype(window.dtype))
    return made


def read_inputs(paths: Sequence[Path], graph: Graph) -> list[np.ndarray]:
    """Return the inputs in files: `.npy` of one or of several along a first axis, `.bin` of bytes.

    A folder stands for its files, by name. Raises InputError for a file that cannot be read, or
    that does not hold whole inputs of the graph's type.
    """
    window = _window(graph)
    files = [file for path in paths for file in _files(path)]
    found = [values for file in files for values in _read(file, window)]
    if not found:
        raise InputError(f"{paths[0]}: holds no .npy or .bin file; give inputs of the model")
    return found


def run_tensors(
    made: Project,
    inputs: Callable[[Graph], Sequence[np.ndarray]],
    *,
    port: str | None = None,
    baud: int | None = None,
    log: Path | None = None,
    on_input: Callable[[str, int], None] = lambda board, total: None,
) -> TensorReport:
    """Run a built project's firmware and the host on inputs, and compare outputs bit for bit.

    inputs: makes them for the model's graph. on_input hears the board's name, and how many there
    are, each time. Raises what `connect` raises.
    """
    with connect(made, port=port, baud=baud, log=log, front_end=speech.OPTIONAL) as connected:
        return compare_tensors(connected, inputs(connected.model.graph), on_input)


def compare_tensors(
    connected: Connected,
    rows: Sequence[np.ndarray],
    on_input: Callable[[str, int], None] = lambda board, total: None,
) -> TensorReport:
    """Do what `run_tensors` does with firmware that runs already."""
    device, model, manifest = connected.device, connected.model, connected.project.manifest
    if manifest.hop:
        return _compare_pieces(connected, rows, on_input)
    reference = Reference(model, connected.hello.board, keep_layers=True, engine=manifest.engine)
    compared = _Comparison(device, reference, written_layers(model.graph, manifest.layers))
    for place, values in enumerate(rows):
        compared.take(place, values)
        on_input(connected.hello.board, len(rows))
    counts = _timed(device, rows, connected.count)
    return TensorReport(
        board=manifest.board,
        engine=manifest.engine,
        model=manifest.model_name,
        model_sha256=manifest.model_sha256,
        reference=reference.name,
        inputs=len(rows),
        unequal=tuple(compared.unequal),
        layers=len(compared.layers_equal) + len(compared.layers_unequal),
        layers_unequal=tuple(sorted(compared.layers_unequal)),
        stateful=model.graph.stateful,
        instructions=None if None in counts else int(np.median(counts)),
        distinct_outputs=len(compared.outputs),
        tolerance=reference.tolerance,
        counted=connected.counted,
    )


def _compare_pieces(
    connected: Connected, rows: Sequence[np.ndarray], on_input: Callable[[str, int], None]
) -> TensorReport:
    """Hand each window to incremental firmware hop by hop, from a reset; compare its last output.

    Instructions are those of the last hop.
    """
    device, manifest = connected.device, connected.project.manifest
    reference = Reference(connected.model, connected.hello.board)
    unequal, counts, outputs = [], [], set()
    frames = connected.model.facts.frames
    for place, values in enumerate(rows):
        window = values.reshape(frames, -1)
        early = np.zeros((manifest.steps * manifest.hop - frames, window.shape[1]), window.dtype)
        device.reset()
        for piece in np.split(np.concatenate([early, window]), manifest.steps):
            last = device.infer(piece)
        outputs.add(last.output)
        if last.output != reference.digest(values, ())[0]:
            unequal.append(place)
        if place < TIMED:
            counts.append(connected.count(last.ticks) if connected.count else None)
        on_input(connected.hello.board, len(rows))
    return TensorReport(
        board=manifest.board,
        engine=manifest.engine,
        model=manifest.model_name,
        model_sha256=manifest.model_sha256,
        reference=reference.name,
        inputs=len(rows),
        unequal=tuple(unequal),
        layers=0,
        layers_unequal=(),
        stateful=False,
        instructions=None if None in counts else int(np.median(counts)),
        distinct_outputs=len(outputs),
        counted=connected.counted,
    )


class _Comparison:
    """Takes inputs one after the other through both sides, and notes what differs."""

    def __init__(self, device: Device, reference: Reference, layers: Sequence[Layer]):
        self.unequal: list[int] = []
        self.layers_equal: set[int] = set()
        self.layers_unequal: set[int] = set()
        self.outputs: set[bytes] = set()
        self._device, self._reference, self._layers = device, reference, layers

    def take(self, place: int, values: np.ndarray) -> None:
        if place % RESET_EVERY == 0:
            self._device.reset()
            self._reference.reset()
        output, crcs = self._device.digest(values)
        wanted, theirs = self._reference.digest(values, [layer.tensor for layer in self._layers])
        self.outputs.add(output)
        if not self._reference.same(output, wanted):
            self.unequal.append(place)
        if self._reference.tolerance:
            return
        for layer, crc in zip(self._layers, theirs, strict=True):
            if crc is None or layer.index >= len(crcs):
                continue
            if crcs[layer.index] == crc:
                self.layers_equal.add(layer.index)
            else:
                self.layers_unequal.add(layer.index)
        self.layers_equal -= self.layers_unequal


def written_layers(graph: Graph, layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers whose outputs are defined as a whole, so that they can be compared."""
    loose: set[int] = set()
    for op in graph.ops:
        if op.kind == _UNWRITTEN or (op.kind == "CAST" and loose & set(op.inputs)):
            loose.update(op.outputs)
    return [layer for layer in layers if layer.tensor >= 0 and layer.tensor not in loose]


def _timed(
    device: Device, rows: Sequence[np.ndarray], count: Callable[[int], int | None] | None
) -> list[int | None]:
    """Return the instructions of inferences from a fresh start; none known where nobody counts."""
    if count is None:
        return [None]
    device.reset()
    return [count(device.infer(values).ticks) for values in rows[:TIMED]]


def _window(graph: Graph) -> Tensor:
    if len(graph.inputs) != 1:
        raise InputError(f"the model has {len(graph.inputs)} inputs; tensor mode takes one")
    return graph.tensor(graph.inputs[0])


def _range(graph: Graph, window: Tensor) -> tuple[float, float]:
    if window.dtype == "bool":
        return 0, 1
    if window.dtype != "float32":
        limits = np.iinfo(window.dtype)
        return max(limits.min, -_MOST - 1), min(limits.max, _MOST)
    for op in graph.ops:
        if op.kind == "QUANTIZE" and op.inputs[0] == window.index:
            made = graph.tensor(op.outputs[0])
            limits, found = np.iinfo(made.dtype), made.quantization
            ends = [(end - found.zero_point) * found.scale for end in (limits.min, limits.max)]
            margin = (ends[1] - ends[0]) / 20
            return ends[0] - margin, ends[1] + margin
    return -1.0, 1.0


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = [file for file in path.iterdir() if file.suffix in _FILES]
    return sorted(found, key=lambda file: (len(file.name), file.name))


def _read(path: Path, window: Tensor) -> list[np.ndarray]:
    dtype = np.dtype(window.dtype)
    if path.suffix not in _FILES:
        raise InputError(f"{path}: is no file of inputs; a name ends in {' or '.join(_FILES)}")
    try:
        if path.suffix == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            values = np.frombuffer(path.read_bytes(), dtype.newbyteorder("<"))
    except (OSError, ValueError, EOFError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"{path}: cannot be read as inputs: {why}") from None
    if values.size == 0:
        raise InputError(f"{path}: is empty; inputs have {window.elements} values of {dtype} each")
    if values.dtype.newbyteorder("=") != dtype:
        raise InputError(f"{path}: holds {values.size} values of {values.dtype}; {dtype} is needed")
    if values.size % window.elements:
        raise InputError(
            f"{path}: holds {values.size} values; inputs have the shape {list(window.shape)}, "
            f"{window.elements} values each"
        )
    return list(values.astype(dtype).reshape(-1, *window.shape))
