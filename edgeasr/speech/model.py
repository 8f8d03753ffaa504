"""The speech model: one `.tflite` with the facts that it is used with, wherever those stand."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

from edgeasr import features
from edgeasr.errors import InputError
from edgeasr.features import Quantization, feature_quantization
from edgeasr.graph import Graph, Tensor, reader
from edgeasr.speech import sources
from edgeasr.speech.facts import Facts, parse_facts
from edgeasr.speech.sources import METADATA_NAME

# Types of input and output of the models that edgeasr trains and quantizes.
INTEGER_ENDS = ("int8", "int16")
# Types of input that features are handed to, and of output that scores are taken from.
ENDS = features.DTYPES
# Scale and zero point of probabilities, as TFLite's SOFTMAX and LOGISTIC have them.
_PROBABILITIES = {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32_768, 0)}
# What load is told of the front end.
NEEDED, OPTIONAL, NONE = "needed", "optional", "none"


@dataclass(frozen=True, eq=False)
class SpeechModel:
    """A graph with its facts, and the file that both came from. source: where the facts stand."""

    path: Path
    content: bytes
    graph: Graph
    facts: Facts
    source: str = f"metadata {METADATA_NAME}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def hears(self) -> bool:
        """True with a front end; False for a bare model, which runs on tensors alone."""
        return self.facts.front_end is not None

    @property
    def is_embedded(self) -> bool:
        """Whether the facts are those that the file itself carries."""
        return self.source == f"metadata {METADATA_NAME}"

    @property
    def scores_doubt(self) -> str | None:
        """Say why the outputs are no probabilities, which the decision takes them to be."""
        scores = self.graph.tensor(self.graph.outputs[0])
        found = scores.quantization
        if scores.dtype not in _PROBABILITIES or found is None:
            return None
        scale, zero_point = _PROBABILITIES[scores.dtype]
        if math.isclose(found.scale, scale, rel_tol=1e-3) and found.zero_point == zero_point:
            return None
        return (
            f'output "{scores.name}" has scale {found.scale:.6g} and zero point '
            f"{found.zero_point}; probabilities of {scores.dtype} have {scale:.6g} and "
            f"{zero_point}: the best label is right, but events of a stream are not; end the model "
            "with a softmax"
        )

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

    Raises InputError, opened with `where`, when that is none of ENDS, or an integer that is not
    quantized.
    """
    found = window.quantization
    if window.dtype not in ENDS or (found is None and window.dtype != "float32"):
        raise InputError(
            f'{where}: input "{window.name}" is {window.dtype}; int8, uint8 or int16, quantized, '
            "or float32 is needed; make it with 'edgeasr quantize'"
        )
    if found is None:
        return feature_quantization(feature_scale, feature_offset, 1.0, 0, window.dtype)
    return feature_quantization(
        feature_scale, feature_offset, found.scale, found.zero_point, window.dtype
    )


def load(path: Path, *, facts: Path | None = None, front_end: str = NEEDED) -> SpeechModel:
    """Read a speech model.

    facts: a TOML or JSON file to take them from, before any other source. front_end: NEEDED refuses
    a model without one; OPTIONAL takes it as a bare model, which runs on tensors alone; NONE makes
    a bare model of any, even one without facts, whose name is then the file's.
    Raises InputError when the file, or its facts, are not usable.
    """
    graph = reader.load(path)
    content = path.read_bytes()
    raw, source = sources.find(path, content, graph, facts)
    if raw is None and front_end != NONE:
        raise InputError(_no_facts(path, front_end))
    where = source if facts else f"{path.name}: {source}"
    found = parse_facts(raw, where) if raw is not None else Facts(path.stem[:32], ())
    if front_end == NONE:
        found = Facts(found.name, found.labels, provenance=found.provenance)
    elif front_end == NEEDED and found.front_end is None:
        raise InputError(
            f"{path.name}: its facts ({source}) name no front end, so it runs on tensors alone and "
            "cannot hear; give a file of facts with one, as in README, 'Bring your own model'"
        )
    model = SpeechModel(path, content, graph, found, source)
    check_shapes(model)
    return model


def _no_facts(path: Path, front_end: str) -> str:
    """Return the sentence that says where facts were looked for."""
    bare = "; or take it as it is, for tensors alone, with --bare" if front_end == OPTIONAL else ""
    return (
        f"{path.name}: no facts on labels, front end and decision rule; the file has no "
        f"{METADATA_NAME} metadata, there is no {path.stem}.toml beside it, no microWakeWord "
        f"manifest {path.stem}.json, and it is none of the models that edgeasr knows; write "
        f"{path.stem}.toml as in README, 'Bring your own model'{bare}"
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


def check_shapes(model: SpeechModel) -> None:
    """Refuse facts that do not fit the graph."""
    facts, graph, where = model.facts, model.graph, model.path.name
    if facts.front_end is not None:
        if len(graph.inputs) != 1 or len(graph.outputs) != 1:
            raise InputError(
                f"{where}: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
                "a recogniser has one of each"
            )
        _check_window(facts, graph, where)
    if facts.labels and graph.outputs:
        scores = graph.tensor(graph.outputs[0])
        if scores.elements != len(facts.labels):
            raise InputError(
                f'{where}: output "{scores.name}" has {scores.elements} values, '
                f"the facts name {len(facts.labels)} labels; one label per value is needed"
            )


def _check_window(facts: Facts, graph: Graph, where: str) -> None:
    window, features_each = graph.tensor(graph.inputs[0]), facts.front_end.feature_count
    wanted = facts.frames * features_each
    if window.elements != wanted:
        raise InputError(
            f'{where}: input "{window.name}" has shape {list(window.shape)}, '
            f"{window.elements} values; the facts give {facts.frames} frames of "
            f"{features_each} features, {wanted} values"
        )
    if graph.stateful and facts.decision.hop_frames != facts.frames:
        raise InputError(
            f"{where}: decision: hop_frames is {facts.decision.hop_frames}; a model with state "
            f"takes each frame once, so it must be {facts.frames}, the frames of its window"
        )
