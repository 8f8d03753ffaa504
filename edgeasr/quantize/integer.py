"""A quantized model on the host as on the device: int16 features to scores, integers only."""

import numpy as np

from edgeasr import features, graph, speech
from edgeasr.errors import InputError
from edgeasr.oracle import Oracle


class IntegerModel:
    """A `.tflite` with int8 or int16 input and output, run by TFLite-Micro's reference kernels.

    feature_scale, feature_offset: real input = int16 feature * scale + offset. Raises InputError
    when the input or output is neither int8 nor int16, ToolError without the package tflite-micro.
    """

    def __init__(self, content: bytes, feature_scale: float, feature_offset: float) -> None:
        self.graph = graph.parse(content)
        window, scores = (
            self.graph.tensor(i) for i in (self.graph.inputs[0], self.graph.outputs[0])
        )
        self.feature_quantization = speech.input_quantization(
            window, feature_scale, feature_offset, "model"
        )
        if scores.dtype not in speech.INTEGER_ENDS or scores.quantization is None:
            raise InputError(
                f'model: output "{scores.name}" is {scores.dtype}; int8 or int16, quantized, is '
                "needed; make it with 'edgeasr quantize'"
            )
        self._oracle = Oracle(content, graph=self.graph)

    def inputs(self, windows: np.ndarray) -> np.ndarray:
        """Return the model's inputs, int8 or int16 [n, ...], for int16 features."""
        made = features.quantize(self.feature_quantization, windows)
        shape = self.graph.tensor(self.graph.inputs[0]).shape
        return made.reshape(len(windows), *shape[1:])

    def real_inputs(self, windows: np.ndarray) -> np.ndarray:
        """Return the real values, float32 [n, frames, features], that its inputs stand for."""
        entry = self.graph.tensor(self.graph.inputs[0]).quantization
        whole = self.inputs(windows).astype(np.float32) - np.float32(entry.zero_point)
        return (whole * np.float32(entry.scale)).reshape(windows.shape)

    def scores(self, windows: np.ndarray) -> np.ndarray:
        """Return int8 or int16 [n, labels] for int16 features [n, frames, features]."""
        rows = [self._oracle.invoke(window).reshape(-1).copy() for window in self.inputs(windows)]
        output = self.graph.tensor(self.graph.outputs[0])
        return np.stack(rows) if rows else np.empty((0, output.elements), output.dtype)
