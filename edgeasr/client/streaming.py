"""A stream: PCM without end to the device, events and scores back, none lost."""

import time
from collections.abc import Iterable, Iterator

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


class Stream:
    """One stream on an exchange; `summary` is there once it ended."""

    def __init__(self, exchange: Exchange, *, scores: bool, dtype: str) -> None:
        self.summary: StreamSummary | None = None
        self._exchange, self._scores, self._dtype = exchange, scores, dtype
        self._piece_samples = exchange.room(Audio) // 2
        self._upload = Upload(exchange, self._piece, notice=self._notice, stray=self._stray)
        self._pcm = bytearray()  # from sample `_first` on: what the device may ask for again
        self._first = 0
        self._results: list[Result] = []
        self._taken = 0  # results that came, without a gap
        self._made = 0  # results that the device says it made

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
        return Audio(position & 0xFFFFFFFF, self._taken, pcm), end

    def _step(self, *, wait: bool) -> Iterator[Event | Scores]:
        self._upload.step(wait=wait)
        self._fetch_lost()
        results, self._results = self._results, []
        for result in results:
            if self._scores:
                yield Scores(np.frombuffer(result.scores, self._dtype), result.sample)
            if result.flags & RESULT_EVENT:
                yield Event(result.label, result.score, result.sample)

    def _fetch_lost(self) -> None:
        """A reply comes after the results that it counts: those that are missing then were lost."""
        deadline = time.monotonic() + self._exchange.timeout_s
        while self._taken < self._made:
            self._exchange.request(Resend(self._taken), other=self._upload.take)
            if time.monotonic() >= deadline:
                raise self._exchange.silence("undamaged RESULT", self._exchange.timeout_s)

    def _notice(self, reply: AudioReply) -> None:
        self._made = max(self._made, reply.results)

    def _stray(self, frame: Frame) -> None:
        if frame.type != Type.RESULT:
            return
        try:
            result = Result.decode(frame.payload)
        except ProtocolError as error:
            raise LinkError(f"{self._exchange.name}: a result is not understood: {error}") from None
        if result.number == self._taken:
            self._results.append(result)
            self._taken += 1

    def _finish(self) -> None:
        samples = self._upload.end
        reply = self._exchange.request(StreamEnd(samples & 0xFFFFFFFF))
        if reply.results != self._taken:
            raise LinkError(
                f"{self._exchange.name}: the device made {reply.results} results, "
                f"{self._taken} came; was it reset meanwhile?"
            )
        self.summary = StreamSummary(
            samples,
            reply.frames,
            reply.features_crc,
            reply.inferences,
            reply.frontend_ticks,
            reply.inference_ticks,
        )
