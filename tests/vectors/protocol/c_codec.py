"""The runtime's codec, called from Python."""

import ctypes

from edgeasr import hostlib
from edgeasr.protocol import MAX_RAW, Frame
from edgeasr.protocol.frames import HEADER

HEADROOM = 4


class _Decoder(ctypes.Structure):
    _fields_ = (
        ("frame", ctypes.POINTER(ctypes.c_uint8)),
        ("capacity", ctypes.c_size_t),
        ("count", ctypes.c_size_t),
        ("dropped", ctypes.c_uint32),
        ("code", ctypes.c_uint8),
        ("left", ctypes.c_uint8),
        ("damaged", ctypes.c_bool),
    )


def _library() -> ctypes.CDLL:
    library = hostlib.load(("ear_frames.c",))
    library.ear_crc32.restype = ctypes.c_uint32
    library.ear_crc32.argtypes = (ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t)
    library.ear_decoder_init.argtypes = (
        ctypes.POINTER(_Decoder),
        ctypes.POINTER(ctypes.c_uint8),
        ctypes.c_size_t,
    )
    library.ear_decoder_push.restype = ctypes.c_bool
    library.ear_decoder_push.argtypes = (
        ctypes.POINTER(_Decoder),
        ctypes.c_uint8,
        ctypes.POINTER(ctypes.c_size_t),
    )
    library.ear_frame_encode.restype = ctypes.c_size_t
    library.ear_frame_encode.argtypes = (ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t)
    return library


def crc32(crc: int, data: bytes) -> int:
    return _library().ear_crc32(crc, data, len(data))


def encode(frame: Frame) -> bytes:
    size = HEADROOM + len(frame.payload) + 8 + 1
    buffer = (ctypes.c_uint8 * (size + 1))()  # one more, to see that it is not touched
    buffer[size] = 0xA5
    raw = HEADER.pack(frame.type, frame.status, frame.sequence) + frame.payload
    buffer[HEADROOM : HEADROOM + len(raw)] = list(raw)
    count = _library().ear_frame_encode(buffer, len(frame.payload))
    assert count <= size and buffer[size] == 0xA5
    return bytes(buffer[:count])


class Decoder:
    """The same interface as protocol.Decoder, over the C."""

    def __init__(self, capacity: int = MAX_RAW) -> None:
        self._library = _library()
        self._buffer = (ctypes.c_uint8 * (capacity + 1))()
        self._buffer[capacity] = 0xA5
        self._capacity = capacity
        self._decoder = _Decoder()
        self._library.ear_decoder_init(self._decoder, self._buffer, capacity)

    @property
    def dropped(self) -> int:
        return self._decoder.dropped

    def push(self, data: bytes) -> list[Frame]:
        frames, size = [], ctypes.c_size_t()
        for byte in data:
            if self._library.ear_decoder_push(self._decoder, byte, size):
                head = HEADER.unpack(bytes(self._buffer[: HEADER.size]))
                payload = bytes(self._buffer[HEADER.size : HEADER.size + size.value])
                frames.append(Frame(head[0], head[2], payload, head[1]))
        assert self._buffer[self._capacity] == 0xA5
        return frames
