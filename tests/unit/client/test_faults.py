"""A line that loses, flips, repeats and cuts: every request comes right, or in a sentence."""

import numpy as np
import pytest

from edgeasr.client import Device, Event
from edgeasr.errors import LinkError
from edgeasr.link import ProcessLink
from tests.unit.client import fake
from tests.unit.client.faults import FaultyLink
from tests.unit.client.test_device import collect


def check(device: Device, pcm: np.ndarray, data: bytes) -> None:
    """One of each request; all that comes back must be right."""
    assert device.tensor(data) == fake.layer(data, 149)
    assert device.tensor(data, 5) == fake.layer(data, 5)
    heard = device.clip(pcm, window=True)
    assert heard.features_crc == fake.features_crc(pcm)
    assert heard.output.tolist() == fake.output(fake.window(pcm).tobytes()).tolist()
    assert heard.window.tolist() == fake.window(pcm).tolist()
    assert collect(device, [pcm], scores=True) == fake.stream(pcm)
    assert device.stream_summary.features_crc == fake.features_crc(pcm)
    assert len(device.profile(data).layer_ticks) == 150


@pytest.mark.parametrize("seed", range(6))
def test_faults_are_overcome(rough_line: ProcessLink, pcm: np.ndarray, seed: int) -> None:
    faulty = FaultyLink(rough_line, seed=seed, rate=0.08)
    device = Device(faulty, timeout_s=60, retry_s=0.03)
    device.hello(timeout_s=60)
    data = np.random.default_rng(seed).bytes(800)
    check(device, pcm[: 3000 + 100 * seed], data)
    assert faulty.faults > 0
    faulty.rate = 0
    check(device, pcm, data)


@pytest.mark.parametrize("seed", range(3))
def test_a_line_too_bad_is_given_up_in_a_sentence(
    rough_line: ProcessLink, pcm: np.ndarray, seed: int
) -> None:
    faulty = FaultyLink(rough_line, seed=seed, rate=0)
    device = Device(faulty, timeout_s=0.2, retry_s=0.02)
    device.hello(timeout_s=60)
    faulty.rate = 1
    with pytest.raises(LinkError, match=r"no (answer to )?[A-Z_]+ in 0\.\d s \(received \d+ bytes"):
        for _ in range(100):
            device.clip(pcm)
    faulty.rate = 0
    again = Device(faulty)
    again.hello()
    check(again, pcm, bytes(800))


def test_a_stream_goes_on_when_all_results_of_a_while_are_lost(
    rough_line: ProcessLink, pcm: np.ndarray
) -> None:
    class Deaf(FaultyLink):
        def read(self, timeout_s: float) -> bytes:
            data = self.link.read(timeout_s)
            return b"" if data and self._random.random() < 0.3 else data

    device = Device(Deaf(rough_line, seed=3, rate=0), timeout_s=60, retry_s=0.03)
    assert collect(device, [pcm], scores=True) == fake.stream(pcm)
    events = [e for e in device.stream([pcm]) if isinstance(e, Event)]
    assert len(events) == 17
