"""Features on the host: pieces equal the whole, calls stay apart, types are checked."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from edgeasr import features
from edgeasr.errors import InputError
from edgeasr.features import FrontEnd, Stream

KINDS = ["micro", "logmel", "mfcc"]


def _sound(samples: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.normal(size=samples) * 2000).astype(np.int16)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_pieces_equal_the_whole(kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    front_end = FrontEnd(kind=kind, hop_ms=float(random.choice([4, 10, 30])))
    pcm = _sound(20_000, seed)
    stream, rows, at = Stream(front_end), [], 0
    while at < len(pcm):
        size = int(random.choice([0, 1, 7, 159, 160, 481, 5000]))
        rows.append(stream.push(pcm[at : at + size]))
        at += size
    whole = features.compute(front_end, pcm)
    assert np.array_equal(np.vstack(rows), whole)
    assert len(whole) == front_end.frames_in(len(pcm))


@pytest.mark.parametrize("kind", KINDS)
def test_reset_forgets(kind: str) -> None:
    stream = Stream(FrontEnd(kind=kind))
    first = stream.push(_sound(5000, 1))
    stream.reset()
    assert np.array_equal(stream.push(_sound(5000, 1)), first)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_do_not_disturb_each_other(kind: str) -> None:
    front_end = FrontEnd(kind=kind)
    sounds = [_sound(16_000, seed) for seed in range(8)]
    alone = [features.compute(front_end, pcm) for pcm in sounds]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pcm: features.compute(front_end, pcm), sounds))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_strided_samples_are_read_right() -> None:
    pcm = _sound(16_000, 3)
    twice = np.repeat(pcm, 2)
    want = features.compute(FrontEnd(), pcm)
    assert np.array_equal(features.compute(FrontEnd(), twice[::2]), want)


def test_too_short_gives_no_frame() -> None:
    assert features.compute(FrontEnd(), np.zeros(0, np.int16)).shape == (0, 40)
    assert features.compute(FrontEnd(), np.zeros(479, np.int16)).shape == (0, 40)


@pytest.mark.parametrize(
    ("pcm", "found"),
    [
        (np.zeros(100, np.float32), "float32 [100]"),
        (np.zeros((100, 2), np.int16), "int16 [100, 2]"),
        ([0, 1], "<class 'list'>"),
    ],
)
def test_other_than_int16_mono_is_refused(pcm: object, found: str) -> None:
    with pytest.raises(InputError, match="a front end takes int16") as caught:
        features.compute(FrontEnd(), pcm)
    assert found in str(caught.value)
