"""Labels spoken and recognised become a confusion matrix, accuracies and intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeasr.errors import InputError

# Standard normal quantile of a two-sided 95 % interval.
_Z95 = 1.959963984540054


@dataclass(frozen=True)
class ClassResult:
    """One class: how many clips, the share recognised, and the share of its claims that hold.

    recall and precision are None where there is nothing to divide by.
    """

    label: str
    clips: int
    recall: float | None
    precision: float | None


def matrix(truth: Sequence[int], recognised: Sequence[int], labels: int) -> np.ndarray:
    """Return counts [label, recognised] of shape [labels, labels].

    truth and recognised: indices of labels, 0 to labels - 1. Raises InputError for others, and for
    lengths that differ.
    """
    spoken, heard = np.asarray(truth, np.int64), np.asarray(recognised, np.int64)
    if spoken.shape != heard.shape or spoken.ndim != 1:
        raise InputError(
            f"confusion: {spoken.size} clips have a label and {heard.size} an answer; "
            "each clip needs one of both"
        )
    both = np.concatenate((spoken, heard))
    if both.size and not (both.min() >= 0 and both.max() < labels):
        raise InputError(
            f"confusion: label {both.max() if both.max() >= labels else both.min()} is not one of "
            f"0 to {labels - 1}"
        )
    counts = np.zeros((labels, labels), np.int64)
    np.add.at(counts, (spoken, heard), 1)
    return counts


def accuracy(counts: np.ndarray) -> float:
    """Return the share of clips on the diagonal, 0 to 1; nan without clips."""
    total = int(counts.sum())
    return float(np.trace(counts)) / total if total else math.nan


def balanced_accuracy(counts: np.ndarray) -> float:
    """Return the mean recall over the classes that have clips; nan without clips."""
    clips = counts.sum(axis=1)
    there = clips > 0
    return float(np.mean(np.diag(counts)[there] / clips[there])) if there.any() else math.nan


def wilson(correct: int, total: int, z: float = _Z95) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927, without continuity correction).

    correct of total; z: normal quantile, 95 % two-sided by default. (0, 1) without trials.
    """
    if total == 0:
        return 0.0, 1.0
    share = correct / total
    centre = share + z * z / (2 * total)
    reach = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


def per_class(counts: np.ndarray, labels: Sequence[str]) -> list[ClassResult]:
    """Return one result per label, in the order of the labels."""
    spoken, claimed, right = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    return [
        ClassResult(
            label,
            int(spoken[n]),
            float(right[n] / spoken[n]) if spoken[n] else None,
            float(right[n] / claimed[n]) if claimed[n] else None,
        )
        for n, label in enumerate(labels)
    ]


def top_k(scores: np.ndarray, truth: Sequence[int], k: int) -> float:
    """Return the share of clips whose label is among the k best scores [clips, labels].

    Equal scores rank in the order of the labels, as argmax does.
    """
    truth = np.asarray(truth, np.int64)
    if len(truth) == 0:
        return math.nan
    best = np.argsort(-scores.astype(np.float64), axis=1, kind="stable")[:, :k]
    return float(np.mean((best == truth[:, None]).any(axis=1)))
