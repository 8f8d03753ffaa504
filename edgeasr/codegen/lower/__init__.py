"""Lowering: one operation of a graph to one kernel call, or to an alias of its input.

Whatever a kernel relies on is checked here: types, shapes, options, quantization, sums that could
overflow. What does not hold is an InputError that names the operator and the tensor.
"""

from collections.abc import Callable, Mapping

import numpy as np

from edgeasr.codegen import extensions, packing
from edgeasr.codegen.call import Alias, KernelCall, Nothing
from edgeasr.codegen.lower import (
    arithmetic,
    blocks,
    conv,
    convert,
    dense,
    elementwise,
    embedding,
    filling,
    functions,
    lstm,
    ordering,
    padding,
    picking,
    pool,
    products,
    recurrent,
    reduction,
    resizing,
    shape,
    signal,
    signal_state,
    slicing,
    softmax,
    state,
    streaming,
    tables,
    wide_tables,
    wide_weights,
)
from edgeasr.codegen.lower.view import OpView
from edgeasr.codegen.lower.wide import by_type
from edgeasr.codegen.operations import reason
from edgeasr.codegen.packing import Packed
from edgeasr.graph import Graph, Op

_LOWERINGS: Mapping[str, Callable[[OpView], KernelCall | Alias | Nothing]] = {
    "ABS": by_type(functions.absolute, wide_tables.absolute),
    "ADD": arithmetic.or_plain("add", elementwise.add),
    "ARG_MAX": reduction.arg_max,
    "ARG_MIN": reduction.arg_min,
    "ASSIGN_VARIABLE": state.assign_variable,
    "AVERAGE_POOL_2D": pool.average_pool_2d,
    "BATCH_TO_SPACE_ND": blocks.batch_to_space_nd,
    "BROADCAST_TO": ordering.broadcast_to,
    "CALL_ONCE": state.handle,
    "BATCH_MATMUL": products.batch_matmul,
    "CONCATENATION": shape.concatenation,
    "CONV_2D": by_type(conv.conv_2d, wide_weights.conv_2d),
    "CUMSUM": reduction.cumsum,
    "CUSTOM:CIRCULAR_BUFFER": streaming.circular_buffer,
    "CUSTOM:SignalDelay": signal_state.delay,
    "CUSTOM:SignalEnergy": signal.energy,
    "CUSTOM:SignalFftAutoScale": signal.fft_auto_scale,
    "CUSTOM:SignalFilterBank": signal.filter_bank,
    "CUSTOM:SignalFilterBankLog": signal.filter_bank_log,
    "CUSTOM:SignalFilterBankSpectralSubtraction": signal_state.spectral_subtraction,
    "CUSTOM:SignalFilterBankSquareRoot": signal.filter_bank_square_root,
    "CUSTOM:SignalFramer": signal_state.framer,
    "CUSTOM:SignalIrfft": signal.irfft,
    "CUSTOM:SignalOverlapAdd": signal_state.overlap_add,
    "CUSTOM:SignalPCAN": signal.pcan,
    "CUSTOM:SignalRfft": signal.rfft,
    "CUSTOM:SignalStacker": signal_state.stacker,
    "CUSTOM:SignalWindow": signal.window,
    "DEPTHWISE_CONV_2D": by_type(conv.depthwise_conv_2d, wide_weights.depthwise_conv_2d),
    "DEPTH_TO_SPACE": ordering.depth_to_space,
    "DEQUANTIZE": convert.dequantize,
    "DIV": arithmetic.or_plain("div", arithmetic.div),
    "DYNAMIC_UPDATE_SLICE": picking.dynamic_update_slice,
    "ELU": functions.elu,
    "EMBEDDING_LOOKUP": embedding.embedding_lookup,
    "EXPAND_DIMS": shape.alias,
    "FILL": filling.fill,
    "FULLY_CONNECTED": by_type(dense.fully_connected, wide_weights.fully_connected),
    "GATHER": picking.gather,
    "GATHER_ND": picking.gather_nd,
    "HARD_SWISH": functions.hard_swish,
    "L2_NORMALIZATION": functions.l2_normalization,
    "LEAKY_RELU": by_type(tables.leaky_relu, wide_tables.leaky_relu),
    "LOG_SOFTMAX": functions.log_softmax,
    "LOGISTIC": by_type(tables.logistic, wide_tables.logistic),
    "MAX_POOL_2D": pool.max_pool_2d,
    "MEAN": reduction.mean,
    "MIRROR_PAD": padding.mirror_pad,
    "MUL": arithmetic.or_plain("mul", elementwise.mul),
    "PACK": shape.pack,
    "PAD": padding.pad,
    "PADV2": padding.pad,
    "PRELU": functions.prelu,
    "QUANTIZE": convert.quantize,
    "READ_VARIABLE": state.read_variable,
    "REDUCE_ALL": reduction.reduce_all,
    "REDUCE_MAX": reduction.reduce_max,
    "REDUCE_MIN": reduction.reduce_min,
    "RELU": by_type(tables.relu, wide_tables.relu),
    "RELU6": by_type(tables.relu6, wide_tables.relu6),
    "RESHAPE": shape.alias,
    "RESIZE_BILINEAR": resizing.resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": resizing.resize_nearest_neighbor,
    "REVERSE_V2": ordering.reverse,
    "RSQRT": functions.rsqrt,
    "SELECT_V2": picking.select_v2,
    "SHAPE": filling.shape,
    "SLICE": slicing.slice_,
    "SOFTMAX": by_type(softmax.softmax, wide_tables.softmax),
    "SPACE_TO_BATCH_ND": blocks.space_to_batch_nd,
    "SPACE_TO_DEPTH": ordering.space_to_depth,
    "SPLIT": slicing.split,
    "SPLIT_V": slicing.split_v,
    "SQUEEZE": shape.alias,
    "STRIDED_SLICE": slicing.strided_slice,
    "SUB": arithmetic.or_plain("sub", elementwise.sub),
    "SUM": reduction.sum_,
    "SVDF": recurrent.svdf,
    "TANH": by_type(tables.tanh, wide_tables.tanh),
    "TRANSPOSE": ordering.transpose,
    "UNPACK": slicing.unpack,
    **arithmetic.LOWERINGS,
    "VAR_HANDLE": state.handle,
    "TRANSPOSE_CONV": products.transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm.lstm,
    "ZEROS_LIKE": filling.zeros_like,
}


def supported() -> tuple[str, ...]:
    """Return the kinds of operations that the `ear` engine has kernels for, sorted."""
    return tuple(sorted(_LOWERINGS))


def lower(
    graph: Graph,
    op: Op,
    *,
    pack: Callable[[np.ndarray, int], Packed] = packing.pack,
    extension: str = extensions.NONE,
) -> KernelCall | Alias | Nothing:
    """Return what the generated C does for `op`. Raises InputError for what it cannot do.

    pack: of weights, from values and the axis of the output channels. extension: of the core whose
    kernels are called, one of extensions.EXTENSIONS.
    """
    view = OpView(graph, op, pack, extension)
    found = _LOWERINGS.get(op.kind)
    if found is None:
        why = reason(op.kind)
        known = ", ".join(supported())
        raise view.fail(f"not supported{f': {why}' if why else ''}; supported: {known}")
    return state.guarded(view, found)
