"""Other people's engines in edgeasr's firmware, to be measured beside its own.

A peer is one module with `export(model, board, folder) -> Project`: it writes a project as
`deploy.export` does, which `bench` builds, runs and compares like any other. It raises InputError
with the reason where the engine refuses the model or the board, ToolError where it is missing.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from edgeasr.boards import Board
from edgeasr.peers import bakenn, xnnpack
from edgeasr.project import Project
from edgeasr.speech import SpeechModel

PEERS: Mapping[str, Callable[[SpeechModel, Board, Path], Project]] = {
    "bakenn": bakenn.export,
    "xnnpack": xnnpack.export,
}
# Those whose outputs need not be TFLite-Micro's, bit for bit.
INEXACT = ("xnnpack",)
