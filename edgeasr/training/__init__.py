"""From recordings to a speech model: train, quantize, measure, write with a card."""

from edgeasr.training.comparing import compare_front_ends, comparison_table
from edgeasr.training.options import FRONT_END, RECIPES, Observer, Options
from edgeasr.training.pipeline import compute, fit, gather, train, write

__all__ = [
    "FRONT_END",
    "RECIPES",
    "Observer",
    "Options",
    "compare_front_ends",
    "comparison_table",
    "compute",
    "fit",
    "gather",
    "train",
    "write",
]
