"""A study becomes one HTML page: tables and plots, no script, no file beside it, none fetched."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import jinja2
from markupsafe import Markup

from edgeasr.evaluate import confusion
from edgeasr.report import plots
from edgeasr.report.study import Model, Point, Study
from edgeasr.units import format_bytes

_UNKNOWN = "–"


def render(study: Study) -> str:
    """Return the page, the same for the same study. Raises ToolError without Matplotlib."""
    environment = _environment()
    return environment.get_template("study.html.j2").render(
        study=study,
        summary=_summary(study),
        style=Markup((Path(__file__).parent / "study.css").read_text(encoding="utf-8").rstrip()),
        parts=[_part(model) for model in study.models],
    )


@functools.cache
def _environment() -> jinja2.Environment:
    """Names and labels of other people's models come in here, so everything is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "bytes": format_bytes,
        "count": lambda count: _UNKNOWN if count is None else f"{count:,}",
        "decibel": lambda value: _UNKNOWN if value is None else f"{value:.1f} dB",
        "points": _signed,
        "lost": lambda share: _UNKNOWN if share is None else _signed(-100 * share),
    }
    return environment


def _signed(points: float) -> str:
    text = f"{points:+.2f}".replace("-", "−")
    return "0.00" if text[1:] == "0.00" else text


def _summary(study: Study) -> str:
    reached = [model.reached(row) for model in study.models for row in model.rows if row.goal]
    trainings = sum(len(row.seeds) for model in study.models for row in model.rows)
    recipes = sum(len(model.rows) for model in study.models)
    goals = f"{sum(reached)} of {len(reached)} goals reached" if reached else "no goals set"
    return f"{goals}; {recipes} recipes, {trainings} models measured."


def _part(model: Model) -> dict[str, object]:
    rows = [
        {
            "row": row,
            "low": min(one.accuracy for one in row.seeds),
            "high": max(one.accuracy for one in row.seeds),
            "change": -model.points_lost(row),
            "share": model.share(row),
            "reached": model.reached(row),
        }
        for row in model.rows
    ]
    drawn = [plots.accuracy_against_bytes(model), plots.accuracy_against_instructions(model)]
    seeds = [
        (row, one, confusion.wilson(one.correct, one.clips))
        for row in model.rows
        for one in row.seeds
    ]
    return {
        "model": model,
        "rows": rows,
        "counted": any(row.instructions is not None for row in model.rows),
        "accuracy_plots": [plot for plot in drawn if plot],
        "seeds": seeds,
        "layers": [(table, plots.layer_sqnr(model, table)) for table in model.layers],
        "histograms": [
            (shown, plots.weight_histograms(model, shown)) for shown in model.histograms
        ],
        **(_search(model) if model.search else {}),
    }


def _search(model: Model) -> dict[str, object]:
    found = model.search
    front = sorted((p for p in found.points if p.on_front), key=lambda p: (p.flash_bytes, p.loss))
    return {
        "front": [(point, _by_scheme(point)) for point in front],
        "front_counted": any(point.instructions is not None for point in front),
        "front_plot": plots.search_front(model, found),
        "best": found.points[found.best],
    }


def _by_scheme(point: Point) -> Mapping[str, list[str]]:
    """Return scheme -> the layers that have it."""
    schemes: dict[str, list[str]] = {}
    for layer, scheme in point.assignment.items():
        schemes.setdefault(scheme, []).append(layer)
    return schemes
