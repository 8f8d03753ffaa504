"""Host in the loop: recordings go through the firmware and the host, and must come out the same.

For each clip the device's features, scores and decision are compared, bit for bit, with the host's:
the same C front end, and TFLite-Micro's interpreter (or, where that is not installed, the generated
C of the engine compiled for this computer) for the model.
"""

import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from edgeasr import features, oracle
from edgeasr.audio import Clip, read_clip
from edgeasr.client import Device
from edgeasr.codegen.host import HostModel
from edgeasr.connect import connect
from edgeasr.deploy import generate_model
from edgeasr.errors import InputError
from edgeasr.evaluate import confusion
from edgeasr.link import BAUD
from edgeasr.project import Project
from edgeasr.speech import SpeechModel


class Reference:
    """What the host hears: features by the runtime's C, scores by an interpreter of its own."""

    def __init__(self, model: SpeechModel, board_name: str):
        self.model = model
        self._quantization = model.feature_quantization
        if oracle.available():
            self.name = "TFLite-Micro"
            self._model = oracle.Oracle(model.content, graph=model.graph)
        else:
            self.name = "the ear engine on this computer"
            self._model = HostModel(generate_model(model, board_name), model.graph)

    def features(self, pcm: np.ndarray) -> np.ndarray:
        """Return the front end's features of PCM: int16 [frames, feature_count]."""
        return features.compute(self.model.facts.front_end, pcm)

    def window(self, rows: np.ndarray) -> np.ndarray:
        """Return the model's input for int16 features: int8 or int16 [frames, feature_count]."""
        return features.quantize(self._quantization, rows)

    def scores(self, window: np.ndarray) -> np.ndarray:
        """Return the model's scores, int8 or int16, one per label."""
        return np.asarray(self._model.invoke(window)).ravel()


@dataclass(frozen=True)
class Outcome:
    """One clip, heard by both sides. label, device and host are indices in the model's labels.

    Times in seconds; instructions are None where the board's runner cannot count.
    """

    clip: Clip
    label: int
    device: int
    host: int
    features_equal: bool
    scores_equal: bool
    round_trip_s: float
    front_end_instructions: int | None
    inference_instructions: int | None

    @property
    def agrees(self) -> bool:
        return self.features_equal and self.scores_equal

    @property
    def disagreement(self) -> str:
        wrong = [("features", self.features_equal), ("scores", self.scores_equal)]
        return " and ".join(what for what, equal in wrong if not equal)


@dataclass(frozen=True)
class Report:
    """All outcomes of one run, with what they were measured on."""

    board: str
    engine: str
    model: str
    model_sha256: str
    reference: str
    labels: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def agreement(self) -> float:
        """Part of the clips whose features and scores are equal on both sides, 0 to 1."""
        return float(np.mean([o.agrees for o in self.outcomes]))

    def accuracy(self, side: str = "device") -> float:
        return float(np.mean([getattr(o, side) == o.label for o in self.outcomes]))

    def confusion(self) -> np.ndarray:
        """Return the device's confusion matrix: [label, recognised], counts."""
        truth = np.array([o.label for o in self.outcomes])
        heard = np.array([o.device for o in self.outcomes])
        return confusion.matrix(truth, heard, len(self.labels))

    def instructions(self, part: str) -> int | None:
        """Return the median over the clips of `front_end` or `inference`; None if not counted."""
        counts = [getattr(o, f"{part}_instructions") for o in self.outcomes]
        return None if None in counts else int(np.median(counts))

    def round_trip_s(self) -> tuple[float, float]:
        """Return median and largest time from the first byte of a clip to its result."""
        times = [o.round_trip_s for o in self.outcomes]
        return float(np.median(times)), max(times)

    def to_dict(self) -> dict[str, object]:
        median_s, most_s = self.round_trip_s()
        return {
            "board": self.board,
            "engine": self.engine,
            "model": self.model,
            "model_sha256": self.model_sha256,
            "reference": self.reference,
            "clips": len(self.outcomes),
            "agreement": self.agreement,
            "features_equal": sum(o.features_equal for o in self.outcomes),
            "scores_equal": sum(o.scores_equal for o in self.outcomes),
            "accuracy_device": self.accuracy("device"),
            "accuracy_host": self.accuracy("host"),
            "labels": list(self.labels),
            "confusion": self.confusion().tolist(),
            "round_trip_median_s": median_s,
            "round_trip_max_s": most_s,
            "front_end_instructions": self.instructions("front_end"),
            "inference_instructions": self.instructions("inference"),
            "results": [self._row(o) for o in self.outcomes],
        }

    def _row(self, outcome: Outcome) -> dict[str, object]:
        return {
            "clip": outcome.clip.id,
            "label": self.labels[outcome.label],
            "device": self.labels[outcome.device],
            "host": self.labels[outcome.host],
            "features_equal": outcome.features_equal,
            "scores_equal": outcome.scores_equal,
            "round_trip_s": round(outcome.round_trip_s, 6),
        }

    def junit(self) -> str:
        """Return the run as JUnit XML: one test case a clip, failed where the sides disagree."""
        suite = ElementTree.Element(
            "testsuite",
            name=f"edgeasr hil {self.model} on {self.board}",
            tests=str(len(self.outcomes)),
            failures=str(sum(not o.agrees for o in self.outcomes)),
            errors="0",
        )
        properties = ElementTree.SubElement(suite, "properties")
        for key, value in self.to_dict().items():
            if not isinstance(value, list):
                ElementTree.SubElement(properties, "property", name=key, value=str(value))
        for outcome in self.outcomes:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=f"hil.{self.board}.{self.labels[outcome.label]}",
                name=outcome.clip.id,
                time=f"{outcome.round_trip_s:.6f}",
            )
            if not outcome.agrees:
                message = f"{outcome.disagreement} differ between device and host"
                ElementTree.SubElement(case, "failure", message=message)
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


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
    if limit and limit < len(known):
        places = np.linspace(0, len(known) - 1, limit).round().astype(int)
        return [known[i] for i in places], len(here) - len(known)
    return known, len(here) - len(known)


def stream_clips(
    device: Device,
    reference: Reference,
    clips: Iterable[Clip],
    *,
    count: Callable[[int], int | None] | None = None,
    resample: bool = False,
) -> Iterator[Outcome]:
    """Send each clip to the device and yield how both sides heard it.

    count: the device's ticks to instructions, or None. resample: convert clips of another sample
    rate or of several channels, rather than refuse them.
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
            and np.array_equal(np.ravel(heard.window), window.ravel()),
            scores_equal=np.array_equal(np.ravel(heard.output), scores),
            round_trip_s=heard.round_trip_s,
            front_end_instructions=count(heard.frontend_ticks) if count else None,
            inference_instructions=count(heard.inference_ticks) if count else None,
        )


def run(
    made: Project,
    clips: Sequence[Clip],
    *,
    port: str | None = None,
    baud: int = BAUD,
    log: Path | None = None,
    resample: bool = False,
    on_outcome: Callable[[str], None] = lambda board: None,
) -> Report:
    """Stream clips through a built project's firmware; on_outcome hears the board's name each time.

    Raises what `connect` and `stream_clips` raise.
    """
    with connect(made, port=port, baud=baud, log=log) as connected:
        reference = Reference(connected.model, connected.hello.board)
        outcomes = []
        for outcome in stream_clips(
            connected.device, reference, clips, count=connected.count, resample=resample
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
    )


def check_writable(path: Path) -> None:
    """Refuse, before the work, a result file whose folder cannot be written."""
    folder = next(p for p in path.absolute().parents if p.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise InputError(f"{path}: cannot be written; choose a file in a folder of your own")


def write_text(path: Path, text: str) -> None:
    """Write a result file whole or not at all."""
    scratch = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
