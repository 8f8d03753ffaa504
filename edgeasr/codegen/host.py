"""The generated model on this computer: the firmware's own C, compiled and called from Python."""

import ctypes
import hashlib
import tempfile
from pathlib import Path

import numpy as np

from edgeasr import hostlib, paths
from edgeasr.codegen.model import ModelCode
from edgeasr.errors import CheckError
from edgeasr.graph import Graph

_AFTER_LAYER = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)


class _Observer(ctypes.Structure):
    _fields_ = (("after_layer", _AFTER_LAYER), ("user", ctypes.c_void_p))


class HostModel:
    """A model of the `ear` engine, loaded into this process, with its state at the start.

    Models of the same C share one library, and with it their state.
    """

    def __init__(self, code: ModelCode, graph: Graph):
        self.code, self.graph = code, graph
        folder = _write(code)
        self._library = hostlib.load((str(folder / "model.c"), *_c_files(code)), (folder,))
        for function in ("ear_model_input", "ear_model_output"):
            getattr(self._library, function).restype = ctypes.c_void_p
        self._check(self._library.ear_model_init())

    def reset(self) -> None:
        """Put the state of a streaming model to its start."""
        self._library.ear_model_reset()

    def invoke(self, values: np.ndarray) -> np.ndarray:
        """Run on one input (any shape with the right size); return the output in its shape."""
        self._set_input(values)
        self._check(self._library.ear_model_invoke(None))
        output = self.graph.tensor(self.graph.outputs[0])
        return self._read(self._library.ear_model_output(), output.index)

    def layers(self, values: np.ndarray) -> list[np.ndarray]:
        """Run on one input and return the output of each layer, in order."""
        seen: list[np.ndarray] = []

        def after_layer(_user: int, layer: int, output: int) -> bool:
            seen.append(self._read(output, self.code.layers[layer].tensor))
            return False

        observer = _Observer(_AFTER_LAYER(after_layer), None)
        self._set_input(values)
        self._check(self._library.ear_model_invoke(ctypes.byref(observer)))
        return seen

    def _set_input(self, values: np.ndarray) -> None:
        tensor = self.graph.tensor(self.graph.inputs[0])
        array = np.ascontiguousarray(values, tensor.dtype)
        if array.size != tensor.elements:
            raise ValueError(f"{array.size} values for an input of {tensor.elements}")
        ctypes.memmove(self._library.ear_model_input(), array.ctypes.data, tensor.bytes)

    def _read(self, address: int, index: int) -> np.ndarray:
        tensor = self.graph.tensor(index)
        raw = ctypes.string_at(address, tensor.bytes)
        return np.frombuffer(raw, tensor.dtype).reshape(tensor.shape)

    def _check(self, status: int) -> None:
        if status != 0:
            raise CheckError(f"the ear engine on this computer failed with status {status}")


def _c_files(code: ModelCode) -> tuple[str, ...]:
    return tuple(s for s in code.sources if s.endswith(".c"))


def _write(code: ModelCode) -> Path:
    digest = hashlib.sha256("".join(code.files.values()).encode()).hexdigest()[:24]
    folder = paths.cache() / "models" / digest
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in code.files.items():
        target = folder / name
        if not target.is_file():
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as scratch:
                scratch.write(text)
            Path(scratch.name).replace(target)
    return folder
