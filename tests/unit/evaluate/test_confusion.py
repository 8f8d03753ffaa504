"""Confusion matrices, intervals and top-k, against values worked out by hand."""

import math

import numpy as np
import pytest

from edgeasr.errors import InputError
from edgeasr.evaluate import confusion


def test_matrix_counts_spoken_in_rows_and_recognised_in_columns():
    counts = confusion.matrix([0, 0, 1, 2], [0, 1, 1, 1], 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_accuracies_differ_where_classes_are_uneven():
    counts = np.array([[8, 0], [1, 1]])
    assert confusion.accuracy(counts) == pytest.approx(0.9)
    assert confusion.balanced_accuracy(counts) == pytest.approx(0.75)


def test_a_class_without_clips_is_left_out_of_the_balance():
    counts = np.array([[4, 0, 0], [0, 1, 1], [0, 0, 0]])
    assert confusion.balanced_accuracy(counts) == pytest.approx(0.75)
    silent = confusion.per_class(counts, "abc")[2]
    assert (silent.clips, silent.recall, silent.precision) == (0, None, 0.0)


def test_nothing_has_no_accuracy():
    assert math.isnan(confusion.accuracy(np.zeros((2, 2), int)))
    assert math.isnan(confusion.balanced_accuracy(np.zeros((2, 2), int)))


def test_per_class_gives_recall_and_precision():
    first = confusion.per_class(np.array([[3, 1], [2, 2]]), ["yes", "no"])[0]
    assert (first.label, first.clips) == ("yes", 4)
    assert first.recall == pytest.approx(0.75)
    assert first.precision == pytest.approx(0.6)


# Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_wilson_agrees_with_published_intervals(correct, total, low, high):
    assert confusion.wilson(correct, total) == pytest.approx((low, high), abs=5e-5)


def test_wilson_without_trials_knows_nothing():
    assert confusion.wilson(0, 0) == (0.0, 1.0)


def test_top_k_ranks_equal_scores_in_label_order():
    scores = np.array([[5, 5, 1], [0, 1, 2]], np.int8)
    assert confusion.top_k(scores, [1, 0], 1) == 0.0
    assert confusion.top_k(scores, [1, 0], 2) == 0.5
    assert confusion.top_k(scores, [1, 0], 3) == 1.0


def test_top_k_does_not_wrap_at_the_least_int8():
    assert confusion.top_k(np.array([[-128, 0]], np.int8), [1], 1) == 1.0


@pytest.mark.parametrize(("truth", "heard"), [([0], [0, 1]), ([0, 3], [0, 0]), ([0], [-1])])
def test_labels_that_do_not_fit_are_refused(truth, heard):
    with pytest.raises(InputError, match="confusion: "):
        confusion.matrix(truth, heard, 3)
