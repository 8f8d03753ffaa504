"""Graphs that are wrong in ways a file can be: one or a few facts of a good graph changed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgeasr.codegen.lower import supported
from edgeasr.graph import Graph, Op, Quantization, Tensor

_SIZES = (0, 1, 2, 3, 7, 64, 1 << 16, 1 << 30, -1)
_DTYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "int4", "resource")
_SCALES = (0.0, np.nan, np.inf, -1.0, 1e-38, 1e-12, 0.5, 1.0, 1e30)
_POINTS = (-(1 << 31), -32768, -129, -128, 0, 127, 128, 32767, (1 << 31) - 1)
_NUMBERS = (-(1 << 31), -7, -1, 0, 1, 2, 3, 255, 1 << 16, (1 << 31) - 1, True, False)
_NAMES = {
    "padding": ("SAME", "VALID"),
    "fused_activation_function": ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"),
    "weights_format": ("DEFAULT", "SHUFFLED4x16INT8"),
}


def mutated(graph: Graph, rng: np.random.Generator, most: int = 2) -> Graph:
    """Return the graph with one to `most` changes; it may still be right."""
    for _ in range(rng.integers(1, most + 1)):
        graph = _CHANGES[rng.integers(len(_CHANGES))](graph, rng)
    return graph


def _tensor(change: Callable[[Tensor, np.random.Generator], Tensor]) -> Callable[..., Graph]:
    def changed(graph: Graph, rng: np.random.Generator) -> Graph:
        tensors = list(graph.tensors)
        at = rng.integers(len(tensors))
        tensors[at] = change(tensors[at], rng)
        return replace(graph, tensors=tuple(tensors))

    return changed


def _op(change: Callable[[Graph, Op, np.random.Generator], Op]) -> Callable[..., Graph]:
    def changed(graph: Graph, rng: np.random.Generator) -> Graph:
        ops = list(graph.ops)
        at = rng.integers(len(ops))
        ops[at] = change(graph, ops[at], rng)
        return replace(graph, ops=tuple(ops))

    return changed


def _shape(tensor: Tensor, rng: np.random.Generator) -> Tensor:
    shape = list(tensor.shape)
    kind = rng.integers(5)
    if kind == 0 and len(shape) > 1:
        shape = [shape[i] for i in rng.permutation(len(shape))]
    elif kind == 1 and shape:
        shape.pop(rng.integers(len(shape)))
    elif kind == 2:
        shape.insert(rng.integers(len(shape) + 1), int(rng.choice(_SIZES)))
    elif shape:
        shape[rng.integers(len(shape))] = int(rng.choice(_SIZES))
    return replace(tensor, shape=tuple(shape))


def _dtype(tensor: Tensor, rng: np.random.Generator) -> Tensor:
    return replace(tensor, dtype=str(rng.choice(_DTYPES)))


def _quantization(tensor: Tensor, rng: np.random.Generator) -> Tensor:
    if rng.random() < 0.2:
        return replace(tensor, quantization=None)
    count = int(rng.choice([1, 1, 1, 2, len(tensor.shape) and max(tensor.shape[-1], 0)]))
    old = tensor.quantization
    scales = np.float32(rng.choice(_SCALES, min(count, 4096)))
    points = np.int32(rng.choice(_POINTS, len(scales)))
    if old is not None and len(old.scales) == len(scales) and rng.random() < 0.7:
        scales, points = (scales, old.zero_points) if rng.random() < 0.5 else (old.scales, points)
    return replace(tensor, quantization=Quantization(scales, points, int(rng.integers(-1, 5))))


def _data(tensor: Tensor, rng: np.random.Generator) -> Tensor:
    if tensor.data is None:
        count = max(min(tensor.elements, 4096), 0)
        made = rng.integers(0, 2, count).astype("int8" if tensor.dtype == "int8" else "int32")
        return replace(tensor, data=made)
    if rng.random() < 0.4:
        return replace(tensor, data=None)
    values = tensor.data.copy().reshape(-1)
    if values.size and values.dtype.kind == "i":
        info = np.iinfo(values.dtype)
        values[rng.integers(values.size)] = rng.choice([info.min, info.max, -1, 0, 1, 2])
    return replace(tensor, data=values)


def _variable(tensor: Tensor, rng: np.random.Generator) -> Tensor:
    return replace(tensor, is_variable=not tensor.is_variable)


def _inputs(graph: Graph, op: Op, rng: np.random.Generator) -> Op:
    inputs = list(op.inputs)
    other = int(rng.integers(-1, len(graph.tensors)))
    kind = rng.integers(4)
    if kind == 0 or not inputs:
        inputs.insert(rng.integers(len(inputs) + 1), other)
    elif kind == 1:
        inputs.pop(rng.integers(len(inputs)))
    else:
        inputs[rng.integers(len(inputs))] = other
    return replace(op, inputs=tuple(inputs))


def _outputs(graph: Graph, op: Op, rng: np.random.Generator) -> Op:
    outputs = list(op.outputs)
    other = int(rng.integers(len(graph.tensors)))
    if outputs and rng.random() < 0.7:
        outputs[rng.integers(len(outputs))] = other
    else:
        outputs.append(other)
    return replace(op, outputs=tuple(outputs))


def _kind(graph: Graph, op: Op, rng: np.random.Generator) -> Op:
    builtin = [kind for kind in supported() if ":" not in kind]
    return replace(op, kind=str(rng.choice(builtin)), options={})


def _options(graph: Graph, op: Op, rng: np.random.Generator) -> Op:
    options = dict(op.options)
    if not options or ":" in op.kind:
        return op
    name = str(rng.choice(sorted(options)))
    old = options[name]
    if name in _NAMES:
        options[name] = str(rng.choice(_NAMES[name]))
    elif isinstance(old, float):
        options[name] = float(rng.choice([0.0, np.nan, np.inf, -1.0, 1e30, 1e-30]))
    elif isinstance(old, int):
        options[name] = type(old)(_NUMBERS[rng.integers(len(_NUMBERS))])
    return replace(op, options=options)


def _order(graph: Graph, rng: np.random.Generator) -> Graph:
    ops = list(graph.ops)
    one, other = rng.integers(len(ops), size=2)
    ops[one], ops[other] = ops[other], ops[one]
    return replace(graph, ops=tuple(ops))


def _ends(graph: Graph, rng: np.random.Generator) -> Graph:
    ends = [int(rng.integers(len(graph.tensors)))]
    return replace(graph, **{str(rng.choice(["inputs", "outputs"])): tuple(ends)})


def _within(graph: Graph, rng: np.random.Generator) -> Graph:
    """Change another subgraph, where there is one."""
    if not graph.subgraphs or not graph.subgraphs[0].ops:
        return graph
    return replace(graph, subgraphs=(mutated(graph.subgraphs[0], rng), *graph.subgraphs[1:]))


_CHANGES = (
    *(_tensor(change) for change in (_shape, _dtype, _quantization, _data, _variable)),
    *(_op(change) for change in (_inputs, _outputs, _kind, _options, _options)),
    _order,
    _ends,
    _within,
)
