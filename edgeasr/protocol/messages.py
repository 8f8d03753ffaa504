"""Messages to payloads and back: every field of every request and reply, in tables.

The host asks; the device answers each request once it is handled, with the request's type and
sequence number. Only RESULT frames come unasked. Integers are little-endian, without gaps.
"""

import dataclasses
import enum
import struct
from typing import ClassVar, Self

from edgeasr.protocol.frames import MAX_PAYLOAD

VERSION = 2
ALL_LAYERS = 0xFFFF  # INVOKE: run to the end
STREAM_SCORES = 1  # STREAM_BEGIN, flags: a RESULT for each inference, not for events alone
STREAM_MICROPHONE = 2  # STREAM_BEGIN, flags: of the board's microphone, not of AUDIO
RESULT_EVENT = 1  # flags of RESULT and of CLIP_END's reply: something was recognised

TENSOR_TYPES = (  # ear_type_t, by value
    "int8", "int16", "uint8", "int32", "float32", "uint32", "int64", "uint64", "bool", "uint16",
)  # fmt: skip


class Type(enum.IntEnum):
    """What a frame is. A reply has its request's type plus REPLY."""

    HELLO = 1
    INPUT_BEGIN = 2
    WRITE = 3
    INVOKE = 4
    READ = 5
    PROFILE = 6
    CLIP_BEGIN = 7
    CLIP_END = 8
    STREAM_BEGIN = 9
    STREAM_END = 10
    AUDIO = 11
    RESEND = 12
    RESET = 13
    DIGEST = 14
    SELF_TEST = 15
    LISTEN = 16
    RESULT = 0x40


REPLY = 0x80


class What(enum.IntEnum):
    """What a READ reads."""

    OUTPUT = 0  # of the last whole inference
    LAYER = 1  # output of the layer at which the last INVOKE stopped
    WINDOW = 2  # features in the type of the model's input, which they become; oldest first
    TEXT = 3  # board, engine, model name and all labels, each ended by a NUL


STATUS = {
    0: "done",
    -1: "a value is outside its range",
    -2: "the payload has the wrong size for its request",
    -3: "not possible in the state that the device is in; was it reset meanwhile?",
    -4: "this firmware does not know the request",
    -5: "the firmware speaks another protocol version",
    -6: "the data starts beyond the next byte expected",
    -7: "the model's data is damaged, or its engine failed",
    -8: "this board, model or engine cannot do it",
}
"""ear_status_t as sentences."""

OK, STATE_ERROR, UNKNOWN_ERROR, VERSION_ERROR, SEQUENCE_ERROR = 0, -3, -4, -5, -6


def describe_status(status: int) -> str:
    """Return the sentence of an ear_status_t, with its number."""
    return f"{STATUS.get(status, 'for a reason that this host does not know')} (status {status})"


class ProtocolError(ValueError):
    """A payload does not have the layout of its message."""


def _f(code: str) -> int:
    return dataclasses.field(metadata={"code": code})


def _rest() -> bytes:
    return dataclasses.field(default=b"", metadata={"code": ""})


class Message:
    """A payload of fixed fields, little-endian without gaps, then maybe bytes to the end.

    TYPE: of the frame. FIXED: layout of the fixed part. OPEN: whether bytes follow it.
    """

    TYPE: ClassVar[Type]
    REPLIES: ClassVar[bool]
    FIXED: ClassVar[struct.Struct]
    OPEN: ClassVar[bool]

    def encode(self) -> bytes:
        """Return the payload."""
        values = [getattr(self, field.name) for field in dataclasses.fields(self)]
        rest = bytes(values.pop()) if self.OPEN else b""
        return self.FIXED.pack(*values) + rest

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read a payload; raise ProtocolError when it is too short, or too long."""
        size = cls.FIXED.size
        if len(payload) < size or (len(payload) > size and not cls.OPEN):
            due = f"{size} B{' or more' if cls.OPEN else ''}"
            raise ProtocolError(f"{cls.__name__} of {len(payload)} B; {due} are due")
        rest = (payload[size:],) if cls.OPEN else ()
        return cls(*cls.FIXED.unpack_from(payload), *rest)


REQUESTS: dict[Type, type[Message]] = {}
REPLIES: dict[Type, type[Message]] = {}


def _message(kind: Type, *, reply: bool = False):
    def register(cls: type) -> type:
        made = dataclasses.dataclass(frozen=True)(cls)
        codes = [field.metadata["code"] for field in dataclasses.fields(made)]
        made.TYPE, made.OPEN = kind, "" in codes
        made.FIXED = struct.Struct("<" + "".join(codes))
        (REPLIES if reply else REQUESTS)[kind] = made
        return made

    return register


@_message(Type.HELLO)
class Hello(Message):
    """Starts afresh: whatever was under way is forgotten, and the model's state."""

    protocol_version: int = _f("H")


@_message(Type.HELLO, reply=True)
class HelloReply(Message):
    """Who answers. The first two fields keep their place in every version."""

    protocol_version: int = _f("H")
    runtime_version: int = _f("H")
    model_hash: bytes = _f("8s")  # first bytes of the SHA-256 of the .tflite
    sample_rate_hz: int = _f("I")  # 0: a model without a front end
    clip_samples: int = _f("I")  # fill the window exactly
    frames: int = _f("H")  # of the feature window
    feature_count: int = _f("H")  # of one frame
    input_bytes: int = _f("I")
    output_bytes: int = _f("I")
    input_type: int = _f("B")  # ear_type_t
    output_type: int = _f("B")
    label_count: int = _f("H")
    layer_count: int = _f("H")
    ticks_hz: int = _f("I")
    rx_window_bytes: int = _f("I")  # encoded bytes that may be on their way and unanswered
    arena_bytes: int = _f("I")
    text_bytes: int = _f("I")  # of What.TEXT
    dropped_frames: int = _f("I")  # damaged ones, received since the device started
    state_bytes: int = _f("I")  # that a model keeps between inferences; 0: it keeps none


@_message(Type.INPUT_BEGIN)
class InputBegin(Message):
    """The model's input is written anew, from its first byte."""


@_message(Type.INPUT_BEGIN, reply=True)
class InputBeginReply(Message):
    pass


@_message(Type.WRITE)
class Write(Message):
    """Bytes of the input. What is there already is passed over; a gap is SEQUENCE_ERROR."""

    offset: int = _f("I")
    data: bytes = _rest()


@_message(Type.WRITE, reply=True)
class WriteReply(Message):
    expected: int = _f("I")  # offset of the next byte that is missing


@_message(Type.INVOKE)
class Invoke(Message):
    """Run the model once on the whole input, to the end or up to a layer. Uses the input up."""

    layer: int = _f("H")  # stop after it; ALL_LAYERS: none


@_message(Type.INVOKE, reply=True)
class InvokeReply(Message):
    ticks: int = _f("I")


@_message(Type.READ)
class Read(Message):
    what: int = _f("H")
    count: int = _f("H")  # at most; the reply may hold fewer
    offset: int = _f("I")


@_message(Type.READ, reply=True)
class ReadReply(Message):
    total: int = _f("I")  # bytes of the whole
    data: bytes = _rest()


@_message(Type.PROFILE)
class Profile(Message):
    """Run the model once on the whole input, and time its layers. Uses the input up."""

    first: int = _f("H")  # layer from which on times are wanted


@_message(Type.PROFILE, reply=True)
class ProfileReply(Message):
    total: int = _f("I")  # ticks of the whole inference
    ticks: bytes = _rest()  # uint32 per layer from `first` on, as many as fit


@_message(Type.CLIP_BEGIN)
class ClipBegin(Message):
    """A clip follows. The model starts afresh."""


@_message(Type.CLIP_BEGIN, reply=True)
class ClipBeginReply(Message):
    pass


@_message(Type.CLIP_END)
class ClipEnd(Message):
    """The clip is whole: run the model on its last window.

    A model with state has run on every window of the clip already, and does not run again.
    """

    samples: int = _f("I")  # of the whole clip; SEQUENCE_ERROR when the device has fewer


@_message(Type.CLIP_END, reply=True)
class ClipEndReply(Message):
    frames: int = _f("I")
    features_crc: int = _f("I")  # CRC-32 of all rows of int16 features, little-endian
    frontend_ticks: int = _f("Q")  # of all frames that ended without an inference
    inference_ticks: int = _f("Q")  # of all inferences; with the frame that led to each, if several
    inferences: int = _f("I")  # 1, or with state as many as windows
    outputs_crc: int = _f("I")  # CRC-32 of the outputs of all inferences, one after the other
    sample: int = _f("I")  # with state: heard when the mean score of a label was highest; else 0
    label: int = _f("H")  # with state: whose mean that was; else 0
    score: int = _f("B")  # with state: that mean, 0 to 255; else 0
    flags: int = _f("B")  # with state: RESULT_EVENT where the clip made one
    output: bytes = _rest()  # of the last inference, as much as fits; the rest is What.OUTPUT


@_message(Type.STREAM_BEGIN)
class StreamBegin(Message):
    """A stream follows. The model starts afresh."""

    flags: int = _f("H")  # STREAM_SCORES, STREAM_MICROPHONE


@_message(Type.STREAM_BEGIN, reply=True)
class StreamBeginReply(Message):
    pass


@_message(Type.STREAM_END)
class StreamEnd(Message):
    samples: int = _f("I")  # of the whole stream; of a microphone's, anything


@_message(Type.STREAM_END, reply=True)
class StreamEndReply(Message):
    frames: int = _f("I")
    features_crc: int = _f("I")
    frontend_ticks: int = _f("Q")  # of all frames that ended without an inference
    inferences: int = _f("I")
    inference_ticks: int = _f("Q")  # of all inferences, with the frame that led to each
    results: int = _f("I")


@_message(Type.AUDIO)
class Audio(Message):
    """PCM of a clip or a stream. What was heard already is passed over; a gap is SEQUENCE_ERROR."""

    sample: int = _f("I")  # place of the first one; wraps at 2^32
    taken: int = _f("I")  # RESULTs that the host has, without a gap; the device forgets those
    pcm: bytes = _rest()  # int16 mono


@_message(Type.AUDIO, reply=True)
class AudioReply(Message):
    expected: int = _f("I")  # next sample; less than was sent when the store of RESULTs is full
    results: int = _f("I")  # made since STREAM_BEGIN


@_message(Type.LISTEN)
class Listen(Message):
    """What did the microphone hear? Sent now and then during its stream, which needs no AUDIO."""

    taken: int = _f("I")  # as in AUDIO


@_message(Type.LISTEN, reply=True)
class ListenReply(Message):
    sample: int = _f("I")  # heard since STREAM_BEGIN; wraps at 2^32
    results: int = _f("I")  # made since STREAM_BEGIN
    level_samples: int = _f("I")  # since the last LISTEN: how many, and of these
    clipped: int = _f("I")  # those at the ends of the scale
    peak: int = _f("I")  # the largest magnitude
    squares: int = _f("Q")  # the sum of the squares


@_message(Type.RESEND)
class Resend(Message):
    """Send the RESULTs from a number on again, then the reply."""

    first: int = _f("I")


@_message(Type.RESEND, reply=True)
class ResendReply(Message):
    results: int = _f("I")


@_message(Type.RESET)
class Reset(Message):
    """The state of the model starts afresh; a clip or a stream that was under way is forgotten.

    INPUT_BEGIN to INVOKE leave the state as it is: a model with state can be run hop by hop.
    """


@_message(Type.RESET, reply=True)
class ResetReply(Message):
    pass


@_message(Type.DIGEST)
class Digest(Message):
    """Run the model once on the whole input, and sum up each layer's output. Uses the input up."""

    first: int = _f("H")  # layer from which on CRCs are wanted


@_message(Type.DIGEST, reply=True)
class DigestReply(Message):
    crcs: bytes = _rest()  # CRC-32 of each layer's output from `first` on, uint32, as many as fit


@_message(Type.SELF_TEST)
class SelfTest(Message):
    """Tell the ticks, test a piece of the memory for data, and send the rest back.

    Firmware without a front end, or of another build system, does not know it.
    """

    first: int = _f("I")  # word of the memory to begin with
    words: int = _f("I")  # to test; each keeps what it held
    echo: bytes = _rest()


@_message(Type.SELF_TEST, reply=True)
class SelfTestReply(Message):
    ticks: int = _f("I")  # when the request came
    ram_words: int = _f("I")  # that can be tested; 0 above an operating system
    next: int = _f("I")  # first word that was not tested, or that failed
    echo: bytes = _rest()


@_message(Type.RESULT, reply=True)
class Result(Message):
    """One inference of a stream, or the event that it led to. Comes unasked, before its reply."""

    number: int = _f("I")  # counts from 0 since STREAM_BEGIN, without gaps
    sample: int = _f("I")  # samples heard when it was made
    label: int = _f("H")  # of the event
    score: int = _f("B")  # of the event: mean of its label, 0 to 255
    flags: int = _f("B")  # RESULT_EVENT
    scores: bytes = _rest()  # output of the model; empty without STREAM_SCORES


READ_BYTES = MAX_PAYLOAD - ReadReply.FIXED.size
