"""Much data to the device, in pieces: many on their way at once, going back after a loss."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from edgeasr.client.exchange import Exchange
from edgeasr.errors import LinkError
from edgeasr.protocol import REPLY, Frame, Message
from edgeasr.protocol.messages import OK, SEQUENCE_ERROR

_LONGEST_WAIT_S = 8.0


@dataclass(frozen=True)
class _Piece:
    message: Message
    end: int
    encoded_bytes: int
    turn: int


class Upload:
    """Sends what lies between `acknowledged` and `end`.

    make: gives the message for the data at a position, and the position after it, at most `end`.
    notice: gets each reply's message; stray: gets frames that are not replies to pieces.
    Positions count bytes or samples, whatever the replies' `expected` counts; the device's are
    modulo 2^32. Unanswered bytes stay within the device's window.
    """

    def __init__(
        self,
        exchange: Exchange,
        make: Callable[[int], tuple[Message, int]],
        *,
        notice: Callable[[Message], None] = lambda reply: None,
        stray: Callable[[Frame], None] = lambda frame: None,
    ) -> None:
        self.acknowledged = 0
        self.end = 0
        self._exchange, self._make = exchange, make
        self._notice, self._stray = notice, stray
        self._sent = 0
        self._turn = 0  # of going back: a gap that was met before it is no news
        self._flight: dict[int, _Piece] = {}  # by sequence number, oldest first
        self._cautious = False  # nothing came in time: one piece alone, until something does
        self._wait_s = exchange.retry_s
        self._heard = self._tried = time.monotonic()

    @property
    def unsent(self) -> int:
        return self.end - self._sent

    def finish(self) -> None:
        """Send everything, and wait until the device has it."""
        while self.acknowledged < self.end:
            self.step(wait=True)

    def step(self, *, wait: bool) -> None:
        """Send what may be sent and take what came, waiting for some of it when `wait`."""
        self._fill()
        now = time.monotonic()
        left = self._tried + self._wait_s - now if self._flight else self._wait_s
        for frame in self._exchange.receive(max(left, 0.0) if wait else 0.0):
            self.take(frame)
        if self._flight and time.monotonic() >= self._tried + self._wait_s:
            self._lose()

    def take(self, frame: Frame) -> None:
        """Take a frame from the device."""
        piece = self._flight.get(frame.sequence)
        if piece is None or frame.type != piece.message.TYPE | REPLY:
            self._stray(frame)
            return
        self._forget_up_to(frame.sequence)
        self._heard = self._tried = time.monotonic()
        self._wait_s, self._cautious = self._exchange.retry_s, False
        if frame.status not in (OK, SEQUENCE_ERROR):
            raise self._exchange.refusal(piece.message, frame.status)
        reply = self._exchange.decode(piece.message, frame)
        self._advance(reply.expected)
        if self.acknowledged < piece.end and piece.turn == self._turn:
            self._go_back()
        self._notice(reply)

    def _advance(self, expected: int) -> None:
        step = (expected - self.acknowledged) & 0xFFFFFFFF
        if step > self.end - self.acknowledged:
            raise LinkError(
                f"{self._exchange.name}: the device is at {expected}, and was sent "
                f"{self.acknowledged} to {self.end}; was it reset meanwhile?"
            )
        self.acknowledged += step
        self._sent = max(self._sent, self.acknowledged)

    def _fill(self) -> None:
        while self._sent < self.end:
            flying = sum(piece.encoded_bytes for piece in self._flight.values())
            room = self._exchange.window_bytes - flying
            if self._flight and (self._cautious or room < self._exchange.longest_frame_bytes):
                return
            message, end = self._make(self._sent)
            if not self._flight:
                self._tried = time.monotonic()
                if not self._cautious:
                    self._heard = self._tried
            sequence, size = self._exchange.send(message)
            self._flight[sequence] = _Piece(message, end, size, self._turn)
            self._sent = end

    def _forget_up_to(self, sequence: int) -> None:
        """Requests are handled in order: what went before has its reply, or was lost."""
        for earlier in list(self._flight):
            del self._flight[earlier]
            if earlier == sequence:
                return

    def _go_back(self) -> None:
        self._sent = self.acknowledged
        self._turn += 1

    def _lose(self) -> None:
        silent_s = time.monotonic() - self._heard
        if silent_s >= self._exchange.timeout_s:
            last = next(reversed(self._flight.values()))
            raise self._exchange.silence(f"answer to {last.message.TYPE.name}", silent_s)
        self._flight.clear()
        self._go_back()
        self._cautious = True
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
