"""Every kernel, as lowered for the firmware, gives the bits of TFLite-Micro's reference kernels."""

import numpy as np
import pytest

from edgeasr.codegen.call import KernelCall
from edgeasr.codegen.lower import lower
from tests.vectors.kernels import host
from tests.vectors.kernels.cases import KINDS, Case, cases
from tests.vectors.kernels.oracle import tflm

_MANY = {
    "conv2d": 160, "depthwise": 160, "dense": 100,
    "conv2d_s16": 160, "depthwise_s16": 160, "dense_s16": 100,
}  # fmt: skip
_FEW = 40


def ours(case: Case) -> np.ndarray:
    made = lower(case.graph, case.op)
    assert isinstance(made, KernelCall)
    output = case.graph.tensor(case.graph.outputs[0])
    tensors = dict(zip(case.graph.inputs, case.inputs, strict=True))
    content = host.run(made, tensors, output.bytes)
    return np.frombuffer(content, output.dtype).reshape(output.shape)


@pytest.mark.parametrize("kind", KINDS)
def test_bit_exact(kind: str) -> None:
    for case in cases(kind, _MANY.get(kind, _FEW)):
        expected = tflm(case.graph, case.inputs)
        got = ours(case)
        assert got.dtype == expected.dtype
        if got.tobytes() != expected.tobytes():
            wrong = np.flatnonzero(got.ravel() != expected.ravel())
            pytest.fail(
                f"{case.name}: {len(wrong)} of {got.size} differ, first at {wrong[0]}: "
                f"{got.ravel()[wrong[0]]} instead of {expected.ravel()[wrong[0]]}"
            )
