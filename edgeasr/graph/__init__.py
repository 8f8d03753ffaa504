"""Models as graphs: tensors, operations, and what a `.tflite` file says of them."""

from edgeasr.graph.reader import load, parse
from edgeasr.graph.tensor import DTYPE_BYTES, Graph, Op, Quantization, Tensor
from edgeasr.graph.variables import Variable, reset_restarts, resource_variables

__all__ = [
    "DTYPE_BYTES",
    "Graph",
    "Op",
    "Quantization",
    "Tensor",
    "Variable",
    "load",
    "parse",
    "reset_restarts",
    "resource_variables",
]
