"""Facts: what a model needs beside its tensors, in the form that JSON and TOML hold, checked."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from edgeasr.decision import Decision
from edgeasr.errors import InputError, alternatives
from edgeasr.features import FrontEnd

_Part = TypeVar("_Part")

FORMAT = 1
_LABEL_BYTES = 64
_MAX_LABELS = 256
_ALWAYS = ("name", "labels")
_RECOGNISER = ("front_end", "frames", "feature_scale", "feature_offset", "decision")
_KEYS = (*_ALWAYS, *_RECOGNISER)
_OTHERS = ("format", "provenance")


@dataclass(frozen=True)
class Facts:
    """What a model needs beside its tensors.

    labels: one per output, or none where nobody knows them. front_end: None for a bare model, which
    runs on tensors alone and for which the rest does not count. frames: rows of features in the
    model's window. The model's real input is `feature * feature_scale + feature_offset` of the
    front end's int16 features.
    """

    name: str
    labels: tuple[str, ...]
    front_end: FrontEnd | None = None
    frames: int = 0
    feature_scale: float = 1.0
    feature_offset: float = 0.0
    decision: Decision = field(default_factory=Decision)
    provenance: Mapping[str, object] = field(default_factory=dict)

    @property
    def clip_samples(self) -> int:
        """Samples of PCM that fill the model's window exactly; 0 without a front end."""
        return self.front_end.samples_for(self.frames) if self.front_end else 0

    def to_dict(self) -> dict[str, object]:
        """Return the facts in the form that parse_facts reads."""
        given = {"format": FORMAT, "name": self.name, "labels": list(self.labels)}
        if self.front_end:
            given |= {
                "front_end": self.front_end.to_dict(),
                "frames": self.frames,
                "feature_scale": self.feature_scale,
                "feature_offset": self.feature_offset,
                "decision": self.decision.to_dict(),
            }
        return given | {"provenance": dict(self.provenance)}


def parse_facts(raw: Mapping[str, object], where: str) -> Facts:
    """Check facts in their JSON or TOML form; `where` opens each error.

    With none of the keys of a recogniser (front end, frames, feature scale and offset, decision)
    they are those of a bare model.
    """
    bare = not any(key in raw for key in _RECOGNISER)
    missing = [key for key in (_ALWAYS if bare else _KEYS) if key not in raw]
    if missing:
        raise InputError(
            f"{where}: {', '.join(missing)} missing; a speech model's facts are {', '.join(_KEYS)}"
        )
    unknown = sorted(set(raw) - {*_KEYS, *_OTHERS})
    if unknown:
        raise InputError(
            f'{where}: key "{unknown[0]}" is not known; '
            f"{alternatives(unknown[0], (*_KEYS, 'provenance'))}"
        )
    if raw.get("format", FORMAT) != FORMAT:
        raise InputError(f"{where}: facts of format {raw['format']}; this edgeasr reads {FORMAT}")
    name = _name(raw["name"], where)
    labels = () if bare and raw["labels"] == [] else _labels(raw["labels"], where)
    provenance = raw.get("provenance", {})
    provenance = provenance if isinstance(provenance, Mapping) else {}
    if bare:
        return Facts(name, labels, provenance=provenance)
    return Facts(
        name=name,
        labels=labels,
        front_end=_part(FrontEnd.from_dict, raw, "front_end", where),
        frames=_whole(raw, "frames", where),
        feature_scale=_number(raw, "feature_scale", where, above=0.0),
        feature_offset=_number(raw, "feature_offset", where),
        decision=_part(Decision.from_dict, raw, "decision", where),
        provenance=provenance,
    )


def _name(value: object, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 32 or not value.isprintable():
        raise InputError(f"{where}: name is {value!r}; 1 to 32 printable characters are allowed")
    return value


def _labels(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= _MAX_LABELS:
        raise InputError(f"{where}: labels must be a list of 1 to {_MAX_LABELS} texts")
    for i, label in enumerate(value):
        if not isinstance(label, str) or not label.isprintable() or not label:
            raise InputError(f"{where}: label {i} is {label!r}; printable text is allowed")
        if len(label.encode()) > _LABEL_BYTES:
            raise InputError(
                f'{where}: label {i} "{label[:20]}…" has {len(label.encode())} bytes; '
                f"at most {_LABEL_BYTES} are allowed"
            )
    twice = {label for label in value if list(value).count(label) > 1}
    if twice:
        raise InputError(f'{where}: label "{min(twice)}" stands twice; labels are different')
    return tuple(value)


def _part(
    read: Callable[[Mapping[str, object]], _Part], raw: Mapping[str, object], key: str, where: str
) -> _Part:
    """Read a table of the facts; its errors name the place where the facts stand."""
    table = _table(raw, key, where)
    try:
        return read(table)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _table(raw: Mapping[str, object], key: str, where: str) -> Mapping[str, object]:
    value = raw[key]
    if not isinstance(value, Mapping):
        raise InputError(f"{where}: {key} is {value!r}; a table is expected")
    return value


def _whole(raw: Mapping[str, object], key: str, where: str) -> int:
    value = raw[key]
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10_000:
        raise InputError(f"{where}: {key} is {value!r}; a whole number from 1 to 10000 is allowed")
    return value


def _number(raw: Mapping[str, object], key: str, where: str, above: float = -math.inf) -> float:
    value = raw[key]
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise InputError(f"{where}: {key} is {value!r}; a finite number is needed")
    if value <= above:
        raise InputError(f"{where}: {key} is {value:g}; it must be above {above:g}")
    return float(value)
