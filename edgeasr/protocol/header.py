"""The message tables for C: what the template project/ear_protocol.h.j2 needs."""

import dataclasses
import struct

from edgeasr.protocol import messages
from edgeasr.protocol.frames import MAX_PAYLOAD
from edgeasr.protocol.messages import Message


def c_context() -> dict[str, object]:
    """Return the constants of the protocol, and the layout of each message."""
    constants = [
        ("EAR_PROTOCOL_VERSION", messages.VERSION),
        ("EAR_FRAME_MAX_PAYLOAD", MAX_PAYLOAD),
        ("EAR_MESSAGE_REPLY", messages.REPLY),
        ("EAR_ALL_LAYERS", messages.ALL_LAYERS),
        ("EAR_STREAM_SCORES", messages.STREAM_SCORES),
        ("EAR_STREAM_MICROPHONE", messages.STREAM_MICROPHONE),
        ("EAR_RESULT_EVENT", messages.RESULT_EVENT),
        *((f"EAR_MESSAGE_{kind.name}", kind.value) for kind in messages.Type),
        *((f"EAR_WHAT_{what.name}", what.value) for what in messages.What),
    ]
    layouts = (*messages.REQUESTS.values(), *messages.REPLIES.values())
    return {
        "constants": [(name, f"{value}u") for name, value in constants],
        "messages": [
            {"name": _c_name(m), "bytes": m.FIXED.size, "fields": _offsets(m)} for m in layouts
        ],
    }


def _c_name(message: type[Message]) -> str:
    suffix = "_REPLY" if message.__name__.endswith("Reply") else ""
    return f"EAR_{message.TYPE.name}{suffix}"


def _offsets(message: type[Message]) -> list[tuple[str, int]]:
    at, places = 0, []
    for field in dataclasses.fields(message):
        places.append((field.name.upper(), at))
        at += struct.calcsize("<" + field.metadata["code"])
    return places
