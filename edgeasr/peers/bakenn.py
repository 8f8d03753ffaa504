"""BakeNN, an ahead-of-time compiler of PyPI: its C in place of the model's layers.

Its importer takes a narrow form of `.tflite`, which no converter writes. So it gets the model in
that form, with the same numbers: without signature of a dynamic batch, with the scales that biases
have anyway, with shapes in RESHAPE and before FULLY_CONNECTED, and without the SOFTMAX at the end,
which is no operation of its importer. That one runs on the engine `ear`. What it refuses then, for
instance MEAN, stays refused.
"""

import dataclasses
import hashlib
import math
import tempfile
from pathlib import Path
from types import ModuleType

from edgeasr import __version__, deploy, plan, project
from edgeasr.boards import Board
from edgeasr.codegen import extensions, layers, lower
from edgeasr.codegen.call import KERNEL_HEADERS, KernelCall, Scratch, TensorRef
from edgeasr.codegen.environment import render
from edgeasr.codegen.model import ModelCode, banner
from edgeasr.codegen.packing import pack_raw
from edgeasr.codegen.runtime import RUNTIME_VERSION
from edgeasr.errors import InputError, ToolError
from edgeasr.graph import Graph, Op
from edgeasr.project import Manifest, Project
from edgeasr.speech import SpeechModel

ENGINE = "bakenn"
_NAME = "m"  # of the model in its C
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
# Its warnings are its own; and CMSIS-NN may use the C library's memcpy, as with every engine here.
_PRELUDE = "#pragma GCC system_header\n#define BAKENN_CMSIS_NN_BUILTIN_MEMORY\n"


def export(model: SpeechModel, board: Board, folder: Path) -> Project:
    """Write the firmware project of a model that BakeNN compiles, with CMSIS-NN where it can.

    Raises InputError with its reason where BakeNN refuses the model, ToolError where it is missing.
    """
    compiler = _package("bakenn", "peers")
    extension = extensions.of_core(board.core)
    cut = _cut(model.graph)
    with tempfile.TemporaryDirectory() as scratch:
        made = _compile(compiler, _accepted(model.content, cut), Path(scratch), extension)
        files = _files(Path(scratch))
    code = _code(model, board.name, cut, made.plan_bytes, files, extension)
    deploy.check_fit(model, code, board)
    manifest = Manifest(
        generator=f"edgeasr {__version__}",
        board=board.name,
        engine=ENGINE,
        program=deploy.program_name(model),
        model_name=model.name,
        model_file=f"model/{deploy.program_name(model)}.tflite",
        model_sha256=model.sha256,
        labels=model.facts.labels,
        arena_bytes=code.arena_bytes,
        constant_bytes=code.constant_bytes,
        layers=code.layers,
    )
    return project.write(folder, deploy.project_files(model, board, code), manifest, replace=False)


def _package(name: str, extra: str) -> ModuleType:
    try:
        return __import__(name)
    except ImportError:
        raise ToolError(
            f"{name} is missing, which the engine bakenn needs; install: "
            f"pip install 'edgeasr[{extra}]'"
        ) from None


def _cut(graph: Graph) -> int:
    """Return how many operators BakeNN gets: all but a SOFTMAX at the end."""
    return len(graph.ops) - (bool(graph.ops) and graph.ops[-1].kind == "SOFTMAX")


@dataclasses.dataclass(frozen=True)
class _Compiled:
    plan_bytes: int


def _compile(compiler: ModuleType, content: bytes, folder: Path, extension: str) -> _Compiled:
    vendor = extension == extensions.DSP
    options = compiler.CBackendOptions(
        kernel_policy=compiler.KernelPolicy.STATIC_PRIORITY,
        enable_cmsis_nn=vendor,
        target=compiler.CORTEX_M4 if vendor else compiler.PORTABLE_32,
    )
    try:
        compiler.compile_tflite(content, folder, name=_NAME, backend_options=options)
    except (compiler.BakeNNError, ValueError) as error:
        raise InputError(f"BakeNN {compiler.__version__} refuses the model: {error}") from None
    header = (folder / f"bknn_{_NAME}.h").read_text(encoding="utf-8")
    line = next(x for x in header.splitlines() if f"BKNN_{_NAME.upper()}_ARENA_SIZE " in x)
    return _Compiled(int(line.split()[-1].rstrip("u")))


def _files(folder: Path) -> dict[str, str]:
    """Return its C and headers in one folder, each source included by a file of ours."""
    files = {}
    for path in sorted(folder.rglob("*.[ch]")):
        text = _PRELUDE + path.read_text(encoding="utf-8")
        if path.suffix == ".c":
            files[f"{path.stem}.inc"] = text
            text = f'#include "{path.stem}.inc"\n'
        files[path.name] = text
    return files


def _code(
    model: SpeechModel, board: str, cut: int, arena: int, files: dict[str, str], extension: str
) -> ModelCode:
    """Return the model's C: a call of BakeNN's, then what is left to the engine `ear`."""
    graph = model.graph
    entry, result = graph.inputs[0], graph.ops[cut - 1].outputs[0]
    whole = Op(0, "BAKENN", (entry,), (result,))
    rest = [dataclasses.replace(op, index=i) for i, op in enumerate(graph.ops[cut:], 1)]
    small = dataclasses.replace(graph, ops=(whole, *rest))
    calls = [
        (whole, _call(entry, result, arena)),
        *((op, lower.lower(small, op, pack=pack_raw, extension=extension)) for op in rest),
    ]
    scratch = {op.index: call.scratch_bytes for op, call in calls}
    made = plan.make(small, scratch_bytes=scratch)
    described = [layers.describe(small, i, op, call) for i, (op, call) in enumerate(calls)]
    described = [dataclasses.replace(x, op=cut - 1 + x.op) for x in described]
    described[0] = dataclasses.replace(
        described[0], macs=deploy.macs(model), constant_bytes=_constant_bytes(graph, cut)
    )
    sources = sorted({s for _, call in calls for s in call.sources})
    context = {
        "banner": banner(model.name, model.content, board),
        "name": model.name,
        "engine": ENGINE,
        "hash": [f"0x{b:02x}" for b in hashlib.sha256(model.content).digest()[:8]],
        "labels": list(model.facts.labels or ("?",)),
        "kernel_headers": [
            f"bknn_{_NAME}.h",
            *(s for s in sources if s.startswith(KERNEL_HEADERS)),
        ],
        "resets": [],
        "runtime_version": RUNTIME_VERSION,
        "macs": deploy.macs(model),
        "weight_bytes": sum(layer.constant_bytes for layer in described),
        "arena_bytes": made.arena_bytes,
        "state_bytes": 0,
        "lower_bound_bytes": made.lower_bound_bytes,
        "input": layers.end(graph.tensor(entry), made.tensors[entry]),
        "output": layers.end(graph.tensor(graph.outputs[0]), made.tensors[graph.outputs[0]]),
        "layers": [
            layers.LayerWriter(small, made, i, op, call).context()
            for i, (op, call) in enumerate(calls)
        ],
    }
    files = files | {f: render(f"model/{f}.j2", context) for f in ("model.c", "model.h")}
    return ModelCode(files, tuple(sources), tuple(described), made, {})


def _call(entry: int, result: int, arena: int) -> KernelCall:
    arguments = (
        Scratch(arena, "uint8_t"),
        TensorRef(entry, "int8_t"),
        TensorRef(result, "int8_t", written=True),
    )
    return KernelCall(f"bknn_{_NAME}_infer", (), arguments)


def _constant_bytes(graph: Graph, cut: int) -> int:
    found = {i for op in graph.ops[:cut] for i in op.inputs if i >= 0}
    return sum(graph.tensor(i).bytes for i in found if graph.tensor(i).data is not None)


def _accepted(content: bytes, cut: int) -> bytes:
    """Return the model in the form that BakeNN's importer takes, with the same numbers."""
    flatbuffers = _package("flatbuffers", "peers")
    _package("ai_edge_litert", "peers")
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    model.signatureDefs = None
    for tensor in graph.tensors:
        tensor.shapeSignature = None
    graph.operators = graph.operators[:cut]
    graph.outputs = [int(graph.operators[-1].outputs[0])]
    _Rewriter(schema, model).run()
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class _Rewriter:
    def __init__(self, schema: ModuleType, model: object):
        self.schema, self.model, self.graph = schema, model, model.subgraphs[0]
        names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
        self.kinds = [
            names.get(max(c.builtinCode, c.deprecatedBuiltinCode)) for c in model.operatorCodes
        ]

    def run(self) -> None:
        operators = []
        for operator in self.graph.operators:
            kind = self.kinds[operator.opcodeIndex]
            if kind in _WEIGHTED and len(operator.inputs) > 2 and operator.inputs[2] >= 0:
                self.scale_bias(operator)
            if kind == "FULLY_CONNECTED":
                operators += self.flattened(operator)
            if kind == "RESHAPE":
                self.state_shape(operator)
            operators.append(operator)
        self.graph.operators = operators

    def scale_bias(self, operator: object) -> None:
        """Give a bias the scale that it has by TFLite's specification: input times weights."""
        source, weights, bias = (self.graph.tensors[i] for i in operator.inputs[:3])
        scales = [getattr(t.quantization, "scale", None) for t in (source, weights)]
        if any(s is None or not len(s) for s in scales):
            return
        made = self.schema.QuantizationParametersT()
        made.scale = [float(scales[0][0] * scale) for scale in scales[1]]
        made.zeroPoint = [0] * len(made.scale)
        bias.quantization = made

    def flattened(self, operator: object) -> list[object]:
        """Return a RESHAPE to put before a dense layer whose input is of more than two axes."""
        source = self.graph.tensors[operator.inputs[0]]
        if len(source.shape) == 2:
            return []
        flat = self.schema.TensorT()
        flat.name, flat.type, flat.quantization = b"flat", source.type, source.quantization
        flat.shape, flat.buffer = [1, math.prod(map(int, source.shape))], 0
        self.graph.tensors.append(flat)
        made = self.schema.OperatorT()
        made.opcodeIndex = self.reshape_code()
        made.inputs, made.outputs = [int(operator.inputs[0])], [len(self.graph.tensors) - 1]
        operator.inputs = [made.outputs[0], *map(int, operator.inputs[1:])]
        self.state_shape(made)
        return [made]

    def reshape_code(self) -> int:
        if "RESHAPE" not in self.kinds:
            code = self.schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = self.schema.BuiltinOperator.RESHAPE
            code.version = 1
            self.model.operatorCodes.append(code)
            self.kinds.append("RESHAPE")
        return self.kinds.index("RESHAPE")

    def state_shape(self, operator: object) -> None:
        operator.inputs = [int(operator.inputs[0])]
        operator.builtinOptionsType = self.schema.BuiltinOptions.ReshapeOptions
        operator.builtinOptions = self.schema.ReshapeOptionsT()
        shape = self.graph.tensors[operator.outputs[0]].shape
        operator.builtinOptions.newShape = [int(size) for size in shape]
