"""What can be known of a model without a device.

inspect   operations, memory, cost, facts, and how each layer's weights are quantized and packed
compare   what each layer lost against the model before quantization, on real recordings
"""

from edgeasr.inspection.comparison import Comparison, LayerComparison, compare
from edgeasr.inspection.model import Inspection, Row, inspect
from edgeasr.inspection.weights import Weights

__all__ = [
    "Comparison",
    "Inspection",
    "LayerComparison",
    "Row",
    "Weights",
    "compare",
    "inspect",
]
