"""XNNPACK, in TensorFlow Lite's own runtime for Python: what a Raspberry Pi runs without us.

The firmware is that of the engine tflite. Instructions are the runtime's alone, of one thread: what
20 inferences take, without Python's part in handing over input and output. Flash and RAM are those
of the library beside it. Outputs are not bound to be TFLite-Micro's: they are counted, and the
comparison does not fail for them.
"""

from pathlib import Path

from edgeasr import connect, deploy
from edgeasr.boards import Board
from edgeasr.codegen import tflite
from edgeasr.project import Project
from edgeasr.speech import SpeechModel


def export(model: SpeechModel, board: Board, folder: Path) -> Project:
    """Write the project; InputError on a board without Linux, or for a model with several ends."""
    made = deploy.export(model, board, folder, engine=tflite.ENGINE)
    return connect.as_engine(made, tflite.XNNPACK)
