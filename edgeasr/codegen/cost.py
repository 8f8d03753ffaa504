"""Instructions of a layer with weights on a Cortex-M4F, estimated from its sizes and its packing.

For choosing between packings before anything is compiled. The constants are those of the `ear`
engine's int8 kernels built as projects are (-O2), counted in QEMU; tests/sim/test_cost.py counts
again, and holds every layer to within 10 % of its estimate.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edgeasr.codegen import columns
from edgeasr.codegen.packing import Layout, Packed

# The kernel of depthwise layers on cores with the DSP extension, where it pays.
BY_PLANES = "ear_depthwise_conv2d_s8_dsp"


@dataclass(frozen=True)
class _Kernel:
    """Instructions at one output position.

    block: of a block of output channels. four: of four of them, row: of each row of their filters,
    mac: of each product. one, one_row, one_mac: of a channel that is left over.
    """

    block: float
    four: float
    row: float
    mac: float
    one: float
    one_row: float
    one_mac: float


_KERNELS: Mapping[str, _Kernel] = {
    "CONV_2D": _Kernel(114, 177, 57, 1.65, 90, 45, 2.5),
    "DEPTHWISE_CONV_2D": _Kernel(102, 192, 14, 3.53, 90, 12, 9.0),
    "FULLY_CONNECTED": _Kernel(174, 222, 0, 1.59, 90, 0, 2.5),
}


@dataclass(frozen=True)
class _Columns:
    """Instructions of a convolution by columns.

    position: to make a column, row: to gather each row under the filter, value: of the column; for
    each output channel at a group of columns, channel, quad: of four products at each, and rest: of
    what is left of a row of weights. last: more for each channel where columns are missing.
    """

    position: float
    row: float
    value: float
    channel: float
    quad: float
    rest: float
    last: float


# Of a convolution by slices: of each channel in a slice of its columns, and of each output.
_SLICE, _SLICES_OUTPUT = 60, 45
_COLUMNS = _Columns(70, 86, 1.5, 110, 15.75, 25, 160)
# Of a 3 x 3 depthwise layer by planes: of each output.
_PLANES = 25.2
_UNIT = 60
# Instructions to unpack one value.
UNPACKING: Mapping[str, float] = {
    "ear_weights_uniform1": 1.72, "ear_weights_uniform2": 1.72, "ear_weights_uniform3": 2.63,
    "ear_weights_uniform4": 1.72, "ear_weights_uniform5": 2.48, "ear_weights_uniform6": 2.48,
    "ear_weights_ternary": 3.38, "ear_weights_exponent3": 4.79, "ear_weights_exponent4": 3.72,
    "ear_weights_table1": 3.72, "ear_weights_table2": 3.72, "ear_weights_table3": 4.79,
    "ear_weights_table4": 3.72, "ear_weights_table5": 4.79, "ear_weights_table6": 4.79,
    "ear_weights_runs": 0.5, "ear_weights_runs8": 0.5,
}  # fmt: skip
# More for each run of zeros, and for each table of exponents, which is made in each unit.
_RUN = 10
_EXPONENTS = 12


def instructions(
    kind: str,
    macs: int,
    packed: Packed,
    *,
    inside: tuple[float, float] = (1.0, 1.0),
    kernel: str = "",
) -> int:
    """Return the instructions of one layer in one inference.

    kind: CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED. macs, inside: as codegen.macs has them; a
    layer whose padding is left out of account seems to take more. kernel: the name of its function,
    as lowered for the core; what is not told is taken for the usual one. Groups, dilation and depth
    multipliers other than 1 are taken for none.
    """
    if kernel == BY_PLANES:
        outputs = macs / (packed.layout.shape[1] * packed.layout.shape[2])
        return round(outputs * _PLANES + unpacking(packed))
    usual, layout = _KERNELS[kind], packed.layout
    rows, taps = 1.0, float(layout.row)
    if kind != "FULLY_CONNECTED":
        rows, taps = layout.shape[1] * inside[0], layout.row * inside[0] * inside[1]
    if kind == "DEPTHWISE_CONV_2D" and layout.shape[2] == 1:
        rows = 1.0  # its kernel goes down a column as if it were a row
    positions = macs / packed.values
    blocks = -(-layout.channels // packed.block)
    by_columns = 0.0
    if kind == "CONV_2D" and columns.scratch_bytes(layout.row, _pointwise(layout), positions):
        by_columns = -(-positions // columns.COUNT) * _group(layout, blocks)
        by_columns += layout.channels * _COLUMNS.last if positions % columns.COUNT else 0.0
        positions = 0.0
    elif kind == "CONV_2D" and (slice_rows := _slice_rows(packed, positions)):
        by_columns = -(-positions // columns.COUNT) * _group_of_slices(layout, blocks, slice_rows)
        positions = 0.0
    fours, ones = divmod(layout.channels, 4)
    four = usual.four + rows * usual.row + 4 * taps * usual.mac
    one = usual.one + rows * usual.one_row + taps * usual.one_mac
    each = blocks * usual.block + fours * four + ones * one
    return round(by_columns + positions * each + unpacking(packed))


def _pointwise(layout: Layout) -> bool:
    return layout.shape[1:3] == (1, 1)


def _group(layout: Layout, blocks: int) -> float:
    """Return the instructions of all output channels at a group of positions."""
    rows = 0 if _pointwise(layout) else layout.shape[1]
    made = _COLUMNS.position + rows * _COLUMNS.row + layout.row * _COLUMNS.value
    quads, rest = divmod(layout.row, 4)
    channel = _COLUMNS.channel + quads * _COLUMNS.quad + (_COLUMNS.rest if rest else 0)
    return columns.COUNT * blocks * made + layout.channels * channel


def _slice_rows(packed: Packed, positions: float) -> int:
    _, height, *line = packed.layout.shape
    block = packed.layout.channels if packed.unpacker is None else packed.block
    return columns.slice_rows(height, math.prod(line), block, int(positions))


def _group_of_slices(layout: Layout, blocks: int, rows: int) -> float:
    slices = -(-layout.shape[1] // rows)
    made = slices * _COLUMNS.position + layout.shape[1] * _COLUMNS.row + layout.row * _COLUMNS.value
    channel = slices * _SLICE + layout.row / 4 * _COLUMNS.quad + columns.COUNT * _SLICES_OUTPUT
    return columns.COUNT * blocks * made + layout.channels * channel


def unpacking(packed: Packed) -> float:
    """Return the instructions that unpack all values once, as each inference does."""
    if packed.unpacker is None:
        return 0.0
    units = len(packed.unit_counts())
    count = units * _UNIT + packed.values * UNPACKING[packed.unpacker]
    if packed.form == "exponent":
        count += units * _EXPONENTS * (1 << (packed.bits - 1))
    if packed.form == "runs":
        tokens = packed.data.nbytes - 4 * units
        count += _RUN * (tokens // 2 if packed.bits == 8 else tokens)
    return count
