"""One table for both codecs: bytes on the line, and the frames that they hold.

Each case: name, bytes, frames (type, status, sequence, payload), damaged frames counted.
"""

import random
from dataclasses import dataclass

from edgeasr.protocol import MAX_PAYLOAD, Frame

_random = random.Random(20)


@dataclass(frozen=True)
class Case:
    name: str
    line: bytes
    frames: tuple[Frame, ...] = ()
    dropped: int = 0


def _good(
    name: str, payload: bytes, kind: int = 11, status: int = 0, sequence: int = 0x0102
) -> Case:
    frame = Frame(kind, sequence, payload, status)
    return Case(name, frame.encode(), (frame,))


def _noise(count: int) -> bytes:
    return bytes(_random.randrange(1, 256) for _ in range(count))


A = Frame(3, 0xFFFF, b"\x00\x01\x00\x00abc\x00")
B = Frame(0x8B, 0, b"", -6)
_LONG = Frame(4, 7, bytes(range(1, 256)) * 2)
_ENCODED = A.encode()

# "123456789" alone, encoded by hand: CRC-32 of 0B 00 34 12 31..39 is 0x7EA8BDE2.
_HAND = bytes.fromhex("00 02 0b 10 34 12 31 32 33 34 35 36 37 38 39 e2 bd a8 7e 00")

CASES = (
    Case("hand", _HAND, (Frame(11, 0x1234, b"123456789"),)),
    Case("nothing", b""),
    Case("delimiters alone", b"\0" * 9),
    _good("empty payload", b""),
    _good("all fields at their ends", b"", kind=0xFF, status=-128, sequence=0xFFFF),
    _good("one zero", b"\0"),
    _good("zeros", bytes(MAX_PAYLOAD)),
    _good("no zero", _noise(MAX_PAYLOAD), status=1, sequence=0x0101),
    _good("alternating", b"\0\xff" * (MAX_PAYLOAD // 2)),
    *(_good(f"run of {n}", b"\0" + b"x" * n + b"\0") for n in (1, 252, 253, 254, 255, 508, 510)),
    # With no zero before it, the header counts into the first block of COBS.
    *(
        _good(f"{n} at the start", b"y" * n, status=1, sequence=0x0101)
        for n in (245, 246, 247, 249, 250, 251, 500, 504, 508)
    ),
    *(
        _good(f"random of {n}", _random.randbytes(n))
        for n in (2, 3, 64, 250, 254, 256, MAX_PAYLOAD)
    ),
    Case("two frames", A.encode() + B.encode(), (A, B)),
    Case("one delimiter between", A.encode()[:-1] + B.encode(), (A, B)),
    Case("many delimiters", b"\0\0" + A.encode() + b"\0\0\0" + B.encode() + b"\0", (A, B)),
    Case("twice the same", A.encode() * 2, (A, A)),
    Case("not ended", A.encode()[:-1]),
    Case("noise before", _noise(40) + A.encode(), (A,), 1),
    Case("noise between", A.encode() + _noise(3) + B.encode(), (A, B), 1),
    Case("noise without end", A.encode() + _noise(5000) + B.encode(), (A, B), 1),
    Case("longest noise that fits", b"\0" + _noise(523) + A.encode(), (A,), 1),
    Case("truncated", A.encode()[:-5] + B.encode(), (B,), 1),
    Case("truncated to one byte", A.encode()[:2] + B.encode(), (B,), 1),
    Case("head lost", A.encode()[6:] + B.encode(), (B,), 1),
    Case("too short for a CRC", b"\0\x02a\0" + B.encode(), (B,), 1),
    Case("code beyond the end", b"\0\xffabc\0" + B.encode(), (B,), 1),
    *(
        Case(
            f"bit {bit} of byte {at} flipped",
            _ENCODED[:at] + bytes([_ENCODED[at] ^ 1 << bit]) + _ENCODED[at + 1 :] + B.encode(),
            (B,),
            1 + (_ENCODED[at] == 1 << bit),
        )
        for at in range(1, len(_ENCODED) - 1)
        for bit in (0, 7)
    ),
    Case("byte lost", _LONG.encode()[:300] + _LONG.encode()[301:] + A.encode(), (A,), 1),
    Case("byte too many", _LONG.encode()[:300] + b"z" + _LONG.encode()[300:] + A.encode(), (A,), 1),
)
