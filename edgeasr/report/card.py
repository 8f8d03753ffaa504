"""Cards: what a model is made of and what it does, in JSON for programs, Markdown for people."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from edgeasr.audio import SPLITS, Clip
from edgeasr.evaluate import confusion

# Source: (attribution, licence). From the data sets' own pages.
ATTRIBUTIONS: Mapping[str, tuple[str, str]] = {
    "gsc": ("Speech Commands, Pete Warden, Google (arXiv:1804.03209)", "CC BY 4.0"),
    "gsc_silence": ("Speech Commands, background and silence", "CC BY 4.0"),
    "gsc_background": ("Speech Commands, background noise", "CC BY 4.0"),
    "speech_commands": ("Speech Commands, Pete Warden, Google (arXiv:1804.03209)", "CC BY 4.0"),
    "fsdd": ("Free Spoken Digit Dataset, Z. Jackson et al.", "CC BY-SA 4.0"),
    "audiomnist": ("AudioMNIST, S. Becker et al.", "MIT"),
    "asterisk": ("Asterisk core sounds, Allison Smith and Digium", "CC BY-SA 3.0"),
    "dsp20": ("DSPSpeech-20, zhongyuchen", "MIT"),
    "esc10": ("ESC-10, K. Piczak, with the authors of freesound.org", "CC BY 3.0 or CC0 per clip"),
    "tflm": ("TFLite-Micro's test recordings", "Apache-2.0"),
    "synthetic": ("synthetic voices of espeak-ng, flite and festival", ""),
}
_SHARE_ALIKE = "CC BY-SA 4.0"


def sources(clips: Sequence[Clip], synthetic: Sequence[Clip]) -> dict[str, object]:
    """Return source -> clips of each split, licence and attribution."""
    counts = Counter((clip.source, clip.split) for clip in (*clips, *synthetic))
    found = {}
    for source in sorted({name for name, _ in counts}):
        title, licence = ATTRIBUTIONS.get(source, (source, ""))
        both = (*clips, *synthetic)
        given = sorted({c.licence for c in both if c.source == source and c.licence})
        found[source] = {
            "title": title,
            "licence": licence or "; ".join(given) or "not stated",
            **{split: counts[source, split] for split in SPLITS},
        }
    return found


def weights_licence(used: Mapping[str, Mapping[str, object]]) -> str:
    """Return the licence that the weights are offered under: share-alike when such data trained."""
    shared = [s for s, facts in used.items() if "BY-SA" in str(facts["licence"]) and facts["train"]]
    return f"{_SHARE_ALIKE} (trained on {', '.join(shared)})" if shared else "Apache-2.0"


def result(truth: np.ndarray, recognised: np.ndarray, names: Sequence[str]) -> dict[str, object]:
    """Return accuracy with its 95 % interval, per-class results and the confusion matrix."""
    counts = confusion.matrix(truth, recognised, len(names))
    return {
        "clips": len(truth),
        "accuracy": confusion.accuracy(counts),
        "interval_95": list(confusion.wilson(int(np.trace(counts)), len(truth))),
        "balanced_accuracy": confusion.balanced_accuracy(counts),
        "per_class": [asdict(row) for row in confusion.per_class(counts, names)],
        "confusion": counts.tolist(),
    }


def to_json(card: Mapping[str, object]) -> str:
    """Return the card as JSON; numbers that are not finite become null."""
    return json.dumps(_finite(card), indent=1, ensure_ascii=False) + "\n"


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def render(card: Mapping[str, object]) -> str:
    """Return the card in Markdown."""
    parts = (_head, _results, _classes, _confusion, _streams, _training, _data)
    return "\n".join(part(card) for part in parts)


def _percent(value: object) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.1f} %"


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def _head(card: Mapping) -> str:
    end = card["front_end"]
    switches = "".join(
        f", {name} {'on' if end[key] else 'off'}"
        for name, key in (("noise reduction", "noise_reduction"), ("PCAN", "pcan"))
        if key in end
    )
    words = ", ".join(label for label in card["labels"] if not label.startswith("_"))
    return f"""# {card["task"]}

Recognises {words}; everything else is `_unknown_` or `_silence_`.
Made by `{card["command"]}`. Licence of the weights: {weights_licence(card["data"])}.

- Model: {card["architecture"]}, {card["parameters"]:,} parameters, {card["macs"]:,} MACs per \
inference, int8 with per-channel weights, {card["size_bytes"]:,} B.
- Front end: {end["kind"]}, {end["channels"]} channels, {end["window_ms"]:g} ms every \
{end["hop_ms"]:g} ms at {end["sample_rate_hz"]} Hz{switches}; {card["frames"]} frames.
- Split: disjoint by speaker; trained on train, tuned on val, reported on test.
"""


def _results(card: Mapping) -> str:
    rows = []
    for key, title in (
        ("test", "test"), ("test_noise", "test in noise"), ("val", "val"),
        ("val_noise", "val in noise"),
    ):  # fmt: skip
        part = card.get(key)
        if part:
            low, high = part["interval_95"]
            at = f", SNR {part['snr_db']:g} dB" if "snr_db" in part else ""
            rows.append((
                title + at, part["clips"], _percent(part["accuracy_float"]),
                _percent(part["accuracy"]), f"{100 * low:.1f} to {100 * high:.1f}",
                _percent(part["balanced_accuracy"]), _percent(part["top2_int8"]),
            ))  # fmt: skip
    header = ("", "clips", "float", "int8", "95 % interval", "int8, class mean", "int8, top 2")
    sources_ = card["test_by_source"]
    by_source = [(s, r["clips"], _percent(r["accuracy"])) for s, r in sources_.items()]
    return (
        "## Accuracy\nInt8 as on the device: integer features, TFLite-Micro's kernels.\n\n"
        + _table(header, rows)
        + "\nOf test, by source:\n\n"
        + _table(("source", "clips", "int8"), by_source)
    )


def _classes(card: Mapping) -> str:
    rows = [
        (f"`{row['label']}`", row["clips"], _percent(row["recall"]), _percent(row["precision"]))
        for row in card["test"]["per_class"]
    ]
    return "## Classes (test, int8)\n" + _table(("", "clips", "recall", "precision"), rows)


def _confusion(card: Mapping) -> str:
    labels = [f"`{label}`" for label in card["labels"]]
    rows = [(label, *row) for label, row in zip(labels, card["test"]["confusion"], strict=True)]
    return "## Confusion (test, int8; rows spoken, columns recognised)\n" + _table(
        ("", *labels), rows
    )


def _streams(card: Mapping) -> str:
    stream = card["stream"]
    rule = stream["decision"]
    rate = stream["test_false_accepts_per_hour"]
    known = rate is not None and math.isfinite(rate)
    foreign = (
        f"{rate:.1f} false accepts per hour in {stream['test_foreign_minutes']:.1f} minutes of "
        'foreign speech of test (orders at a coffee bar; numbers spoken in them, as in "eight '
        'ounce", count as false accepts too)'
        if known
        else "false accepts are not measured: the data hold no foreign speech"
    )
    return f"""## In a stream
Decision: mean of {rule["window"]} inferences, one each {rule["hop_frames"]} frames, threshold \
{rule["threshold"]:g}, {rule["refractory_ms"]} ms without a second event; chosen on words of val \
and foreign speech of train.
On test: {_percent(stream["test_found"])} of {stream["test_streams"]} words found as the first \
event; {foreign}.
"""


def _training(card: Mapping) -> str:
    used = card["training"]
    versions = ", ".join(f"{name} {version}" for name, version in card["versions"].items())
    parts = (
        f"{used['epochs']} epochs, weights of epoch {used['best_epoch']} (best on val), seed "
        f"{used['recipe']['seed']}; {used['takes']} takes of each recording, changed anew as "
        f"pictures in every batch. {card['synthetic_clips']:,} clips of synthetic voices took part "
        f"in training, none in val or test. Versions: {versions}. TensorFlow's threads sum in no "
        "fixed order, so another run differs a little; the settings are in the JSON beside this "
        "file."
    )
    return "## Training\n" + "".join(parts) + "\n"


def _data(card: Mapping) -> str:
    rows = [
        (name, facts["title"], facts["licence"], *(facts[split] for split in SPLITS))
        for name, facts in card["data"].items()
    ]
    clips = [(f"`{label}`", *(row[s] for s in SPLITS)) for label, row in card["clips"].items()]
    return (
        "## Data\n"
        + _table(("source", "attribution", "licence", *SPLITS), rows)
        + "\nRecorded clips per class:\n\n"
        + _table(("", *SPLITS), clips)
    )
