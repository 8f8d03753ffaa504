"""The speech model: one `.tflite` that carries what is needed to use it.

The metadata buffer `EDGEASR` of the file (JSON) holds labels, front end, decision rule and
provenance. A foreign `.tflite` gets the same facts, with the same keys, from a TOML file of its own
name beside it (`kws.tflite`, `kws.toml`).
"""

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeasr.decision import Decision
from edgeasr.errors import InputError, alternatives
from edgeasr.features import FrontEnd, Quantization, feature_quantization
from edgeasr.graph import Graph, Tensor, reader

METADATA_NAME = "EDGEASR"
FORMAT = 1
SILENCE, UNKNOWN = "_silence_", "_unknown_"
# Types of input and output that features are handed to and scores are taken from.
INTEGER_ENDS = ("int8", "int16")
_LABEL_BYTES = 64
_MAX_LABELS = 256
_KEYS = ("name", "labels", "front_end", "frames", "feature_scale", "feature_offset", "decision")


@dataclass(frozen=True)
class Facts:
    """What a model needs beside its tensors.

    labels: one per output. frames: rows of features in the model's window. The model's real input
    is `feature * feature_scale + feature_offset` of the front end's int16 features.
    """

    name: str
    labels: tuple[str, ...]
    front_end: FrontEnd
    frames: int
    feature_scale: float
    feature_offset: float
    decision: Decision
    provenance: Mapping[str, object] = field(default_factory=dict)

    @property
    def clip_samples(self) -> int:
        """Samples of PCM that fill the model's window exactly."""
        return self.front_end.samples_for(self.frames)

    def to_dict(self) -> dict[str, object]:
        return {
            "format": FORMAT,
            "name": self.name,
            "labels": list(self.labels),
            "front_end": self.front_end.to_dict(),
            "frames": self.frames,
            "feature_scale": self.feature_scale,
            "feature_offset": self.feature_offset,
            "decision": self.decision.to_dict(),
            "provenance": dict(self.provenance),
        }


@dataclass(frozen=True, eq=False)
class SpeechModel:
    """A graph with its facts, and the file that both came from."""

    path: Path
    content: bytes
    graph: Graph
    facts: Facts

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def feature_quantization(self) -> Quantization:
        """How features become the model's input. Raises InputError as input_quantization does."""
        return input_quantization(
            self.graph.tensor(self.graph.inputs[0]),
            self.facts.feature_scale,
            self.facts.feature_offset,
            self.path.name,
        )


def input_quantization(
    window: Tensor, feature_scale: float, feature_offset: float, where: str
) -> Quantization:
    """Return how features become a model's input tensor.

    Raises InputError, opened with `where`, when that is neither int8 nor int16.
    """
    if window.dtype not in INTEGER_ENDS or window.quantization is None:
        raise InputError(
            f'{where}: input "{window.name}" is {window.dtype}; int8 or int16, quantized, is '
            "needed; make it with 'edgeasr quantize'"
        )
    found = window.quantization
    return feature_quantization(
        feature_scale, feature_offset, found.scale, found.zero_point, window.dtype
    )


def load(path: Path) -> SpeechModel:
    """Read a speech model. Raises InputError when the file, or its facts, are not usable."""
    graph = reader.load(path)
    facts = parse_facts(*_find_facts(path, graph))
    model = SpeechModel(path, path.read_bytes(), graph, facts)
    _check_shapes(model)
    return model


def parse_facts(raw: Mapping[str, object], where: str) -> Facts:
    """Check facts in their JSON or TOML form; `where` opens each error."""
    missing = [key for key in _KEYS if key not in raw]
    if missing:
        raise InputError(
            f"{where}: {', '.join(missing)} missing; a speech model's facts are {', '.join(_KEYS)}"
        )
    unknown = sorted(set(raw) - {*_KEYS, "format", "provenance"})
    if unknown:
        raise InputError(
            f'{where}: key "{unknown[0]}" is not known; '
            f"{alternatives(unknown[0], (*_KEYS, 'provenance'))}"
        )
    if raw.get("format", FORMAT) != FORMAT:
        raise InputError(f"{where}: facts of format {raw['format']}; this edgeasr reads {FORMAT}")
    labels = _labels(raw["labels"], where)
    provenance = raw.get("provenance", {})
    return Facts(
        name=_name(raw["name"], where),
        labels=labels,
        front_end=FrontEnd.from_dict(_table(raw, "front_end", where)),
        frames=_whole(raw, "frames", where),
        feature_scale=_number(raw, "feature_scale", where, above=0.0),
        feature_offset=_number(raw, "feature_offset", where),
        decision=Decision.from_dict(_table(raw, "decision", where)),
        provenance=provenance if isinstance(provenance, Mapping) else {},
    )


def embed(content: bytes, facts: Facts) -> bytes:
    """Return a `.tflite` with the facts in its metadata, replacing any that it had.

    Needs the schema of the extra `train` (ai-edge-litert) to write the file.
    """
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    name = METADATA_NAME.encode()
    kept = [m for m in model.metadata or [] if m.name != name]
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = list(json.dumps(facts.to_dict(), sort_keys=True, default=str).encode())
    entry.name, entry.buffer = name, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*kept, entry]
    builder = Builder(len(content) + len(buffer.data))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _find_facts(path: Path, graph: Graph) -> tuple[Mapping[str, object], str]:
    sidecar = path.with_suffix(".toml")
    if METADATA_NAME in graph.metadata:
        where = f"{path.name}: metadata {METADATA_NAME}"
        try:
            raw = json.loads(graph.metadata[METADATA_NAME])
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: not JSON ({error}); export the model again") from None
    elif sidecar.is_file():
        where = str(sidecar)
        try:
            raw = tomllib.loads(sidecar.read_text())
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: not TOML ({error})") from None
    else:
        raise InputError(
            f"{path.name}: no facts on labels, front end and decision rule; the file has no "
            f"{METADATA_NAME} metadata, and there is no {sidecar.name} beside it; write one as in "
            "README, 'Bring your own model'"
        )
    if not isinstance(raw, Mapping):
        raise InputError(f"{where}: a table is expected, not {type(raw).__name__}")
    return raw, where


def _check_shapes(model: SpeechModel) -> None:
    facts, graph = model.facts, model.graph
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputError(
            f"{model.path.name}: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "a recogniser has one of each"
        )
    window, scores = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    wanted = facts.frames * facts.front_end.feature_count
    if window.elements != wanted:
        raise InputError(
            f'{model.path.name}: input "{window.name}" has shape {list(window.shape)}, '
            f"{window.elements} values; the facts give {facts.frames} frames of "
            f"{facts.front_end.feature_count} features, {wanted} values"
        )
    if scores.elements != len(facts.labels):
        raise InputError(
            f'{model.path.name}: output "{scores.name}" has {scores.elements} values, '
            f"the facts name {len(facts.labels)} labels; one label per value is needed"
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
