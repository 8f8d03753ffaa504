"""What every microphone passes through, compiled here and held against numpy.

The pulse density decimator: its taps, its bits, and level, noise and aliases of tones. The rest:
warm-up, DC and level.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeasr import paths
from tests.conftest import missing

_HERE = Path(__file__).parent
_STRICT = (
    "-std=c11 -O2 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wundef "
    "-Wcast-align -Wmissing-prototypes -Wvla -Werror -fsanitize=undefined "
    "-fno-sanitize-recover=all -shared -fPIC"
).split()

_BITS_HZ, _MIDDLE_HZ, _RATE_HZ = 1_024_000, 128_000, 16_000
_TAPS, _CIC_GAIN, _SHIFT = 192, 4096, 14
_WARM_UP = 400 * _RATE_HZ // 1000


class _Pdm(ctypes.Structure):
    _fields_ = (
        ("bits", ctypes.c_uint32),
        ("at", ctypes.c_uint32),
        ("values", ctypes.c_int16 * (2 * _TAPS)),
    )


class _Level(ctypes.Structure):
    _fields_ = (
        ("samples", ctypes.c_uint32),
        ("clipped", ctypes.c_uint32),
        ("peak", ctypes.c_uint32),
        ("squares", ctypes.c_uint64),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if shutil.which("gcc") is None:
        missing("gcc")
    templates = paths.firmware_templates()
    pdm = templates / "port" / "pdm"
    made = tmp_path_factory.mktemp("microphone") / "microphone.so"
    sources = [pdm / "ear_pdm.c", templates / "runtime" / "ear_microphone.c", _HERE / "board.c"]
    folders = [f"-I{folder}" for folder in (pdm, templates / "runtime", templates / "port")]
    done = subprocess.run(
        ["gcc", *_STRICT, *folders, *sources, "-o", made],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    loaded = ctypes.CDLL(str(made))
    loaded.ear_microphone_level.restype = _Level
    loaded.ear_microphone_read.restype = ctypes.c_size_t
    return loaded


def _address(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


# The decimator.


def _cic() -> np.ndarray:
    taps = np.ones(1, int)
    for _ in range(4):
        taps = np.convolve(taps, np.ones(8, int))
    return taps


def _designed() -> np.ndarray:
    """An ideal low-pass at 8 kHz over the CIC filter's response, under a Kaiser window."""
    f = (np.arange(4000) + 0.5) / 4000 * 8000
    x = np.pi * f / _MIDDLE_HZ
    response = (np.sin(x) / (8 * np.sin(x / 8))) ** 4
    n = np.arange(_TAPS) - (_TAPS - 1) / 2
    ideal = (np.cos(2 * np.pi * np.outer(n, f) / _MIDDLE_HZ) / response).sum(1)
    shaped = ideal * np.kaiser(_TAPS, 5.0)
    return np.round(shaped / shaped.sum() * (1 << 17)).astype(int)


def _expected(bits: np.ndarray, gain_bits: int) -> np.ndarray:
    """The same filters by convolution, from a silent past."""
    past = np.tile([0, 1], 16)
    middle = np.convolve(np.concatenate([past, bits]) * 2 - 1, _cic())
    middle = middle[len(past) + 7 : len(past) + len(bits) : 8]
    filtered = np.convolve(middle, _designed())[7 : len(middle) : 8]
    shift = _SHIFT - gain_bits
    return np.clip((filtered + (1 << (shift - 1))) >> shift, -32768, 32767)


def _decimate(
    library: ctypes.CDLL, bits: np.ndarray, gain_bits: int = 0, block: int = 16
) -> np.ndarray:
    words = np.packbits(bits.astype(np.uint8)).view(">u2").astype(np.uint16)
    pcm = np.zeros(len(words) // 4, np.int16)
    state = _Pdm()
    library.ear_pdm_init(ctypes.byref(state))
    for at in range(0, len(pcm), block):
        part = np.ascontiguousarray(words[4 * at : 4 * (at + block)])
        out = np.zeros(len(part) // 4, np.int16)
        library.ear_pdm_samples(
            ctypes.byref(state), _address(part), len(out), gain_bits, _address(out)
        )
        pcm[at : at + block] = out
    return pcm


def _modulate(wave: np.ndarray) -> np.ndarray:
    """A sigma-delta modulator of second order, at the microphone's clock."""
    bits = np.zeros(len(wave), np.uint8)
    first = second = 0.0
    for i, value in enumerate(wave.tolist()):
        out = 1.0 if second >= 0 else -1.0
        first += value - out
        second += first - out
        bits[i] = out > 0
    return bits


def _brick_wall(bits: np.ndarray) -> np.ndarray:
    """The best that there is: all below 8 kHz and nothing else."""
    spectrum = np.fft.rfft(bits * 2.0 - 1)[: len(bits) // 128 + 1]
    return np.fft.irfft(spectrum) * 32768 / 64


def _tone(hz: float, amplitude: float, seconds: float = 0.2) -> np.ndarray:
    t = np.arange(int(seconds * _BITS_HZ)) / _BITS_HZ
    return amplitude * np.sin(2 * np.pi * hz * t)


def _fit(pcm: np.ndarray, hz: float) -> tuple[float, float]:
    """Return the amplitude of a tone in samples, and its distance to all the rest in dB."""
    pcm = pcm[200:].astype(float)
    t = np.arange(len(pcm)) / _RATE_HZ
    basis = np.stack(
        [np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t), np.ones_like(t)], axis=1
    )
    weights, *_ = np.linalg.lstsq(basis, pcm, rcond=None)
    rest = pcm - basis @ weights
    amplitude = float(np.hypot(*weights[:2]))
    return amplitude, float(10 * np.log10(amplitude**2 / 2 / np.mean(rest**2)))


def test_the_taps_are_those_of_the_design():
    text = (paths.firmware_templates() / "port" / "pdm" / "ear_pdm.c").read_text()
    listed = text.split("taps[EAR_PDM_TAPS / 2u] = {")[1].split("}")[0]
    half = [int(word) for word in listed.replace(",", " ").split()]
    designed = _designed()
    assert half == designed[: _TAPS // 2].tolist() == designed[_TAPS // 2 :][::-1].tolist()
    assert np.abs(designed).sum() == 249_812
    assert _cic().sum() == _CIC_GAIN
    assert np.abs(designed).sum() * _CIC_GAIN < 1 << 30


@pytest.mark.parametrize("gain_bits", [0, 3, 8])
@pytest.mark.parametrize("block", [1, 16, 100])
def test_every_bit_is_that_of_numpy(library, gain_bits, block):
    bits = np.random.default_rng(6).integers(0, 2, 64 * 300)
    bits[64 * 100 : 64 * 150] = 1
    assert (
        _decimate(library, bits, gain_bits, block).tolist() == _expected(bits, gain_bits).tolist()
    )


@pytest.mark.parametrize(("bit", "value"), [(1, 32767), (0, -32768)])
def test_full_scale(library, bit, value):
    assert _decimate(library, np.full(64 * 100, bit))[-1] == value


def test_silence_is_zero(library):
    assert not _decimate(library, np.tile([0, 1], 32 * 100)).any()


@pytest.mark.parametrize("hz", [100, 1000, 3000, 6900])
def test_a_tone_keeps_its_level_and_little_noise_is_added(library, hz):
    bits = _modulate(_tone(hz, 0.5))
    amplitude, snr_db = _fit(_decimate(library, bits), hz)
    _, ideal_db = _fit(_brick_wall(bits), hz)
    assert abs(20 * np.log10(amplitude / 16384)) < 0.1
    assert snr_db > max(ideal_db - 1, 68)


@pytest.mark.parametrize(("hz", "seen_hz"), [(9200, 6800), (12_000, 4000), (127_000, 1000)])
def test_what_16_khz_cannot_hold_is_gone(library, hz, seen_hz):
    amplitude, _ = _fit(_decimate(library, _modulate(_tone(hz, 0.5))), seen_hz)
    assert 20 * np.log10(amplitude / 16384) < -50


def test_gain_doubles(library):
    bits = _modulate(_tone(1000, 0.01))
    plain, _ = _fit(_decimate(library, bits), 1000)
    loud, _ = _fit(_decimate(library, bits, 4), 1000)
    assert loud / plain == pytest.approx(16, rel=0.01)


# Warm-up, DC and level.


def _listen(
    library: ctypes.CDLL, samples: np.ndarray, *, at_a_time: int = 100, capacity: int = 64
) -> np.ndarray:
    given = np.ascontiguousarray(samples, np.int16)
    library.ear_microphone_start(_RATE_HZ)
    library.board_put(_address(given), len(given), at_a_time)
    heard, block = [], np.zeros(capacity, np.int16)
    while count := library.ear_microphone_read(_address(block), capacity):
        heard.append(block[:count].copy())
    return np.concatenate([np.zeros(0, np.int16), *heard])


@pytest.mark.parametrize("at_a_time", [1, 7, 100, 100_000])
def test_the_warm_up_is_not_heard(library, at_a_time):
    samples = np.concatenate([np.full(_WARM_UP, 30_000), np.arange(500)])
    assert len(_listen(library, samples, at_a_time=at_a_time)) == 500
    assert len(_listen(library, samples[:_WARM_UP], at_a_time=at_a_time)) == 0


def test_a_microphone_that_comes_by_and_by(library):
    """Nothing at a call is no end, in warm-up and after."""
    library.ear_microphone_start(_RATE_HZ)
    block, heard = np.zeros(640, np.int16), 0
    silence = np.zeros(320, np.int16)
    for _ in range(2 * _WARM_UP // len(silence)):
        library.board_put(_address(silence), len(silence), 1000)
        heard += library.ear_microphone_read(_address(block), len(block))
        assert library.ear_microphone_read(_address(block), len(block)) == 0
    assert heard == _WARM_UP


@pytest.mark.parametrize("offset", [-3000, 17, 3000])
def test_dc_is_blocked_from_the_first_sample_and_a_click_is_forgotten(library, offset):
    t = np.arange(_WARM_UP + 8000) / _RATE_HZ
    samples = np.round(offset + 1000 * np.sin(2 * np.pi * 500 * t))
    samples[:1000] = 32767
    heard = _listen(library, samples)
    assert abs(heard[:320].mean()) < 40
    assert abs(heard[-3200:].mean()) < 1
    amplitude, _ = _fit(heard, 500)
    assert amplitude == pytest.approx(1000, rel=0.003)


def test_the_filter_is_the_one_that_its_header_has(library):
    samples = np.random.default_rng(3).integers(-20_000, 20_000, _WARM_UP + 4000)
    mean, expected = None, []
    for i, sample in enumerate(samples[_WARM_UP // 2 :].tolist()):
        scaled = sample << 14
        mean = scaled if mean is None else mean
        if i >= _WARM_UP // 2:
            expected.append(sample - ((mean + (1 << 13)) >> 14))
        mean += (scaled - mean) >> 8
    heard = _listen(library, samples, at_a_time=1)
    assert heard.tolist() == np.clip(expected, -32768, 32767).tolist()


def test_its_corner_is_at_10_hz(library):
    t = np.arange(_WARM_UP + 32_000) / _RATE_HZ
    hz = _RATE_HZ / (2 * np.pi * 256)
    amplitude, _ = _fit(_listen(library, np.round(20_000 * np.sin(2 * np.pi * hz * t))), hz)
    assert 20 * np.log10(amplitude / 20_000) == pytest.approx(-3.01, abs=0.1)


def test_level_and_clipping(library):
    samples = np.zeros(_WARM_UP + 1000, np.int16)
    samples[_WARM_UP:] = np.tile([500, -500], 500)
    heard = _listen(library, samples).astype(int)
    level = library.ear_microphone_level()
    assert (level.samples, level.clipped) == (1000, 0)
    assert level.peak == np.abs(heard).max()
    assert level.squares == (heard**2).sum()
    again = library.ear_microphone_level()
    assert (again.samples, again.peak, again.squares) == (0, 0, 0)

    samples[_WARM_UP + 10 : _WARM_UP + 14] = [32767, -32768, 32766, -32767]
    _listen(library, samples)
    assert library.ear_microphone_level().clipped >= 2


def test_extremes_stay_in_16_bits(library):
    square = np.tile(np.repeat([32767, -32768], 4000), 4)
    heard = _listen(library, square)
    level = library.ear_microphone_level()
    assert heard.max() == 32767
    assert heard.min() == -32768
    assert level.peak == 32768
    assert level.clipped == level.samples == len(heard)
