"""`micro` equals TFLite-Micro's front end bit for bit, in pymicro-features' and other settings."""

import ctypes
import itertools
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgeasr import features
from edgeasr.features import FrontEnd, single

_HOP = 160
_UNIT = 0.0390625  # pymicro-features multiplies the integers by this


def reference(pcm: np.ndarray) -> np.ndarray:
    """Features as integers; pcm must be whole hops long."""
    from pymicro_features import MicroFrontend

    front_end, sound, rows = MicroFrontend(), pcm.tobytes(), []
    for start in range(0, len(sound), 2 * _HOP):
        made = front_end.process_samples(sound[start : start + 2 * _HOP])
        assert made.samples_read == _HOP
        if made.features:
            rows.append(made.features)
    return np.round(np.array(rows).reshape(-1, 40) / _UNIT).astype(np.int16)


def assert_equal(pcm: np.ndarray, what: object) -> None:
    """Compare on a sound of any length; the reference hears the whole hops in it."""
    pcm = np.asarray(pcm).astype(np.int16)
    got = features.compute(FrontEnd(), pcm)
    want = reference(pcm[: len(pcm) // _HOP * _HOP])
    assert np.array_equal(got, want), what


@pytest.fixture(scope="module", autouse=True)
def _log1pf_of_fdlibm() -> None:
    """pymicro-features takes its mel bands from the C library; two weights differ with log1pf's
    last bit. edgeasr has FDLIBM's on every computer (edgeasr/features/single.py)."""
    log1pf = ctypes.CDLL(None).log1pf
    log1pf.argtypes, log1pf.restype = [ctypes.c_float], ctypes.c_float
    hz = [np.float32(bin_ * 31.25) / np.float32(700) for bin_ in range(256)]
    if any(np.float32(log1pf(x)) != single.log1p(x) for x in hz):
        pytest.skip("this C library's log1pf is not FDLIBM's; the reference has other mel weights")


def _step(length: int) -> np.ndarray:
    return np.arange(length)


_EXTREMES = {
    "silence": np.zeros(4800),
    "full_scale_positive": np.full(4800, 32767),
    "full_scale_negative": np.full(4800, -32768),
    "dc": np.full(4800, 1234),
    "square_clipping": np.where(_step(9600) // 37 % 2, 32767, -32768),
    "nyquist_full_scale": np.where(_step(4800) % 2, 32767, -32768),
    "impulse_highest": np.where(_step(4800) == 700, 32767, 0),
    "impulse_lowest": np.where(_step(4800) == 700, -32768, 0),
    "one_step_of_one": np.where(_step(4800) == 700, 1, 0),
    "only_negative_one": np.full(4800, -1),
    "lowest_then_silence": np.where(_step(9600) < 2000, -32768, 0),
    "sine_full_scale": np.round(32767 * np.sin(_step(9600) * 0.3)),
    "sine_over_full_scale": np.clip(90000 * np.sin(_step(9600) * 0.05), -32768, 32767),
    "rising_tone": np.round(20000 * np.sin(_step(16000) ** 2 * 9e-5)),
}


@pytest.mark.parametrize("name", list(_EXTREMES))
def test_extremes(name: str) -> None:
    assert_equal(_EXTREMES[name], name)


@pytest.mark.parametrize("length", [480, 481, 639, 640, 641, 4801, 16001])
def test_odd_lengths(length: int) -> None:
    assert_equal(np.random.default_rng(length).integers(-9999, 9999, length), length)


@pytest.mark.parametrize("bits", range(1, 17))
def test_noise_of_each_level(bits: int) -> None:
    random = np.random.default_rng(bits)
    top = 1 << (bits - 1)
    assert_equal(random.integers(-top, top, 32_000), bits)


def test_loud_and_soft_in_turns() -> None:
    random = np.random.default_rng(0)
    level = np.repeat(2.0 ** random.uniform(0, 18, 300), 320)
    sound = np.clip(random.normal(size=len(level)) * level, -32768, 32767)
    assert_equal(sound, "levels")


def _recordings(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.flac")))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["digits", "keywords", "noise"])
def test_all_recordings(shared_data: Path, part: str) -> None:
    count = 0
    for path in _recordings(shared_data / part):
        pcm, rate = soundfile.read(path, dtype="int16")
        assert rate == 16_000
        assert_equal(pcm, path.name)
        count += 1
    assert count > 100


def test_some_recordings(shared_data: Path) -> None:
    for part in ("digits", "keywords", "noise"):
        for path in itertools.islice(_recordings(shared_data / part), 0, None, 149):
            pcm, _ = soundfile.read(path, dtype="int16", frames=160_000)
            assert_equal(pcm, path.name)


_UPSTREAM = json.loads((Path(__file__).parent / "upstream.json").read_text())["cases"]


@pytest.mark.parametrize("case", _UPSTREAM, ids=range(len(_UPSTREAM)))
def test_other_configurations(case: dict) -> None:
    front_end = FrontEnd(**case["front_end"])
    rate = front_end.sample_rate_hz
    steps = np.arange(rate, dtype=np.uint64) * np.uint64(2654435761) >> np.uint64(16)
    sound = (steps & np.uint64(0xFFFF)).astype(np.int64) - 32768
    for shift, crc in zip((0, 5, 11), case["crc32"], strict=True):
        rows = features.compute(front_end, (sound >> shift).astype(np.int16))
        assert len(rows) == case["frames"]
        assert f"{zlib.crc32(rows.astype('<i2').tobytes()):08x}" == crc, shift
