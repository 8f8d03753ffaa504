"""Layers with weights on small grids: for each unpacker, cases of each kernel that it serves."""

import dataclasses
import functools
import zlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from edgeasr.codegen.packing import Packed, candidates
from tests.vectors.kernels.building import Case
from tests.vectors.kernels.cases import cases

# Families of cases whose second operand is weights, and the axis of their output channels.
LAYERS: Mapping[str, int] = {
    "conv2d": 0,
    "depthwise": 3,
    "dense": 0,
    "conv2d_s16": 0,
    "depthwise_s16": 3,
    "dense_s16": 0,
    "svdf": 0,
    "transpose_conv": 0,
    "transpose_conv_s16": 0,
    "lstm": 0,
    "lstm_s16": 0,
}


def packed_cases(unpacker: str, layer: str, count: int) -> Iterator[Case]:
    """Yield those of `count` cases of a family whose weights the unpacker can serve.

    Tensors too small for the form are left out.
    """
    for number, case in enumerate(cases(layer, count)):
        rng = np.random.default_rng([zlib.crc32(unpacker.encode()), number])
        filters = [[case.graph.tensor(i) for i in row] for row in _operands(case)]
        shape = filters[0][0].shape
        if len(filters) > 1:  # one matrix of them all, as lowering packs it
            shape = (len(filters) * shape[0], sum(filter_.shape[1] for filter_ in filters[0]))
        values = GRIDS[unpacker](rng, shape, LAYERS[layer])
        if not any(found.unpacker == unpacker for found in candidates(values, LAYERS[layer])):
            continue
        tensors = list(case.graph.tensors)
        for row, part in zip(filters, np.split(values, len(filters)), strict=True):
            at = 0
            for filter_ in row:
                piece = part if len(row) == 1 else part[:, at : at + filter_.shape[1]]
                at += filter_.shape[-1]
                tensors[filter_.index] = dataclasses.replace(filter_, data=piece)
        graph = dataclasses.replace(case.graph, tensors=tuple(tensors))
        yield dataclasses.replace(case, name=f"{unpacker}-{case.name}", graph=graph)


def _operands(case: Case) -> tuple[tuple[int, ...], ...]:
    """Return the tensors of a layer's weights: of an LSTM, those of each gate."""
    inputs = case.op.inputs
    if case.op.kind == "UNIDIRECTIONAL_SEQUENCE_LSTM":
        return tuple((inputs[i], inputs[i + 4]) for i in (1, 2, 4, 3))
    return ((inputs[1],),)


def pack_for(unpacker: str) -> Callable[[np.ndarray, int], Packed]:
    """Return what packs weights in the form of one unpacker, whether it is the smallest or not."""

    def pack(values: np.ndarray, channel_axis: int) -> Packed:
        return next(p for p in candidates(values, channel_axis) if p.unpacker == unpacker)

    return pack


def _uniform(bits: int, rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """All codes of the width, from a base at either end or between, in any step that fits."""
    most = (1 << bits) - 1
    step = int(rng.integers(1, 255 // most + 1))
    base = int(rng.integers(-128, 128 - most * step))
    return _on_grid(rng, shape, base + step * np.arange(most + 1))


def _ternary(rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> np.ndarray:
    reach = int(rng.choice([1, 3, 64, 127]))
    return _on_grid(rng, shape, [-reach, 0, reach])


def _exponent(bits: int, rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> np.ndarray:
    powers = (1 << (bits - 1)) - 1
    step = 1 << int(rng.integers(0, 8 - powers))
    sizes = step << np.arange(powers)
    return _on_grid(rng, shape, [0, *sizes, *-sizes])


def _table(bits: int, rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """A table for the tensor, or one for each few channels."""
    channels = shape[axis]
    group = int(rng.choice([1, 2, 4, 8, channels]))
    moved = np.zeros((channels, int(np.prod(shape)) // channels), np.int8)
    for at in range(0, channels, group):
        table = rng.choice(np.arange(-128, 128), 1 << bits, replace=False)
        moved[at : at + group] = _on_grid(rng, moved[at : at + group].shape, table)
    rest = tuple(n for i, n in enumerate(shape) if i != axis)
    return np.moveaxis(moved.reshape(channels, *rest), 0, axis)


def _runs(values: int, rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """Mostly zeros, some of them in runs longer than a token holds."""
    table = rng.choice(np.arange(-128, 128), values, replace=False)
    made = _on_grid(rng, shape, table).ravel()
    made[rng.random(made.size) < rng.choice([0.5, 0.9, 0.99])] = 0
    at = int(rng.integers(made.size))
    made[at : at + int(rng.integers(made.size))] = 0
    return made.reshape(shape)


def _on_grid(rng: np.random.Generator, shape: tuple[int, ...], grid: object) -> np.ndarray:
    """Values of the grid, every one of them where there is room."""
    levels = np.asarray(grid)
    made = rng.choice(levels, int(np.prod(shape)))
    made[: len(levels)] = rng.permutation(levels)[: made.size]
    return rng.permutation(made).astype(np.int8).reshape(shape)


GRIDS: Mapping[str, Callable[[np.random.Generator, tuple[int, ...], int], np.ndarray]] = {
    **{f"ear_weights_uniform{b}": functools.partial(_uniform, b) for b in range(1, 7)},
    "ear_weights_ternary": _ternary,
    **{f"ear_weights_exponent{b}": functools.partial(_exponent, b) for b in (3, 4)},
    **{f"ear_weights_table{b}": functools.partial(_table, b) for b in range(1, 7)},
    "ear_weights_runs": functools.partial(_runs, 12),
    "ear_weights_runs8": functools.partial(_runs, 200),
}
