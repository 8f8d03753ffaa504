"""What TFLite-Micro's custom operators take from the arena: signal processing, circular buffers.

In the notation of `kernels`. Sources: signal/micro/kernels/*.cc, signal/src/circular_buffer.cc;
kiss_fft.c and kiss_fftr.c for the tables of the Fourier transforms.
"""

from collections.abc import Iterator, Mapping

from edgeasr.codegen.tflm_arena.kernels import (
    Kernel,
    Node,
    Persistent,
    Request,
    Scratch,
    ends,
)

# Bytes of a sample, by the number of its type in the schema (float32, int32, int16).
_SAMPLE_BYTES = {0: 4, 2: 4, 7: 2}
# kiss_fft_state without its twiddle factors: two ints, and 32 factors of two ints each.
_FFT_STATE_BYTES = 4 * (2 + 64)


def _fft_state(node: Node) -> Iterator[Request]:
    """Ask for the state of kiss_fftr_alloc: its structs, twiddle factors, and a buffer."""
    half = node.option("fft_length") // 2
    complex_bytes = 2 * _SAMPLE_BYTES[node.option("T")]
    twiddles = _FFT_STATE_BYTES + complex_bytes * half
    yield Persistent(node.pointers(3) + twiddles + complex_bytes * (half * 3 // 2))


def _rfft(node: Node) -> Iterator[Request]:
    yield from ends(node)
    yield Scratch(node.option("fft_length") * _SAMPLE_BYTES[node.option("T")])


def _circular_buffer(node: Node, capacity: int) -> Request:
    return Persistent(node.abi.size("3p2ip") + 2 * 2 * capacity)


def _circular_buffers(capacity: int, count: int, node: Node) -> Iterator[Request]:
    yield from ends(node)
    yield Persistent(node.pointers(count))
    yield Persistent(node.pointers(count))
    yield from (_circular_buffer(node, capacity) for _ in range(count))


def _delay(node: Node) -> Iterator[Request]:
    tensor = node.inputs[0]
    frame = tensor.shape[-1]
    yield from _circular_buffers(
        frame + node.option("delay_length"), tensor.elements // frame, node
    )


def _framer(node: Node) -> Iterator[Request]:
    tensor = node.inputs[0]
    size, step = node.option("frame_size"), node.option("frame_step")
    count = tensor.elements // tensor.shape[-1]
    yield from _circular_buffers(-(-size // step) * step, count, node)


def _overlap_add(node: Node) -> Iterator[Request]:
    tensor = node.inputs[0]
    frames, size = tensor.shape[-2:]
    count = tensor.elements // (frames * size)
    yield from ends(node)
    yield Persistent(node.pointers(count))
    yield from (Persistent(size * tensor.bytes // tensor.elements) for _ in range(count))


def _stacker(node: Node) -> Iterator[Request]:
    frames = node.option("stacker_left_context") + node.option("stacker_right_context") + 1
    yield _circular_buffer(node, node.option("num_channels") * frames)


def _filter_bank_init(node: Node) -> Iterator[Request]:
    yield Persistent(8 * (node.option("num_channels") + 1))


def _noise_init(node: Node) -> Iterator[Request]:
    yield Persistent(4 * node.option("num_channels"))


KERNELS: Mapping[str, Kernel] = {
    "CUSTOM:CIRCULAR_BUFFER": Kernel(data="2i"),
    "CUSTOM:SignalDelay": Kernel(data="3i2p", prepare=_delay),
    "CUSTOM:SignalEnergy": Kernel(data="2i"),
    "CUSTOM:SignalFftAutoScale": Kernel(),
    "CUSTOM:SignalFilterBank": Kernel(data="(i5p2i)p", init=_filter_bank_init),
    "CUSTOM:SignalFilterBankLog": Kernel(data="2i"),
    "CUSTOM:SignalFilterBankSpectralSubtraction": Kernel(data="(8ib)2p", init=_noise_init),
    "CUSTOM:SignalFilterBankSquareRoot": Kernel(),
    "CUSTOM:SignalFramer": Kernel(data="4ib2p", prepare=_framer),
    "CUSTOM:SignalIrfft": Kernel(data="4iep", init=_fft_state),
    "CUSTOM:SignalOverlapAdd": Kernel(data="4iep", prepare=_overlap_add),
    "CUSTOM:SignalPCAN": Kernel(data="i"),
    "CUSTOM:SignalRfft": Kernel(data="4iepip", init=_fft_state, prepare=_rfft),
    "CUSTOM:SignalStacker": Kernel(data="4i2pb2p", init=_stacker),
    "CUSTOM:SignalWindow": Kernel(data="2i"),
}
