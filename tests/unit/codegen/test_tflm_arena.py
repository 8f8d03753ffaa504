"""The account of TFLite-Micro's arena equals what its interpreter needs, found by bisecting."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeasr import bisection, graph, paths
from edgeasr.codegen import tflm_arena
from edgeasr.codegen.tflm_arena.abi import Abi
from edgeasr.codegen.tflm_arena.account import Account
from edgeasr.codegen.tflm_arena.contents import Contents, Operator, Subgraph, TensorRecord
from edgeasr.codegen.tflm_arena.planner import Buffer, plan_bytes
from edgeasr.codegen.tflm_arena.variants import kernel_table
from edgeasr.errors import InputError
from tests.vectors.kernels.cases import KINDS, cases
from tests.vectors.kernels.tflite_builder import serialize

ZOO = sorted(paths.zoo().glob("*.tflite"))


@pytest.fixture(scope="module")
def trials() -> Iterator[bisection.Trials]:
    with bisection.Trials() as started:
        yield started


def predict(content: bytes) -> tflm_arena.Arena:
    return tflm_arena.predict(graph.parse(content), content, tflm_arena.PYPI)


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_models_of_the_zoo_need_what_is_predicted(path: Path, trials: bisection.Trials):
    predicted = predict(path.read_bytes())
    assert predicted.unknown == ()
    assert predicted.bytes == trials.smallest_arena(path.read_bytes())


def test_models_of_others_need_what_is_predicted(shared_data: Path, trials: bisection.Trials):
    wrong, seen = {}, 0
    for path in sorted((shared_data / "models").glob("*.tflite")):
        content = path.read_bytes()
        try:
            measured = trials.smallest_arena(content)
        except InputError:
            continue  # not a model that TFLite-Micro runs
        seen += 1
        predicted = predict(content)
        if predicted.bytes != measured or predicted.unknown:
            wrong[path.name] = (predicted, measured)
    assert not wrong
    assert seen >= 14


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_single_operations_need_what_is_predicted(kind: str, trials: bisection.Trials):
    for case in cases(kind, 1):
        content = serialize(case.graph)
        measured, predicted = trials.smallest_arena(content), predict(content)
        assert predicted.unknown == ()
        # Both are the same, but for models so small that kernels' data lands on structs in use.
        assert predicted.checked_bytes <= measured <= predicted.bytes, case.name


@pytest.mark.parametrize("name", ["cortex-m0", "cortex-m4", "cortex-m55"])
def test_cores_of_32_bits_need_less_than_the_host_but_for_scratch(name: str):
    content = ZOO[0].read_bytes()
    model = graph.parse(content)
    host = tflm_arena.predict(model, content, tflm_arena.HOST)
    plain = tflm_arena.predict(model, content, tflm_arena.cortex_m(name, cmsis_nn=False))
    fast = tflm_arena.predict(model, content, tflm_arena.cortex_m(name))
    assert plain.bytes < host.bytes
    assert plain.bytes <= fast.bytes
    assert plain.parts["plan"] <= fast.parts["plan"]


def test_a_core_that_is_none_is_refused_by_name():
    with pytest.raises(ValueError, match='core "cortex-m9" not found'):
        tflm_arena.cortex_m("cortex-m9")


def test_an_unknown_operator_is_named_and_has_a_margin():
    case = next(cases("signal_energy", 1))
    known = serialize(case.graph)
    content = known.replace(b"SignalEnergy", b"SignalEnergX")
    assert content != known
    predicted = tflm_arena.predict(graph.parse(content), content)
    assert predicted.unknown == ("CUSTOM:SignalEnergX",)
    assert predicted.bytes > tflm_arena.predict(case.graph, known).bytes
    assert predicted.margin_bytes >= 512


@pytest.mark.parametrize(
    "fields, size32, size64",
    [
        ("b", 1, 1),
        ("bi", 8, 8),
        ("pbp", 12, 24),
        ("ed", 16, 16),
        ("3(bh)i", 16, 16),
        ("(id)3i", 32, 32),
        ("eb", 2, 8),
    ],
)
def test_structs_have_the_size_that_the_abi_gives(fields: str, size32: int, size64: int):
    assert Abi(pointer_bytes=4, enum_bytes=1).size(fields) == size32
    assert Abi(pointer_bytes=8, enum_bytes=4).size(fields) == size64


def test_fields_that_are_none_are_refused():
    with pytest.raises(ValueError, match='"x"'):
        Abi(4, 1).size("2ix")


def test_the_planner_fills_gaps_in_the_order_of_tflite_micro():
    # The largest at 0; of equals the last added first; the small one into the gap of its time.
    assert plan_bytes([Buffer(32, 0, 1), Buffer(64, 1, 2), Buffer(32, 2, 3)]) == 96
    assert plan_bytes([Buffer(64, 0, 0), Buffer(16, 1, 1)]) == 64
    assert plan_bytes([Buffer(16, 0, 5, offset=48), Buffer(48, 0, 5), Buffer(16, 0, 5)]) == 80
    assert plan_bytes([]) == 0


def contents_of(*subgraphs: Subgraph) -> Account:
    account = Account(Contents(subgraphs), tflm_arena.HOST, kernel_table(tflm_arena.HOST))
    account.run()
    return account


TENSOR = TensorRecord("int8", (1, 8, 8, 4), constant=False, variable=False, channels=1)
WEIGHTS = TensorRecord("int8", (4, 3, 3, 4), constant=True, variable=False, channels=4)


def test_an_operator_without_options_in_a_called_subgraph_is_guessed_high():
    called = Subgraph((TENSOR, WEIGHTS, TENSOR), (Operator("SVDF", (0, 1), (2,)),), (0,), (2,))
    main = Subgraph((TENSOR,), (Operator("CALL_ONCE", (), (), calls=(1,)),), (0,), (0,))
    account = contents_of(main, called)
    assert account.guessed == {"SVDF"}
    assert account.parts["kernels"] > 2 * TENSOR.bytes


def test_tensors_that_a_kernel_cannot_take_are_refused_by_the_operator_s_name():
    flat = TensorRecord("int8", (4,), constant=True, variable=False, channels=4)
    main = Subgraph((TENSOR, flat), (Operator("DEPTHWISE_CONV_2D", (0, 1), (0,)),), (0,), (0,))
    with pytest.raises(InputError, match="DEPTHWISE_CONV_2D: TFLite-Micro's kernel cannot take"):
        contents_of(main)


def test_more_tensors_than_are_planned_are_refused():
    with pytest.raises(InputError, match="5,001 tensors to place"):
        contents_of(Subgraph((TENSOR,) * 5001, (), (0,), (0,)))


def test_damage_ends_in_an_input_error_never_in_another_one():
    content = bytearray(ZOO[0].read_bytes())
    model = graph.parse(bytes(content))
    rng = np.random.default_rng(11)
    refused = 0
    for _ in range(150):
        damaged = bytearray(content)
        for position in rng.integers(0, len(content), 8):
            damaged[position] = rng.integers(0, 256)
        for position in rng.integers(len(content) - 6000, len(content), 8):
            damaged[position] = rng.integers(0, 256)
        try:
            tflm_arena.predict(model, bytes(damaged))
        except InputError:
            refused += 1
    assert refused > 20
