"""What each of TFLite-Micro's kernels takes from the arena: the reference kernels.

For every operator: the fields of its options in memory (`builtin`), of what its `init` allocates
(`data`), and what its `prepare` does, as a generator of requests in order. A `prepare` that is
nothing special asks for a temporary TfLiteTensor of each input and output.
Sources: tensorflow/lite/core/api/flatbuffer_conversions.cc for `builtin`, tensorflow/lite/micro/
kernels/*.cc and signal/micro/kernels/*.cc for the rest.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from edgeasr.codegen.tflm_arena.abi import Abi
from edgeasr.codegen.tflm_arena.contents import Operator, TensorRecord


class Persistent(NamedTuple):
    """Memory to the end of the program, aligned to 16 bytes."""

    bytes: int


class Scratch(NamedTuple):
    """Memory of the operator's own while it runs: part of the memory plan."""

    bytes: int


class Temporary(NamedTuple):
    """A TfLiteTensor until the end of `prepare`."""

    tensor: TensorRecord


Request = Persistent | Scratch | Temporary


@dataclass(frozen=True)
class Node:
    """An operator as a kernel sees it. An optional input that is left out is None."""

    operator: Operator
    inputs: tuple[TensorRecord | None, ...]
    outputs: tuple[TensorRecord, ...]
    abi: Abi

    def input(self, position: int) -> TensorRecord | None:
        return self.inputs[position] if position < len(self.inputs) else None

    def option(self, name: str) -> object:
        return self.operator.options[name]

    def pointers(self, count: int) -> int:
        return count * self.abi.pointer_bytes


Prepare = Callable[[Node], Iterator[Request]]


def ends(node: Node) -> Iterator[Request]:
    """Ask for each input and output once: what most kernels do."""
    yield from (Temporary(tensor) for tensor in node.inputs if tensor)
    yield from map(Temporary, node.outputs)


def nothing(_node: Node) -> Iterator[Request]:
    return iter(())


def inputs(*positions: int) -> Prepare:
    """Ask for these inputs alone."""

    def prepare(node: Node) -> Iterator[Request]:
        yield from (Temporary(node.inputs[i]) for i in positions if node.input(i))

    return prepare


def first_and_outputs(node: Node) -> Iterator[Request]:
    yield from map(Temporary, (node.inputs[0], *node.outputs))


def int_array(count: int) -> int:
    """Return the bytes of a TfLiteIntArray."""
    return 4 + 4 * count


def writable_dims(node: Node) -> Iterator[Request]:
    """Ask for the ends, and for a copy of the output's dimensions."""
    yield from ends(node)
    yield Persistent(int_array(len(node.outputs[0].shape)))


def channel_scales(channels: int) -> Iterator[Request]:
    """Ask for the multipliers and the shifts of each output channel."""
    yield Persistent(4 * channels)
    yield Persistent(4 * channels)


def convolution(channel_axis: int) -> Prepare:
    def prepare(node: Node) -> Iterator[Request]:
        tensor, weights = node.inputs[:2]
        yield from map(Temporary, (node.outputs[0], tensor, weights))
        yield from channel_scales(weights.shape[channel_axis])
        if weights.dtype == "int4":
            yield Scratch(weights.elements)
        yield from ends(node)

    return prepare


def fully_connected(node: Node) -> Iterator[Request]:
    yield from ends(node)
    weights = node.inputs[1]
    if weights.dtype == "int4":
        yield Scratch(weights.elements)
    if weights.channels > 1:
        yield from channel_scales(weights.channels)


def transpose_conv(node: Node) -> Iterator[Request]:
    _, weights, tensor = node.inputs[:3]
    bias, output = node.input(3), node.outputs[0]
    yield from map(Temporary, (output, tensor, weights))
    yield from channel_scales(weights.shape[0])
    if tensor.dtype in ("int8", "int16"):
        yield Scratch(output.elements * (4 if tensor.dtype == "int8" else 8))
    if tensor.dtype != "float32":
        yield from (Temporary(t) for t in (tensor, weights, bias, output) if t)
        if bias and bias.dtype == "int16":
            yield Scratch(8 * bias.elements)


def softmax(node: Node) -> Iterator[Request]:
    yield from ends(node)
    if node.inputs[0].dtype == "int16":  # tables of 513 int16 values
        yield Persistent(2 * 513)
        yield Persistent(2 * 513)


def svdf(node: Node) -> Iterator[Request]:
    yield from ends(node)
    tensor, features = node.inputs[:2]
    batches, filters = tensor.shape[0], features.shape[0]
    yield Scratch(4 * batches * filters)
    if tensor.dtype == "int8":
        yield Scratch(4 * batches * (filters // node.option("rank")))


def lstm(buffers: int = 4) -> Prepare:
    """The gates' buffers: as many values as the hidden state, of the cell state's type."""

    def prepare(node: Node) -> Iterator[Request]:
        yield from ends(node)
        hidden, cell = node.inputs[18], node.inputs[19]
        yield from (Scratch(hidden.elements * 4 if cell.dtype == "float32" else hidden.elements * 2)
                    for _ in range(buffers))  # fmt: skip

    return prepare


def transposed(node: Node, tensor: TensorRecord) -> Iterator[Request]:
    """Ask for a tensor of its own, with swapped dimensions."""
    yield Persistent(node.abi.size(EVAL_TENSOR))
    yield Persistent(int_array(len(tensor.shape)))
    yield Persistent(tensor.bytes)


def batch_matmul(node: Node) -> Iterator[Request]:
    yield from ends(node)
    left, right = node.inputs[:2]
    if left.dtype in ("int8", "int16"):
        yield Persistent(node.abi.size("7i"))
    if node.option("adj_x"):
        yield from transposed(node, left)
    if not node.option("adj_y"):
        yield from transposed(node, right)
    yield Persistent(int_array(len(node.outputs[0].shape)))


def mean(node: Node) -> Iterator[Request]:
    tensor, axis, output = *node.inputs[:2], node.outputs[0]
    yield from map(Temporary, (tensor, output, axis))
    if tensor.dtype in ("int8", "int16"):
        yield Scratch(4 * output.elements)
    yield Scratch(4 * len(tensor.shape))
    yield Scratch(4 * axis.elements)
    yield from _reduce_checks(node)


def reduce(node: Node) -> Iterator[Request]:
    tensor, axis, output = *node.inputs[:2], node.outputs[0]
    yield from _reduce_checks(node)
    yield from map(Temporary, (tensor, output, axis))
    yield Scratch(4 * len(tensor.shape))
    yield Scratch(4 * axis.elements)


def _reduce_checks(node: Node) -> Iterator[Request]:
    yield from map(Temporary, node.inputs[:2])
    if node.inputs[0].dtype == "int8":
        yield Temporary(node.outputs[0])


def add_n(node: Node) -> Iterator[Request]:
    yield from ends(node)
    if node.outputs[0].dtype == "int8":
        yield Persistent(40)
    yield Scratch(node.pointers(len(node.inputs)))


def int8_data(fields: str) -> Prepare:
    """Ask for the ends, and for data when the output is int8: kernels without an `init`."""

    def prepare(node: Node) -> Iterator[Request]:
        yield from ends(node)
        if node.outputs[0].dtype == "int8":
            yield Persistent(node.abi.size(fields))

    return prepare


def embedding_lookup(node: Node) -> Iterator[Request]:
    yield from writable_dims(node)
    yield Persistent(node.abi.size("ip"))


def mirror_pad(node: Node) -> Iterator[Request]:
    yield from ends(node)
    rank = len(node.inputs[0].shape)
    yield Scratch(4 * rank)
    yield Scratch(4 * rank)


def concatenation(node: Node) -> Iterator[Request]:
    yield from map(Temporary, (node.inputs[0], node.outputs[0], *node.inputs))


def tanh(node: Node) -> Iterator[Request]:
    yield from map(Temporary, (node.inputs[0], node.inputs[0], node.outputs[0]))


@dataclass(frozen=True)
class Kernel:
    """builtin, data: fields in the notation of `abi`, empty for none; `init` takes more than that.

    init: requests of `init` after `data`.
    """

    builtin: str = ""
    data: str = ""
    prepare: Prepare = ends
    init: Prepare = nothing


EVAL_TENSOR = "ppe"
AFFINE_QUANTIZATION = "ppi"
CONV_DATA = "4i 5i 2p 3i"
FULLY_CONNECTED_DATA = "9i 2p b"
POOL_DATA = "8i"
POOL_OPTIONS = "e4ie(4i)"
SOFTMAX_DATA = "d 7i 5p"
CONV_PARAMS = "b(4h)4h9i"
ARITHMETIC = "b 3i 7i 4i 2d 2h 5i"
_GATE = "(9i3b)"
LSTM_DATA = f"(b4i)(ihi)e 4(2{_GATE}) (3({ARITHMETIC})) 4i"
BATCH_MATMUL_DATA = "3p3b"

_COMPARISON = Kernel(data="7ib", prepare=inputs(0, 1))
_REDUCER = Kernel("b", "11i", reduce)
_PLAIN = Kernel(prepare=nothing)
_CHECKED = Kernel()

KERNELS: Mapping[str, Kernel] = {
    "ABS": Kernel(data="4ibie"),
    "ADD": Kernel("eb", "b14i"),
    "ADD_N": Kernel(prepare=add_n),
    "ARG_MAX": Kernel("e", prepare=nothing),
    "ARG_MIN": Kernel("e", prepare=nothing),
    "ASSIGN_VARIABLE": Kernel(prepare=inputs(1)),
    "AVERAGE_POOL_2D": Kernel(POOL_OPTIONS, POOL_DATA),
    "BATCH_MATMUL": Kernel("3b", BATCH_MATMUL_DATA, batch_matmul),
    "BATCH_TO_SPACE_ND": Kernel(prepare=first_and_outputs),
    "BROADCAST_ARGS": _CHECKED,
    "BROADCAST_TO": _CHECKED,
    "CALL_ONCE": Kernel("i", "ib", nothing),
    "CAST": Kernel("2e"),
    "CEIL": _CHECKED,
    "CONCATENATION": Kernel("ie", "i2p3i", concatenation),
    "CONV_2D": Kernel("e2ie2ie", CONV_DATA, convolution(0)),
    "COS": _CHECKED,
    "CUMSUM": Kernel("2b", prepare=int8_data("9i")),
    "DEPTHWISE_CONV_2D": Kernel("e3ie2i", CONV_DATA, convolution(3)),
    "DEPTH_TO_SPACE": Kernel("i", prepare=writable_dims),
    "DEQUANTIZE": Kernel(data="(di)3i"),
    "DIV": Kernel("e", "7i"),
    "DYNAMIC_UPDATE_SLICE": _CHECKED,
    "ELU": Kernel(data="256b"),
    "EMBEDDING_LOOKUP": Kernel(prepare=embedding_lookup),
    "EQUAL": _COMPARISON,
    "EXP": _CHECKED,
    "EXPAND_DIMS": _CHECKED,
    "FILL": _CHECKED,
    "FLOOR": _PLAIN,
    "FLOOR_DIV": _CHECKED,
    "FLOOR_MOD": _CHECKED,
    "FULLY_CONNECTED": Kernel("2e2bepi", FULLY_CONNECTED_DATA, fully_connected),
    "GATHER": Kernel("2i", prepare=writable_dims),
    "GATHER_ND": Kernel(prepare=writable_dims),
    "GREATER": _COMPARISON,
    "GREATER_EQUAL": _COMPARISON,
    "HARD_SWISH": Kernel(data="3hihi"),
    "IF": Kernel("2i", "2i", inputs(0)),
    "L2_NORMALIZATION": Kernel("e", "i"),
    "L2_POOL_2D": Kernel(POOL_OPTIONS, prepare=writable_dims),
    "LEAKY_RELU": Kernel("i", "6i"),
    "LESS": _COMPARISON,
    "LESS_EQUAL": _COMPARISON,
    "LOG": _CHECKED,
    "LOGICAL_AND": _PLAIN,
    "LOGICAL_NOT": _CHECKED,
    "LOGICAL_OR": _PLAIN,
    "LOGISTIC": Kernel(data="4i"),
    "LOG_SOFTMAX": Kernel(prepare=int8_data("5i2p")),
    "MAXIMUM": _PLAIN,
    "MAX_POOL_2D": Kernel(POOL_OPTIONS, POOL_DATA),
    "MEAN": Kernel("b", "11i", mean),
    "MINIMUM": _PLAIN,
    "MIRROR_PAD": Kernel("e", "5i", mirror_pad),
    "MUL": Kernel("e", "9i"),
    "NEG": _PLAIN,
    "NOT_EQUAL": _COMPARISON,
    "PACK": Kernel("2i", prepare=nothing),
    "PAD": Kernel(data="(b5ib5ib)i"),
    "PADV2": Kernel(data="(b5ib5ib)i"),
    "PRELU": Kernel(data="7i"),
    "QUANTIZE": Kernel(data="(id)3i"),
    "READ_VARIABLE": Kernel(prepare=inputs(0)),
    "REDUCE_ALL": _REDUCER,
    "REDUCE_MAX": _REDUCER,
    "REDUCE_MIN": _REDUCER,
    "RELU": Kernel(data="b6i"),
    "RELU6": Kernel(data="2i", prepare=inputs(0)),
    "RESHAPE": Kernel("9i", prepare=first_and_outputs),
    "RESIZE_BILINEAR": Kernel("2b"),
    "RESIZE_NEAREST_NEIGHBOR": Kernel("2b"),
    "REVERSE_V2": _CHECKED,
    "ROUND": _CHECKED,
    "RSQRT": Kernel(data="4ibie"),
    "SELECT_V2": Kernel(data="b"),
    "SHAPE": Kernel("e", prepare=nothing),
    "SIN": _CHECKED,
    "SLICE": _CHECKED,
    "SOFTMAX": Kernel("i", SOFTMAX_DATA, softmax),
    "SPACE_TO_BATCH_ND": Kernel(data="i", prepare=first_and_outputs),
    "SPACE_TO_DEPTH": Kernel("i", prepare=writable_dims),
    "SPLIT": Kernel("i", prepare=inputs(0)),
    "SPLIT_V": Kernel("i", prepare=inputs(2)),
    "SQRT": _CHECKED,
    "SQUARE": _CHECKED,
    "SQUARED_DIFFERENCE": Kernel(data=f"b({ARITHMETIC})"),
    "SQUEEZE": Kernel("9i"),
    "STRIDED_SLICE": Kernel("5ib", "b5ib5ib5i5hb"),
    "SUB": Kernel("eb", "b12i"),
    "SUM": Kernel("b", "11i", mean),
    "SVDF": Kernel("ieb", "9i", svdf),
    "TANH": Kernel(data="4i", prepare=tanh),
    "TRANSPOSE": _CHECKED,
    "TRANSPOSE_CONV": Kernel("e2i2e", f"({CONV_PARAMS})2i2p", transpose_conv),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Kernel("e2i3b", LSTM_DATA, lstm()),
    "UNPACK": Kernel("2i", prepare=nothing),
    "VAR_HANDLE": Kernel("2p", "i", nothing),
    "WHILE": Kernel("2i", "2i", nothing),
    "ZEROS_LIKE": _CHECKED,
}
