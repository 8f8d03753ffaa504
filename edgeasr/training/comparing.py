"""Front ends compared by short trainings that differ in nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeasr.features import FrontEnd
from edgeasr.models import fitting, hearing
from edgeasr.models.examples import Window
from edgeasr.training.options import NOISE_SNR_DB, Observer, Options
from edgeasr.training.pipeline import compute, fit, gather


def compare_front_ends(
    data: Path, options: Options, ends: Mapping[str, FrontEnd], observer: Observer
) -> list[dict[str, object]]:
    """Train shortly, without synthetic voices, with each front end; return float accuracy on val.

    In noise each clip is mixed at NOISE_SNR_DB with a recording of noise of val. The clips, their
    changes, the recipe and the seed are the same for all.
    """
    rows = []
    for name, end in ends.items():
        short = replace(options.recipe, epochs=min(options.recipe.epochs, 30))
        window = Window(end, options.window.frames)
        tried = replace(options, window=window, synthetic=0, takes=3, recipe=short)
        observer.say(f"front end {name}")
        gathered = gather(data, tried, observer)
        arrays = compute(gathered, tried, observer)
        fitted = fit(arrays, tried, observer)
        noises = [clip for clip in gathered.noise if clip.split == "val"]
        noisy = hearing.in_noise(gathered.task.split("val"), noises, window, NOISE_SNR_DB)
        found = {
            where: fitting.scores(fitted.model, fitted.scale(rows_)).argmax(axis=1)
            for where, rows_ in (("clean", arrays.val.features[:, 0]), ("noise", noisy))
        }
        share = {k: float(np.mean(v == arrays.val.labels)) for k, v in found.items()}
        rows.append({"front_end": name, "clips": len(arrays.val), "epochs": short.epochs, **share})
        observer.say(f"{name}: {share}")
    return rows


def comparison_table(rows: Sequence[dict[str, object]]) -> str:
    """Return the comparison as a table in Markdown."""
    lines = [
        f"| front end | val, as recorded | val, in noise at {NOISE_SNR_DB:g} dB |",
        "| --- | --- | --- |",
    ]
    for row in rows:
        lines.append(
            f"| {row['front_end']} | {100 * row['clean']:.1f} % | {100 * row['noise']:.1f} % |"
        )
    return "\n".join(lines)
