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


def read(source: str, name: str, labels: Sequence[str] = ()) -> Facts:
    """Return the facts of a model to be imported.

    source: a TOML file of the sidecar's form, a `.tflite` that has facts, or a name of the zoo,
    when the model was trained on the same features. labels: others than those, one per output.
    Raises InputError for a source that has none.
    """
    zoo = paths.zoo() / f"{source}.tflite"
    file = zoo if zoo.is_file() else Path(source)
    if not file.is_file():
        raise InputError(
            f"{file}: no such file; a TOML file of facts (README, 'Bring your own model'), a "
            ".tflite with facts, or a model of the zoo is needed"
        )
    if file.suffix == ".tflite":
        known = speech.load(file).facts
        task = known.provenance.get("task", known.name)
        found = replace(known, name=name[:32], provenance={"task": task})
    else:
        try:
            raw = tomllib.loads(file.read_text())
        except (ValueError, RecursionError, OSError) as error:
            raise InputError(f"{file}: not TOML ({error})") from None
        found = speech.parse_facts(raw, str(file))
    if labels:
        raw = {**found.to_dict(), "labels": list(labels)}
        found = speech.parse_facts(raw, "--labels")
    return found


def settled(facts: Facts, imported: Imported) -> Facts:
    """Return the facts with where the model came from. Raises InputError for a label too many."""
    outputs = imported.built.model.output.shape[-1]
    if outputs != len(facts.labels):
        raise InputError(
            f"{imported.file}: {outputs} outputs, the facts name {len(facts.labels)} labels "
            f"({', '.join(facts.labels[:10])}); one label for each output is needed"
        )
    origin = {
        "file": imported.file.name, "sha256": imported.digest,
        "difference": imported.agreement.difference, "judge": imported.agreement.judge,
    }  # fmt: skip
    return replace(facts, provenance={**facts.provenance, "imported": origin})
