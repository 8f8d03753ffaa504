"""Cases made wrong: one thing of an operation changed, as a damaged or hostile file could."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from edgeasr.graph import Graph, Quantization, Tensor
from tests.vectors.kernels.cases import Case, cases

_SIZES = (-1, 0, 1, 2, 3, 7, 1 << 15, 1 << 20)
_NUMBERS = (-(1 << 31), -5, -1, 0, 1, 2, 3, 9, 1 << 15, (1 << 31) - 1, True, "SAME", None, 0.5)
_SCALES = (0.0, -1.0, float("nan"), float("inf"), 1e-45, 1e-38, 1e-9, 1.0, 1e30, 3e38)
_POINTS = (-(1 << 31), -129, -128, 5, 127, 128, (1 << 31) - 1)
_DTYPES = ("int8", "int16", "int32", "uint8", "float32", "int4", "int64", "bool", "resource")


def mutants(kind: str, count: int, seed: int = 7) -> Iterator[Graph]:
    """Yield `count` graphs of one wrong operation (a few come out right)."""
    rng = np.random.default_rng([seed, count])
    for case in cases(kind, count):
        change = _CHANGES[rng.integers(len(_CHANGES))]
        yield change(rng, case)


def _pick(rng: np.random.Generator, options: tuple) -> object:
    return options[rng.integers(len(options))]


def _with_tensor(graph: Graph, index: int, **changes: object) -> Graph:
    tensors = list(graph.tensors)
    tensors[index] = dataclasses.replace(tensors[index], **changes)
    return dataclasses.replace(graph, tensors=tuple(tensors))


def _tensor(rng: np.random.Generator, graph: Graph) -> Tensor:
    return graph.tensors[rng.integers(len(graph.tensors))]


def _size(rng: np.random.Generator, case: Case) -> Graph:
    tensor = _tensor(rng, case.graph)
    shape = list(tensor.shape)
    if not shape:
        return case.graph
    shape[rng.integers(len(shape))] = _pick(rng, _SIZES)
    return _with_tensor(case.graph, tensor.index, shape=tuple(shape), data=_fitted(tensor, shape))


def _rank(rng: np.random.Generator, case: Case) -> Graph:
    tensor = _tensor(rng, case.graph)
    shape = (*tensor.shape, 1) if rng.random() < 0.5 else tensor.shape[:-1]
    return _with_tensor(case.graph, tensor.index, shape=shape, data=_fitted(tensor, shape))


def _fitted(tensor: Tensor, shape: list[int] | tuple[int, ...]) -> np.ndarray | None:
    """Constant data of a new shape, as the reader guarantees it."""
    if tensor.data is None or any(n < 0 for n in shape) or np.prod(shape, dtype=float) > 1e6:
        return tensor.data
    return np.resize(tensor.data, shape)


def _dtype(rng: np.random.Generator, case: Case) -> Graph:
    tensor, dtype = _tensor(rng, case.graph), _pick(rng, _DTYPES)
    data = tensor.data
    if data is not None:  # of the tensor's type, as the reader guarantees it
        kept = {"int4": "int8", "resource": "int32"}.get(dtype, dtype)
        data = np.resize(data.ravel().view(np.uint8), data.shape).astype(kept)
    return _with_tensor(case.graph, tensor.index, dtype=dtype, data=data)


def _scale(rng: np.random.Generator, case: Case) -> Graph:
    tensor = _tensor(rng, case.graph)
    found = tensor.quantization
    if found is None or rng.random() < 0.1:
        return _with_tensor(case.graph, tensor.index, quantization=None)
    scales, points = found.scales.copy(), found.zero_points.copy()
    if rng.random() < 0.6:
        scales[rng.integers(len(scales))] = _pick(rng, _SCALES)
    else:
        points[rng.integers(len(points))] = _pick(rng, _POINTS)
    return _with_tensor(
        case.graph, tensor.index, quantization=Quantization(scales, points, found.axis)
    )


def _axis(rng: np.random.Generator, case: Case) -> Graph:
    tensor = _tensor(rng, case.graph)
    if tensor.quantization is None:
        return case.graph
    count = int(_pick(rng, (0, 1, 2, 17)))
    made = Quantization(
        np.full(count, 0.1, np.float32),
        np.zeros(count, np.int32),
        int(_pick(rng, (-1, 0, 1, 3, 9))),
    )
    return _with_tensor(case.graph, tensor.index, quantization=made)


def _data(rng: np.random.Generator, case: Case) -> Graph:
    """A constant with extreme values, or none at all; or a constant where there was none."""
    tensor = _tensor(rng, case.graph)
    if tensor.data is None or rng.random() < 0.2:
        return _with_tensor(case.graph, tensor.index, data=None)
    limits = np.iinfo(tensor.data.dtype) if tensor.data.dtype.kind in "iu" else None
    if limits is None:
        return case.graph
    extreme = rng.choice([limits.min, limits.max, -1, 0, 2, 100], tensor.shape)
    return _with_tensor(case.graph, tensor.index, data=extreme.astype(tensor.data.dtype))


def _option(rng: np.random.Generator, case: Case) -> Graph:
    options = dict(case.op.options)
    if options:
        name = sorted(options)[rng.integers(len(options))]
        if rng.random() < 0.15:
            del options[name]
        else:
            options[name] = _pick(rng, _NUMBERS)
    return dataclasses.replace(case.graph, ops=(dataclasses.replace(case.op, options=options),))


def _operands(rng: np.random.Generator, case: Case) -> Graph:
    inputs, outputs = list(case.op.inputs), list(case.op.outputs)
    match rng.integers(4):
        case 0:
            inputs = inputs[: rng.integers(len(inputs) + 1)]
        case 1 if inputs:
            inputs[rng.integers(len(inputs))] = int(_pick(rng, (-1, 0, 1, 99)))
        case 2:
            inputs.append(int(_pick(rng, (-1, 0))))
        case _:
            outputs = [outputs, [], outputs * 2, [99]][rng.integers(4)]
    op = dataclasses.replace(case.op, inputs=tuple(inputs), outputs=tuple(outputs))
    return dataclasses.replace(case.graph, ops=(op,))


_CHANGES = (_size, _size, _rank, _dtype, _scale, _scale, _axis, _data, _option, _option, _operands)
