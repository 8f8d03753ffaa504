"""Models of PyTorch and ONNX, trained by others, become float Keras models to be quantized.

load         a `.pt2` or `.onnx` file: an Imported model, compared with the original
write        NAME.keras and NAME.tflite
calibration  windows that quantizing needs
"""

from edgeasr.importing.facts import read as read_facts
from edgeasr.importing.facts import settled, window
from edgeasr.importing.program import Imported, load
from edgeasr.importing.writing import FLOAT, calibration, problems, write

__all__ = [
    "FLOAT", "Imported", "calibration", "load", "problems", "read_facts", "settled", "window",
    "write",
]  # fmt: skip
