"""The C session, under sanitizers, is sent noise and well-framed nonsense; it must go on."""

import random
import struct
import time
from collections.abc import Iterator

import pytest

from edgeasr.client import Device
from edgeasr.link import ProcessLink
from edgeasr.protocol import REPLY, REQUESTS, STATUS, Decoder, Frame, Type
from tests.conftest import need
from tests.unit.client import fake

_EDGES = (0, 1, 2, 3, 99, 507, 799, 800, 801, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory):
    need("cc")
    return fake.build(tmp_path_factory.mktemp("fuzzed"))


@pytest.fixture
def line(program) -> Iterator[ProcessLink]:
    link = fake.start(program)
    yield link
    fake.stop(link)


def alive(line: ProcessLink) -> None:
    device = Device(line, retry_s=0.5)
    assert device.hello(timeout_s=60).board == "fake"
    assert device.tensor(bytes(800)) == fake.layer(bytes(800), 149)


@pytest.mark.parametrize("seed", range(3))
def test_noise(line: ProcessLink, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(60):
        noise = bytearray(dice.randbytes(dice.choice([1, 30, 3000])))
        for _ in range(len(noise) // dice.choice([5, 50, 1000])):
            noise[dice.randrange(len(noise))] = dice.choice([0, 0, 1, 0xFF])
        line.write(bytes(noise))
    alive(line)


def nonsense(dice: random.Random, sequence: int) -> Frame:
    """A good frame: any type, mostly with a payload of about the right shape, at its edges."""
    if dice.random() < 0.2:
        return Frame(dice.randrange(0x80), sequence, dice.randbytes(dice.randrange(513)))
    message = REQUESTS[dice.choice(list(REQUESTS))]
    codes = message.FIXED.format.lstrip("<")
    values = [dice.choice(_EDGES) & (0xFFFF if code == "H" else 0xFFFFFFFF) for code in codes]
    payload = struct.pack("<" + codes, *values)
    if message.OPEN:
        payload += dice.randbytes(dice.choice([0, 1, 2, 3, 100, 504]))
    if dice.random() < 0.1:
        payload = payload[: dice.randrange(len(payload) + 1)]
    return Frame(message.TYPE, sequence, payload)


@pytest.mark.parametrize("seed", range(4))
def test_well_framed_nonsense_is_answered(line: ProcessLink, seed: int) -> None:
    dice, decoder, statuses = random.Random(seed), Decoder(), set()
    for sequence in range(1, 500):
        frame = nonsense(dice, sequence)
        line.write(frame.encode())
        answer, deadline = None, time.monotonic() + 30
        while answer is None and time.monotonic() < deadline:
            for found in decoder.push(line.read(1.0)):
                if found.type != Type.RESULT:
                    answer = found
        assert answer is not None, f"no answer to {frame}"
        assert (answer.type, answer.sequence) == (frame.type | REPLY, sequence)
        assert answer.status in STATUS
        statuses.add(answer.status)
    assert decoder.dropped == 0
    assert {0, -1, -2, -3, -4, -6} <= statuses
    alive(line)
