"""ONNX activations and arithmetic become Keras layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.importing.call import Call
from edgeasr.importing.layout import Value, arranged, plain
from edgeasr.importing.pooling import reduce
from edgeasr.importing.weights import normalized

_ACTIVATIONS: Mapping[str, str] = {
    "HardSwish": "hard_silu", "Sigmoid": "sigmoid", "Tanh": "tanh",
}  # fmt: skip


def activation(call: Call) -> Value:
    """An activation that Keras knows by name."""
    value = call.value()
    layer = load_keras().layers.Activation(_ACTIVATIONS[call.node.kind])
    return value.with_tensor(layer(value.tensor))


def relu(call: Call) -> Value:
    value = call.value()
    return value.with_tensor(load_keras().layers.ReLU()(value.tensor))


def leaky_relu(call: Call) -> Value:
    value, slope = call.value(), float(call.attribute("alpha", 0.01))
    return value.with_tensor(load_keras().layers.LeakyReLU(negative_slope=slope)(value.tensor))


def hard_sigmoid(call: Call) -> Value:
    """max(0, min(1, x / 6 + 0.5)), as PyTorch's; ONNX's own default is another."""
    alpha, beta = float(call.attribute("alpha", 0.2)), float(call.attribute("beta", 0.5))
    if abs(alpha - 1 / 6) > 1e-6 or beta != 0.5:
        raise call.fail(f"of slope {alpha:g} and {beta:g}; 1/6 and 0.5 can be imported")
    value = call.value()
    return value.with_tensor(load_keras().layers.Activation("hard_sigmoid")(value.tensor))


def clip(call: Call) -> Value:
    """ONNX Clip from 0: ReLU, or ReLU6 and its like."""
    low = call.attribute("min", None)
    high = call.attribute("max", None)
    low = float(np.ravel(call.constant(1, -np.inf))[0]) if low is None else float(low)
    high = float(np.ravel(call.constant(2, np.inf))[0]) if high is None else float(high)
    if low != 0 or high <= 0:
        raise call.fail(f"from {low:g} to {high:g}; only from 0 up can be imported")
    value = call.value()
    top = None if high >= np.finfo(np.float32).max else high
    return value.with_tensor(load_keras().layers.ReLU(max_value=top)(value.tensor))


def total(call: Call) -> Value:
    """ONNX ReduceSum: the mean, times the number of places."""
    before, mean = call.value(), reduce(call)
    count = np.float64([math.prod(before.shape) / math.prod(mean.shape)])
    return normalized(mean, 0, [count, 0 * count, 0 * count, 1 + 0 * count], epsilon=0.0)


def arithmetic(call: Call) -> Value:
    """ONNX Add, Sub, Mul and Div: of two tensors, or of one and a constant along one axis."""
    if call.is_constant(0) or call.is_constant(1):
        return _with_constant(call)
    if call.node.kind == "Div":
        raise call.fail("division of two tensors cannot be imported; multiply instead")
    layers = load_keras().layers
    kinds = {"Add": layers.Add, "Sub": layers.Subtract, "Mul": layers.Multiply}
    first, second = _alike(call, call.value(0), call.value(1))
    return first.with_tensor(kinds[call.node.kind]()([first.tensor, second.tensor]))


def _alike(call: Call, first: Value, second: Value) -> tuple[Value, Value]:
    """Return both with the same places for the same axes, the first the larger one."""
    if len(first.axes) != len(second.axes):
        raise call.fail(f"of {list(first.shape)} and {list(second.shape)}; as many axes are needed")
    if np.prod(first.shape) < np.prod(second.shape):
        if call.node.kind == "Sub":
            raise call.fail("of a smaller tensor and a larger one cannot be imported")
        first, second = second, first
    if any(s not in (1, f) for f, s in zip(first.shape, second.shape, strict=True)):
        raise call.fail(f"of {list(first.shape)} and {list(second.shape)}")
    if first.axes == second.axes and first.sizes == second.sizes:
        return first, second
    if any(len(first.dims(axis)) > 1 for axis in range(len(first.axes))):
        first = plain(first)
    places = {first.axes[a][0]: a for a in range(len(first.axes)) if first.axes[a]}
    order = [places.get(dim) for dim in range(len(first.sizes))]
    return first, arranged(second, order)


def _with_constant(call: Call) -> Value:
    """A constant as a normalisation that neither shifts the mean nor scales: y = x gain + bias."""
    place = 1 if call.is_constant(0) else 0
    value, kind = call.value(place), call.node.kind
    constant = call.constant(1 - place).astype(np.float64)
    if constant.ndim > len(value.axes):
        raise call.fail(f"a constant of shape {list(constant.shape)} for {list(value.shape)}")
    constant = constant.reshape((1,) * (len(value.axes) - constant.ndim) + constant.shape)
    larger = [axis for axis, size in enumerate(constant.shape) if size > 1]
    if len(larger) > 1 or any(constant.shape[a] != value.size(a) for a in larger):
        raise call.fail(
            f"a constant of shape {list(constant.shape)} for {list(value.shape)}; one number, or "
            "one for each place of one axis, can be imported"
        )
    numbers = constant.reshape(-1)
    gain, bias = _GAINS[kind, place](numbers)
    if not np.isfinite([gain, bias]).all():
        raise call.fail("a constant is not usable here: the result is not finite")
    ones, zeros = np.ones_like(numbers), np.zeros_like(numbers)
    return normalized(value, larger[0] if larger else 0, [gain, bias, zeros, ones], epsilon=0.0)


def _divided(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore"):
        return 1 / numbers, 0 * numbers


# Kind, and the place of the tensor among its inputs: constant -> gain and bias of the tensor.
_GAINS: Mapping[tuple[str, int], Callable] = {
    ("Add", 0): lambda c: (np.ones_like(c), c),
    ("Add", 1): lambda c: (np.ones_like(c), c),
    ("Sub", 0): lambda c: (np.ones_like(c), -c),
    ("Sub", 1): lambda c: (-np.ones_like(c), c),
    ("Mul", 0): lambda c: (c, np.zeros_like(c)),
    ("Mul", 1): lambda c: (c, np.zeros_like(c)),
    ("Div", 0): _divided,
}
