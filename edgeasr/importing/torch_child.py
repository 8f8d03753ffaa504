"""Run as a program of its own: a checked `.pt2` becomes ONNX, with inputs and what PyTorch makes
of them.

    python -m edgeasr.importing.torch_child CLEAN.pt2 FOLDER COUNT SEED

FOLDER gets model.onnx and reference.npz (x: [COUNT, ...], y: [COUNT, ...], float32). A process of
its own, since PyTorch and TensorFlow in one bring two copies of the same libraries.
"""

import logging
import sys
import warnings
from pathlib import Path

import numpy as np


def convert(file: Path, folder: Path, count: int, seed: int) -> None:
    """Convert by PyTorch's own exporter; see the module. Raises what PyTorch raises."""
    import torch

    program = torch.export.load(str(file))
    (node,) = [n for n in program.graph.nodes if n.name in program.graph_signature.user_inputs]
    shape = [size if isinstance(size, int) else 1 for size in node.meta["val"].shape]
    made = torch.onnx.export(program, dynamo=True, optimize=True, verbose=False)
    (folder / "model.onnx").write_bytes(made.model_proto.SerializeToString())
    x = np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)
    module = program.module()
    with torch.no_grad():
        rows = [module(torch.from_numpy(row)) for row in x]
    y = [row[0] if isinstance(row, tuple | list) else row for row in rows]
    np.savez(folder / "reference.npz", x=x, y=np.stack([row.numpy() for row in y]))


class _Kept(logging.Handler):
    """Keeps the errors that PyTorch only writes to its log before it raises another."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])


def _cause(error: BaseException) -> str:
    """Return the first line of what went wrong first: PyTorch wraps it several times."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    kept = _Kept()
    for name in ("torch", "torch.export", "torch._export"):
        logging.getLogger(name).addHandler(kept)
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    except Exception as error:
        sys.exit(_cause(kept.errors[0] if kept.errors else error))
