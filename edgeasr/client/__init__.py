"""Requests to a device over a link: who it is, tensors, clips, streams, profiles."""

from edgeasr.client.device import Device
from edgeasr.client.exchange import RefusedError
from edgeasr.client.results import (
    ClipResult,
    Event,
    Hello,
    Level,
    Profile,
    Scores,
    SelfTest,
    StreamSummary,
    TensorResult,
    level_of,
)

__all__ = [
    "ClipResult",
    "Device",
    "Event",
    "Hello",
    "Level",
    "Profile",
    "RefusedError",
    "Scores",
    "SelfTest",
    "StreamSummary",
    "TensorResult",
    "level_of",
]
