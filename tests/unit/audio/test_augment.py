"""Augmentation: levels, bounds, lengths, and the same result for the same seed."""

import numpy as np
import pytest

from edgeasr.audio import augment
from edgeasr.audio.augment import Augmenter, AugmentSpec
from edgeasr.audio.clip import Clip
from edgeasr.errors import InputError

RATE = 16000


def word(seconds: float = 1.0, at: float = 0.4, length: float = 0.2) -> np.ndarray:
    """A 500 Hz tone of `length` seconds in silence, float32 in int16 scale."""
    signal = np.zeros(round(seconds * RATE), np.float32)
    start, count = round(at * RATE), round(length * RATE)
    signal[start : start + count] = 8000 * np.sin(np.arange(count) * 2 * np.pi * 500 / RATE)
    return signal


def noise(samples: int = RATE, level: float = 1000.0, seed: int = 3) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(samples) * level).astype(np.float32)


def level_db(signal: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(signal, dtype=np.float64)))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 30.0])
@pytest.mark.parametrize("length", [0.1, 0.6])
def test_noise_is_added_at_the_ratio_asked_for(snr_db, length):
    signal = word(length=length)
    mixed = augment.mix(signal, noise(), snr_db)
    spoken = signal[signal != 0]
    added = mixed - signal
    assert level_db(spoken) - level_db(added) == pytest.approx(snr_db, abs=0.1)


def test_padding_does_not_change_the_ratio():
    short, padded = word(0.3, 0.05), word(3.0, 0.05)
    assert augment.active_power(short) == pytest.approx(augment.active_power(padded), rel=1e-6)


def test_silence_gets_noise_as_it_is():
    assert np.array_equal(augment.mix(np.zeros(RATE, np.float32), noise(), 10), noise())
    assert np.array_equal(augment.mix(word(), np.zeros(RATE, np.float32), 10), word())


def test_shift_moves_and_fills_with_zeros():
    signal = np.arange(1, 6, dtype=np.float32)
    assert augment.shift(signal, 2).tolist() == [0, 0, 1, 2, 3]
    assert augment.shift(signal, -2).tolist() == [3, 4, 5, 0, 0]
    assert augment.shift(signal, 0).tolist() == signal.tolist()
    for far in (5, 7, 9, -5, -7, -9):
        assert augment.shift(signal, far).tolist() == [0] * 5


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_speed_multiplies_the_frequency_and_keeps_the_length(factor):
    played = augment.speed(word(length=0.4, at=0.3), factor)
    assert len(played) == RATE
    peak = np.argmax(np.abs(np.fft.rfft(played)))
    assert peak == pytest.approx(500 * factor, abs=4)
    assert np.flatnonzero(np.abs(played) > 400).size == pytest.approx(0.4 * RATE / factor, rel=0.1)


def test_gain_in_decibels():
    assert level_db(augment.gain(noise(), -6)) - level_db(noise()) == pytest.approx(-6, abs=1e-3)


def test_reverb_keeps_energy_and_falls_by_sixty_decibels():
    click = np.zeros(RATE, np.float32)
    click[0] = 20000
    heard = augment.reverberate(click, np.random.default_rng(1), 0.5, 0.0)
    assert np.linalg.norm(heard) == pytest.approx(np.linalg.norm(click), rel=1e-5)
    early, late = heard[800:1600], heard[6800:7600]
    # From 0.075 s to 0.45 s is three quarters of the time of 60 dB.
    assert level_db(early) - level_db(late) == pytest.approx(45, abs=3)
    assert np.abs(heard[9000:]).max() < 1e-2


def test_equalizer_stays_within_its_decibels():
    before = noise(RATE * 2)
    after = augment.equalize(before, np.random.default_rng(5), 9.0)
    ratio_db = [
        level_db(np.abs(np.fft.rfft(after))[band]) - level_db(np.abs(np.fft.rfft(before))[band])
        for band in (slice(n, n + 400) for n in range(0, 15600, 400))
    ]
    assert max(np.abs(ratio_db)) < 9.3
    assert max(ratio_db) - min(ratio_db) > 3


def test_telephone_band():
    heard = np.abs(np.fft.rfft(augment.band_limit(noise(), 300, 3400)))
    assert level_db(heard[500:3300]) - level_db(heard[4000:]) > 35
    assert level_db(heard[500:3300]) - level_db(heard[:200]) > 30


def test_overdrive_clips_below_the_peak():
    driven = augment.overdrive(word(), 6.0)
    assert np.abs(driven).max() == pytest.approx(8000 * 10 ** (-6 / 20), rel=1e-3)


HARD = AugmentSpec(
    speed_chance=1,
    gain_db=(20, 30),
    equalize_chance=1,
    reverb_chance=1,
    band_limit_chance=1,
    overdrive_chance=1,
    noise_chance=1,
    snr_db=(-10, 0),
)


@pytest.mark.parametrize("spec", [AugmentSpec(), HARD])
@pytest.mark.parametrize("samples", [1, 7, 160, 12345, 16000, 40000])
def test_length_and_type_are_kept(spec, samples):
    source = augment.pcm.to_int16(noise(samples, 9000))
    before = source.copy()
    augmenter = Augmenter(spec, [np.full(100, 300, np.int16), source], seed=2)
    for take in range(6):
        heard = augmenter(source, "clip", take)
        assert heard.shape == (samples,)
        assert heard.dtype == np.int16
    assert np.array_equal(source, before)


def test_too_loud_clamps_and_does_not_wrap():
    spec = AugmentSpec(speed_chance=0, shift_ms=0, equalize_chance=0, reverb_chance=0,
                       band_limit_chance=0, overdrive_chance=0, gain_db=(40, 40))  # fmt: skip
    source = augment.pcm.to_int16(word(length=0.6, at=0.2))
    heard = Augmenter(spec)(source, "clip").astype(int)
    assert heard.max() == 32767
    assert heard.min() == -32768
    loud = np.abs(source) > 2000
    assert np.array_equal(np.sign(heard[loud]), np.sign(source[loud]))


def test_reproducible_by_seed_clip_and_take_in_any_order():
    clips = {f"c{n}": augment.pcm.to_int16(noise(RATE, 4000, n)) for n in range(4)}
    noises = [augment.pcm.to_int16(noise(5 * RATE, 500, 99))]
    first = Augmenter(noises=noises, seed=7)
    forward = {(n, t): first(c, n, t) for n, c in clips.items() for t in range(2)}
    second = Augmenter(noises=noises, seed=7)
    for name, take in reversed(forward):
        assert np.array_equal(second(clips[name], name, take), forward[name, take])
    other = Augmenter(noises=noises, seed=8)
    assert not np.array_equal(other(clips["c0"], "c0"), forward["c0", 0])
    assert not np.array_equal(forward["c0", 0], forward["c0", 1])


def test_noise_is_of_the_training_split(tmp_path):
    clips = []
    for split in ("train", "test"):
        path = tmp_path / f"{split}.wav"
        augment.pcm.write(path, np.full(100, len(split), np.int16), RATE)
        clips.append(Clip(path, "rain", split=split))
    assert [n[0] for n in augment.read_noises(clips)] == [5]


def test_empty_noise_is_refused():
    with pytest.raises(InputError, match="noise is empty"):
        Augmenter(noises=[np.zeros(0, np.int16)])
