"""TFLite-Micro on the host: what every engine's answer must equal, bit for bit.

The interpreter is the `tflite-micro` package (reference kernels); it comes with the extra `train`.
"""

import importlib.util

import numpy as np

from edgeasr import process
from edgeasr.errors import InputError, ToolError
from edgeasr.graph import Graph, parse, reset_restarts

_ARENA_BYTES_AT_LEAST = 1 << 20


def available() -> bool:
    """True when the package is installed; looking costs no import."""
    return importlib.util.find_spec("tflite_micro") is not None


class Runtime:
    """One model in TensorFlow Lite's own runtime, for what TFLite-Micro refuses: float16 weights,
    or weights of integers under floats.

    fast: with its fast kernels, else with those of the reference. Raises ToolError without the
    package.
    """

    def __init__(self, content: bytes, *, fast: bool = False):
        self._content, self._fast = content, fast
        self.reset()

    def invoke(self, values: np.ndarray) -> np.ndarray:
        """Run on an array of the input's dtype (any shape with the right size); return output 0."""
        entry = self._interpreter.get_input_details()[0]
        array = np.ascontiguousarray(values, entry["dtype"]).reshape(entry["shape"])
        self._interpreter.set_tensor(entry["index"], array)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._interpreter.get_output_details()[0]["index"])

    def reset(self) -> None:
        """Put the state of a streaming model to its start."""
        try:
            from ai_edge_litert import interpreter as lite
        except ImportError:
            raise ToolError(
                "ai-edge-litert: not installed; models in floating point are run by it; install "
                "it with: pip install 'edgeasr[train]'"
            ) from None
        kernels = lite.OpResolverType.AUTO if self._fast else lite.OpResolverType.BUILTIN_REF
        with process.quiet():
            self._interpreter = lite.Interpreter(
                model_content=self._content, experimental_op_resolver_type=kernels
            )
            self._interpreter.allocate_tensors()


class Oracle:
    """One model in TFLite-Micro's interpreter, which may look at every tensor.

    content: bytes of a `.tflite`. Raises ToolError without the package, InputError when
    TFLite-Micro refuses the model.
    """

    def __init__(self, content: bytes, *, graph: Graph | None = None, keep_tensors: bool = False):
        if not available():
            raise ToolError(
                "tflite-micro: not installed; the comparison with TFLite-Micro needs it; install "
                "it with: pip install 'edgeasr[train]'"
            )
        self.graph = graph or parse(content)
        self._content, self._keep_tensors = content, keep_tensors
        self._interpreter = self._start()

    def _start(self) -> object:
        from tflite_micro import runtime

        modes = runtime.InterpreterConfig
        mode = modes.kPreserveAllTensors if self._keep_tensors else modes.kAllocationRecording
        try:
            return runtime.Interpreter.from_bytes(
                self._content,
                arena_size=max(_ARENA_BYTES_AT_LEAST, 20 * len(self._content)),
                intrepreter_config=mode,
            )
        except RuntimeError as error:
            raise InputError(f"TFLite-Micro refuses the model: {error}") from None

    def invoke(self, *inputs: np.ndarray) -> np.ndarray:
        """Run on arrays of the inputs' dtypes (any shape with the right size); return output 0."""
        for position, values in enumerate(inputs):
            wanted = self.graph.tensor(self.graph.inputs[position])
            array = np.ascontiguousarray(values, wanted.dtype).reshape(wanted.shape)
            self._interpreter.set_input(array, position)
        self._interpreter.invoke()
        return self.output(0)

    def reset(self) -> None:
        """Put the state of a streaming model to its start, as before the first inference."""
        if reset_restarts(self.graph):
            self._interpreter.reset()
        else:
            self._interpreter = self._start()

    def output(self, position: int) -> np.ndarray:
        return self._interpreter.get_output(position)

    def tensor(self, index: int) -> np.ndarray:
        """Return any tensor after an inference; needs keep_tensors=True."""
        return self._interpreter.GetTensor(index, 0)["tensor_data"]
