"""Bad models at the command line: one sentence with the tensor or operator, exit code 2."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeasr.graph import Graph, Op, Quantization
from tests import tiny
from tests.vectors.kernels.programs import Program
from tests.vectors.kernels.tflite_builder import serialize


def _tensor(index: int, **changes: object) -> Callable[[], bytes]:
    def made() -> bytes:
        tensors = list(tiny.graph().tensors)
        tensors[index] = replace(tensors[index], **changes)
        return serialize(replace(tiny.graph(), tensors=tuple(tensors)))

    return made


def _op(index: int, **changes: object) -> Callable[[], bytes]:
    def made() -> bytes:
        ops = list(tiny.graph().ops)
        ops[index] = replace(ops[index], **changes)
        return serialize(replace(tiny.graph(), ops=tuple(ops)))

    return made


def _scale(value: float) -> Quantization:
    return Quantization(np.float32([value]), np.int32([0]))


def _truncated() -> bytes:
    return serialize(tiny.graph())[:-900]


def _offset_outside() -> bytes:
    """The root table is said to be behind the end."""
    return b"\xf0\xff\xff\x7f" + serialize(tiny.graph())[4:]


def _missing_buffer() -> bytes:
    """A kernel that lost its values: the operation needs a constant."""
    return _tensor(1, data=None)()


def _recursion() -> bytes:
    p = Program(3, 2)
    p.variable("past", 2)
    p.assign("past", p.input)
    graph = p.graph(p.sum(p.input, p.read("past")))
    once = Op(0, "CALL_ONCE", (), (), {"init_subgraph_index": 0})
    ops = (once, *(replace(op, index=op.index + 1) for op in graph.ops))
    return serialize(replace(graph, ops=ops))


def _branching() -> bytes:
    p = Program(3, 2)
    made = p.tensor(2)
    p.op("WHILE", (p.input,), (made,), cond_subgraph_index=1, body_subgraph_index=2)
    graph = p.graph(made)
    return serialize(replace(graph, subgraphs=(Graph("empty", (), (), (), ()),) * 2))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (_truncated, "damaged .tflite file"),
        (_offset_outside, "damaged .tflite file"),
        (_missing_buffer, 'reads tensor #1 "kernel" before any operator makes it'),
        (_tensor(0, shape=(1, -6, 8, 1)), 'tensor #0 "features" has shape [1, -6, 8, 1]'),
        (_tensor(0, shape=(1, 6, 1 << 20, 1 << 20)), 'tensor #0 "features" has 6,597,069,766,656'),
        (_tensor(3, shape=(1, 3, 4, 1 << 16)), 'operator #0 CONV_2D: tensor "conv" has shape'),
        (_tensor(5, quantization=_scale(0)), 'tensor #5 "mean" has a scale of 0'),
        (_tensor(5, quantization=_scale(np.nan)), 'tensor #5 "mean" has a scale of nan'),
        (_tensor(5, quantization=None), 'operator #1 MEAN: tensor "mean" has no quantization'),
        (_op(0, inputs=(7, 1, 2)), 'CONV_2D reads tensor #7 "logits" before any operator makes it'),
        (_recursion, "operator #0 CALL_ONCE: calls subgraph 0, which it is in"),
        (_branching, "operator #0 WHILE: not supported"),
    ],
)
def test_bad_models_are_refused(content: Callable[[], bytes], says: str, tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(content())

    done = subprocess.run(
        [sys.executable, "-m", "edgeasr", "export", "bad.tflite", "--bare", "--board", "host"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert says in " ".join(done.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["bad.tflite"]
