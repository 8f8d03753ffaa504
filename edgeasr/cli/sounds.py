"""Where `edgeasr run` has its sound from: a recording, this computer's microphone, the board's."""

import contextlib
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from edgeasr import hil, toolchain
from edgeasr.client import Event, Level, Scores, level_of
from edgeasr.connect import Connected
from edgeasr.errors import LinkError, ToolError

_CHUNKS_A_SECOND = 10

# A microphone that gave nothing for so long gives nothing.
_SILENT_S = 3.0


@dataclass(frozen=True)
class Heard:
    """Something came: what, and how long after its sound; None where the sound is not live."""

    what: Event | Scores | Level
    latency_s: float | None = None


def recording(
    connected: Connected, pcm: np.ndarray, *, scores: bool, paced: bool
) -> Iterator[Heard]:
    """Stream a recording, as fast as the board takes it or, `paced`, as it was spoken.

    A silence follows that lets the model hear a word at the very end: its window, or, as nobody
    knows how far a state reaches, that which follows a clip.
    """
    rate = connected.hello.sample_rate_hz
    silence = max(connected.hello.clip_samples, int(hil.TAIL_S * rate))
    whole = np.concatenate([pcm, np.zeros(silence, np.int16)])
    size = rate // _CHUNKS_A_SECOND
    chunks = (whole[at : at + size] for at in range(0, len(whole), size))
    yield from _streamed(connected, _paced(chunks, rate) if paced else chunks, scores, live=paced)


def computer(connected: Connected, *, scores: bool, seconds: float | None) -> Iterator[Heard]:
    """Stream what this computer's microphone hears, by ALSA's arecord."""
    rate = connected.hello.sample_rate_hz
    yield from _streamed(connected, _recorded(rate, seconds), scores, live=True)


def board(connected: Connected, *, scores: bool, seconds: float | None) -> Iterator[Heard]:
    """Hear what the board's own microphone hears; LinkError where it gives nothing."""
    hello, begin_s = connected.hello, time.monotonic()
    first_s = None
    with contextlib.closing(connected.device.listen(scores=scores, every_s=0.1)) as stream:
        for what in stream:
            now = time.monotonic()
            if not isinstance(what, Level):
                spoken_s = what.sample / hello.sample_rate_hz
                late_s = None if first_s is None else max(now - first_s - spoken_s, 0.0)
                yield Heard(what, late_s)
                continue
            if not what.heard and now - begin_s > _SILENT_S:
                raise LinkError(
                    f"{hello.board}: its microphone gave nothing in {now - begin_s:.1f} s; is it "
                    f"connected as 'edgeasr boards show {hello.board}' says?"
                )
            # The quickest answer says best when the stream began.
            began_s = now - what.heard / hello.sample_rate_hz
            first_s = began_s if first_s is None or not what.heard else min(first_s, began_s)
            yield Heard(what)
            if seconds is not None and now - begin_s >= seconds:
                return


def _streamed(
    connected: Connected, chunks: Iterable[np.ndarray], scores: bool, *, live: bool
) -> Iterator[Heard]:
    rate = connected.hello.sample_rate_hz
    levels: deque[Level] = deque()
    begin_s: list[float] = []

    def measured() -> Iterator[np.ndarray]:
        heard = 0
        for chunk in chunks:
            heard += len(chunk)
            if not begin_s:
                begin_s.append(time.monotonic() - heard / rate)
            levels.append(level_of(chunk, heard))
            yield chunk

    for what in connected.device.stream(measured(), scores=scores):
        while levels:
            yield Heard(levels.popleft())
        late_s = time.monotonic() - begin_s[0] - what.sample / rate if live else None
        yield Heard(what, late_s)
    yield from map(Heard, levels)


def _paced(chunks: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Yield each chunk once it was spoken."""
    due_s = time.monotonic()
    for chunk in chunks:
        due_s += len(chunk) / rate
        time.sleep(max(due_s - time.monotonic(), 0.0))
        yield chunk


def _recorded(rate: int, seconds: float | None) -> Iterator[np.ndarray]:
    program = toolchain.require("arecord")
    argv = [program, "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(rate)]
    size = 2 * (rate // _CHUNKS_A_SECOND)
    left = None if seconds is None else 2 * int(seconds * rate)
    with tempfile.TemporaryFile() as said:
        recorder = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=said)
        try:
            while left is None or left > 0:
                data = recorder.stdout.read(size if left is None else min(size, left))
                if len(data) < 2:
                    said.seek(0)
                    lines = said.read().decode(errors="replace").split("\n")
                    last = next((line for line in reversed(lines) if line.strip()), "nothing")
                    raise ToolError(
                        f"arecord: ended, and said: {last}; is a microphone plugged "
                        "in? 'arecord -l' lists them"
                    )
                left = None if left is None else left - len(data)
                yield np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)
        finally:
            recorder.terminate()
            recorder.wait()
            recorder.stdout.close()
