"""What the kernels of CMSIS-NN take from the arena, where they differ from the reference kernels.

Scratch depends on the core: none (plain C), dsp (M4, M7, M33) or mve (M55, M85). Compiled by gcc
and for speed (KERNELS_OPTIMIZED_FOR_SPEED), as upstream's makefile does.
Sources: tensorflow/lite/micro/kernels/cmsis_nn/*.cc; CMSIS-NN's *_get_buffer_sizes_*.c.
"""

from collections.abc import Iterator, Mapping

from edgeasr.codegen.tflm_arena import kernels
from edgeasr.codegen.tflm_arena.abi import align_up
from edgeasr.codegen.tflm_arena.kernels import (
    Kernel,
    Node,
    Persistent,
    Prepare,
    Request,
    Scratch,
    Temporary,
    channel_scales,
    ends,
)
from edgeasr.codegen.tflm_arena.windows import Window

# Channels that the MVE depthwise kernel takes at a time.
_MVE_CHANNELS = 124
# From so many input channels on, a transposed convolution runs as a convolution backwards.
_REVERSE_CHANNELS = 16

_LSTM_GATE = "(2i2p2i3pe)"
_LSTM_PARAMS = f"(15i4{_LSTM_GATE})"


def _convolve_s8(core: str, columns: int) -> int:
    """im2col buffers of a convolution whose patch has so many int8 values."""
    return 4 * align_up(columns, 16) if core == "mve" else 2 * align_up(columns, 4) * 2


def convolution_scratch(core: str, window: Window) -> int:
    """Return arm_convolve_wrapper_s8_get_buffer_size."""
    columns = window.width * window.height * window.channels
    if window.pointwise:
        return 0
    if core == "mve" and window.flat:
        return window.flat_bytes() or _convolve_s8(core, columns)
    return _convolve_s8(core, columns)


def depthwise_scratch(core: str, window: Window, output_channels: int, batches: int) -> int:
    """Return arm_depthwise_conv_wrapper_s8_get_buffer_size; none of it has s4 as a special case."""
    taps = window.width * window.height
    if core == "mve" and window.channels == 1 and output_channels > 1:  # runs as a convolution
        # Its kernel for one row depends on a stride that the caller leaves unset: the other's is
        # larger.
        return (0 if taps == 1 else _convolve_s8(core, taps)) + taps * output_channels
    if window.channels != output_channels or batches != 1 or window.dilated:
        return 0
    if core == "mve":
        return 4 * _MVE_CHANNELS * taps
    if core == "none" or (taps == 9 and window.width == 3 and max(window.padding) <= 1):
        return 0
    return 2 * window.channels * taps


def _conv(core: str) -> Prepare:
    def prepare(node: Node) -> Iterator[Request]:
        tensor, weights, output = *node.inputs[:2], node.outputs[0]
        yield from map(Temporary, (tensor, weights, output))
        if tensor.dtype != "float32":
            yield from channel_scales(weights.shape[0])
        yield from ends(node)
        bias = node.input(2)
        window = Window.of(node, weights.shape[1:3], weights.shape[3])
        if tensor.dtype == "int8":
            yield from _wanted(convolution_scratch(core, window))
        elif tensor.dtype == "int16" and (bias is None or bias.dtype == "int64"):
            columns = window.width * window.height * window.channels
            yield Scratch(4 * align_up(columns, 8) * 2 if core == "mve" else 2 * columns * 2)

    return prepare


def _depthwise(core: str) -> Prepare:
    def prepare(node: Node) -> Iterator[Request]:
        tensor, weights, output = *node.inputs[:2], node.outputs[0]
        yield from map(Temporary, (tensor, weights, output))
        if tensor.dtype != "float32":
            yield from channel_scales(weights.shape[3])
        yield from ends(node)
        if tensor.dtype != "int8":
            return
        window = Window.of(node, weights.shape[1:3], weights.shape[3])
        channels, batches = output.shape[3], output.shape[0]
        if weights.dtype == "int4":
            same = window.channels == channels and batches == 1 and not window.dilated
            taps = window.width * window.height
            per_tap = 4 * _MVE_CHANNELS if core == "mve" else 2 * window.channels
            yield from _wanted(taps * per_tap if same else 0)
        else:
            yield from _wanted(depthwise_scratch(core, window, channels, batches))

    return prepare


def _wanted(size: int) -> Iterator[Request]:
    if size > 0:
        yield Scratch(size)


def _fully_connected(core: str) -> Prepare:
    def prepare(node: Node) -> Iterator[Request]:
        tensor, weights, output = *node.inputs[:2], node.outputs[0]
        yield from ends(node)
        if weights.channels > 1:
            yield from channel_scales(weights.channels)
        if tensor.dtype != "int8" or weights.dtype == "int4":
            return
        if len(output.shape) > 2 and weights.shape[-1] % 4 == 0:  # runs as a 1 x 1 convolution
            if weights.channels <= 1:
                yield Scratch(8 * output.shape[-1])
        elif core == "mve":
            bias = node.input(2)
            constant = weights.constant and (bias is None or bias.constant)
            yield (Persistent if constant else Scratch)(4 * output.shape[-1])

    return prepare


def _average_pool(core: str) -> Prepare:
    def prepare(node: Node) -> Iterator[Request]:
        yield from ends(node)
        yield from ends(node)
        tensor = node.inputs[0]
        if core == "dsp" and tensor.dtype in ("int8", "int16"):
            yield Scratch(4 * tensor.shape[3])

    return prepare


def _svdf(core: str) -> Prepare:
    def prepare(node: Node) -> Iterator[Request]:
        yield from kernels.svdf(node)
        if core == "mve" and node.inputs[0].dtype == "int8":
            yield Persistent(4 * node.inputs[1].shape[0])

    return prepare


def _batch_matmul(core: str) -> Prepare:
    def prepare(node: Node) -> Iterator[Request]:
        yield from kernels.batch_matmul(node)
        if core == "mve" and node.inputs[0].dtype == "int8":
            yield Scratch(4 * node.outputs[0].shape[-1])

    return prepare


def _lstm(node: Node) -> Iterator[Request]:
    tensor, hidden = node.inputs[0], node.inputs[18]
    yield from ends(node)
    if tensor.dtype in ("int8", "int16"):
        sums = (4 if tensor.dtype == "int8" else 8) * hidden.shape[-1]
        yield from (Persistent(sums) for _ in range(8))
    count = 3 if tensor.dtype in ("int8", "int16") else 4
    width = 4 if node.inputs[19].dtype == "float32" else 2
    yield from (Scratch(hidden.elements * width) for _ in range(count))


def _transpose_conv(core: str) -> Prepare:
    def prepare(node: Node) -> Iterator[Request]:
        _, weights, tensor = node.inputs[:3]
        if tensor.dtype != "int8":
            yield from kernels.transpose_conv(node)
            return
        output, bias = node.outputs[0], node.input(3)
        yield from map(Temporary, (output, tensor, weights))
        yield from channel_scales(weights.shape[0])
        yield from map(Scratch, _transpose_scratch(core, node))
        yield from (Temporary(t) for t in (tensor, weights, bias, output) if t)

    return prepare


def _transpose_scratch(core: str, node: Node) -> tuple[int, int]:
    """Return arm_transpose_conv_s8_get_buffer_size and …_get_reverse_conv_buffer_size."""
    outputs, height, width, channels = node.inputs[1].shape
    stride_h, stride_w = node.option("stride_h"), node.option("stride_w")
    if max(stride_h, stride_w) <= 2 and channels > _REVERSE_CHANNELS:
        taps = width * height * channels
        return _convolve_s8(core, taps), taps * outputs
    # The source takes the stride of the height for both axes.
    across = (node.inputs[2].shape[2] - 1) * stride_w + max(width, stride_h)
    return 4 * across * node.outputs[0].shape[3] * max(height, stride_h), 0


def table(core: str) -> Mapping[str, Kernel]:
    """Return the kernels that differ, for a core: none, dsp or mve."""
    pool = f"({kernels.POOL_DATA})i"
    conv = f"({kernels.CONV_DATA})i"
    return {
        "AVERAGE_POOL_2D": Kernel(kernels.POOL_OPTIONS, pool, _average_pool(core)),
        "BATCH_MATMUL": Kernel("3b", f"({kernels.BATCH_MATMUL_DATA})5i", _batch_matmul(core)),
        "CONV_2D": Kernel(kernels.KERNELS["CONV_2D"].builtin, conv, _conv(core)),
        "DEPTHWISE_CONV_2D": Kernel(
            kernels.KERNELS["DEPTHWISE_CONV_2D"].builtin, conv, _depthwise(core)
        ),
        "FULLY_CONNECTED": Kernel(
            kernels.KERNELS["FULLY_CONNECTED"].builtin,
            f"({kernels.FULLY_CONNECTED_DATA})2ip3i",
            _fully_connected(core),
        ),
        "MAX_POOL_2D": Kernel(kernels.POOL_OPTIONS, pool),
        "SOFTMAX": Kernel("i", f"({kernels.SOFTMAX_DATA})2i", kernels.softmax),
        "SVDF": Kernel("ieb", "9ip", _svdf(core)),
        "TRANSPOSE_CONV": Kernel(
            kernels.KERNELS["TRANSPOSE_CONV"].builtin,
            f"({kernels.CONV_PARAMS})3i2p",
            _transpose_conv(core),
        ),
        "UNIDIRECTIONAL_SEQUENCE_LSTM": Kernel(
            kernels.KERNELS["UNIDIRECTIONAL_SEQUENCE_LSTM"].builtin,
            f"({kernels.LSTM_DATA}){_LSTM_PARAMS}",
            _lstm,
        ),
    }
