"""A stream: PCM without end to the device, events and scores back, none lost."""

import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from edgeasr.client.exchange import Exchange
from edgeasr.client.pcm import as_samples
from edgeasr.client.results import Event, Scores, StreamSummary
from edgeasr.client.upload import Upload
from edgeasr.errors import LinkError
from edgeasr.protocol import Frame, ProtocolError, Type
from edgeasr.protocol.messages import (
    RESULT_EVENT,
    STREAM_SCORES,
    Audio,
    AudioReply,
    Resend,
    Result,
    StreamBegin,
    StreamEnd,
)

_KEPT_BYTES = 1 << 16


class Results:
    """What a device makes of a stream, each once and in order.

    taken: how many came, without a gap. made: how many the device says that it made.
    """

    def __init__(self, exchange: Exchange, *, scores: bool, dtype: str) -> None:
        self.taken = self.made = 0
        self._exchange, self._scores, self._dtype = exchange, scores, dtype
        self._come: list[Result] = []

    def take(self, frame: Frame) -> None:
        """Keep what a frame that is no reply brings, if it is the next result."""
        if frame.type != Type.RESULT:
            return
        try:
            result = Result.decode(frame.payload)
        except ProtocolError as error:
            raise LinkError(f"{self._exchange.name}: a result is not understood: {error}") from None
        if result.number == self.taken:
            self._come.append(result)
            self.taken += 1

    def fetch_lost(self, take: Callable[[Frame], None]) -> None:
        """A reply comes after the results that it counts: those that are missing then were lost.

        take: gets the frames that come meanwhile, and hands results on.
        """
        deadline = time.monotonic() + self._exchange.timeout_s
        while self.taken < self.made:
            self._exchange.request(Resend(self.taken), other=take)
            if time.monotonic() >= deadline:
                raise self._exchange.silence("undamaged RESULT", self._exchange.timeout_s)

    def new(self) -> Iterator[Event | Scores]:
        """Yield what came since the last call."""
        come, self._come = self._come, []
        for result in come:
            if self._scores:
                yield Scores(np.frombuffer(result.scores, self._dtype), result.sample)
            if result.flags & RESULT_EVENT:
                yield Event(result.label, result.score, result.sample)

    def check_whole(self, made: int) -> None:
        """Raise LinkError unless all came that the device made, as it says at the end."""
        if made != self.taken:
            raise LinkError(
                f"{self._exchange.name}: the device made {made} results, {self.taken} came; was it "
                "reset meanwhile?"
            )


class Stream:
    """One stream on an exchange; `summary` is there once it ended."""

    def __init__(self, exchange: Exchange, *, scores: bool, dtype: str) -> None:
        self.summary: StreamSummary | None = None
        self._exchange, self._scores = exchange, scores
        self._results = Results(exchange, scores=scores, dtype=dtype)
        self._piece_samples = exchange.room(Audio) // 2
        self._upload = Upload(exchange, self._piece, notice=self._notice, stray=self._results.take)
        self._pcm = bytearray()  # from sample `_first` on: what the device may ask for again
        self._first = 0

    def run(self, chunks: Iterable[np.ndarray]) -> Iterator[Event | Scores]:
        """Send the chunks as they come, and yield what the device makes of them."""
        self._exchange.request(StreamBegin(STREAM_SCORES if self._scores else 0))
        for chunk in chunks:
            self._add(chunk)
            while self._upload.unsent >= self._piece_samples:
                yield from self._step(wait=True)
            yield from self._step(wait=False)
        while self._upload.acknowledged < self._upload.end:
            yield from self._step(wait=True)
        self._finish()

    def _add(self, chunk: np.ndarray) -> None:
        samples = as_samples(chunk)
        done = 2 * (self._upload.acknowledged - self._first)
        if done > _KEPT_BYTES:
            del self._pcm[:done]
            self._first = self._upload.acknowledged
        self._pcm += samples.tobytes()
        self._upload.end += len(samples)

    def _piece(self, position: int) -> tuple[Audio, int]:
        end = min(position + self._piece_samples, self._upload.end)
        pcm = bytes(self._pcm[2 * (position - self._first) : 2 * (end - self._first)])
        return Audio(position & 0xFFFFFFFF, self._results.taken, pcm), end

    def _step(self, *, wait: bool) -> Iterator[Event | Scores]:
        self._upload.step(wait=wait)
        self._results.fetch_lost(self._upload.take)
        yield from self._results.new()

    def _notice(self, reply: AudioReply) -> None:
        self._results.made = max(self._results.made, reply.results)

    def _finish(self) -> None:
        samples = self._upload.end
        reply = self._exchange.request(StreamEnd(samples & 0xFFFFFFFF))
        self._results.check_whole(reply.results)
        self.summary = StreamSummary(
            samples,
            reply.frames,
            reply.features_crc,
            reply.inferences,
            reply.frontend_ticks,
            reply.inference_ticks,
        )
