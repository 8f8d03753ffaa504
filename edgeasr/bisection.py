"""The smallest arena with which TFLite-Micro's interpreter runs a model, found by trying.

The interpreter may abort or crash when its arena is too small, so it lives in another process,
which is started again when it dies: a size at which it dies counts as too small.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from edgeasr import oracle
from edgeasr.errors import InputError, ToolError

STEP_BYTES = 16
_MOST_BYTES = 1 << 26
# The interpreter's own structs take more: it crashes in less, which costs a new process.
_LEAST_BYTES = 512


def smallest_arena(content: bytes) -> int:
    """Return the bytes of the smallest arena, in steps of 16, that sets up and runs the model.

    content: bytes of a `.tflite`. Raises ToolError without the package `tflite-micro`, InputError
    when the interpreter refuses the model at 64 MiB as well.
    """
    with Trials() as trials:
        return trials.smallest_arena(content)


class Trials:
    """Asks a child process whether a model runs with an arena of some size; good for many models.

    Raises ToolError without the package `tflite-micro`.
    """

    def __init__(self):
        if not oracle.available():
            raise ToolError(
                "tflite-micro: not installed; measuring an arena needs it; install it with: "
                "pip install 'edgeasr[train]'"
            )
        self._folder = tempfile.TemporaryDirectory()
        self._model = Path(self._folder.name) / "model.tflite"
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Trials":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop()
        self._folder.cleanup()

    def smallest_arena(self, content: bytes) -> int:
        """Return the bytes of the smallest arena for a model; errors as of the function above."""
        self._model.write_bytes(content)
        fails, works = _LEAST_BYTES, 1 << 16
        while not self._runs(works):
            fails, works = works, 2 * works
            if works > _MOST_BYTES:
                raise InputError(
                    f"TFLite-Micro refuses the model with an arena of {_MOST_BYTES >> 20} MiB; "
                    "see 'edgeasr inspect' for what it holds"
                )
        while works - fails > STEP_BYTES:
            middle = (fails + works) // 2 // STEP_BYTES * STEP_BYTES
            if self._runs(middle):
                works = middle
            else:
                fails = middle
        return works

    def _runs(self, arena_bytes: int) -> bool:
        child = self._child or self._start()
        child.stdin.write(f"{arena_bytes}\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        if not answer:
            self._stop()
        return answer == "yes\n"

    def _start(self) -> "subprocess.Popen[str]":
        self._child = subprocess.Popen(
            [sys.executable, "-m", "edgeasr.bisection", str(self._model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self._child

    def _stop(self) -> None:
        if self._child:
            self._child.kill()
            self._child.communicate()
            self._child = None


def _answer(model: Path) -> None:
    """Read arena sizes from stdin, a line each, and answer yes or no on stdout."""
    import numpy as np
    from tflite_micro import runtime

    for line in sys.stdin:
        content = model.read_bytes()
        try:
            interpreter = runtime.Interpreter.from_bytes(content, arena_size=int(line))
            for position in range(_inputs(content)):
                details = interpreter.get_input_details(position)
                interpreter.set_input(np.zeros(details["shape"], details["dtype"]), position)
            interpreter.invoke()
            interpreter.invoke()
            answer = "yes"
        except RuntimeError:
            answer = "no"
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


def _inputs(content: bytes) -> int:
    import tflite

    return tflite.Model.GetRootAs(content, 0).Subgraphs(0).InputsLength()


if __name__ == "__main__":
    _answer(Path(sys.argv[1]))
