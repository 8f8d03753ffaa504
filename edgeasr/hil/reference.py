"""What the host hears: features by the runtime's C, outputs by an interpreter of its own."""

import zlib
from collections.abc import Sequence

import numpy as np

from edgeasr import features, oracle, process
from edgeasr.codegen import tflite
from edgeasr.codegen.host import HostModel
from edgeasr.deploy import generate_model
from edgeasr.errors import InputError
from edgeasr.project import PYTHON_ENGINES
from edgeasr.speech import SpeechModel

# How far scores of floats may lie apart on two processors: with weights of integers, an activation
# that is rounded to the other side moves a score by a thousandth. And how many steps of an integer
# XNNPACK's kernels are off at most; where it is off at all, one is usual.
FLOAT_TOLERANCE = 0.01
XNNPACK_TOLERANCE = 8.0


class Reference:
    """The host's side of a model: TFLite-Micro, or where that is not installed the ear engine.

    What TFLite-Micro refuses and the engines of a Python program run, LiteRT runs. A model with
    state goes on from one inference to the next, until it is reset. keep_layers: every layer's
    output can be looked at. engine: of the device; those of a Python program are held to tolerance,
    in the units of the output, where their numbers are not the same on all processors.
    """

    def __init__(
        self,
        model: SpeechModel,
        board_name: str,
        *,
        keep_layers: bool = False,
        engine: str = "ear",
    ):
        self.model = model
        self._quantization = model.feature_quantization if model.hears else None
        self._dtype = np.dtype(model.graph.tensor(model.graph.outputs[0]).dtype)
        self.tolerance = self._tolerance(engine)
        try:
            self.name, self._model = self._start(board_name, keep_layers)
        except InputError:
            if engine not in PYTHON_ENGINES:
                raise
            self.name, self._model = "LiteRT", oracle.Runtime(model.content)
        if self.tolerance:
            self.name += f" within {self.tolerance:g}"

    def _start(self, board_name: str, keep_layers: bool) -> tuple[str, oracle.Oracle | HostModel]:
        model = self.model
        if not oracle.available():
            made = HostModel(generate_model(model, board_name), model.graph)
            return "the ear engine on this computer", made
        with process.quiet():
            made = oracle.Oracle(model.content, graph=model.graph, keep_tensors=keep_layers)
        return "TFLite-Micro", made

    def _tolerance(self, engine: str) -> float:
        if engine not in PYTHON_ENGINES:
            return 0.0
        if self._dtype.kind == "f":
            return FLOAT_TOLERANCE
        return XNNPACK_TOLERANCE if engine == tflite.XNNPACK else 0.0

    def same(self, device: bytes, host: bytes) -> bool:
        """Whether two outputs are equal: bit for bit, or within the tolerance."""
        return device == host or (self.tolerance > 0 and self.apart(device, host) <= self.tolerance)

    def apart(self, device: bytes, host: bytes) -> float:
        """Return the largest difference of two outputs, in units of the output."""
        ours, theirs = (np.frombuffer(side, self._dtype).astype(float) for side in (device, host))
        return float(np.abs(ours - theirs).max()) if len(ours) == len(theirs) else np.inf

    def features(self, pcm: np.ndarray) -> np.ndarray:
        """Return the front end's features of PCM: int16 [frames, feature_count]."""
        return features.compute(self.model.facts.front_end, pcm)

    def window(self, rows: np.ndarray) -> np.ndarray:
        """Return the model's input for int16 features, in its type: [frames, feature_count]."""
        return features.quantize(self._quantization, rows)

    def reset(self) -> None:
        """Put the model's state to its start."""
        self._model.reset()

    def scores(self, window: np.ndarray) -> np.ndarray:
        """Return the model's scores, in the type of its output, one per label."""
        return np.asarray(self._model.invoke(window)).ravel()

    def digest(
        self, values: np.ndarray, tensors: Sequence[int]
    ) -> tuple[bytes, tuple[int | None, ...]]:
        """Run on any input; return the output, and the CRC-32 of each of the tensors.

        tensors: outputs of layers; needs keep_layers. None where the reference cannot tell.
        """
        if isinstance(self._model, oracle.Oracle):
            output = self._model.invoke(values)
            found = [np.asarray(self._model.tensor(index)) for index in tensors]
            return output.tobytes(), tuple(zlib.crc32(f.tobytes()) for f in found)
        return np.asarray(self._model.invoke(values)).tobytes(), (None,) * len(tensors)
