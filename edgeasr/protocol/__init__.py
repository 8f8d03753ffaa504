"""The serial protocol: bytes to frames, frames to messages, and the same tables for C. No I/O."""

from edgeasr.protocol.frames import MAX_ENCODED, MAX_PAYLOAD, MAX_RAW, Decoder, Frame
from edgeasr.protocol.header import c_context
from edgeasr.protocol.messages import (
    REPLIES,
    REPLY,
    REQUESTS,
    STATUS,
    VERSION,
    Message,
    ProtocolError,
    Type,
    What,
    describe_status,
)

__all__ = [
    "MAX_ENCODED",
    "MAX_PAYLOAD",
    "MAX_RAW",
    "REPLIES",
    "REPLY",
    "REQUESTS",
    "STATUS",
    "VERSION",
    "Decoder",
    "Frame",
    "Message",
    "ProtocolError",
    "Type",
    "What",
    "c_context",
    "describe_status",
]
