"""A stream of the board's own microphone: events, scores and levels come, no sound goes there."""

import time
from collections.abc import Iterator

from edgeasr.client.exchange import Exchange
from edgeasr.client.results import FULL_SCALE, Event, Level, Scores
from edgeasr.client.streaming import Results
from edgeasr.protocol.messages import (
    STREAM_MICROPHONE,
    STREAM_SCORES,
    Listen,
    ListenReply,
    StreamBegin,
    StreamEnd,
)


def listen(
    exchange: Exchange, *, scores: bool, dtype: str, every_s: float
) -> Iterator[Event | Scores | Level]:
    """Yield what the device hears, and every `every_s` seconds its Level, until it is closed."""
    results = Results(exchange, scores=scores, dtype=dtype)
    exchange.request(StreamBegin(STREAM_MICROPHONE | (STREAM_SCORES if scores else 0)))
    try:
        while True:
            ask = time.monotonic() + every_s
            while (left_s := ask - time.monotonic()) > 0:
                for frame in exchange.receive(left_s):
                    results.take(frame)
                yield from results.new()
            reply = exchange.request(Listen(results.taken), other=results.take)
            results.made = reply.results
            results.fetch_lost(results.take)
            yield from results.new()
            yield _level(reply)
    finally:
        exchange.request(StreamEnd(0), other=results.take)


def _level(reply: ListenReply) -> Level:
    count = reply.level_samples
    rms = (reply.squares / count) ** 0.5 if count else 0.0
    return Level(reply.sample, count, rms / FULL_SCALE, reply.peak / FULL_SCALE, reply.clipped)
