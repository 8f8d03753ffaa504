"""Messages, and the tables that C shares with them."""

import dataclasses
import re
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeasr import hostlib, paths, protocol
from edgeasr.protocol import REPLIES, REQUESTS, Decoder, Frame, Message, ProtocolError
from edgeasr.protocol import messages as m
from tests.conftest import need
from tests.unit.client import fake

MESSAGES = [*REQUESTS.values(), *REPLIES.values()]


def test_every_status_of_c_has_a_sentence() -> None:
    header = (paths.runtime() / "ear.h").read_text()
    numbers = {int(n) for n in re.findall(r"^    EAR_(?:OK|ERROR_\w+) = (-?\d+)", header, re.M)}
    assert len(numbers) == 9
    assert set(protocol.STATUS) == numbers
    assert len(set(protocol.STATUS.values())) == len(numbers)
    assert protocol.describe_status(-6) == (
        "the data starts beyond the next byte expected (status -6)"
    )
    assert "does not know (status -99)" in protocol.describe_status(-99)


def test_tensor_types_are_those_of_c() -> None:
    header = (paths.runtime() / "ear_model.h").read_text()
    found = re.findall(r"EAR_TYPE_(\w+) = (\d+)", header)
    assert [(name.lower(), int(number)) for name, number in found] == [
        (name, number) for number, name in enumerate(m.TENSOR_TYPES)
    ]


def test_every_request_has_a_reply() -> None:
    assert set(REQUESTS) | {protocol.Type.RESULT} == set(REPLIES) == set(protocol.Type)
    assert all(kind < protocol.REPLY for kind in protocol.Type)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda c: c.__name__)
def test_wrong_sizes_are_refused(message: type[Message]) -> None:
    size = message.FIXED.size
    assert message.decode(bytes(size)).encode() == bytes(size)
    if size:
        with pytest.raises(ProtocolError, match=f"{message.__name__} of {size - 1} B; {size} B"):
            message.decode(bytes(size - 1))
    if not message.OPEN:
        with pytest.raises(ProtocolError):
            message.decode(bytes(size + 1))


@given(st.sampled_from(MESSAGES), st.data())
def test_payloads_come_back(message: type[Message], data: st.DataObject) -> None:
    rest = st.binary(max_size=400) if message.OPEN else st.just(b"")
    size = message.FIXED.size
    payload = data.draw(st.binary(min_size=size, max_size=size)) + data.draw(rest)
    assert message.decode(payload).encode() == payload


@given(st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(-128, 127), st.binary(max_size=512))
def test_frames_come_back(kind: int, sequence: int, status: int, payload: bytes) -> None:
    frame, decoder = Frame(kind, sequence, payload, status), Decoder()
    assert list(decoder.push(frame.encode())) == [frame]
    assert decoder.dropped == 0


@given(st.lists(st.binary(max_size=700), max_size=8), st.binary(max_size=100))
def test_no_noise_keeps_the_decoder_from_the_next_frame(noise: list[bytes], payload: bytes) -> None:
    decoder, frame = Decoder(), Frame(1, 2, payload)
    for piece in noise:
        list(decoder.push(piece))
    assert list(decoder.push(frame.encode()))[-1] == frame


def test_fields_lie_where_the_format_says() -> None:
    places = dict(protocol.header._offsets(m.HelloReply))
    payload = bytearray(m.HelloReply.FIXED.size)
    struct.pack_into("<I", payload, places["RX_WINDOW_BYTES"], 0xABCD)
    assert m.HelloReply.decode(bytes(payload)).rx_window_bytes == 0xABCD
    assert [f.name.upper() for f in dataclasses.fields(m.HelloReply)] == list(places)


def test_the_header_stands_alone_and_is_one_text(tmp_path) -> None:
    need("cc")
    fake.write_headers(tmp_path)
    source = tmp_path / "main.c"
    source.write_text(
        '#include "ear_protocol.h"\n#include "ear_protocol.h"\n'
        f'_Static_assert(EAR_HELLO_REPLY_BYTES == {m.HelloReply.FIXED.size}, "");\n'
        f'_Static_assert(EAR_MESSAGE_AUDIO == {int(protocol.Type.AUDIO)}, "");\n'
        "int main(void) { return 0; }\n"
    )
    command = [*hostlib.compiler(), *fake.STRICT, "-c", source, "-o", tmp_path / "main.o"]
    subprocess.run([str(word) for word in command], check=True)
