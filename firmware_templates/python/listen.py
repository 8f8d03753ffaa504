"""The model in TensorFlow Lite on Linux, behind the same front end, decision and serial protocol.

These are the C of the firmware, which the project's CMake builds as a library: it serves the line
and calls back for each inference. Needs numpy and tflite-runtime (or ai-edge-litert) beside Python
3.9 or newer: `pip install -r requirements.txt`.
"""

import argparse
import ctypes
import hashlib
import signal
import sys
import time
import traceback
from pathlib import Path

import numpy as np

try:
    from tflite_runtime import interpreter as lite
except ImportError:
    from ai_edge_litert import interpreter as lite

PROJECT = Path(__file__).resolve().parent.parent

# Kernels of the runtime. Those of the reference give the bits of TFLite-Micro on integers.
KERNELS = {
    "reference": lite.OpResolverType.BUILTIN_REF,
    "xnnpack": lite.OpResolverType.AUTO,
}
# What the other end is told that runs the model.
ENGINES = {"reference": "tflite", "xnnpack": "xnnpack"}

Callback = ctypes.CFUNCTYPE(ctypes.c_int)


class Info(ctypes.Structure):
    """The head of ear_model_info_t."""

    _fields_ = (("name", ctypes.c_char_p), ("hash", ctypes.c_uint8 * 8))


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the library would keep Python from hearing it
    arguments, others = parse_arguments()
    model_file = only(PROJECT / "model", "*.tflite")
    library = ctypes.CDLL(str(arguments.library or only(PROJECT / "build", "lib*.so")))
    content = model_file.read_bytes()
    if bytes(Info.in_dll(library, "ear_model_info").hash) != hashlib.sha256(content).digest()[:8]:
        sys.exit(f"{library._name} was built for another model than {model_file}; build it again")
    model = Model(content, arguments.kernels, arguments.threads, library)
    if arguments.time:
        print(f"an inference takes ns {model.time(arguments.time):.0f}", file=sys.stderr)
    run, reset = callbacks(model)
    words = [__file__, *others]
    given = (ctypes.c_char_p * (len(words) + 1))(*(word.encode() for word in words), None)
    print("ready", file=sys.stderr, flush=True)
    engine = ENGINES[arguments.kernels].encode()
    return library.ear_python_serve(len(words), given, engine, run, reset)


def parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    """Return what is for this program, and the rest, which is for the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], add_help=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument(
        "--kernels",
        choices=KERNELS,
        default="reference",
        help="reference (as it is without this): the bits of the firmware; xnnpack: faster",
    )
    parser.add_argument("--threads", type=int, default=1, help="of XNNPACK (1)")
    parser.add_argument(
        "--time", type=int, default=0, metavar="N", help="tell first what N inferences take, each"
    )
    parser.add_argument("--library", type=Path, help="the C, built (build/lib*.so)")
    arguments, others = parser.parse_known_args()
    if arguments.help:
        parser.print_help()
        others = ["--help"]
    return arguments, others


def only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        sys.exit(f"{folder}: holds {len(found)} files {pattern}, not one; build the project first")
    return found[0]


class Model:
    """The interpreter, whose ends are the library's memory."""

    def __init__(self, content: bytes, kernels: str, threads: int, library: ctypes.CDLL) -> None:
        self._content, self._kernels, self._threads = content, kernels, threads
        self.start()
        for name in ("ear_model_input", "ear_model_output"):
            getattr(library, name).restype = ctypes.c_void_p
        self._input = memory(library.ear_model_input(), self._entry)
        self._output = memory(library.ear_model_output(), self._result)

    def start(self) -> None:
        """Begin with the model's state at its start."""
        self._interpreter = lite.Interpreter(
            model_content=self._content,
            experimental_op_resolver_type=KERNELS[self._kernels],
            num_threads=self._threads,
        )
        self._interpreter.allocate_tensors()
        self._entry = self._interpreter.get_input_details()[0]
        self._result = self._interpreter.get_output_details()[0]

    def run(self) -> None:
        self._interpreter.set_tensor(self._entry["index"], self._input)
        self._interpreter.invoke()
        self._output[...] = self._interpreter.get_tensor(self._result["index"])

    def time(self, count: int) -> float:
        """Return the nanoseconds of an inference alone: what twice as many take longer, each."""
        self.run()
        looks = [time.monotonic_ns()]
        for turns in (count, 2 * count):
            for _ in range(turns):
                self._interpreter.invoke()
            looks.append(time.monotonic_ns())
        self.start()
        return (looks[2] - 2 * looks[1] + looks[0]) / count


def memory(address: int, tensor: dict) -> np.ndarray:
    """Return the memory at an address as an array of a tensor's shape and type."""
    dtype, shape = np.dtype(tensor["dtype"]), tuple(tensor["shape"])
    size = dtype.itemsize * int(np.prod(shape))
    return np.frombuffer((ctypes.c_uint8 * size).from_address(address), dtype).reshape(shape)


def callbacks(model: Model) -> tuple[Callback, Callback]:
    """Return what the library calls; an error is told here, and to the other end by a status."""

    def guarded(do) -> Callback:
        def call() -> int:
            try:
                do()
            except Exception:
                traceback.print_exc()
                return 1
            return 0

        return Callback(call)

    return guarded(model.run), guarded(model.start)


if __name__ == "__main__":
    sys.exit(main())
