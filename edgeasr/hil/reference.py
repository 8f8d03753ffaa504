"""What the host hears: features by the runtime's C, outputs by an interpreter of its own."""

import zlib
from collections.abc import Sequence

import numpy as np

from edgeasr import features, oracle
from edgeasr.codegen.host import HostModel
from edgeasr.deploy import generate_model
from edgeasr.speech import SpeechModel


class Reference:
    """The host's side of a model: TFLite-Micro, or where that is not installed the ear engine.

    A model with state goes on from one inference to the next, until it is reset. keep_layers: every
    layer's output can be looked at.
    """

    def __init__(self, model: SpeechModel, board_name: str, *, keep_layers: bool = False):
        self.model = model
        self._quantization = model.feature_quantization if model.hears else None
        if oracle.available():
            self.name = "TFLite-Micro"
            self._model = oracle.Oracle(model.content, graph=model.graph, keep_tensors=keep_layers)
        else:
            self.name = "the ear engine on this computer"
            self._model = HostModel(generate_model(model, board_name), model.graph)

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
