"""Recordings, one by one: the device's features, scores and decision against the host's."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from edgeasr.audio import Clip, read_clip
from edgeasr.client import Device
from edgeasr.connect import connect
from edgeasr.errors import InputError
from edgeasr.hil.reference import Reference
from edgeasr.hil.report import Outcome, Report
from edgeasr.project import Project


def select(
    clips: Iterable[Clip], labels: Sequence[str], *, split: str | None = None, limit: int = 0
) -> tuple[list[Clip], int]:
    """Return the clips that can be scored, and how many have labels that the model lacks.

    split: take this one alone (None: all). limit: at most so many, spread evenly over the list.
    """
    here = [c for c in clips if split is None or c.split == split]
    known = [c for c in here if c.label in labels]
    if not known:
        raise InputError(
            f"no clip to stream: {len(here)} clips"
            + (f' in split "{split}"' if split else "")
            + f", none with a label of the model ({', '.join(labels)})"
        )
    return spread(known, limit), len(here) - len(known)


def spread(clips: Sequence[Clip], limit: int) -> list[Clip]:
    """Return `limit` of the clips, evenly spread over the list; all of them for 0."""
    if not limit or limit >= len(clips):
        return list(clips)
    return [clips[i] for i in np.linspace(0, len(clips) - 1, limit).round().astype(int)]


def stream_clips(
    device: Device,
    reference: Reference,
    clips: Iterable[Clip],
    *,
    count: Callable[[int], int | None] | None = None,
    resample: bool = False,
    hop: int = 0,
) -> Iterator[Outcome]:
    """Send each clip to the device and yield how both sides heard it.

    count: see Connected. resample: convert clips of another sample
    rate or of several channels, rather than refuse them. hop: as in a project's manifest.
    """
    model = reference.model
    for clip in clips:
        pcm = read_clip(
            clip,
            model.facts.front_end.sample_rate_hz,
            samples=model.facts.clip_samples,
            resample=resample,
        )
        heard = device.clip(pcm, window=True)
        rows = reference.features(pcm)
        window = reference.window(rows)
        scores = reference.scores(window)
        crc = zlib.crc32(np.ascontiguousarray(rows, "<i2").tobytes())
        yield Outcome(
            clip=clip,
            label=model.facts.labels.index(clip.label),
            device=int(np.argmax(heard.output)),
            host=int(np.argmax(scores)),
            features_equal=crc == heard.features_crc
            and np.array_equal(np.ravel(heard.window), window[-hop:].ravel()),
            scores_equal=reference.same(heard.output.tobytes(), scores.tobytes()),
            apart=reference.apart(heard.output.tobytes(), scores.tobytes()),
            round_trip_s=heard.round_trip_s,
            front_end_instructions=count(heard.frontend_ticks) if count else None,
            inference_instructions=count(heard.inference_ticks) if count else None,
        )


def run(
    made: Project,
    clips: Sequence[Clip],
    *,
    port: str | None = None,
    baud: int | None = None,
    log: Path | None = None,
    resample: bool = False,
    on_outcome: Callable[[str], None] = lambda board: None,
) -> Report:
    """Stream clips through a built project's firmware; on_outcome hears the board's name each time.

    Raises what `connect` and `stream_clips` raise.
    """
    with connect(made, port=port, baud=baud, log=log) as connected:
        reference = Reference(connected.model, connected.hello.board, engine=made.manifest.engine)
        outcomes = []
        for outcome in stream_clips(
            connected.device,
            reference,
            clips,
            count=connected.count,
            resample=resample,
            hop=made.manifest.hop,
        ):
            outcomes.append(outcome)
            on_outcome(connected.hello.board)
    return Report(
        board=made.manifest.board,
        engine=made.manifest.engine,
        model=made.manifest.model_name,
        model_sha256=made.manifest.model_sha256,
        reference=reference.name,
        labels=made.manifest.labels,
        outcomes=tuple(outcomes),
        counted=connected.counted,
        incremental=made.manifest.hop > 0,
    )
