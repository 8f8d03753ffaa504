"""Frames over a link: requests that are repeated until they are answered, or given up."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from edgeasr.errors import LinkError
from edgeasr.link import Link, LoggedLink
from edgeasr.protocol import (
    MAX_ENCODED,
    MAX_PAYLOAD,
    REPLIES,
    REPLY,
    Decoder,
    Frame,
    Message,
    ProtocolError,
    Type,
)
from edgeasr.protocol import describe_status as describe
from edgeasr.protocol.messages import OK

_LONGEST_WAIT_S = 8.0
_SHOWN_BYTES = 12


class RefusedError(LinkError):
    """The device answered a request with an error. status: its ear_status_t."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Exchange:
    """Numbered requests and their replies on one link.

    timeout_s: how long to wait for an answer in all. retry_s: how long before a request is sent
    again; the device does not carry it out twice. Each further wait is twice as long.
    """

    def __init__(self, link: Link, *, log: Path | None, timeout_s: float, retry_s: float) -> None:
        self.name = getattr(link, "name", "device")
        self._hint = getattr(link, "hint", "is the firmware running?")
        self._log = log or getattr(link, "log_path", None)
        self._link = LoggedLink(link, log) if log is not None else link
        self._decoder = Decoder()
        self._sequence = secrets.randbits(16)  # replies to an earlier host are not taken for ours
        self._received_bytes = 0
        self._last_bytes = b""
        self._echoes = 0
        self.timeout_s, self.retry_s = timeout_s, retry_s
        self.window_bytes = MAX_ENCODED

    @property
    def longest_frame_bytes(self) -> int:
        """On the line: any frame that the device's window has room for."""
        return min(MAX_ENCODED, self.window_bytes)

    def room(self, kind: type[Message]) -> int:
        """Return how many bytes may follow the fixed part of a request."""
        return self.longest_frame_bytes - (MAX_ENCODED - MAX_PAYLOAD) - kind.FIXED.size

    def send(self, message: Message) -> tuple[int, int]:
        """Send a request once; return its sequence number, and how many bytes it is."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        encoded = Frame(message.TYPE, self._sequence, message.encode()).encode()
        self._link.write(encoded)
        return self._sequence, len(encoded)

    def receive(self, timeout_s: float) -> list[Frame]:
        """Return the frames that came from the device, waiting up to timeout_s for bytes."""
        data = self._link.read(max(timeout_s, 0.0))
        self._received_bytes += len(data)
        self._last_bytes = (self._last_bytes + data)[-_SHOWN_BYTES:]
        frames = list(self._decoder.push(data))
        ours = [f for f in frames if f.type & REPLY or f.type == Type.RESULT]
        self._echoes += len(frames) - len(ours)
        return ours

    def request(
        self,
        message: Message,
        *,
        timeout_s: float | None = None,
        other: Callable[[Frame], None] | None = None,
    ) -> Message:
        """Send a request until it is answered, and return the reply.

        other: gets the frames that are not the answer. Raises LinkError when there is no answer in
        time, RefusedError when it is an error.
        """
        frame = self._await(message, self.timeout_s if timeout_s is None else timeout_s, other)
        if frame.status != OK:
            raise self.refusal(message, frame.status)
        return self.decode(message, frame)

    def request_frame(self, message: Message, *, timeout_s: float) -> Frame:
        """Like request, but return the reply as its frame, whatever its status and version."""
        return self._await(message, timeout_s, None)

    def decode(self, message: Message, frame: Frame) -> Message:
        """Read the reply to a message."""
        try:
            return REPLIES[message.TYPE].decode(frame.payload)
        except ProtocolError as error:
            raise LinkError(
                f"{self.name}: the reply to {message.TYPE.name} is not understood: {error}; was "
                f"the firmware made by another version of edgeasr?{self._where()}"
            ) from None

    def refusal(self, message: Message, status: int) -> RefusedError:
        """Return the error for a request that the device refused."""
        return RefusedError(
            f"{self.name}: {message.TYPE.name} refused: {describe(status)}{self._where()}", status
        )

    def silence(self, what: str, timeout_s: float) -> LinkError:
        """Return the error for an answer that did not come."""
        seen = f"received {self._received_bytes} bytes"
        if self._last_bytes:
            seen += f", the last are {self._last_bytes.hex(' ')}"
        hint = self._hint
        if self._echoes:
            hint = "what was sent came back: is the line looped?"
        elif self._received_bytes and self._decoder.dropped:
            seen += f"; {self._decoder.dropped} frames were damaged"
            hint = "is the line at another speed? --baud RATE sets it"
        return LinkError(
            f"{self.name}: no {what} in {timeout_s:.1f} s ({seen}); {hint}{self._where(' ')}"
        )

    def _await(
        self, message: Message, timeout_s: float, other: Callable[[Frame], None] | None
    ) -> Frame:
        now = time.monotonic()
        deadline, wait_s = now + timeout_s, self.retry_s
        sequence, _ = self.send(message)
        again = now + wait_s
        while (now := time.monotonic()) < deadline:
            if now >= again:
                self._resend(message, sequence)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
                again = now + wait_s
            for frame in self.receive(min(again, deadline) - now):
                if frame.type == message.TYPE | REPLY and frame.sequence == sequence:
                    return frame
                if other is not None:
                    other(frame)
        raise self.silence(message.TYPE.name, timeout_s)

    def _resend(self, message: Message, sequence: int) -> None:
        self._link.write(Frame(message.TYPE, sequence, message.encode()).encode())

    def _where(self, after: str = "; ") -> str:
        return f"{after}log: {self._log}" if self._log else ""
