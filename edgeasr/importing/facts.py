"""Facts of an imported model: from a sidecar TOML, or as those of a speech model."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeasr import paths, speech
from edgeasr.errors import InputError
from edgeasr.importing.program import Imported
from edgeasr.speech import Facts


def read(source: str | None, name: str, labels: Sequence[str] = ()) -> Facts | None:
    """Return the facts of a model to be imported; None where nothing is known.

    source: a TOML file of the sidecar's form, a `.tflite` that has facts, or a name of the zoo,
    when the model was trained on the same features. labels: others than those, one per output;
    without a source, those of a bare model. Raises InputError for a source that has no facts.
    """
    if source is None:
        raw = {"name": name[:32], "labels": list(labels)}
        return speech.parse_facts(raw, "--labels") if labels else None
    zoo = paths.zoo() / f"{source}.tflite"
    file = zoo if zoo.is_file() else Path(source)
    if not file.is_file():
        raise InputError(
            f"{file}: no such file; a TOML file of facts (README, 'Bring your own model'), a "
            ".tflite with facts, or a model of the zoo is needed"
        )
    found = _known(file, name) if file.suffix == ".tflite" else _written(file)
    if not labels:
        return found
    return speech.parse_facts({**found.to_dict(), "labels": list(labels)}, "--labels")


def window(facts: Facts | None) -> tuple[int, int] | None:
    """Return frames and features of a model's window, where its front end is known."""
    if facts is None or facts.front_end is None:
        return None
    return facts.frames, facts.front_end.feature_count


def _known(file: Path, name: str) -> Facts:
    """Return a speech model's facts, of its origin only the task that its features are for."""
    found = speech.load(file).facts
    task = found.provenance.get("task", found.name)
    return replace(found, name=name[:32], provenance={"task": task})


def _written(file: Path) -> Facts:
    try:
        raw = tomllib.loads(file.read_text())
    except (ValueError, RecursionError, OSError) as error:
        raise InputError(f"{file}: not TOML ({error})") from None
    return speech.parse_facts(raw, str(file))


def settled(facts: Facts, imported: Imported) -> Facts:
    """Return the facts with where the model came from. Raises InputError for a label too many."""
    outputs = imported.built.model.output.shape[-1]
    if facts.labels and outputs != len(facts.labels):
        raise InputError(
            f"{imported.file}: {outputs} outputs, the facts name {len(facts.labels)} labels "
            f"({', '.join(facts.labels[:10])}); one label for each output is needed"
        )
    origin = {
        "file": imported.file.name, "sha256": imported.digest,
        "difference": imported.agreement.difference, "judge": imported.agreement.judge,
    }  # fmt: skip
    return replace(facts, provenance={**facts.provenance, "imported": origin})
