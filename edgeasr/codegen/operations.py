"""Which operations of TFLite-Micro the `ear` engine has, for which types, and why it lacks others.

The list is that of TFLite-Micro's micro_mutable_op_resolver.h. Types are those of the first operand
that is computed; each was tried against TFLite-Micro, as tests/unit/codegen/test_operations.py
checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# Operations that move bytes take any type of these.
_MOVED = "int8 int16 int32 uint8 float32"

_TYPES: Mapping[str, str] = {
    "ABS": "int8 int16",
    "ADD": "int8 int16 int32",
    "ADD_N": "int8",
    "ARG_MAX": "int8 float32",
    "ARG_MIN": "int8 float32",
    "ASSIGN_VARIABLE": _MOVED,
    "AVERAGE_POOL_2D": "int8 int16",
    "BATCH_MATMUL": "int8 int16",
    "BATCH_TO_SPACE_ND": "int8 float32",
    "BROADCAST_TO": "int8 int16 int32 float32",
    "CALL_ONCE": "resource",
    "CAST": "int8 int16 int32 uint32 bool float32",
    "CONCATENATION": "int8 int16 int32 int64 bool float32",
    "CONV_2D": "int8 int16",
    "CUMSUM": "int8",
    "CUSTOM:CIRCULAR_BUFFER": "int8",
    "CUSTOM:SignalDelay": "int16",
    "CUSTOM:SignalEnergy": "int16",
    "CUSTOM:SignalFftAutoScale": "int16",
    "CUSTOM:SignalFilterBank": "uint32",
    "CUSTOM:SignalFilterBankLog": "uint32",
    "CUSTOM:SignalFilterBankSpectralSubtraction": "uint32",
    "CUSTOM:SignalFilterBankSquareRoot": "uint64",
    "CUSTOM:SignalFramer": "int16",
    "CUSTOM:SignalIrfft": "int16 int32",
    "CUSTOM:SignalOverlapAdd": "int16",
    "CUSTOM:SignalPCAN": "uint32",
    "CUSTOM:SignalRfft": "int16 int32",
    "CUSTOM:SignalStacker": "int16",
    "CUSTOM:SignalWindow": "int16",
    "DEPTHWISE_CONV_2D": "int8 int16",
    "DEPTH_TO_SPACE": "int8 float32",
    "DEQUANTIZE": "int8 int16 uint8",
    "DIV": "int8 int32",
    "DYNAMIC_UPDATE_SLICE": "int8 int16 int32 float32",
    "ELU": "int8",
    "EMBEDDING_LOOKUP": "int8 float32",
    "EQUAL": "int8 int32 int64 bool",
    "EXPAND_DIMS": _MOVED,
    "FILL": "int8 int32 float32",
    "FULLY_CONNECTED": "int8 int16",
    "GATHER": "int8 float32",
    "GATHER_ND": "int8 float32",
    "GREATER": "int8 int32 int64",
    "GREATER_EQUAL": "int8 int32 int64",
    "HARD_SWISH": "int8",
    "L2_NORMALIZATION": "int8",
    "LEAKY_RELU": "int8 int16",
    "LESS": "int8 int32 int64",
    "LESS_EQUAL": "int8 int32 int64",
    "LOGICAL_AND": "bool",
    "LOGICAL_NOT": "bool",
    "LOGICAL_OR": "bool",
    "LOGISTIC": "int8 int16",
    "LOG_SOFTMAX": "int8",
    "MAXIMUM": "int8 int16 int32 int64",
    "MAX_POOL_2D": "int8 int16",
    "MEAN": "int8 int16",
    "MINIMUM": "int8 int16 int32 int64",
    "MIRROR_PAD": "int8 float32",
    "MUL": "int8 int16 int32",
    "NOT_EQUAL": "int8 int32 int64 bool",
    "PACK": "int8 int16 int32 int64 float32",
    "PAD": "int8 int16 int32 float32",
    "PADV2": "int8 int16 int32 float32",
    "PRELU": "int8 int16",
    "QUANTIZE": "int8 int16 int32 uint8 float32",
    "READ_VARIABLE": _MOVED,
    "REDUCE_ALL": "bool",
    "REDUCE_MAX": "int8",
    "REDUCE_MIN": "int8",
    "RELU": "int8 int16",
    "RELU6": "int8 int16",
    "RESHAPE": _MOVED,
    "RESIZE_BILINEAR": "int8",
    "RESIZE_NEAREST_NEIGHBOR": "int8 int16 float32",
    "REVERSE_V2": "int8 int16 int32 int64 uint8 bool float32",
    "RSQRT": "int8",
    "SELECT_V2": "bool",
    "SHAPE": "int8 float32",
    "SLICE": "int8 int16 int32 bool float32",
    "SOFTMAX": "int8 int16",
    "SPACE_TO_BATCH_ND": "int8 float32",
    "SPACE_TO_DEPTH": "int8 float32",
    "SPLIT": "int8 int16 int32 float32",
    "SPLIT_V": "int8 int16 int32 float32",
    "SQUARED_DIFFERENCE": "int8 int16 int32",
    "SQUEEZE": _MOVED,
    "STRIDED_SLICE": "int8 int16 int32 bool float32",
    "SUB": "int8 int16 int32",
    "SUM": "int8 int16",
    "SVDF": "int8",
    "TANH": "int8 int16",
    "TRANSPOSE": "int8 int16 float32",
    "TRANSPOSE_CONV": "int8 int16",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "int8 int16",
    "UNPACK": "int8 int16 int32 float32",
    "VAR_HANDLE": "resource",
    "ZEROS_LIKE": "int8 int32 int64 float32",
}

_FLOAT = "TFLite-Micro computes it on float32 alone"
_REASONS: Mapping[str, str] = {
    "BROADCAST_ARGS": "works out shapes at run time; a converter folds it where shapes are fixed",
    "CEIL": _FLOAT,
    "COS": _FLOAT,
    "CUSTOM:TFLM_DECODE": "compressed tensors are packed anew at export; give the original model",
    "CUSTOM:TFLite_Detection_PostProcess": "finds boxes in pictures",
    "CUSTOM:ethos-u": "needs an Arm Ethos-U",
    "EXP": _FLOAT,
    "FLOOR": _FLOAT,
    "FLOOR_DIV": _FLOAT,
    "FLOOR_MOD": _FLOAT,
    "IF": "chooses between subgraphs at run time",
    "L2_POOL_2D": _FLOAT,
    "LOG": _FLOAT,
    "NEG": _FLOAT,
    "ROUND": _FLOAT,
    "SIN": _FLOAT,
    "SQRT": _FLOAT,
    "SQUARE": _FLOAT,
    "WHILE": "repeats a subgraph at run time; unroll the loop before it is converted",
}


@dataclass(frozen=True)
class Operation:
    """kind: as graph.Op has it. types: that `ear` takes, none where `reason` says why not."""

    kind: str
    types: tuple[str, ...]
    reason: str = ""


def operations() -> tuple[Operation, ...]:
    """Return all operations of TFLite-Micro, by name."""
    having = [Operation(kind, tuple(types.split())) for kind, types in _TYPES.items()]
    lacking = [Operation(kind, (), reason) for kind, reason in _REASONS.items()]
    return tuple(sorted(having + lacking, key=lambda operation: operation.kind))


def reason(kind: str) -> str | None:
    """Return why `ear` lacks an operation of TFLite-Micro; None for any other name."""
    return _REASONS.get(kind)


def table() -> str:
    """Return the operations as a table of Markdown."""
    rows = [f"| `{o.kind}` | {', '.join(o.types) or f'no: {o.reason}'} |" for o in operations()]
    return "\n".join(["| Operation | Types |", "|---|---|", *rows])
