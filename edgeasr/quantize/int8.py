"""A quantized model on the host as on the device: int16 features to int8 scores, integers only."""

import numpy as np

from edgeasr import features, graph
from edgeasr.errors import InputError
from edgeasr.features import FeatureQuantization
from edgeasr.oracle import Oracle


class Int8Model:
    """A `.tflite` with int8 input and output, run by TFLite-Micro's reference kernels.

    feature_scale, feature_offset: real input = int16 feature * scale + offset. Raises InputError
    when the input or output is not int8, ToolError without the package tflite-micro.
    """

    def __init__(self, content: bytes, feature_scale: float, feature_offset: float) -> None:
        self.graph = graph.parse(content)
        for side, index in (("input", self.graph.inputs[0]), ("output", self.graph.outputs[0])):
            tensor = self.graph.tensor(index)
            if tensor.dtype != "int8" or tensor.quantization is None:
                raise InputError(
                    f'model: {side} "{tensor.name}" is {tensor.dtype}; int8 is needed; '
                    "quantize it with 'edgeasr quantize'"
                )
        entry = self.graph.tensor(self.graph.inputs[0]).quantization
        self.feature_quantization: FeatureQuantization = features.feature_quantization(
            feature_scale, feature_offset, entry.scale, entry.zero_point
        )
        self._oracle = Oracle(content, graph=self.graph)

    def scores(self, windows: np.ndarray) -> np.ndarray:
        """Return int8 scores [n, labels] for int16 features [n, frames, features]."""
        inputs = features.quantize(self.feature_quantization, windows)
        rows = [self._oracle.invoke(window).reshape(-1).copy() for window in inputs]
        labels = self.graph.tensor(self.graph.outputs[0]).elements
        return np.stack(rows) if rows else np.empty((0, labels), np.int8)
