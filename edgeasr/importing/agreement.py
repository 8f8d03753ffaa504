"""Whether an imported model computes what the original does: both on the same random windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeasr.errors import CheckError
from edgeasr.importing.building import Built
from edgeasr.importing.network import Network

# Of the largest output: float32 sums in another order, through some tens of layers.
BOUND = 1e-4


@dataclass(frozen=True)
class Agreement:
    """inputs: how many random windows. difference: the largest between two outputs. largest: of
    the original's outputs, at least 1. judge: what computed these."""

    inputs: int
    difference: float
    largest: float
    judge: str

    @property
    def bound(self) -> float:
        return BOUND * self.largest

    def __str__(self) -> str:
        return (
            f"largest difference from {self.judge} over {self.inputs} random inputs: "
            f"{self.difference:.2g} (at most {self.bound:.2g} is allowed)"
        )


def reference(network: Network, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random inputs [count, *input_shape] and what onnx's reference evaluator makes of
    them."""
    from onnx.reference import ReferenceEvaluator

    given = [_batch_normalization()] if 9 <= network.opset < 14 else []
    evaluator = ReferenceEvaluator(network.proto, new_ops=given)
    shape = (count, *network.input_shape)
    x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    name = network.proto.graph.output[0].name
    return x, np.stack([evaluator.run([name], {network.input: row})[0] for row in x])


def _batch_normalization() -> type:
    """Return BatchNormalization before opset 14 as its specification has it: with one output it
    takes the statistics that are stored. onnx 1.23 blends them with the input's own
    (github.com/onnx/onnx, pull request 8442)."""
    from onnx.reference.op_run import OpRun

    class BatchNormalization(OpRun):
        op_domain = ""

        def _run(self, x, scale, bias, mean, variance, epsilon=None, **_):
            gain = scale / np.sqrt(variance + np.float32(1e-5 if epsilon is None else epsilon))
            ones = (1,) * (x.ndim - 2)
            shift = (bias - mean * gain).reshape(-1, *ones)
            return ((x * gain.reshape(-1, *ones) + shift).astype(x.dtype),)

    return BatchNormalization


def check(built: Built, x: np.ndarray, y: np.ndarray, judge: str, where: str) -> Agreement:
    """Compare the model with the original's outputs y on inputs x.

    Raises CheckError where they differ by more than BOUND of the largest output, or an output of
    the original is not finite.
    """
    y = y.reshape(len(y), -1).astype(np.float32)
    made = np.asarray(built.original(built.windows(x), training=False))
    if not np.isfinite(y).all():
        raise CheckError(f"{where}: an output of the original is not finite; look at its weights")
    if made.shape != y.shape:
        raise CheckError(f"{where}: {made.shape[1]} outputs, the original has {y.shape[1]}")
    found = Agreement(
        len(x), float(np.abs(made - y).max()), max(1.0, float(np.abs(y).max())), judge
    )
    if found.difference > found.bound:
        raise CheckError(f"{where}: {found}; this is a bug of the import; please report the model")
    return found
