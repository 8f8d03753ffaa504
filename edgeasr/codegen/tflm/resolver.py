"""The operators of a model as calls on TFLite-Micro's MicroMutableOpResolver, the leanest that do.

For some kinds upstream has registrations of one type of activations, which leave out the code for
all others where optimized kernels are linked; elsewhere they are the general ones. A kind gets such
a registration when all its uses in the model, init subgraphs included, are of that type. What
upstream does not know is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgeasr.codegen import cname
from edgeasr.codegen.tflm.uses import Use
from edgeasr.errors import InputError

# Kinds that MicroMutableOpResolver adds by a function of their own. It is named after the kind, but
# for those given here.
_NAMED = {
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}
_BUILTIN = frozenset(
    "ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL "
    "BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS "
    "CUMSUM DEPTH_TO_SPACE DEPTHWISE_CONV_2D DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU "
    "EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED "
    "GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU "
    "LESS LESS_EQUAL LOG LOG_SOFTMAX LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAX_POOL_2D "
    "MAXIMUM MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE "
    "READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR "
    "RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX "
    "SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE "
    "STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM "
    "UNPACK VAR_HANDLE WHILE ZEROS_LIKE".split()
)
# Custom operators that upstream brings, by the name that files hold, and the function that adds it.
_CUSTOM = {
    "CIRCULAR_BUFFER": "CircularBuffer",
    "SignalDelay": "Delay",
    "SignalEnergy": "Energy",
    "SignalFftAutoScale": "FftAutoScale",
    "SignalFilterBank": "FilterBank",
    "SignalFilterBankLog": "FilterBankLog",
    "SignalFilterBankSpectralSubtraction": "FilterBankSpectralSubtraction",
    "SignalFilterBankSquareRoot": "FilterBankSquareRoot",
    "SignalFramer": "Framer",
    "SignalIrfft": "Irfft",
    "SignalOverlapAdd": "OverlapAdd",
    "SignalPCAN": "PCAN",
    "SignalRfft": "Rfft",
    "SignalStacker": "Stacker",
    "SignalWindow": "Window",
    "TFLM_DECODE": "Decode",
    "TFLite_Detection_PostProcess": "DetectionPostprocess",
}
# Kinds with lean registrations: by the types of the first input, of the second where it is weights,
# and of the first output.
_WEIGHTS = {
    ("int8", "int8", "int8"): "INT8",
    ("int16", "int8", "int16"): "INT16",
    ("int8", "int4", "int8"): "INT4",
}
_PLAIN = {("int8", "int8"): "INT8", ("int16", "int16"): "INT16"}
_INT8 = {("int8", "int8"): "INT8"}
_LEAN: Mapping[str, Mapping[tuple[str, ...], str]] = {
    "ADD": _PLAIN,
    "AVERAGE_POOL_2D": _PLAIN,
    "BATCH_MATMUL": _PLAIN,
    "CONV_2D": _WEIGHTS,
    "DEPTHWISE_CONV_2D": _WEIGHTS,
    "FULLY_CONNECTED": _WEIGHTS,
    "MAXIMUM": _INT8,
    "MAX_POOL_2D": _PLAIN,
    "MINIMUM": _INT8,
    "MUL": _INT8,
    "PAD": _INT8,
    "SOFTMAX": _PLAIN | {("int8", "int16"): "INT8_INT16"},
    "SVDF": _INT8,
    "TRANSPOSE": _INT8,
    "TRANSPOSE_CONV": {("int32", "int8", "int8"): "INT8"},  # its first input is a shape
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _PLAIN,
}
# Headers of upstream that declare lean registrations and are not among the resolver's own.
_HEADERS = {"PAD": "pad.h", "TRANSPOSE": "transpose.h"}
_KERNELS = "tensorflow/lite/micro/kernels"


@dataclass(frozen=True)
class Operators:
    """calls: C++ calls on the resolver, one for each kind, sorted. headers: what they need.

    registrations: by kind, the name of its registration upstream.
    """

    calls: tuple[str, ...]
    headers: tuple[str, ...]
    registrations: Mapping[str, str]


def choose(uses: Iterable[Use], where: str) -> Operators:
    """Return the calls that add every operator used. Raises InputError for one without a kernel."""
    by_kind: dict[str, list[Use]] = {}
    for use in uses:
        by_kind.setdefault(use.kind, []).append(use)
    unknown = sorted(kind for kind in by_kind if not _known(kind))
    if unknown:
        raise InputError(
            f"{where}: TFLite-Micro has no operator {', '.join(unknown)}; convert the model without"
        )
    kinds = sorted(by_kind)
    lean = {kind: registration(kind, by_kind[kind]) for kind in kinds}
    headers = {f"{_KERNELS}/{_HEADERS[kind]}" for kind in kinds if lean[kind] and kind in _HEADERS}
    return Operators(
        calls=tuple(_call(kind, lean[kind]) for kind in kinds),
        headers=tuple(sorted(headers)),
        registrations={kind: f"{kind}_{lean[kind]}" if lean[kind] else kind for kind in kinds},
    )


def registration(kind: str, uses: Sequence[Use]) -> str | None:
    """Return the suffix of the lean registration that all uses allow; None for the general one."""
    variants = _LEAN.get(kind, {})
    chosen = {_variant(variants, use) for use in uses}
    return chosen.pop() if len(chosen) == 1 else None


def _variant(variants: Mapping[tuple[str, ...], str], use: Use) -> str | None:
    for types, suffix in variants.items():
        *inputs, output = types
        if use.inputs[: len(inputs)] == tuple(inputs) and use.outputs[:1] == (output,):
            return suffix
    return None


def _known(kind: str) -> bool:
    return kind in _BUILTIN or kind.removeprefix("CUSTOM:") in _CUSTOM


def _call(kind: str, lean: str | None) -> str:
    custom = kind.removeprefix("CUSTOM:")
    if custom != kind:
        return f"Add{_CUSTOM[custom]}()"
    name = _NAMED.get(kind) or "".join(
        part if part[0].isdigit() else part.capitalize() for part in kind.split("_")
    )
    argument = f"tflite::Register_{cname.identifier(kind)}_{lean}()" if lean else ""
    return f"Add{name}({argument})"
