"""A model to what has TensorFlow Lite run it on an operating system: a library and a program.

The library has the firmware's front end, decision and protocol; the Python program loads it, and
hands the model to the TFLite runtime. So it takes what that runtime takes, floats too.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeasr import paths
from edgeasr.codegen import layers
from edgeasr.codegen.environment import render
from edgeasr.codegen.macs import macs
from edgeasr.codegen.model import banner
from edgeasr.codegen.runtime import RUNTIME_VERSION
from edgeasr.errors import InputError
from edgeasr.graph import Graph
from edgeasr.project import PYTHON_ENGINES, Layer

ENGINE, XNNPACK = PYTHON_ENGINES
# Of the program. What the fast kernels take is told apart from Python's part in it.
ARGUMENTS = {
    ENGINE: ("--kernels", "reference"),
    XNNPACK: ("--kernels", "xnnpack", "--time", "20"),
}
# In the project.
FOLDER = "python"
PROGRAM = f"{FOLDER}/listen.py"
_COPIED = ("listen.py", "requirements.txt")


@dataclass(frozen=True, eq=False)
class TfliteCode:
    """The counterpart of codegen.model.ModelCode; its files lie in the folder `python`.

    The whole model is one layer. The arena is the runtime's own: 0 bytes are known of it.
    """

    files: Mapping[str, str | bytes]
    layers: tuple[Layer, ...]
    constant_bytes: int
    state_bytes: int
    sources: tuple[str, ...] = ()
    arena_bytes: int = 0
    ram_bytes: int = 0


def generate(
    graph: Graph, *, name: str, labels: Sequence[str], content: bytes, board: str, where: str
) -> TfliteCode:
    """Generate the files; InputError for a model with several inputs or outputs."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputError(
            f"{where}: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            f"the engine {ENGINE} runs models with one of each"
        )
    ends = [graph.tensor(index) for index in (*graph.inputs, *graph.outputs)]
    for tensor in ends:
        if tensor.dtype not in layers.C_TYPES:
            raise InputError(
                f'{where}: tensor "{tensor.name}" is {tensor.dtype}; the engine {ENGINE} hands out '
                f"{', '.join(layers.C_TYPES)}"
            )
    shown = [{"bytes": t.bytes, "type": layers.C_TYPES[t.dtype]} for t in ends]
    context = {
        "banner": banner(name, content, board),
        "name": name,
        "labels": list(labels),
        "hash": [f"0x{b:02x}" for b in hashlib.sha256(content).digest()[:8]],
        "input": shown[0],
        "output": shown[1],
        "state_bytes": int(graph.stateful),
        "runtime_version": RUNTIME_VERSION,
    }
    folder = paths.firmware_templates() / "python"
    return TfliteCode(
        files={"model.c": render("python/model.c.j2", context)}
        | {file: (folder / file).read_bytes() for file in _COPIED},
        layers=(whole(graph, len(content)),),
        constant_bytes=len(content),
        state_bytes=context["state_bytes"],
    )


def whole(graph: Graph, content_bytes: int) -> Layer:
    """Return the model as one layer."""
    return Layer(
        index=0,
        op=len(graph.ops) - 1,
        kind="TFLITE",
        kernel="tflite",
        tensor=graph.outputs[0],
        macs=sum(macs(graph, op) for op in graph.ops),
        constant_bytes=content_bytes,
    )
