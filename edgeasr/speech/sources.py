"""Where the facts of a model stand: a file that is given, its metadata, a file beside it, or known.

What is found is a table as JSON and TOML hold it, not yet checked, and where it was found.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from edgeasr.errors import InputError
from edgeasr.graph import Graph
from edgeasr.speech import known, micro_wake_word, tflite_metadata

METADATA_NAME = "EDGEASR"
Raw = Mapping[str, object]


def find(path: Path, content: bytes, graph: Graph, given: Path | None) -> tuple[Raw | None, str]:
    """Return the facts of the model at `path`, and their source; None where there are none.

    given: a file of facts that counts before all others. Raises InputError for one that is not
    readable as JSON or TOML, or as a microWakeWord manifest.
    """
    sidecar, manifest = path.with_suffix(".toml"), path.with_suffix(".json")
    if given is not None:
        raw, source = _read(given, graph), str(given)
    elif METADATA_NAME in graph.metadata:
        source = f"metadata {METADATA_NAME}"
        raw = _parse_json(graph.metadata[METADATA_NAME], f"{path.name}: {source}")
    elif sidecar.is_file():
        raw, source = _read(sidecar, graph), sidecar.name
    elif manifest.is_file() and micro_wake_word.fits(
        raw := _parse_json(_bytes(manifest), str(manifest))
    ):
        raw, source = micro_wake_word.facts(raw, graph, str(manifest)), manifest.name
    elif (raw := known.find(hashlib.sha256(content).hexdigest())) is not None:
        source = "known to edgeasr by the SHA-256 of the file"
    else:
        raw, source = tflite_metadata.facts(content, graph, path), "TFLite metadata"
    return (None, "none") if raw is None else (_with_scale(raw, graph, source), source)


def _read(path: Path, graph: Graph) -> Raw:
    """Read a file of facts: JSON by its name or its first character, else TOML."""
    content = _bytes(path)
    if path.suffix.lower() != ".json" and content.lstrip()[:1] != b"{":
        return _parse_toml(content, str(path))
    raw = _parse_json(content, str(path))
    return micro_wake_word.facts(raw, graph, str(path)) if micro_wake_word.fits(raw) else raw


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror}; give a file of facts"
        ) from None


def _parse_json(content: bytes, where: str) -> Raw:
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error}); write it again") from None
    return _table(raw, where)


def _parse_toml(content: bytes, where: str) -> Raw:
    try:
        raw = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: not TOML ({error}); write it as in README, 'Bring your own model'"
        ) from None
    return _table(raw, where)


def _table(raw: object, where: str) -> Raw:
    if not isinstance(raw, Mapping):
        raise InputError(f"{where}: a table is expected, not {type(raw).__name__}")
    return raw


def _with_scale(raw: Raw, graph: Graph, source: str) -> Raw:
    """Return the facts with feature_steps, which count in the input's steps, as scale and offset.

    feature_steps [n, d, o]: the model's input, as it is stored, is `feature * n / d + o`, rounded
    half up. Of what comes of it features.feature_quantization makes n, d and o again.
    """
    steps = raw.get("feature_steps")
    if steps is None:
        return raw
    good = isinstance(steps, list | tuple) and len(steps) == 3
    if not good or not all(isinstance(n, int) and abs(n) <= 32_767 for n in steps):
        raise InputError(
            f"{source}: feature_steps is {steps!r}; three whole numbers [n, d, o] of 15 bits are "
            "needed: the input is feature * n / d + o"
        )
    numerator, denominator, offset = steps
    if numerator < 1 or denominator < 1 or "feature_scale" in raw or "feature_offset" in raw:
        raise InputError(
            f"{source}: feature_steps is {list(steps)}; n and d must be 1 or more, and it stands "
            "in the place of feature_scale and feature_offset"
        )
    found = graph.tensor(graph.inputs[0]).quantization if graph.inputs else None
    scale, zero_point = (found.scale, found.zero_point) if found else (1.0, 0)
    rest = {key: value for key, value in raw.items() if key != "feature_steps"}
    return rest | {
        "feature_scale": scale * numerator / denominator,
        "feature_offset": (offset - zero_point) * scale,
    }
