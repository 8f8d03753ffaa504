"""What the templates of speech.c and speech.h need, as finished values."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from edgeasr.features.front_end import FrontEnd
from edgeasr.features.quantization import Quantization
from edgeasr.features.specification import specification
from edgeasr.features.structs import Struct, definitions

_C_TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "float32": "float"}


class DecisionRule(Protocol):
    """The side of edgeasr.decision.Decision that the firmware needs."""

    window: int
    hop_frames: int

    @property
    def least_sum(self) -> int: ...

    @property
    def clears(self) -> bool: ...

    def refractory_samples(self, sample_rate_hz: int) -> int: ...

    def warmup_samples(self, sample_rate_hz: int) -> int: ...

    def ignored_flags(self, labels: Sequence[str]) -> np.ndarray: ...


def c_context(
    front_end: FrontEnd,
    frames: int,
    quantization: Quantization,
    decision: DecisionRule,
    labels: Sequence[str],
    *,
    incremental: bool = False,
) -> dict[str, object]:
    """Return the context of `model/speech.c.j2` and `model/speech.h.j2`, but for `banner`.

    frames: rows of the model's window. incremental: the model takes the rows of one hop, and its
    state stands for the others of the window. Raises InputError when the decision rule ignores a
    label that is not among `labels`.
    """
    spec = specification(front_end)
    rule = Struct(
        "ear_decision_spec_t",
        {
            "labels": len(labels),
            "window": decision.window,
            "least_sum": decision.least_sum,
            "refractory_samples": decision.refractory_samples(front_end.sample_rate_hz),
            "warmup_samples": decision.warmup_samples(front_end.sample_rate_hz),
            "clears": int(decision.clears),
            "ignored": decision.ignored_flags(labels),
        },
    )
    rows, steps = frames, 1
    if incremental:
        rows, steps = decision.hop_frames, -(-frames // decision.hop_frames)
    return {
        "front_end_kind": front_end.kind,
        "front_end_header": "micro" if front_end.kind == "micro" else "mel",
        "sample_rate_hz": front_end.sample_rate_hz,
        "frames": rows,
        "feature_count": front_end.feature_count,
        "clip_samples": front_end.samples_for(frames),
        "hop_frames": decision.hop_frames,
        "early_frames": steps * rows - frames,
        "early_runs": steps - 1,
        "quantize_function": quantization.c_function,
        "window_samples": front_end.window_samples,
        "words": spec.fields["state_words"] + spec.fields["scratch_words"],
        "window_elements": rows * front_end.feature_count,
        "window_type": _C_TYPES[quantization.dtype],
        "input_type": f"EAR_TYPE_{quantization.dtype.upper()}",
        "label_count": len(labels),
        "history_bytes": decision.window * len(labels),
        "definitions": [
            *definitions(spec, "frontend"),
            *definitions(rule, "decision"),
            *definitions(quantization.struct(), "quantization"),
        ],
    }
