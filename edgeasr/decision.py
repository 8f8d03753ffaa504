"""The decision rule: scores of one inference after the other to events, by the device's own C."""

import ctypes
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from edgeasr import hostlib
from edgeasr.errors import InputError, alternatives

# By the type of a model's output.
_TO_STEPS = {
    "int8": "ear_scores_s8",
    "uint8": "ear_scores_u8",
    "int16": "ear_scores_s16",
    "float32": "ear_scores_f32",
}
_KEYS = ("window", "threshold", "refractory_ms", "hop_frames", "ignored")
_OPTIONAL = ("rule", "warmup_ms")
RULES = ("mean", "micro_wake_word")


@dataclass(frozen=True)
class Decision:
    """When scores become an event.

    window: inferences whose scores are averaged. threshold: least mean score, 0 to 1.
    refractory_ms: time after an event in which there is no other. hop_frames: frames of the front
    end from one inference to the next. ignored: labels that are never an event. warmup_ms: time
    from the start in which there is none.
    rule: `mean` makes an event of a mean score that reaches the threshold; `micro_wake_word` of one
    above the threshold in steps of 1/255, rounded down, and then forgets the scores that led to it
    (ESPHome, components/micro_wake_word/streaming_model.cpp, WakeWordModel::determine_detected).
    """

    window: int = 3
    threshold: float = 0.7
    refractory_ms: int = 800
    hop_frames: int = 5
    ignored: tuple[str, ...] = ()
    rule: str = "mean"
    warmup_ms: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "ignored", _names(self.ignored))
        for name, least, most in (
            ("window", 1, 255),
            ("refractory_ms", 0, 60_000),
            ("hop_frames", 1, 10_000),
            ("warmup_ms", 0, 60_000),
        ):
            _check_whole(name, getattr(self, name), least, most)
        good = isinstance(self.threshold, int | float) and not isinstance(self.threshold, bool)
        if not good or not 0 <= self.threshold <= 1:
            raise InputError(f"decision: threshold is {self.threshold!r}; 0 to 1 is allowed")
        if self.rule not in RULES:
            raise InputError(
                f"decision: rule is {self.rule!r}; {alternatives(str(self.rule), RULES)}"
            )

    @property
    def threshold_steps(self) -> int:
        """The threshold in steps of 1/256, 0 to 255, never below the one given but at its end."""
        return min(255, math.ceil(self.threshold * 256))

    @property
    def least_sum(self) -> int:
        """The least sum of `window` scores, each 0 to 255, that makes an event."""
        if self.rule == "micro_wake_word":
            return int(self.threshold * 255) * self.window + 1
        return self.threshold_steps * self.window

    @property
    def clears(self) -> bool:
        """Whether an event sets the scores that led to it to zero."""
        return self.rule == "micro_wake_word"

    def warmup_samples(self, sample_rate_hz: int) -> int:
        return self.warmup_ms * sample_rate_hz // 1000

    def refractory_samples(self, sample_rate_hz: int) -> int:
        return self.refractory_ms * sample_rate_hz // 1000

    def ignored_flags(self, labels: Sequence[str]) -> np.ndarray:
        """Return uint8 [labels], 1 where ignored. Raises InputError for an unknown label."""
        for name in self.ignored:
            if name not in labels:
                raise InputError(
                    f'decision: ignored label "{name}" is not one of the model\'s; '
                    f"{alternatives(name, labels)}"
                )
        return np.array([label in self.ignored for label in labels], np.uint8)

    def to_dict(self) -> dict[str, object]:
        """Return the parameters, as JSON can hold them; optional ones that are not the default."""
        given = {key: getattr(self, key) for key in _KEYS} | {"ignored": list(self.ignored)}
        usual = {field.name: field.default for field in fields(self)}
        return given | {k: getattr(self, k) for k in _OPTIONAL if getattr(self, k) != usual[k]}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Decision":
        """Read what to_dict wrote; keys left out take their defaults.

        Raises InputError for an unknown key, a wrong type, or a value out of range.
        """
        if not isinstance(values, Mapping):
            raise InputError(f"decision: {values!r} is not a table of parameters")
        for key in values:
            if key not in (*_KEYS, *_OPTIONAL):
                raise InputError(
                    f'decision: "{key}" is not a parameter; '
                    f"{alternatives(str(key), (*_KEYS, *_OPTIONAL))}"
                )
        return cls(**values)


@dataclass(frozen=True)
class Event:
    """Something recognised. score: mean score, 0 to 255. sample: samples heard by then."""

    label: str
    score: int
    sample: int


class Decider:
    """The device's decision, fed by hand: one per stream."""

    def __init__(self, decision: Decision, labels: Sequence[str], sample_rate_hz: int) -> None:
        self.labels = tuple(labels)
        self._ignored = decision.ignored_flags(self.labels)
        self._history = np.zeros(decision.window * len(self.labels), np.uint8)
        self._sums = np.zeros(len(self.labels), np.uint32)
        self._spec = _Spec(
            len(self.labels),
            decision.window,
            decision.least_sum,
            decision.refractory_samples(sample_rate_hz),
            decision.warmup_samples(sample_rate_hz),
            int(decision.clears),
            self._ignored.ctypes.data,
        )
        self._state = _State(
            ctypes.addressof(self._spec), self._history.ctypes.data, self._sums.ctypes.data
        )
        self.reset()

    def reset(self) -> None:
        """Forget all scores and events."""
        _library().ear_decision_reset(ctypes.byref(self._state))

    def push(self, scores: np.ndarray, sample: int) -> Event | None:
        """Take the model's output, [labels] of one of its types, made when `sample` had come."""
        steps, event = self._steps(scores), _Event()
        happened = _library().ear_decision_push(
            ctypes.byref(self._state), steps.ctypes.data, sample & 0xFFFFFFFF, ctypes.byref(event)
        )
        return Event(self.labels[event.label], event.score, event.sample) if happened else None

    @property
    def peak(self) -> Event | None:
        """The highest mean score so far of a label that is not ignored; None while all are 0."""
        if not self._state.peak_sum:
            return None
        found = self._state.peak
        return Event(self.labels[found.label], found.score, found.sample)

    def _steps(self, scores: np.ndarray) -> np.ndarray:
        """Return the scores as the rule wants them: uint8 [labels]."""
        function = _TO_STEPS.get(scores.dtype.name)
        if function is None or scores.size != len(self.labels):
            raise InputError(
                f"decision: scores are {scores.dtype} {list(scores.shape)}; "
                f"{', '.join(_TO_STEPS)} [{len(self.labels)}] is needed"
            )
        values = np.ascontiguousarray(scores)
        steps = np.empty(len(self.labels), np.uint8)
        getattr(_library(), function)(values.ctypes.data, values.size, steps.ctypes.data)
        return steps


class _Event(ctypes.Structure):
    """ear_event_t"""

    _fields_ = (("label", ctypes.c_uint32), ("score", ctypes.c_uint32), ("sample", ctypes.c_uint32))


class _Spec(ctypes.Structure):
    """ear_decision_spec_t"""

    _fields_ = (
        ("labels", ctypes.c_uint32),
        ("window", ctypes.c_uint32),
        ("least_sum", ctypes.c_uint32),
        ("refractory_samples", ctypes.c_uint32),
        ("warmup_samples", ctypes.c_uint32),
        ("clears", ctypes.c_uint32),
        ("ignored", ctypes.c_void_p),
    )


class _State(ctypes.Structure):
    """ear_decision_t"""

    _fields_ = (
        ("spec", ctypes.c_void_p),
        ("history", ctypes.c_void_p),
        ("sums", ctypes.c_void_p),
        ("row", ctypes.c_uint32),
        ("event_sample", ctypes.c_uint32),
        ("has_event", ctypes.c_uint32),
        ("is_warm", ctypes.c_uint32),
        ("peak_sum", ctypes.c_uint32),
        ("peak", _Event),
    )


@functools.cache
def _library() -> ctypes.CDLL:
    loaded = hostlib.load(("ear_decision.c",))
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    loaded.ear_decision_reset.argtypes = [pointer]
    loaded.ear_decision_reset.restype = None
    for function in _TO_STEPS.values():
        getattr(loaded, function).argtypes = [pointer, number, pointer]
        getattr(loaded, function).restype = None
    loaded.ear_decision_push.argtypes = [pointer, pointer, number, pointer]
    loaded.ear_decision_push.restype = ctypes.c_bool
    return loaded


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise InputError(f"decision: ignored is {value!r}; a list of labels is needed")
    return tuple(value)


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(
            f"decision: {name} is {value!r}; a whole number from {least} to {most} is allowed"
        )
