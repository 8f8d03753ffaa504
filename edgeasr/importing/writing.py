"""An imported model becomes files: NAME.keras, and NAME.tflite in floats or quantized."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeasr import features, graph, speech
from edgeasr.audio import Clip, catalog, read_clip
from edgeasr.errors import InputError
from edgeasr.importing.program import Imported
from edgeasr.quantize import calibration_problems, quantize
from edgeasr.speech import Facts

# Clips that the ranges of activations are taken from.
_CALIBRATION_CLIPS = 800
FLOAT = "float32"


def calibration(data: Path, facts: Facts | None, window: tuple[int, int]) -> np.ndarray:
    """Return real windows, float32 [n, frames, features], to calibrate with.

    data: recordings, as for training (those of test are left out); or an `.npy` file of such
    windows, which needs no facts. window: frames and features of the model.
    """
    if data.suffix == ".npy":
        return _saved(data, window)
    if facts is None or facts.front_end is None:
        raise InputError(
            f"{data}: recordings calibrate a model whose front end is known; give it with --facts, "
            "or windows of features as an .npy file"
        )
    clips = [clip for clip in catalog.load(data) if clip.split != "test"]
    if not clips:
        raise InputError(f"{data}: no recordings outside the test split; give others with --data")
    chosen = clips[:: max(1, len(clips) // _CALIBRATION_CLIPS)][:_CALIBRATION_CLIPS]
    found = np.stack([_features(clip, facts) for clip in chosen])
    return found.astype(np.float32) * np.float32(facts.feature_scale) + np.float32(
        facts.feature_offset
    )


def _features(clip: Clip, facts: Facts) -> np.ndarray:
    end = facts.front_end
    return features.compute(end, read_clip(clip, end.sample_rate_hz, samples=facts.clip_samples))


def _saved(file: Path, window: tuple[int, int]) -> np.ndarray:
    try:
        found = np.load(file, allow_pickle=False, mmap_mode="r")
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{file}: not an .npy file of numbers ({error})") from None
    if found.ndim != 3 or found.shape[1:] != window or found.dtype.kind not in "fiu":
        raise InputError(
            f"{file}: {found.dtype} of shape {list(found.shape)}; windows of numbers "
            f"[n, {window[0]}, {window[1]}] are needed"
        )
    return np.asarray(found[: 4 * _CALIBRATION_CLIPS], np.float32)


def problems(windows: np.ndarray) -> Sequence[str]:
    """Return a sentence for each reason to doubt windows that calibrate."""
    return calibration_problems(windows)


def write(
    imported: Imported,
    facts: Facts | None,
    out: Path,
    activations: str = FLOAT,
    windows: np.ndarray | None = None,
) -> tuple[Path, Path]:
    """Write NAME.keras and NAME.tflite, both or none, in the folder and of the name of `out`.

    The `.tflite` has activations of one of quantize.ACTIVATIONS, calibrated by windows for
    integers, and the facts where there are some. Returns the paths.
    """
    content = quantize(imported.built.model, windows, activations)
    graph.parse(content)
    if facts is not None:
        content = speech.embed(content, _quantized(facts, activations))
    files = out.with_suffix(".keras"), out.with_suffix(".tflite")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.stem}.") as scratch:
            parts = [Path(scratch) / file.name for file in files]
            imported.built.model.save(parts[0])
            parts[1].write_bytes(content)
            for part, file in zip(parts, files, strict=True):
                part.replace(file)
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}; choose another") from None
    return files


def _quantized(facts: Facts, activations: str) -> Facts:
    if activations == FLOAT:
        return facts
    told = {"recipe": "import", "weights": "uniform8", "when": "post", "activations": activations}
    return replace(facts, provenance={**facts.provenance, "quantization": told})
