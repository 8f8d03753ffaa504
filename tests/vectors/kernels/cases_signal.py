"""Random single signal operators of TFLite-Micro, stateless and with state; as cases.py.

Outputs that TFLite-Micro leaves unwritten (energies outside the range, frames that are not valid)
are for test_signal.py: here every element is written.
"""

from collections.abc import Callable, Mapping

import numpy as np

from tests.vectors.kernels.building import Make

_INT16 = 7  # TensorType.INT16
_TYPES = {"int16": _INT16, "int32": 2}
_LENGTHS = (16, 32, 64, 128, 256, 512, 1024)


def _window(make: Make) -> tuple[str, dict]:
    length = make.size(90)
    shape = make.pick((length,), (1, length), (3, length), (2, 2, length))
    make.feed(shape, "int16")
    make.hold(make.values((length,), "int16"))
    make.result(shape, "int16")
    return "CUSTOM:SignalWindow", {"shift": int(make.pick(12, 12, 0, 15, 31))}


def _auto_scale(make: Make) -> tuple[str, dict]:
    """Samples of every size: constants, so that the largest is not the type's most of the time."""
    count = make.size(200)
    limit = int(make.pick(0, 1, 5, 200, 4000, 32767, 32768))
    values = make.rng.integers(-limit, min(limit, 32767) + 1, count).astype(np.int16)
    if make.rng.random() < 0.3:
        values[make.rng.integers(count)] = -32768
    make.hold(values)
    make.result((count,), "int16")
    make.result((), "int32")
    return "CUSTOM:SignalFftAutoScale", {}


def _rfft(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        length = int(make.pick(*_LENGTHS))
        samples = int(make.pick(length, length, make.rng.integers(1, length + 1)))
        lead = make.pick((), (1,), (2,))
        make.feed((*lead, samples), dtype)
        make.result((*lead, length + 2), dtype)
        return "CUSTOM:SignalRfft", {"T": _TYPES[dtype], "fft_length": length}

    return build


def _irfft(dtype: str) -> Callable[[Make], tuple[str, dict]]:
    def build(make: Make) -> tuple[str, dict]:
        length = int(make.pick(*_LENGTHS))
        lead = make.pick((), (1,), (2,))
        make.feed((*lead, length + 2), dtype)
        make.result((*lead, length), dtype)
        return "CUSTOM:SignalIrfft", {"T": _TYPES[dtype], "fft_length": length}

    return build


def _energy(make: Make) -> tuple[str, dict]:
    bins = make.size(130)
    make.feed((2 * bins,), "int16")
    make.result((bins,), "uint32")
    return "CUSTOM:SignalEnergy", {"end_index": bins, "start_index": 0}


def _filter_bank(make: Make) -> tuple[str, dict]:
    channels, bins = make.size(20), 40 + make.size(90)
    widths = make.rng.integers(0, 8, channels + 1).astype(np.int16)
    starts = make.rng.integers(0, bins - 8, channels + 1).astype(np.int16)
    places = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(np.int16)
    make.feed((bins,), "uint32")
    for _ in range(2):
        low = int(make.pick(0, 0, -4096))
        make.hold(make.rng.integers(low, 4097, int(widths.sum()) + 1).astype(np.int16))
    for table in (starts, places, widths):
        make.hold(table)
    make.result((channels,), "uint64")
    return "CUSTOM:SignalFilterBank", {"num_channels": channels}


def _square_root(make: Make) -> tuple[str, dict]:
    """Numbers of all lengths, squares and their neighbours, and the ends of both formulas."""
    count = 60
    roots = make.rng.integers(0, 1 << 32, count, np.uint64) >> make.rng.integers(
        0, 32, count, np.uint64
    )
    numbers = roots * roots + make.rng.integers(0, 3, count, np.uint64)
    numbers[:6] = (0, 1, 2**32 - 1, 2**32, 2**64 - 1, 2**62)
    make.hold(numbers - make.rng.integers(0, 2, count, np.uint64) * (numbers > 0))
    make.hold(np.array(make.rng.integers(0, 16), np.int32))
    make.result((count,), "uint32")
    return "CUSTOM:SignalFilterBankSquareRoot", {}


def _noise(make: Make) -> tuple[str, dict]:
    channels = make.size(40)
    bits = int(make.pick(14, 14, 10))
    one = 1 << bits
    shares = [int(make.rng.integers(0, one + 1)) for _ in range(2)]
    make.feed((channels,), "uint32")
    make.result((channels,), "uint32")
    make.result((channels,), "uint32")
    make.invocations = 5
    return "CUSTOM:SignalFilterBankSpectralSubtraction", {
        "alternate_one_minus_smoothing": one - shares[1],
        "alternate_smoothing": shares[1],
        "clamping": bool(make.rng.random() < 0.5),
        "min_signal_remaining": int(make.rng.integers(0, one + 1)),
        "num_channels": channels,
        "one_minus_smoothing": one - shares[0],
        "smoothing": shares[0],
        "smoothing_bits": int(make.pick(10, 0, 4, 20)),
        "spectral_subtraction_bits": bits,
    }


def _spread(make: Make, count: int) -> np.ndarray:
    """Numbers of 0 to 32 bits, as many of each length."""
    shifts = make.rng.integers(0, 33, count).astype(np.uint64)
    return (make.rng.integers(0, 1 << 32, count, np.uint64) >> shifts).astype(np.uint32)


def _pcan(make: Make) -> tuple[str, dict]:
    make.hold(_spread(make, 90))
    make.hold(_spread(make, 90))
    make.hold(make.values((125,), "int16"))
    make.result((90,), "uint32")
    return "CUSTOM:SignalPCAN", {"snr_shift": int(make.pick(6, 0, 12, 31, 40, 63))}


def _log(make: Make) -> tuple[str, dict]:
    numbers = _spread(make, 90)
    numbers[:4] = (0, 1, 2, 0xFFFFFFFF)
    make.hold(numbers)
    make.result((90,), "int16")
    return "CUSTOM:SignalFilterBankLog", {
        "input_correction_bits": int(make.pick(3, 0, 5, 31)),
        "output_scale": int(make.pick(64, 1600, 0, 1, 100000)),
    }


def _delay(make: Make) -> tuple[str, dict]:
    shape = (*make.pick((), (1,), (3,), (2, 2)), make.size(9))
    make.feed(shape, "int16")
    make.result(shape, "int16")
    make.invocations = 6
    return "CUSTOM:SignalDelay", {"delay_length": int(make.rng.integers(0, 22))}


def _framer(make: Make) -> tuple[str, dict]:
    step, frames = make.size(6), make.size(4)
    length = step + int(make.rng.integers(0, 15))
    lead = make.pick((), (1,), (3,))
    make.feed((*lead, frames * step), "int16")
    make.result((*lead, frames, length), "int16")
    make.result((), "bool")
    make.invocations = 6
    return "CUSTOM:SignalFramer", {"frame_size": length, "frame_step": step, "prefill": True}


def _overlap_add(make: Make) -> tuple[str, dict]:
    length, frames = make.size(12), make.size(4)
    step = int(make.rng.integers(1, length + 1))
    lead = make.pick((), (1,), (3,))
    make.feed((*lead, frames, length), "int16")
    make.result((*lead, frames * step), "int16")
    make.invocations = 6
    return "CUSTOM:SignalOverlapAdd", {"T": _INT16, "frame_step": step}


def _stacker(make: Make) -> tuple[str, dict]:
    """Without a right context and with steps of 1, so that each invocation gives a row."""
    channels, left = make.size(9), int(make.rng.integers(0, 5))
    make.feed((channels,), "int16")
    make.result((channels * (left + 1),), "int16")
    make.result((), "bool")
    make.invocations = 8
    return "CUSTOM:SignalStacker", {
        "num_channels": channels,
        "stacker_left_context": left,
        "stacker_right_context": 0,
        "stacker_step": 1,
    }


KINDS: Mapping[str, Callable[[Make], tuple[str, dict]]] = {
    "signal_window": _window,
    "signal_auto_scale": _auto_scale,
    "signal_rfft_s16": _rfft("int16"),
    "signal_rfft_s32": _rfft("int32"),
    "signal_irfft_s16": _irfft("int16"),
    "signal_irfft_s32": _irfft("int32"),
    "signal_energy": _energy,
    "signal_filter_bank": _filter_bank,
    "signal_square_root": _square_root,
    "signal_noise": _noise,
    "signal_pcan": _pcan,
    "signal_log": _log,
    "signal_delay": _delay,
    "signal_framer": _framer,
    "signal_overlap_add": _overlap_add,
    "signal_stacker": _stacker,
}
