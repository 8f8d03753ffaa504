"""A model of which only the weights are quantized, run on the host by LiteRT."""

import numpy as np

from edgeasr import graph, oracle
from edgeasr.errors import InputError


class FloatModel:
    """A `.tflite` with float32 input and output, as the Raspberry Pi's runtime runs it.

    feature_scale, feature_offset: real input = int16 feature * scale + offset. Raises InputError
    when the input or output is not float32, ToolError without the package ai-edge-litert.
    """

    def __init__(self, content: bytes, feature_scale: float, feature_offset: float) -> None:
        self.graph = graph.parse(content)
        for side, index in (("input", self.graph.inputs[0]), ("output", self.graph.outputs[0])):
            tensor = self.graph.tensor(index)
            if tensor.dtype != "float32":
                raise InputError(
                    f'model: {side} "{tensor.name}" is {tensor.dtype}; float32 is needed, as of '
                    "'edgeasr quantize --activations dynamic' or float16"
                )
        self._scale, self._offset = np.float32(feature_scale), np.float32(feature_offset)
        self._model = oracle.Runtime(content, fast=True)

    def scores(self, windows: np.ndarray) -> np.ndarray:
        """Return the output's float32 [n, labels] for int16 features [n, frames, features]."""
        real = windows.astype(np.float32) * self._scale + self._offset
        rows = [self._model.invoke(window).reshape(-1).copy() for window in real]
        labels = self.graph.tensor(self.graph.outputs[0]).elements
        return np.stack(rows) if rows else np.empty((0, labels), np.float32)
