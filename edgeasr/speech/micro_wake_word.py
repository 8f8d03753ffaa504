"""microWakeWord's JSON manifest, version 1 or 2, becomes facts.

The keys are those of ESPHome (components/micro_wake_word/__init__.py, MANIFEST_SCHEMA_V1 and _V2),
the front end that of its preprocessor_settings.h, the decision that of its streaming_model.cpp.
Keys that say nothing of the recogniser (author, website, arena) may be missing; one that is not
known is refused, as ESPHome does.
"""

import math
from collections.abc import Mapping

from edgeasr.errors import InputError, alternatives
from edgeasr.graph import Graph

_FEATURES = 40
_WINDOW_MS = 30
# A step of the features, in ms: that of version 1; version 2 names its own.
_STEP_MS_V1 = 20
# The input of TFLite-Micro's audio_preprocessor_int8 is (feature * 256 + 333) / 666 - 128.
_FEATURE_STEPS = [256, 666, -128]
# MIN_SLICES_BEFORE_DETECTION: steps without a detection at the start and after each.
_QUIET_STEPS = 100
_COMMON = ("type", "wake_word", "author", "website", "model", "version", "micro")
_KEYS = {1: _COMMON, 2: (*_COMMON, "trained_languages")}
_MICRO_KEYS = {
    1: ("probability_cutoff", "sliding_window_average_size", "minimum_esphome_version"),
    2: (
        "probability_cutoff",
        "sliding_window_size",
        "feature_step_size",
        "tensor_arena_size",
        "minimum_esphome_version",
    ),
}
_WINDOW_KEY = {1: "sliding_window_average_size", 2: "sliding_window_size"}


def fits(raw: Mapping[str, object]) -> bool:
    """True for a table that can be a manifest: its type is `micro`, or it has that part."""
    return raw.get("type") == "micro" or "micro" in raw


def facts(raw: Mapping[str, object], graph: Graph, where: str) -> dict[str, object]:
    """Return a manifest as facts, for parse_facts; `where` opens each error.

    The label is the wake word in small letters with `_` for spaces, as data sets write it. Raises
    InputError for another version, a key that is missing or not known, a value out of range, and
    for a graph without the ends of such a model.
    """
    version, micro = _checked(raw, where)
    word = _label(raw.get("wake_word"), where)
    frames = _frames(graph, version, where)
    step_ms = _step_ms(micro, version, where)
    told = ("author", "website", "trained_languages")
    return {
        "name": word[:32],
        "labels": [word],
        "frames": frames,
        "feature_steps": _FEATURE_STEPS,
        "front_end": {
            "kind": "micro",
            "sample_rate_hz": 16_000,
            "window_ms": _WINDOW_MS,
            "hop_ms": step_ms,
            "channels": _FEATURES,
        },
        "decision": {
            "rule": "micro_wake_word",
            "window": _window(micro, version, where),
            "threshold": _cutoff(micro, where),
            "hop_frames": frames,
            "refractory_ms": _QUIET_STEPS * step_ms,
            "warmup_ms": _WINDOW_MS + (_QUIET_STEPS - 1) * step_ms,
        },
        "provenance": {
            "manifest": f"microWakeWord, version {version}",
            **{key: raw[key] for key in told if isinstance(raw.get(key), str | list)},
        },
    }


def _checked(raw: Mapping[str, object], where: str) -> tuple[int, Mapping[str, object]]:
    """Return the version of a manifest, and its part `micro`, both with known keys alone."""
    version = raw.get("version")
    if version not in (1, 2) or isinstance(version, bool) or raw.get("type") != "micro":
        raise InputError(
            f"{where}: a microWakeWord manifest of type {raw.get('type')!r} and version "
            f'{version!r}; type "micro" and version 1 or 2 are known'
        )
    micro = raw.get("micro")
    if not isinstance(micro, Mapping):
        raise InputError(f"{where}: micro is {micro!r}; a table is expected")
    _check_keys(raw, _KEYS[version], where)
    _check_keys(micro, _MICRO_KEYS[version], f"{where}: micro")
    return version, micro


def _check_keys(table: Mapping[str, object], allowed: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in allowed:
            raise InputError(f'{where}: key "{key}" is not known; {alternatives(key, allowed)}')


def _frames(graph: Graph, version: int, where: str) -> int:
    """Return the rows of one inference, by the shape of the graph's input."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputError(
            f"{where}: the model has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "one of microWakeWord has one of each"
        )
    window, scores = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    shape = list(window.shape)
    if len(shape) < 3 or shape[0] != 1 or window.elements != shape[1] * _FEATURES:
        raise InputError(
            f'{where}: input "{window.name}" of the model has shape {shape}; one of microWakeWord '
            f"takes [1, steps, {_FEATURES}]"
        )
    if scores.elements != 1:
        raise InputError(
            f'{where}: output "{scores.name}" of the model has {scores.elements} values; one of '
            "microWakeWord gives one, the probability of its word"
        )
    if version == 1 and shape[1] != 1:
        raise InputError(
            f"{where}: version 1 is of models that take 1 step at a time, this one takes "
            f"{shape[1]}; its manifest should be of version 2"
        )
    return shape[1]


def _label(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: wake_word is {value!r}; the word as text is needed")
    return "_".join(value.lower().split())


def _step_ms(micro: Mapping[str, object], version: int, where: str) -> int:
    value = micro.get("feature_step_size", _STEP_MS_V1 if version == 1 else None)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _WINDOW_MS:
        raise InputError(
            f"{where}: micro: feature_step_size is {value!r}; a whole number of milliseconds from "
            f"1 to {_WINDOW_MS} is needed"
        )
    return value


def _window(micro: Mapping[str, object], version: int, where: str) -> int:
    value = micro.get(_WINDOW_KEY[version])
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 255:
        raise InputError(
            f"{where}: micro: {_WINDOW_KEY[version]} is {value!r}; a whole number from 1 to 255 is "
            "needed"
        )
    return value


def _cutoff(micro: Mapping[str, object], where: str) -> float:
    value = micro.get("probability_cutoff")
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or not 0 <= value <= 1:
        raise InputError(f"{where}: micro: probability_cutoff is {value!r}; 0 to 1 is needed")
    return float(value)
