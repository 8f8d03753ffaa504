"""Frames to bytes and back: COBS, CRC-32, and a decoder that finds its way back after noise.

On the line: `00 COBS(type, status, sequence, payload, CRC-32) 00`, integers little-endian. The
CRC is ISO-HDLC's (polynomial 0x04C11DB7 reflected, initial and final value 0xFFFFFFFF, 0xCBF43926
for "123456789"), over all that stands before it. A frame that is damaged in any way is dropped
whole and counted; nothing is repaired.
"""

import dataclasses
import struct
import zlib
from collections.abc import Iterator

MAX_PAYLOAD = 512  # bytes of a frame's payload
HEADER = struct.Struct("<BbH")  # type, status, sequence
CRC = struct.Struct("<I")
MAX_RAW = HEADER.size + MAX_PAYLOAD + CRC.size
# COBS adds one byte, and one more for each full 254; a delimiter stands on either side.
MAX_ENCODED = MAX_RAW + 1 + MAX_RAW // 254 + 2


@dataclasses.dataclass(frozen=True)
class Frame:
    """type: Type, plus REPLY in replies. status: ear_status_t, 0 in requests. sequence: 16 bits."""

    type: int
    sequence: int
    payload: bytes = b""
    status: int = 0

    def encode(self) -> bytes:
        """Return the frame's bytes on the line, with a delimiter on both sides."""
        if len(self.payload) > MAX_PAYLOAD:
            raise ValueError(f"payload of {len(self.payload)} B; at most {MAX_PAYLOAD} B fit")
        raw = HEADER.pack(self.type, self.status, self.sequence) + self.payload
        return b"\0" + cobs_encode(raw + CRC.pack(zlib.crc32(raw))) + b"\0"


def cobs_encode(data: bytes) -> bytes:
    """Return data without a zero byte (Cheshire and Baker, Consistent Overhead Byte Stuffing)."""
    out = bytearray()
    for part in data.split(b"\0"):
        full = len(part) - len(part) % 254
        for at in range(0, full, 254):
            out += b"\xff" + part[at : at + 254]
        out.append(len(part) - full + 1)
        out += part[full:]
    return bytes(out)


def cobs_decode(encoded: bytes) -> bytes | None:
    """Return the data of one encoded frame (no zero bytes), or None where it is not valid COBS."""
    out = bytearray()
    at = 0
    while at < len(encoded):
        code = encoded[at]
        block = encoded[at + 1 : at + code]
        if code == 0 or len(block) != code - 1:
            return None
        out += block
        at += code
        if code != 255 and at < len(encoded):
            out.append(0)
    return bytes(out)


class Decoder:
    """Bytes to frames, in pieces of any size.

    dropped: frames that were damaged, too long or too short, since the start. Bytes between frames
    that happen to be noise count as one damaged frame up to the next delimiter.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._pending = bytearray()
        self._overlong = False

    def push(self, data: bytes) -> Iterator[Frame]:
        """Take bytes and yield the frames that they complete. Consume the iterator to its end."""
        pieces = data.split(b"\0")
        for place, piece in enumerate(pieces):
            self._take(piece)
            if place < len(pieces) - 1 and (frame := self._end()) is not None:
                yield frame

    def _take(self, piece: bytes) -> None:
        self._pending += piece
        if len(self._pending) > MAX_ENCODED - 2:
            self._overlong = True
            self._pending.clear()

    def _end(self) -> Frame | None:
        encoded, overlong = bytes(self._pending), self._overlong
        self._pending.clear()
        self._overlong = False
        if not encoded and not overlong:
            return None
        frame = None if overlong else _frame(encoded)
        self.dropped += frame is None
        return frame


def _frame(encoded: bytes) -> Frame | None:
    raw = cobs_decode(encoded)
    if raw is None or not HEADER.size + CRC.size <= len(raw) <= MAX_RAW:
        return None
    content, crc = raw[: -CRC.size], raw[-CRC.size :]
    if CRC.unpack(crc)[0] != zlib.crc32(content):
        return None
    kind, status, sequence = HEADER.unpack_from(content)
    return Frame(kind, sequence, content[HEADER.size :], status)
