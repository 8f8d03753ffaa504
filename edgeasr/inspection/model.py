"""What can be known of a model before any compiler has run: operations, memory, cost, facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeasr import speech
from edgeasr.codegen import coverage, macs
from edgeasr.codegen.incremental import Incremental, transform
from edgeasr.codegen.model import ModelCode, generate
from edgeasr.errors import CheckError, InputError
from edgeasr.graph import Graph, Op, Tensor, load
from edgeasr.inspection.weights import Weights, weights
from edgeasr.project import Layer
from edgeasr.report import memory


@dataclass(frozen=True)
class Row:
    """One operator, with the quantization of its output, as (scale, zero point), where it has one.

    constant_bytes, kernel and offset (of the output, in the arena) are None where the engine cannot
    run the model, or does not need them.
    """

    op: int
    kind: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    dtype: str
    quantization: tuple[float, int] | None
    output_bytes: int
    offset: int | None
    macs: int
    constant_bytes: int | None
    kernel: str | None


@dataclass(frozen=True, eq=False)
class Inspection:
    """A model seen from outside.

    facts: None for a foreign file without any; missing says why. source: where they stand.
    problems: what the `ear` engine cannot run. code: None when there are problems; weights: none
    then. streaming: what `export --incremental` makes of it; None where it refuses, and
    not_streaming says why.
    """

    path: Path
    graph: Graph
    facts: speech.Facts | None
    source: str | None
    missing: str | None
    problems: tuple[str, ...]
    code: ModelCode | None
    rows: tuple[Row, ...]
    weights: tuple[Weights, ...]
    streaming: Incremental | None = None
    not_streaming: str = ""

    @property
    def macs(self) -> int:
        return sum(row.macs for row in self.rows)

    @property
    def int8_bytes(self) -> int:
        """Flash of all weights as raw int8."""
        return sum(row.int8_bytes for row in self.weights)

    @property
    def packed_bytes(self) -> int:
        """Flash of all weights as packed, tables included."""
        return sum(row.packed_bytes for row in self.weights)

    def to_dict(self) -> dict[str, object]:
        ends = [self.graph.tensor(i) for i in (*self.graph.inputs, *self.graph.outputs)]
        return {
            "file": self.path.name,
            "file_bytes": self.path.stat().st_size,
            "tensors": [{"name": t.name, "shape": list(t.shape), "dtype": t.dtype} for t in ends],
            "macs": self.macs,
            "problems": list(self.problems),
            "missing": self.missing,
            "facts": self.facts.to_dict() if self.facts else None,
            "facts_from": self.source,
            "operators": [vars(row) for row in self.rows],
            "weights": self._weights() if self.code else None,
            "memory": self._memory() if self.code else None,
            "incremental": self._streaming(),
        }

    def picture(self) -> str:
        """Return the memory plan as SVG. Raises CheckError when the engine cannot run the model."""
        if self.code is None:
            raise CheckError(
                f"{self.path.name}: no memory plan to draw, as the ear engine cannot run this "
                "model:\n  " + "\n  ".join(self.problems)
            )
        kinds = [op.kind for op in self.graph.ops]
        return memory.render(self.code.plan, kinds, self.path.name)

    def _weights(self) -> dict[str, object]:
        return {
            "int8_bytes": self.int8_bytes,
            "packed_bytes": self.packed_bytes,
            "layers": [vars(row) for row in self.weights],
        }

    def _streaming(self) -> dict[str, object]:
        made = self.streaming
        if made is None:
            return {"problem": self.not_streaming}
        return {"hop": made.hop, "frames": made.frames, "steps": made.steps, "macs": made.macs}

    def _memory(self) -> dict[str, object]:
        plan = self.code.plan
        return {
            "arena_bytes": plan.arena_bytes,
            "state_bytes": plan.state_bytes,
            "lower_bound_bytes": plan.lower_bound_bytes,
            "constant_bytes": self.code.constant_bytes,
            "buffers": [
                {
                    "name": p.buffer.name,
                    "offset": p.offset,
                    "bytes": p.buffer.bytes,
                    "first": p.buffer.first,
                    "last": p.buffer.last,
                }
                for p in (*plan.placed, *plan.state)
            ],
        }


def inspect(path: Path, facts_file: Path | None = None) -> Inspection:
    """Look at any `.tflite` file; only one that cannot be read as a graph is an error.

    facts_file: where its facts are taken from, before any other source.
    """
    graph = load(path)
    facts, source, missing = find_facts(path, facts_file)
    problems = tuple(coverage.check(graph))
    code = None
    if not problems:
        try:
            code = generate(
                graph,
                name=path.stem,
                labels=(facts.labels if facts else ()) or ("?",),
                content=path.read_bytes(),
                board="none",
                where=path.name,
            )
        except InputError as error:
            problems = (str(error),)
    layers = {layer.op: layer for layer in code.layers} if code else {}
    places = code.plan.tensors if code else {}
    rows = tuple(_row(graph, op, layers.get(op.index), places) for op in graph.ops)
    held = weights(code, facts) if code else ()
    streaming = problems[0] if problems else _streaming(graph, facts)
    made, why = (None, streaming) if isinstance(streaming, str) else (streaming, "")
    return Inspection(path, graph, facts, source, missing, problems, code, rows, held, made, why)


def _streaming(graph: Graph, facts: speech.Facts | None) -> Incremental | str:
    """Return the form of a model that computes new rows only, or why it has none."""
    if facts is None or facts.front_end is None:
        return "it has no front end, so there is no hop"
    try:
        made = transform(graph, facts.frames, facts.decision.hop_frames)
    except InputError as error:
        return str(error)
    return next(iter(coverage.check(made.graph)), made)


def find_facts(
    path: Path, given: Path | None = None
) -> tuple[speech.Facts | None, str | None, str | None]:
    """Return a file's facts and their source, or the sentence that says why there are none."""
    try:
        model = speech.load(path, facts=given, front_end=speech.OPTIONAL)
    except InputError as error:
        return None, None, str(error)
    return model.facts, model.source, None


def _row(graph: Graph, op: Op, layer: Layer | None, places: Mapping[int, int]) -> Row:
    first = next((graph.tensor(i) for i in op.inputs if i >= 0), None)
    output = graph.tensor(op.outputs[0]) if op.outputs else None
    return Row(
        op=op.index,
        kind=op.kind,
        input_shape=first.shape if first else (),
        output_shape=output.shape if output else (),
        dtype=output.dtype if output else "",
        quantization=_quantization(output),
        output_bytes=output.bytes if output else 0,
        offset=places.get(output.index) if output else None,
        macs=macs.macs(graph, op),
        constant_bytes=layer.constant_bytes if layer else None,
        kernel=layer.kernel if layer else None,
    )


def _quantization(tensor: Tensor | None) -> tuple[float, int] | None:
    if tensor is None or tensor.quantization is None:
        return None
    return tensor.quantization.scale, tensor.quantization.zero_point
