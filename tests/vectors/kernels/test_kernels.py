"""Every kernel, as lowered for the firmware, gives the bits of TFLite-Micro's reference kernels."""

from collections.abc import Callable

import numpy as np
import pytest

from edgeasr import paths
from edgeasr.codegen import extensions
from edgeasr.codegen.lower import lower
from edgeasr.codegen.packing import Packed, pack
from tests.vectors.kernels import host
from tests.vectors.kernels.cases import KINDS, Case, cases
from tests.vectors.kernels.cases_packed import GRIDS, LAYERS, pack_for, packed_cases
from tests.vectors.kernels.cases_wide import REAL, WIDE
from tests.vectors.kernels.oracle import Outputs, expected

_MANY = {
    "conv2d": 160, "depthwise": 160, "dense": 100,
    "conv2d_s16": 160, "depthwise_s16": 160, "dense_s16": 100,
    **dict.fromkeys(WIDE, 80), **dict.fromkeys(REAL, 6),
}  # fmt: skip
_FEW = 40
# Kinds with kernels of some extension's own.
_OWN_KERNELS = (
    "conv2d", "conv2d_long", "depthwise", "dense", "conv2d_int4", "depthwise_int4", "dense_int4",
    "conv2d_ties", "dense_ties", "conv2d_wrapping", "depthwise_wrapping", "dense_wrapping",
    "svdf", "svdf_ties", "average_pool", "max_pool", "add", "sub",
    *WIDE, *REAL,
)  # fmt: skip


def ours(
    case: Case,
    pack: Callable[[np.ndarray, int], Packed] = pack,
    extension: str = extensions.NONE,
) -> tuple[Outputs, ...]:
    layer = host.Layer(case.graph, lower(case.graph, case.op, pack=pack, extension=extension))
    return tuple(
        layer.invoke(dict(zip(case.graph.inputs, inputs, strict=True))) for inputs in case.steps
    )


def _check(case: Case, got: tuple[Outputs, ...]) -> None:
    """Compare each output of each invocation, as bytes: floats must match to the last bit too."""
    for step, (ours, theirs) in enumerate(zip(got, expected(case), strict=True)):
        for position, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert (one.dtype, one.shape) == (other.dtype, other.shape), case.name
            if one.tobytes() != other.tobytes():
                wrong = np.flatnonzero(one.ravel() != other.ravel())
                pytest.fail(
                    f"{case.name}: invocation {step}, output {position}: {len(wrong)} of "
                    f"{one.size} differ, first {one.ravel()[wrong[:1]]} instead of "
                    f"{other.ravel()[wrong[:1]]} at {wrong[:1]}"
                )


@pytest.mark.parametrize("kind", KINDS)
def test_bit_exact(kind: str) -> None:
    for case in cases(kind, _MANY.get(kind, _FEW)):
        _check(case, ours(case))


@pytest.mark.parametrize("extension", [e for e in extensions.EXTENSIONS if e != extensions.NONE])
@pytest.mark.parametrize("kind", _OWN_KERNELS)
def test_bit_exact_as_lowered_for_an_extension(kind: str, extension: str) -> None:
    for case in cases(kind, _MANY.get(kind, _FEW)):
        _check(case, ours(case, extension=extension))


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
