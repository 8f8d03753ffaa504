"""Inputs for the tensor mode: random ones of every type, and those that files hold."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from edgeasr import hil
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Tensor
from edgeasr.hil import TensorReport
from edgeasr.hil.tensors import written_layers
from edgeasr.project import Layer
from tests import tiny

_DTYPES = ("int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "float32", "bool")


def _graph(dtype: str, shape: tuple[int, ...] = (1, 3, 40)) -> Graph:
    tensor = Tensor(0, "in", shape, dtype, None, tiny.quantized(0.1))
    return Graph("main", (tensor,), (), (0,), (0,))


@pytest.mark.parametrize("dtype", _DTYPES)
def test_random_inputs_have_the_type_and_come_again(dtype: str) -> None:
    made = hil.random_inputs(_graph(dtype), 20, seed=5)
    again = hil.random_inputs(_graph(dtype), 20, seed=5)
    other = hil.random_inputs(_graph(dtype), 20, seed=6)

    assert {(values.dtype.name, values.shape) for values in made} == {(dtype, (1, 3, 40))}
    assert all(map(np.array_equal, made, again))
    assert not all(map(np.array_equal, made, other))


def test_the_first_has_the_whole_range_and_the_others_parts_of_it() -> None:
    made = hil.random_inputs(_graph("int8", (1, 4000)), 50, seed=1)
    assert (made[0].min(), made[0].max()) == (-128, 127)
    widths = [int(values.max()) - int(values.min()) for values in made[1:]]
    assert min(widths) < 60 < 160 < max(widths)


def test_floats_reach_beyond_both_ends_of_what_they_are_quantized_to() -> None:
    inside = Tensor(1, "q", (1, 4000), "int8", None, tiny.quantized(0.5, -28))
    window = Tensor(0, "in", (1, 4000), "float32")
    graph = Graph("main", (window, inside), (Op(0, "QUANTIZE", (0,), (1,)),), (0,), (1,))
    first = hil.random_inputs(graph, 1, seed=1)[0]
    assert -57 < first.min() < -50 and 77.5 < first.max() < 84


def test_files_are_read_in_order(tmp_path: Path) -> None:
    values = np.arange(360, dtype=np.int16).reshape(3, 1, 3, 40)
    np.save(tmp_path / "a.npy", values[:2])
    (tmp_path / "b.bin").write_bytes(values[2].astype("<i2").tobytes())
    (tmp_path / "notes.txt").write_text("not an input")

    made = hil.read_inputs([tmp_path], _graph("int16"))

    assert np.array_equal(np.stack(made), values)
    assert np.array_equal(hil.read_inputs([tmp_path / "b.bin"], _graph("int16"))[0], values[2])


def test_numbered_files_count_upwards(tmp_path: Path) -> None:
    for n in (0, 2, 10):
        (tmp_path / f"{n}.bin").write_bytes(bytes([n] * 120))
    made = hil.read_inputs([tmp_path], _graph("int8"))
    assert [values.flat[0] for values in made] == [0, 2, 10]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.bin", b"123", r"a\.bin: holds 3 values; inputs have the shape \[1, 3, 40\], 120"),
        ("a.bin", b"", r"a\.bin: is empty; inputs have 120 values of int8 each"),
        ("a.npz", b"PK", r"a\.npz: is no file of inputs; a name ends in \.npy or \.bin"),
        ("a.npy", b"nothing", r"a\.npy: cannot be read as inputs"),
        ("none.bin", None, "cannot be read as inputs: .*No such file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        hil.read_inputs([tmp_path / name], _graph("int8"))


def test_another_type_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(120, np.float64))
    with pytest.raises(InputError, match="120 values of float64; int8 is needed"):
        hil.read_inputs([tmp_path], _graph("int8"))


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read as inputs"):
        hil.read_inputs([tmp_path], _graph("int8"))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no \.npy or \.bin file"):
        hil.read_inputs([tmp_path], _graph("int8"))


def test_agreement_counts_inputs() -> None:
    report = TensorReport(
        board="host", engine="ear", model="m", model_sha256="0", reference="TFLite-Micro",
        inputs=8, unequal=(3, 5), layers=4, layers_unequal=(), stateful=False, instructions=None,
        distinct_outputs=8,
    )  # fmt: skip
    assert (report.agreement, report.agrees) == (0.75, False)
    assert report.to_dict()["unequal"] == [3, 5]
    same = dataclasses.replace(report, unequal=())
    assert (same.agreement, same.agrees) == (1.0, True)
    assert not dataclasses.replace(same, layers_unequal=(2,)).agrees


def test_outputs_that_are_not_written_as_a_whole_are_not_compared() -> None:
    tensors = tuple(Tensor(n, f"t{n}", (1, 4), "int32") for n in range(5))
    kinds = ("FFT", "CUSTOM:SignalEnergy", "CAST", "SLICE")
    ops = tuple(Op(n, kind, (n,), (n + 1,)) for n, kind in enumerate(kinds))
    layers = [Layer(n, n, kind, "k", n + 1, 0, 0) for n, kind in enumerate(kinds)]
    graph = Graph("main", tensors, ops, (0,), (4,))
    assert [layer.index for layer in written_layers(graph, layers)] == [0, 3]
