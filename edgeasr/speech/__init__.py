"""The speech model: a `.tflite`, and the facts that say how it is used.

Facts are labels, front end, decision rule and provenance. The first that is there counts:

1. the file that is given (`--facts`): TOML, JSON, or a microWakeWord manifest
2. the metadata buffer `EDGEASR` (JSON) of the `.tflite`, which edgeasr's own models have
3. `kws.toml` beside `kws.tflite`, with the same keys
4. `kws.json` beside it: a microWakeWord manifest, of version 1 or 2
5. what edgeasr knows of a public model, by the SHA-256 of its file: the folder `known`
6. the TFLite metadata of the file: labels alone, for a bare model

Facts without a front end make a bare model: it runs on tensors alone.

Facts, parse_facts    facts, checked
SpeechModel, load     the model with them; embed puts them into the file
"""

from edgeasr.speech.facts import FORMAT, Facts, parse_facts
from edgeasr.speech.model import (
    ENDS,
    INTEGER_ENDS,
    NEEDED,
    NONE,
    OPTIONAL,
    SpeechModel,
    embed,
    input_quantization,
    load,
)
from edgeasr.speech.sources import METADATA_NAME

SILENCE, UNKNOWN = "_silence_", "_unknown_"
# Where a firmware project keeps the facts of a model whose file does not carry them.
FACTS_FILE = "model/facts.json"

__all__ = [
    "ENDS",
    "FACTS_FILE",
    "FORMAT",
    "INTEGER_ENDS",
    "METADATA_NAME",
    "NEEDED",
    "NONE",
    "OPTIONAL",
    "SILENCE",
    "UNKNOWN",
    "Facts",
    "SpeechModel",
    "embed",
    "input_quantization",
    "load",
    "parse_facts",
]
