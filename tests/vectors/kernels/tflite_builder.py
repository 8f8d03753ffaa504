"""Graphs back to `.tflite` bytes, so that tests can give any single operation to an oracle."""

import re

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from edgeasr.graph import Graph, Op, Tensor

# Option tables that are not named after their operation.
_OPTIONS = {
    "AVERAGE_POOL_2D": "Pool2DOptions", "MAX_POOL_2D": "Pool2DOptions",
    "L2_POOL_2D": "Pool2DOptions", "MEAN": "ReducerOptions", "SUM": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions", "REDUCE_MIN": "ReducerOptions",
    "REDUCE_ALL": "ReducerOptions", "UNIDIRECTIONAL_SEQUENCE_LSTM":
    "UnidirectionalSequenceLSTMOptions", "L2_NORMALIZATION": "L2NormOptions",
}  # fmt: skip
_ENUMS = {
    "padding": schema.Padding,
    "fused_activation_function": schema.ActivationFunctionType,
    "weights_format": schema.FullyConnectedOptionsWeightsFormat,
    "quantized_bias_type": schema.TensorType,
    "in_data_type": schema.TensorType,
    "out_data_type": schema.TensorType,
    "output_type": schema.TensorType,
    "out_type": schema.TensorType,
    "type": schema.TensorType,
    "kernel_type": schema.LSTMKernelType,
    "mode": schema.MirrorPadMode,
}


def serialize(graph: Graph) -> bytes:
    """Return the bytes of a `.tflite` file with this graph and its other subgraphs."""
    model = schema.ModelT()
    model.version = 3
    model.description = "test"
    model.buffers = [schema.BufferT()]
    model.operatorCodes = []
    model.subgraphs = [_subgraph(model, each) for each in (graph, *graph.subgraphs)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _subgraph(model: schema.ModelT, graph: Graph) -> schema.SubGraphT:
    made = schema.SubGraphT()
    made.name = graph.name
    made.inputs, made.outputs = list(graph.inputs), list(graph.outputs)
    made.tensors = [_tensor(model, tensor) for tensor in graph.tensors]
    made.operators = [_operator(model, op) for op in graph.ops]
    return made


def _tensor(model: schema.ModelT, tensor: Tensor) -> schema.TensorT:
    made = schema.TensorT()
    made.name = tensor.name
    made.shape = list(tensor.shape)
    made.type = getattr(schema.TensorType, tensor.dtype.upper())
    made.isVariable = tensor.is_variable
    made.buffer = 0
    if tensor.data is not None:
        buffer = schema.BufferT()
        data = _pack_int4(tensor.data) if tensor.dtype == "int4" else tensor.data.tobytes()
        buffer.data = np.frombuffer(data, np.uint8)
        made.buffer = len(model.buffers)
        model.buffers.append(buffer)
    if tensor.quantization is not None:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = tensor.quantization.scales.astype(np.float32)
        made.quantization.zeroPoint = tensor.quantization.zero_points.astype(np.int64)
        made.quantization.quantizedDimension = tensor.quantization.axis
    return made


def _pack_int4(values: np.ndarray) -> bytes:
    nibbles = (values.ravel().astype(np.int16) & 15).astype(np.uint8)
    if len(nibbles) % 2:
        nibbles = np.append(nibbles, np.uint8(0))
    return (nibbles[0::2] | (nibbles[1::2] << 4)).astype(np.uint8).tobytes()


def _operator(model: schema.ModelT, op: Op) -> schema.OperatorT:
    made = schema.OperatorT()
    made.opcodeIndex = len(model.operatorCodes)
    model.operatorCodes.append(_code(op))
    made.inputs, made.outputs = list(op.inputs), list(op.outputs)
    if op.kind.startswith("CUSTOM:"):
        made.customOptions = list(flexbuffers.Dumps(dict(op.options)))
    elif name := _options_name(op.kind):
        made.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        made.builtinOptions = getattr(schema, f"{name}T")()
        for field, value in op.options.items():
            if isinstance(value, tuple):
                value = list(value)
            enum = _ENUMS.get(field)
            setattr(
                made.builtinOptions,
                _camel(field),
                getattr(enum, value) if enum is not None else value,
            )
    return made


def _code(op: Op) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    kind, _, custom = op.kind.partition(":")
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.customCode = custom or None
    code.version = op.version
    return code


def _options_name(kind: str) -> str | None:
    """Return the name of the option table of an operation, None where it has none."""
    if kind in _OPTIONS:
        return _OPTIONS[kind]
    wanted = f"{kind.replace('_', '')}options".lower()
    return next((name for name in vars(schema.BuiltinOptions) if name.lower() == wanted), None)


def _camel(field: str) -> str:
    return re.sub(r"_([a-z])", lambda m: m[1].upper(), field)
