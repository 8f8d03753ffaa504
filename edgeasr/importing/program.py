"""A `.pt2` or `.onnx` file becomes a float Keras model that computes the same, as measured.

Refused: files whose reading would run code of theirs (pickles), each with the way to a `.pt2`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeasr import process
from edgeasr.errors import InputError, ToolError
from edgeasr.importing import exported, network
from edgeasr.importing.agreement import Agreement, check, reference
from edgeasr.importing.building import Built, build

# Random windows that both models see.
INPUTS = 16
_TIMEOUT_S = 600
_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib")
_OWN = (".tflite", ".keras")
_HOW = "torch.export.save(torch.export.export(model.eval(), (example,)), 'model.pt2')"


@dataclass(frozen=True, eq=False)
class Imported:
    """A float Keras model, its agreement with the original, and the original's file and digest."""

    file: Path
    built: Built
    agreement: Agreement
    digest: str


def load(
    file: Path,
    window: tuple[int, int] | None = None,
    *,
    softmax: bool = True,
    inputs: int = INPUTS,
    seed: int = 1,
) -> Imported:
    """Import a model and compare it with the original on random inputs.

    window, softmax: as in building.build. Raises InputError for what is not usable, ToolError
    without the packages that it needs, CheckError when both models differ.
    """
    _check_name(file)
    if file.suffix == ".pt2":
        found, x, y = _exported(file, inputs, seed)
        judge = "PyTorch"
        built = build(found, window, softmax=softmax)
    else:
        found = network.load(file)
        judge = "onnx's reference"
        built = build(found, window, softmax=softmax)
        x, y = reference(found, inputs, seed)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Imported(file, built, check(built, x, y, judge, str(file)), digest)


def _check_name(file: Path) -> None:
    suffix = file.suffix.lower()
    if suffix in _PICKLES:
        raise InputError(
            f"{file}: a {suffix} file is a pickle, which runs code of its own when it is read, "
            f"so it is not read; in the program that made the model, write: {_HOW}"
        )
    if suffix in _OWN:
        raise InputError(
            f"{file}: needs no import; 'edgeasr quantize' takes a .keras file, 'edgeasr export' a "
            ".tflite"
        )
    if suffix not in (".pt2", ".onnx"):
        named = f'"{suffix}" is not known' if suffix else "its name has no ending"
        raise InputError(f"{file}: {named}; .pt2 and .onnx can be imported")
    if not file.is_file():
        raise InputError(f"{file}: no such file")


def _exported(file: Path, inputs: int, seed: int) -> tuple[network.Network, np.ndarray, np.ndarray]:
    """Let PyTorch convert a checked copy, in a process of its own; return what it makes too."""
    onnx = network.load_onnx()
    for package in ("torch", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise ToolError(
                f"{package}: not installed; PyTorch's own exporter reads a .pt2; install it with: "
                "pip install 'edgeasr[train,torch]', or export the model to .onnx where it was "
                "trained (torch.onnx.export), which needs no PyTorch here"
            )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        copy = folder / "clean.pt2"
        exported.sanitize(file, copy)
        argv = ["-m", "edgeasr.importing.torch_child", copy, folder, inputs, seed]
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        try:
            process.run([sys.executable, *argv], env=environment, timeout_s=_TIMEOUT_S)
        except ToolError as error:
            last = str(error).strip().splitlines()[-1]
            raise InputError(f"{file}: PyTorch cannot convert it: {last}") from None
        content = (folder / "model.onnx").read_bytes()
        try:
            with np.load(folder / "reference.npz", allow_pickle=False) as kept:
                x, y = kept["x"], kept["y"]
        except (ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"{file}: its outputs are no plain numbers ({error})") from None
    return network.parse(onnx, content, str(file)), x, y
