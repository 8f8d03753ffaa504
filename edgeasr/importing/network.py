"""An ONNX file becomes a network: operations in order, with what is constant worked out.

Refused: damaged files, weights kept in other files, more than one input or output, control flow,
custom domains.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np

from edgeasr.errors import InputError, ToolError
from edgeasr.importing.exported import MAX_BYTES

# Operations of plain tensors, which cannot grow a constant beyond their largest input.
_FOLDED = frozenset(
    "Add Sub Mul Div Neg Sqrt Reciprocal Pow Cast Concat Floor Gather Identity Reshape Shape Slice "
    "Squeeze Transpose Unsqueeze".split()
)
_MAX_ELEMENTS = MAX_BYTES // 4


@dataclass(frozen=True)
class Node:
    """One operation. inputs, outputs: names of tensors, "" for an input left out."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, object]

    def __str__(self) -> str:
        return f'{self.kind} "{self.name or self.outputs[0]}"'


@dataclass
class Network:
    """input_shape: with the batch as 1. constants: by name; grows as operations are worked out."""

    where: str
    opset: int
    nodes: list[Node]
    constants: dict[str, np.ndarray]
    input: str
    input_shape: tuple[int, ...]
    output: str
    proto: object = field(repr=False)

    def uses(self, name: str) -> int:
        """Return how many operations read a tensor, the network's end included."""
        return sum(node.inputs.count(name) for node in self.nodes) + (name == self.output)


def load_onnx() -> ModuleType:
    """Import the package onnx, or raise ToolError with the command that installs it."""
    try:
        import onnx
    except ImportError:
        raise ToolError(
            "onnx: not installed; importing a model needs it; install it with: "
            "pip install 'edgeasr[train,onnx]'"
        ) from None
    return onnx


def load(path: Path) -> Network:
    """Read and check an ONNX file. Raises InputError for one that is not usable."""
    onnx = load_onnx()
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"{path}: {size:,} B; at most {MAX_BYTES:,} B are read")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: not readable: {error.strerror}") from None
    return parse(onnx, content, str(path))


def parse(onnx: ModuleType, content: bytes, where: str) -> Network:
    """Return the network of an ONNX model's bytes; `where` opens each error."""
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise InputError(f"{where}: not an ONNX model ({error})") from None
    _refuse(model, where)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        told = str(error).strip().splitlines()
        raise InputError(
            f"{where}: not a valid ONNX model ({told[0] if told else error})"
        ) from None
    graph = model.graph
    constants = {t.name: _array(onnx, t, where) for t in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise InputError(
            f"{where}: {len(inputs)} inputs and {len(graph.output)} outputs; a recogniser has one "
            "of each"
        )
    nodes = [_node(onnx, node, where) for node in graph.node]
    opset = max(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
    return Network(
        where, opset, nodes, constants, inputs[0].name, _input_shape(onnx, inputs[0], where),
        graph.output[0].name, model,
    )  # fmt: skip


def _refuse(model, where: str) -> None:
    """Raise InputError for what the checks of onnx would read other files or run deep for."""
    graph = model.graph
    for tensor in graph.initializer:
        if tensor.external_data or tensor.data_location == 1:
            raise InputError(
                f'{where}: weights "{tensor.name}" are in another file; save the model as one, '
                "with onnx.save(model, file, save_as_external_data=False)"
            )
    if model.functions or graph.sparse_initializer:
        raise InputError(f"{where}: functions and sparse weights cannot be imported; inline them")
    for node in graph.node:
        if node.domain not in ("", "ai.onnx"):
            raise InputError(
                f'{where}: operation {node.op_type} "{node.name}" is of domain {node.domain}; '
                "only standard ONNX operations can be imported"
            )
        if any(a.HasField("g") or a.graphs for a in node.attribute):
            raise InputError(
                f'{where}: operation {node.op_type} "{node.name}" holds a graph of its own; '
                "control flow cannot be imported; export with fixed shapes"
            )
        if any(a.t.external_data or a.t.data_location == 1 for a in node.attribute):
            raise InputError(f'{where}: constant "{node.name}" is in another file; save it as one')


def _array(onnx: ModuleType, tensor, where: str) -> np.ndarray:
    if math.prod(tensor.dims) > _MAX_ELEMENTS or any(size < 0 for size in tensor.dims):
        raise InputError(f'{where}: weights "{tensor.name}" have shape {list(tensor.dims)}')
    try:
        found = onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError) as error:
        raise InputError(f'{where}: weights "{tensor.name}" are damaged ({error})') from None
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise InputError(f'{where}: weights "{tensor.name}" hold a value that is not finite')
    return found


def _node(onnx: ModuleType, node, where: str) -> Node:
    attributes = {}
    for one in node.attribute:
        value = onnx.helper.get_attribute_value(one)
        if isinstance(value, onnx.TensorProto):
            value = _array(onnx, value, where)
        attributes[one.name] = value.decode(errors="replace") if type(value) is bytes else value
    return Node(node.op_type, node.name, tuple(node.input), tuple(node.output), attributes)


def _input_shape(onnx: ModuleType, value, where: str) -> tuple[int, ...]:
    kind = value.type.tensor_type
    sizes = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
    shown = [d.dim_param or d.dim_value or "?" for d in kind.shape.dim]
    if kind.elem_type != onnx.TensorProto.FLOAT:
        raise InputError(f'{where}: input "{value.name}" is not of float32')
    if not 2 <= len(sizes) <= 5 or sizes[0] not in (None, 0, 1) or not all(sizes[1:]):
        raise InputError(
            f'{where}: input "{value.name}" has shape {shown}; a batch of 1 (or dynamic) and then '
            "fixed sizes are needed, such as [1, 1, frames, features]; export it so"
        )
    if math.prod(sizes[1:]) > _MAX_ELEMENTS:
        raise InputError(f'{where}: input "{value.name}" has shape {shown}, too large for a window')
    return (1, *sizes[1:])


def fold(network: Network, node: Node) -> bool:
    """Work out an operation whose inputs are constants; return whether it was one."""
    if node.kind == "Constant":
        network.constants[node.outputs[0]] = _constant(network, node)
        return True
    if node.kind not in _FOLDED or not all(i in network.constants for i in node.inputs if i):
        return False
    from onnx.reference import ReferenceEvaluator

    given = {name: network.constants[name] for name in node.inputs if name}
    _check_growth(network, node, given)
    proto = next(p for p in network.proto.graph.node if tuple(p.output) == node.outputs)
    try:
        with np.errstate(all="ignore"):
            (found,) = ReferenceEvaluator(proto).run(None, given)
    except Exception as error:
        raise InputError(
            f"{network.where}: {node} of constants cannot be worked out ({error})"
        ) from None
    network.constants[node.outputs[0]] = np.asarray(found)
    return True


def _check_growth(network: Network, node: Node, given: Mapping[str, np.ndarray]) -> None:
    """Raise InputError where the operation of small constants would be a large one."""
    sizes = [array.shape for array in given.values()]
    if node.kind in ("Add", "Sub", "Mul", "Div", "Pow"):
        try:
            elements = math.prod(np.broadcast_shapes(*sizes))
        except ValueError as error:
            raise InputError(f"{network.where}: {node}: {error}") from None
    elif node.kind == "Gather":
        elements = math.prod(sizes[0][1:] or (1,)) * math.prod(sizes[-1])
    else:
        elements = sum(math.prod(size) for size in sizes)
    if elements > _MAX_ELEMENTS:
        raise InputError(f"{network.where}: {node} of constants has {elements:,} elements")


def _constant(network: Network, node: Node) -> np.ndarray:
    for key, value in node.attributes.items():
        if key == "value":
            return value
        if key in ("value_float", "value_floats"):
            return np.array(value, np.float32)
        if key in ("value_int", "value_ints"):
            return np.array(value, np.int64)
    raise InputError(f"{network.where}: {node} holds no numbers")
