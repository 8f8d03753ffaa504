"""What people are told when a device is silent, strange, or says no."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeasr.client import Device, RefusedError
from edgeasr.errors import LinkError
from edgeasr.link import Link, ProcessLink, pair
from edgeasr.protocol import REPLY, Decoder, Frame
from edgeasr.protocol.messages import ClipEnd


def serve(far: Link, answer: Callable[[Frame], bytes]) -> threading.Thread:
    """Answer each request at the far end, until the line closes."""

    def run() -> None:
        decoder = Decoder()
        try:
            while True:
                for frame in decoder.push(far.read(0.05)):
                    far.write(answer(frame))
        except LinkError:
            pass

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def hello_error(answer: Callable[[Frame], bytes], **options: object) -> str:
    near, far = pair()
    near.name, near.hint = "/dev/ttyACM0", "is the firmware running at 921600 baud?"
    thread = serve(far, answer)
    with pytest.raises(LinkError) as caught:
        Device(near, retry_s=0.1, **options).hello(timeout_s=0.3)
    near.close()
    thread.join()
    far.close()
    return str(caught.value)


def test_silence(tmp_path: Path) -> None:
    log = tmp_path / "session.log"
    assert hello_error(lambda frame: b"", log=log) == (
        "/dev/ttyACM0: no HELLO in 0.3 s (received 0 bytes); is the firmware running at 921600 "
        f"baud? log: {log}"
    )
    assert log.read_text().count(" > 00 ") >= 2


def test_another_baud_rate() -> None:
    text = hello_error(lambda frame: b"\xfe\x00\x07")
    assert "(received " in text
    assert "the last are " in text
    assert "frames were damaged" in text


def test_an_echo() -> None:
    text = hello_error(lambda frame: frame.encode())
    assert "what was sent came back: is the line looped?" in text


def test_another_version() -> None:
    def newer(frame: Frame) -> bytes:
        return Frame(frame.type | REPLY, frame.sequence, b"\x09\x00\x01\x00", -5).encode()

    assert hello_error(newer) == (
        "/dev/ttyACM0: the firmware speaks protocol version 9, this edgeasr version 2; export and "
        "build the firmware again with this edgeasr, or use the one that made it"
    )


def test_a_reply_of_another_shape() -> None:
    def short(frame: Frame) -> bytes:
        return Frame(frame.type | REPLY, frame.sequence, b"\x02\x00\x01\x00").encode()

    text = hello_error(short)
    assert "the reply to HELLO is not understood: HelloReply of 4 B; 62 B are due" in text


def test_a_refusal_has_its_status(line: ProcessLink) -> None:
    device = Device(line)
    device.hello()
    with pytest.raises(RefusedError) as caught:
        device._exchange.request(ClipEnd(0))
    assert caught.value.status == -3
    assert "CLIP_END refused: not possible in the state that the device is in" in str(caught.value)


def test_a_device_that_was_reset_meanwhile(line: ProcessLink) -> None:
    device, other = Device(line), Device(line)

    def chunks():
        yield np.zeros(6000, np.int16)
        other.hello()
        yield np.zeros(6000, np.int16)

    with pytest.raises(RefusedError, match=r"AUDIO refused: .* was it reset meanwhile\?"):
        list(device.stream(chunks()))
    assert device.clip(np.zeros(100, np.int16)).frames == 1
