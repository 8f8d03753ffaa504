"""Engines side by side: what a model costs with each, layer by layer, and whether they agree.

compare    run a model on a board with each engine
summary    comparisons as rows of a Markdown table
baseline   figures kept in a file, and what became worse since
"""

from edgeasr.bench.comparison import ENGINES, INPUTS, Comparison, Measured, compare, summary
from edgeasr.bench.layers import LayerCost

__all__ = ["ENGINES", "INPUTS", "Comparison", "LayerCost", "Measured", "compare", "summary"]
