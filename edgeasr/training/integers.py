"""The training graph in integers: the sums and roundings of the device, for many clips at once.

A TrainingGraph becomes a graph of integer operations by its own levels, scales, biases and ranges;
no converted file is read. Each operation is checked as for firmware, and numpy does what its
kernels do, bit-exact with TFLite-Micro: sums in float64, exact below 2^53, then fixed point in
int64. Refused: layers other than convolutions, dense, addition, pooling, ReLU and new shapes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from edgeasr.backend import load_keras
from edgeasr.codegen import fixedpoint
from edgeasr.codegen.call import Alias, Array
from edgeasr.codegen.lower import convolution, dense, lower
from edgeasr.codegen.lower.convolution import Convolution
from edgeasr.codegen.lower.dense import Dense
from edgeasr.codegen.lower.elementwise import EXTRA_BITS
from edgeasr.codegen.lower.quantized import channel_scales, round_away
from edgeasr.codegen.lower.view import OpView
from edgeasr.codegen.packing import pack_raw
from edgeasr.errors import InputError
from edgeasr.graph import Graph, Op, Quantization, Tensor
from edgeasr.quantize import folding

if TYPE_CHECKING:
    from edgeasr.quantize.layer_weights import LayerWeights
    from edgeasr.quantize.simulation import TrainingGraph

_CHUNK = 128  # Clips whose activations are in memory at once.
_STEPS = 255  # Of an int8 activation, from its least to its greatest value.


def logits(made: TrainingGraph, inputs: np.ndarray) -> np.ndarray:
    """Return the integers before the softmax, int8 [n, labels].

    inputs: int8 [n, frames, features], as the converted file takes them. Raises InputError for a
    layer that has no integer form here, and where firmware could not do an operation.
    """
    graph = integer_graph(made)
    steps = [(op, _step(graph, op)) for op in graph.ops]
    entry, last = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    found = np.empty((len(inputs), last.elements), np.int8)
    for start in range(0, len(inputs), _CHUNK):
        part = inputs[start : start + _CHUNK]
        values = {entry.index: part.reshape(len(part), *entry.shape[1:])}
        for op, step in steps:
            read = [values[i] for i in op.inputs if i in values]
            made = step(read)
            values[op.outputs[0]] = made.reshape(-1, *graph.tensor(op.outputs[0]).shape[1:])
        found[start : start + _CHUNK] = values[last.index].reshape(len(part), -1)
    return found


def integer_graph(made: TrainingGraph) -> Graph:
    """Return the graph, up to its logits, as the operations and integers that a device would get.

    Batch size 1. A ReLU is fused into the operation before it. Raises InputError for a layer that
    has no integer form here.
    """
    maker = _Maker(made)
    end = folding.before_softmax(made.model)
    for layer in made.model.layers[: made.model.layers.index(end) + 1]:
        maker.add(layer)
    outputs = (maker.source(end.name, end),)
    return Graph(made.model.name, tuple(maker.tensors), tuple(maker.ops), (0,), outputs)


class _Maker:
    """The graph as made so far. Biases are in steps of scales in double, as the converter's are."""

    def __init__(self, made: TrainingGraph) -> None:
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []
        self._weights = made.weights
        self._ranges = dict(zip(made.points, made.ranges().astype(np.float64), strict=True))
        self._made: dict[str, int] = {}  # tensors by the names of their layers
        self._scales: dict[int, float] = {}
        self._unrounded: dict[str, object] = {}  # layers that wait for their ReLU

    def add(self, layer) -> None:
        """Add what a layer does; one that a ReLU follows is added with it."""
        layers = load_keras().layers
        if isinstance(layer, layers.InputLayer):
            self._activation(layer)
        elif isinstance(layer, layers.Reshape | layers.Flatten | layers.Dropout):
            self._kept(layer, "RESHAPE", {})
        elif isinstance(layer, layers.MaxPooling2D | layers.AveragePooling2D):
            kind = "MAX" if isinstance(layer, layers.MaxPooling2D) else "AVERAGE"
            self._kept(layer, f"{kind}_POOL_2D", _pooling(layer))
        elif layer.name not in self._ranges:
            if layer.name not in self._weights and not isinstance(layer, layers.Add):
                raise _refused(layer, "has no integer form in the simulation")
            self._unrounded[layer.name] = layer
        elif isinstance(layer, layers.ReLU | layers.Activation):
            before = self._unrounded.get(folding.inputs(layer)[0].name)
            if before is None or _function(before) != "NONE":
                raise _refused(layer, "follows no convolution, dense layer or addition")
            self._computed(before, layer, _function(layer))
        else:
            self._computed(layer, layer, _function(layer))

    def source(self, name: str, reader) -> int:
        """Return the tensor of a layer by its name."""
        if name not in self._made:
            raise _refused(reader, f'reads "{name}" before its ReLU, which is fused into it')
        return self._made[name]

    def _kept(self, layer, kind: str, options: Mapping) -> None:
        """Add the operation of a layer that keeps the scale it finds."""
        source = self.source(folding.inputs(layer)[0].name, layer)
        target = self._tensor(layer, self.tensors[source].quantization, self._scales[source])
        self._op(kind, (source,), target, options)

    def _computed(self, layer, rounded, function: str) -> None:
        """Add the operation of a layer whose values are rounded after `rounded`, itself or its
        ReLU."""
        layers = load_keras().layers
        sources = tuple(self.source(given.name, layer) for given in folding.inputs(layer))
        options: dict[str, object] = {"fused_activation_function": function}
        if layer.name in self._weights:
            kind, more = _weighted(layer)
            constants = self._constants(layer, sources[0])
            options |= more
        elif isinstance(layer, layers.Add) and len(sources) == 2:
            kind, constants = "ADD", ()
        elif isinstance(layer, layers.GlobalAveragePooling2D) and function == "NONE":
            axes = self._constant(f"{layer.name}/axes", np.array([1, 2], np.int32))
            kind, constants, options = "MEAN", (axes,), {"keep_dims": layer.keepdims}
        else:
            raise _refused(layer, "has no integer form in the simulation")
        self._op(kind, (*sources, *constants), self._activation(rounded), options)

    def _constants(self, layer, source: int) -> tuple[int, int]:
        """Add kernel and bias of a layer, as the converter stores them."""
        weights = self._weights[layer.name]
        levels, scales = weights.integers()
        steps = _stored_scales(weights, scales)
        kept = np.float32(steps)
        axis = 3 if weights.depthwise else 0
        quantization = Quantization(kept, np.zeros(len(kept), np.int32), axis)
        kernel = self._constant(f"{layer.name}/kernel", weights.as_stored(levels), quantization)
        ratios = weights.bias.numpy().astype(np.float64) / (self._scales[source] * steps)
        bias = np.array([round_away(ratio) for ratio in ratios])
        bias = np.clip(bias, fixedpoint.INT32_MIN, fixedpoint.INT32_MAX).astype(np.int32)
        return kernel, self._constant(f"{layer.name}/bias", bias)

    def _constant(
        self, name: str, data: np.ndarray, quantization: Quantization | None = None
    ) -> int:
        index = len(self.tensors)
        self.tensors.append(Tensor(index, name, data.shape, data.dtype.name, data, quantization))
        return index

    def _activation(self, layer) -> int:
        scale, zero_point = scale_and_zero_point(*self._ranges[layer.name])
        stored = Quantization(np.float32([scale]), np.array([zero_point], np.int32))
        return self._tensor(layer, stored, scale)

    def _tensor(self, layer, quantization: Quantization, scale: float) -> int:
        shape = layer.output.shape if layer.output is not None else layer.batch_shape
        index = len(self.tensors)
        self.tensors.append(
            Tensor(index, layer.name, (1, *shape[1:]), "int8", quantization=quantization)
        )
        self._made[layer.name] = index
        self._scales[index] = scale
        return index

    def _op(self, kind: str, inputs: tuple[int, ...], output: int, options: Mapping) -> None:
        self.ops.append(Op(len(self.ops), kind, inputs, (output,), options))


def scale_and_zero_point(low: float, high: float) -> tuple[float, int]:
    """Return scale, in double, and zero point of int8 for a range with 0 in it.

    The zero point is that of whichever end gives the smaller error, rounded in 0 .. 255 (MLIR's
    getNudgedScaleAndZeroPoint, as the TFLite converter reads a fake quantization).
    """
    scale = (high - low) / _STEPS
    below, above = -low / scale, _STEPS - high / scale
    nearer = below if abs(low / scale) < _STEPS + abs(high / scale) else above
    return scale, min(max(round_away(nearer), 0), _STEPS) - 128


def _stored_scales(weights: LayerWeights, scales: np.ndarray) -> np.ndarray:
    """Return the scales that the converter derives, in double, from the ranges of `fixed()`: 127
    steps to each side, their ends in float32."""
    if weights.dense:
        return np.float64([np.float32(float(scales[0]) * 127)]) / 127
    return (scales * np.float32(127)).astype(np.float64) / 127


def _function(layer) -> str:
    """Return TFLite's name of the activation that a layer is, or ends with."""
    if isinstance(layer, load_keras().layers.ReLU):
        found = {None: "RELU", 6.0: "RELU6"}.get(layer.max_value)
        if found is None or layer.negative_slope or layer.threshold:
            raise _refused(layer, "is a ReLU other than that with no limit, or with 6")
        return found
    name = getattr(getattr(layer, "activation", None), "__name__", "linear")
    if name not in ("linear", "relu", "relu6"):
        raise _refused(layer, f"ends with {name}")
    return "NONE" if name == "linear" else name.upper()


def _weighted(layer) -> tuple[str, dict[str, object]]:
    """Return the kind of operation, and its options."""
    layers = load_keras().layers
    if isinstance(layer, layers.Dense):
        return "FULLY_CONNECTED", {"weights_format": "DEFAULT"}
    options = {
        "padding": layer.padding.upper(),
        "stride_h": layer.strides[0], "stride_w": layer.strides[1],
        "dilation_h_factor": layer.dilation_rate[0], "dilation_w_factor": layer.dilation_rate[1],
    }  # fmt: skip
    if isinstance(layer, layers.DepthwiseConv2D):
        return "DEPTHWISE_CONV_2D", options | {"depth_multiplier": layer.depth_multiplier}
    if layer.groups != 1:
        raise _refused(layer, f"has {layer.groups} groups")
    return "CONV_2D", options


def _pooling(layer) -> dict[str, object]:
    return {
        "fused_activation_function": "NONE", "padding": layer.padding.upper(),
        "filter_height": layer.pool_size[0], "filter_width": layer.pool_size[1],
        "stride_h": layer.strides[0], "stride_w": layer.strides[1],
    }  # fmt: skip


def _refused(layer, why: str) -> InputError:
    return InputError(
        f'integer simulation: layer "{layer.name}" ({type(layer).__name__}) {why}; it takes '
        "Conv2D, DepthwiseConv2D, Dense, Add of two, ReLU after these, MaxPooling2D, "
        "AveragePooling2D, GlobalAveragePooling2D, Reshape, Flatten"
    )


def _step(graph: Graph, op: Op) -> Callable[[list], np.ndarray]:
    """Return what makes an operation's output, int8, [n, ...], of what it reads."""
    view = OpView(graph, op, pack_raw)
    shape = graph.tensor(op.outputs[0]).shape[1:]
    if op.kind in _WITH_WEIGHTS:
        check, run = _WITH_WEIGHTS[op.kind]
        layer = check(view)
        params = layer.params
        values = functools.partial(run, layer, shape)
    else:
        call = lower(graph, op)
        if isinstance(call, Alias):
            return lambda given: given[0]
        params = {struct.name: struct.fields for struct in call.structs()}["params"]
        constants = [t.data for i in op.inputs if (t := graph.tensor(i)).data is not None]
        values = functools.partial(_WITHOUT_WEIGHTS[op.kind], params, constants, shape)
    low, high = params.get("output_min", -128), params.get("output_max", 127)
    offset = params.get("output_offset", 0)
    return lambda given: np.clip(values(given) + offset, low, high).astype(np.int8)


def _convolution(layer: Convolution, shape: tuple, given: list) -> np.ndarray:
    values = layer.values.astype(np.float64)
    repeats = layer.params["depth_multiplier"]

    def product(x: np.ndarray, tap: np.ndarray) -> np.ndarray:
        return (np.repeat(x, repeats, axis=-1) if repeats > 1 else x) * tap

    if layer.depthwise:
        sums = _over_taps(layer.params, given[0], values[0], shape, product)
    else:
        sums = _over_taps(layer.params, given[0], np.moveaxis(values, 0, -1), shape, np.matmul)
    return _scale(sums + layer.bias.data, *_factors(layer, layer.channels))


def _dense(layer: Dense, shape: tuple, given: list) -> np.ndarray:
    x = given[0].astype(np.float64) + layer.params["input_offset"]
    units, depth = layer.values.shape
    sums = x.reshape(len(x), -1, depth) @ layer.values.T.astype(np.float64)
    return _scale(sums.astype(np.int64) + layer.bias.data, *_factors(layer, units))


def _over_taps(
    params: Mapping, x: np.ndarray, taps: np.ndarray, shape: tuple, product: Callable
) -> np.ndarray:
    """Return the sums [n, height, width, channels], int64, of product(input, tap) over taps [h, w,
    ...]; padding adds 0."""
    x = x.astype(np.float64) + params["input_offset"]
    sums = np.zeros((len(x), *shape))
    for y, z, part in _windows(params, x, taps.shape, shape):
        sums += product(part, taps[y, z])
    return sums.astype(np.int64)


def _windows(
    params: Mapping, x: np.ndarray, taps: tuple, shape: tuple, padding: int = 0
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield row and column of each tap, with what it meets of x for every output of `shape`."""
    slices = []
    for side, axis in (("h", 1), ("w", 2)):
        stride, dilation = params[f"stride_{side}"], params.get(f"dilation_{side}", 1)
        span = (shape[axis - 1] - 1) * stride + 1
        before = params[f"pad_{side}"]
        after = max(span + (taps[axis - 1] - 1) * dilation - x.shape[axis] - before, 0)
        pads = [(0, 0)] * 4
        pads[axis] = (before, after)
        x = np.pad(x, pads, constant_values=padding)
        slices.append(
            [slice(at * dilation, at * dilation + span, stride) for at in range(taps[axis - 1])]
        )
    for y, rows in enumerate(slices[0]):
        for z, columns in enumerate(slices[1]):
            yield y, z, x[:, rows, columns]


def _max_pool(params: Mapping, constants: list, shape: tuple, given: list) -> np.ndarray:
    taps = params["filter_h"], params["filter_w"]
    windows = _windows(params, given[0], taps, shape, padding=-128)
    return functools.reduce(np.maximum, (part for _, _, part in windows))


def _average_pool(params: Mapping, constants: list, shape: tuple, given: list) -> np.ndarray:
    """Padding does not count; a half is rounded away from 0."""
    taps = params["filter_h"], params["filter_w"]
    x = given[0].astype(np.int64)
    sums, counts = (
        sum(part for _, _, part in _windows(params, values, taps, shape))
        for values in (x, np.ones_like(x[:1]))
    )
    return np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)


def _add(params: Mapping, constants: list, shape: tuple, given: list) -> np.ndarray:
    parts = (
        _scale((x.astype(np.int64) + params[f"{name}_offset"]) << EXTRA_BITS["int8"],
               params[f"{name}_multiplier"], params[f"{name}_shift"])
        for name, x in zip(("input1", "input2"), given, strict=True)
    )  # fmt: skip
    return _scale(sum(parts), params["output_multiplier"], params["output_shift"])


def _mean(params: Mapping, constants: list, shape: tuple, given: list) -> np.ndarray:
    sums = given[0].astype(np.int64).sum(axis=tuple(constants[0].tolist()))
    made = _scale(sums + params["sum_offset"], params["multiplier"], params["shift"])
    return made.reshape(-1, *shape)


# How each operation that is only lowered here is done, from the fields of its kernel's struct.
_WITHOUT_WEIGHTS: Mapping[str, Callable[[Mapping, list, tuple, list], np.ndarray]] = {
    "ADD": _add,
    "AVERAGE_POOL_2D": _average_pool,
    "MAX_POOL_2D": _max_pool,
    "MEAN": _mean,
}
# Layers with weights: checks, which every core's kernels share, and how they are done.
_WITH_WEIGHTS: Mapping[str, tuple[Callable, Callable]] = {
    "CONV_2D": (functools.partial(convolution.checked, depthwise=False), _convolution),
    "DEPTHWISE_CONV_2D": (functools.partial(convolution.checked, depthwise=True), _convolution),
    "FULLY_CONNECTED": (dense.checked, _dense),
}


def _factors(layer: Convolution | Dense, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return multipliers and shifts, int64, one or one for each channel."""
    scales = channel_scales(layer.view, layer.factors, channels).fields
    found: tuple[Array, Array] = scales["multipliers"], scales["shifts"]
    multipliers, shifts = (array.values.astype(np.int64) for array in found)
    return multipliers, shifts


def _scale(x: np.ndarray, multiplier: int | np.ndarray, shift: int | np.ndarray) -> np.ndarray:
    """Return x * multiplier * 2^(shift - 31) with two roundings: fixedpoint.scale of arrays."""
    left, right = np.maximum(shift, 0), np.maximum(-np.asarray(shift), 0)
    high = (fixedpoint.wrap(x << left) * multiplier + (1 << 30)) >> 31
    half = (np.int64(1) << right) >> 1
    return np.sign(high) * ((np.abs(high) + half) >> right)
