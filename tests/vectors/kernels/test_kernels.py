"""Every kernel, as lowered for the firmware, gives the bits of TFLite-Micro's reference kernels."""

from collections.abc import Callable

import numpy as np
import pytest

from edgeasr import paths
from edgeasr.codegen.call import KernelCall
from edgeasr.codegen.lower import lower
from edgeasr.codegen.packing import Packed, pack
from tests.vectors.kernels import host
from tests.vectors.kernels.cases import KINDS, Case, cases
from tests.vectors.kernels.cases_packed import GRIDS, LAYERS, pack_for, packed_cases
from tests.vectors.kernels.oracle import tflm

_MANY = {
    "conv2d": 160, "depthwise": 160, "dense": 100,
    "conv2d_s16": 160, "depthwise_s16": 160, "dense_s16": 100,
}  # fmt: skip
_FEW = 40


def ours(case: Case, pack: Callable[[np.ndarray, int], Packed] = pack) -> np.ndarray:
    made = lower(case.graph, case.op, pack=pack)
    assert isinstance(made, KernelCall)
    output = case.graph.tensor(case.graph.outputs[0])
    tensors = dict(zip(case.graph.inputs, case.inputs, strict=True))
    content = host.run(made, tensors, output.bytes)
    return np.frombuffer(content, output.dtype).reshape(output.shape)


def _check(case: Case, got: np.ndarray) -> None:
    expected = tflm(case.graph, case.inputs)
    assert got.dtype == expected.dtype
    if got.tobytes() != expected.tobytes():
        wrong = np.flatnonzero(got.ravel() != expected.ravel())
        pytest.fail(
            f"{case.name}: {len(wrong)} of {got.size} differ, first at {wrong[0]}: "
            f"{got.ravel()[wrong[0]]} instead of {expected.ravel()[wrong[0]]}"
        )


@pytest.mark.parametrize("kind", KINDS)
def test_bit_exact(kind: str) -> None:
    for case in cases(kind, _MANY.get(kind, _FEW)):
        _check(case, ours(case))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("unpacker", GRIDS)
def test_bit_exact_with_packed_weights(unpacker: str, layer: str) -> None:
    served = 0
    for case in packed_cases(unpacker, layer, _FEW):
        _check(case, ours(case, pack_for(unpacker)))
        served += 1
    assert served >= _FEW // 4


def test_every_unpacker_has_cases() -> None:
    found = {file.stem for file in paths.runtime().glob("ear_weights_*.c")}

    assert found == set(GRIDS)
