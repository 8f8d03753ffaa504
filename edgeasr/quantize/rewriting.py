"""Layers of a quantized `.tflite` as real numbers, and the file again with other weights in them.

Layers are convolutions, depthwise convolutions and fully connected ones, of int8 or int16
activations. Refused: float models, weights that are no constants, sums that could overflow.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeasr import graph
from edgeasr.errors import InputError, ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeasr.graph import Graph, Op, Tensor

CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_ACTIVATIONS = {"int8": 128, "int16": 32768}  # The largest magnitude of each.
# From here TFLite's operator has scales per output channel of a fully connected layer.
_PER_CHANNEL_DENSE_VERSION = 12
_TENSOR_TYPES = {"int8": 9, "int32": 2, "int64": 4}  # TensorType of the schema.


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of a quantized model in real numbers.

    op: its operation in the graph. weights: float32, of the file's shape; axis: that of the output
    channels. bias: float64 [channels], zeros where the file has none. input_scale,
    input_zero_point, output_zero_point: of its activations, of type `dtype` (int8 or int16);
    bias_dtype: int32 or int64.
    """

    op: Op
    weights: np.ndarray
    axis: int
    bias: np.ndarray
    input_scale: float
    input_zero_point: int
    output_zero_point: int
    dtype: str
    bias_dtype: str

    @property
    def name(self) -> str:
        return f"{self.op.kind} #{self.op.index}"

    @property
    def channels(self) -> int:
        return self.weights.shape[self.axis]


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """What to write: values int8 of the layer's shape, scales float32 [1] or [channels], and the
    bias in real numbers, float [channels]."""

    values: np.ndarray
    scales: np.ndarray
    bias: np.ndarray


def read(content: bytes, where: str = "model") -> tuple[Layer, ...]:
    """Return the layers that have constant weights, in order of execution.

    Raises InputError when there is none, or when weights or activations of one are floating point.
    """
    model = graph.parse(content, where)
    layers = tuple(
        _layer(model, op, where)
        for op in model.ops
        if op.kind in CHANNEL_AXIS and model.tensor(op.inputs[1]).data is not None
    )
    if not layers:
        raise InputError(
            f"{where}: no layer with constant weights; {', '.join(CHANNEL_AXIS)} can be quantized"
        )
    return layers


def replace(content: bytes, layers: Mapping[int, LayerWeights], where: str = "model") -> bytes:
    """Return the file with new weights, scales and biases in the operations named by their index.

    Biases become integers of input scale * weight scale, rounded to nearest. All else is kept,
    metadata too. Raises InputError for an operation without constant weights, for values of
    another shape, and for a sum that could overflow the accumulator.
    """
    schema = _schema()
    known = {layer.op.index: layer for layer in read(content, where)}
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if any(buffer.offset > 1 for buffer in model.buffers):
        raise InputError(f"{where}: buffers behind the flatbuffer; such a file cannot be rewritten")
    for index, new in layers.items():
        if index not in known:
            raise InputError(
                f"{where}: operation #{index} has no constant weights; those that have: "
                + ", ".join(layer.name for layer in known.values())
            )
        _check(known[index], new, where)
        _write(schema, model, known[index], new)
    return _pack(model, len(content))


def integer_bias(layer: Layer, new: LayerWeights) -> np.ndarray:
    """Return the bias as integers, int64 [channels]: real bias / (input scale * weight scale)."""
    steps = layer.input_scale * np.broadcast_to(new.scales.astype(np.float64), layer.channels)
    return np.rint(np.asarray(new.bias, np.float64) / steps).clip(-(2.0**62), 2.0**62).astype(int)


def least_scales(layer: Layer, bias: np.ndarray) -> np.ndarray:
    """Return the scales [channels] below which a bias alone would take half of the accumulator."""
    if layer.bias_dtype == "int64":
        return np.zeros(layer.channels)
    return np.abs(bias) / (layer.input_scale * 2.0**30)


def _layer(model: Graph, op: Op, where: str) -> Layer:
    entry, weights, output = (
        model.tensor(index) for index in (op.inputs[0], op.inputs[1], op.outputs[0])
    )
    name = f"{where}: {op.kind} #{op.index}"
    for what, tensor, allowed in (
        ("weights", weights, ("int8", "int4")),
        ("input", entry, tuple(_ACTIVATIONS)),
        ("output", output, tuple(_ACTIVATIONS)),
    ):
        if tensor.dtype not in allowed or tensor.quantization is None:
            raise InputError(
                f'{name} has {what} "{tensor.name}" of {tensor.dtype}; {" or ".join(allowed)} with '
                "scales is needed; convert the model to full-integer int8 first"
            )
    axis = CHANNEL_AXIS[op.kind]
    bias = model.tensor(op.inputs[2]) if len(op.inputs) > 2 and op.inputs[2] >= 0 else None
    if bias is not None and (bias.data is None or bias.dtype not in ("int32", "int64")):
        raise InputError(f"{name} has a bias that is no integer constant; it cannot be quantized")
    real, scales = _real(weights, axis, name)
    channels = weights.shape[axis]
    counts = np.zeros(channels) if bias is None else bias.data.reshape(-1).astype(np.float64)
    usual = "int32" if entry.dtype == "int8" else "int64"
    return Layer(
        op=op,
        weights=real,
        axis=axis,
        bias=counts * scales * entry.quantization.scale,
        input_scale=entry.quantization.scale,
        input_zero_point=entry.quantization.zero_point,
        output_zero_point=output.quantization.zero_point,
        dtype=entry.dtype,
        bias_dtype=usual if bias is None else bias.dtype,
    )


def _real(weights: Tensor, axis: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights as float32 and their scales, float64 [1] or [channels]."""
    found = weights.quantization
    if found.per_channel and found.axis != axis:
        raise InputError(f"{name} has weights with scales along axis {found.axis}, not {axis}")
    shape = [1] * len(weights.shape)
    shape[axis] = len(found.scales)
    steps = weights.data.astype(np.int32) - found.zero_points.reshape(shape)
    real = steps.astype(np.float32) * found.scales.reshape(shape)
    return real, found.scales.astype(np.float64)


def _check(layer: Layer, new: LayerWeights, where: str) -> None:
    name = f"{where}: {layer.name}"
    if new.values.shape != layer.weights.shape or new.values.dtype != np.int8:
        raise InputError(
            f"{name} takes int8 weights of shape {list(layer.weights.shape)}, not "
            f"{new.values.dtype} of shape {list(new.values.shape)}"
        )
    good = np.isfinite(new.scales) & (new.scales > 0)
    if new.scales.shape not in ((1,), (layer.channels,)) or not good.all():
        raise InputError(
            f"{name} takes 1 or {layer.channels} scales, finite and above 0, not "
            f"{new.scales.size} from {new.scales.min():g}"
        )
    if not np.isfinite(new.bias).all() or np.shape(new.bias) != (layer.channels,):
        raise InputError(f"{name} takes a finite bias for each of {layer.channels} channels")
    rows = np.moveaxis(new.values, layer.axis, 0).reshape(layer.channels, -1)
    reach = _ACTIVATIONS[layer.dtype] + abs(layer.input_zero_point)
    sums = np.abs(rows.astype(np.int64)).sum(1) * reach + np.abs(integer_bias(layer, new))
    most = np.iinfo(layer.bias_dtype).max
    if sums.max() > most:
        channel = int(sums.argmax())
        raise InputError(
            f"{name}: sums of channel {channel} can reach {sums[channel]:,}, the accumulator "
            f"holds {most:,}; its scale of {np.broadcast_to(new.scales, sums.shape)[channel]:g} is "
            "too small for its bias"
        )


def _write(schema: object, model: object, layer: Layer, new: LayerWeights) -> None:
    main = model.subgraphs[0]
    op = main.operators[layer.op.index]
    weights = _own_tensor(model, op, 1)
    weights.type = _TENSOR_TYPES["int8"]
    _store(schema, model, weights, new.values)
    weights.quantization = _quantization(schema, new.scales, layer.axis)
    if new.scales.size > 1 and layer.op.kind == "FULLY_CONNECTED":
        code = model.operatorCodes[op.opcodeIndex]
        code.version = max(code.version, _PER_CHANNEL_DENSE_VERSION)
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    if not has_bias:
        if not np.any(integer_bias(layer, new)):
            return
        _add_bias(schema, main, op, layer)
    bias = _own_tensor(model, op, 2)
    bias.type = _TENSOR_TYPES[layer.bias_dtype]
    _store(schema, model, bias, integer_bias(layer, new).astype(layer.bias_dtype))
    if not has_bias or bias.quantization is not None:
        steps = np.float32(layer.input_scale) * new.scales.astype(np.float32)
        bias.quantization = _quantization(schema, steps, 0)


def _own_tensor(model: object, op: object, position: int) -> object:
    """Return the tensor of an operation's input, a copy if another operation reads it too."""
    main = model.subgraphs[0]
    index = int(op.inputs[position])
    readers = sum(int(i) == index for other in main.operators for i in other.inputs)
    if readers > 1:
        main.tensors.append(copy.copy(main.tensors[index]))
        inputs = [int(i) for i in op.inputs]
        inputs[position] = len(main.tensors) - 1
        op.inputs = inputs
    return main.tensors[int(op.inputs[position])]


def _store(schema: object, model: object, tensor: object, values: np.ndarray) -> None:
    """Give the tensor a buffer of its own; empty the one it had if nothing else uses it."""
    used = [t.buffer for sub in model.subgraphs for t in sub.tensors].count(tensor.buffer)
    used += sum(entry.buffer == tensor.buffer for entry in model.metadata or [])
    if used > 1 or tensor.buffer == 0:
        model.buffers.append(schema.BufferT())
        tensor.buffer = len(model.buffers) - 1
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    model.buffers[tensor.buffer].data = np.frombuffer(little.tobytes(), np.uint8)


def _quantization(schema: object, scales: np.ndarray, axis: int) -> object:
    made = schema.QuantizationParametersT()
    made.scale = scales.astype(np.float32)
    made.zeroPoint = np.zeros(scales.size, np.int64)
    made.quantizedDimension = axis
    return made


def _add_bias(schema: object, main: object, op: object, layer: Layer) -> None:
    tensor = schema.TensorT()
    tensor.name = f"op{layer.op.index}/bias".encode()
    tensor.shape = np.array([layer.channels], np.int32)
    tensor.buffer = 0
    main.tensors.append(tensor)
    op.inputs = [*(int(i) for i in op.inputs[:2]), len(main.tensors) - 1]


def _schema() -> object:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        raise ToolError(
            "ai-edge-litert: not installed; writing a .tflite needs its schema; "
            "install it with: pip install 'edgeasr[train]'"
        ) from None
    return schema_py_generated


def _pack(model: object, size: int) -> bytes:
    from flatbuffers import Builder

    builder = Builder(size)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
