"""What a run amounts to, in the forms that people and machines read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from edgeasr.audio import Clip
from edgeasr.evaluate import confusion
from edgeasr.runners import INSTRUCTIONS


@dataclass(frozen=True)
class Case:
    """One test case of JUnit's. failure: why it failed, or None."""

    group: str
    name: str
    time_s: float
    failure: str | None


def junit(name: str, properties: Mapping[str, object], cases: Iterable[Case]) -> str:
    """Return a run as JUnit XML; properties that are lists are left out."""
    cases = list(cases)
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=str(sum(case.failure is not None for case in cases)),
        errors="0",
    )
    held = ElementTree.SubElement(suite, "properties")
    for key, value in properties.items():
        if not isinstance(value, list):
            ElementTree.SubElement(held, "property", name=key, value=str(value))
    for case in cases:
        element = ElementTree.SubElement(
            suite, "testcase", classname=case.group, name=case.name, time=f"{case.time_s:.6f}"
        )
        if case.failure is not None:
            ElementTree.SubElement(element, "failure", message=case.failure)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


@dataclass(frozen=True)
class Outcome:
    """One clip, heard by both sides. label, device and host are indices in the model's labels.

    apart: the largest difference of a score, in units of the model's output. Times in seconds;
    instructions are None where the board's runner cannot count.
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
    apart: float = 0.0

    @property
    def agrees(self) -> bool:
        return self.features_equal and self.scores_equal

    @property
    def disagreement(self) -> str:
        wrong = [("features", self.features_equal), ("scores", self.scores_equal)]
        return " and ".join(what for what, equal in wrong if not equal)


@dataclass(frozen=True)
class Report:
    """All outcomes of one run, with what they were measured on.

    counted: what stands as instructions; cycles where the board's runner counts those.
    incremental: an inference is counted with the frame that led to it, and the front end without
    the frames of inferences.
    """

    board: str
    engine: str
    model: str
    model_sha256: str
    reference: str
    labels: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    counted: str = INSTRUCTIONS
    incremental: bool = False

    @property
    def agreement(self) -> float:
        """Part of the clips whose features and scores are equal on both sides, 0 to 1."""
        return float(np.mean([o.agrees for o in self.outcomes]))

    @property
    def apart(self) -> float:
        """The largest difference of a score, in units of the model's output."""
        return max(o.apart for o in self.outcomes)

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
            "scores_apart": self.apart,
            "accuracy_device": self.accuracy("device"),
            "accuracy_host": self.accuracy("host"),
            "labels": list(self.labels),
            "confusion": self.confusion().tolist(),
            "round_trip_median_s": median_s,
            "round_trip_max_s": most_s,
            f"front_end_{self.counted}": self.instructions("front_end"),
            f"inference_{self.counted}": self.instructions("inference"),
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
        cases = (
            Case(
                group=f"hil.{self.board}.{self.labels[o.label]}",
                name=o.clip.id,
                time_s=o.round_trip_s,
                failure=None if o.agrees else f"{o.disagreement} differ between device and host",
            )
            for o in self.outcomes
        )
        return junit(f"edgeasr hil {self.model} on {self.board}", self.to_dict(), cases)
