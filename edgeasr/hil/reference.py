"""What the host hears: features by the runtime's C, outputs by an interpreter of its own."""

import numpy as np

from edgeasr import features, oracle
from edgeasr.codegen.host import HostModel
from edgeasr.deploy import generate_model
from edgeasr.speech import SpeechModel


class Reference:
    """The host's side of a model: TFLite-Micro, or where that is not installed the ear engine.

    A model with state goes on from one inference to the next, until it is reset.
    """

    def __init__(self, model: SpeechModel, board_name: str):
        self.model = model
        self._quantization = model.feature_quantization if model.hears else None
        if oracle.available():
            self.name = "TFLite-Micro"
            self._model = oracle.Oracle(model.content, graph=model.graph)
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

    def output(self, values: np.ndarray) -> np.ndarray:
        """Return the model's output for any input, in its own shape."""
        return np.asarray(self._model.invoke(values))
