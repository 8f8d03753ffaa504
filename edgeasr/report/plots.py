"""Numbers become pictures: SVG for inside an HTML page, the same text for the same numbers.

Colours are the page's own, through CSS variables, so that a plot is readable on light and on dark:
`currentColor` for text and axes, --faint for grids, --series-1 to --series-5 for data. Series
differ by marker or hatching too. Needs the extra `train` (Matplotlib).
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from markupsafe import Markup, escape

from edgeasr.errors import ToolError
from edgeasr.report.study import Histograms, LayerTable, Model, Row, Search

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")

# Colours that stand for the page's variables until the SVG is written.
_INK, _FAINT = "#010203", "#040506"
_SERIES = tuple(f"#0a0b{place:02x}" for place in range(1, 6))
_VARIABLES = {
    _INK: "currentColor",
    _FAINT: "var(--faint)",
    **{colour: f"var(--series-{place})" for place, colour in enumerate(_SERIES, 1)},
}
_MARKERS = "osD^v"
_HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\")
_SETTINGS = {"svg.fonttype": "none", "hatch.linewidth": 0.5, "text.parse_math": False}
_WIDTH_IN = 7.2
_HISTOGRAM_COLUMNS = 3


@dataclass(frozen=True)
class Plot:
    """svg: an element to put into HTML. caption: what it shows; it is its title for those who
    cannot see it."""

    svg: Markup
    caption: str


def _styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw with settings of ours alone: none of the user's, and no text taken as a formula."""

    @functools.wraps(draw)
    def styled(*given: P.args, **named: P.kwargs) -> T:
        try:
            import matplotlib
        except ImportError:
            raise ToolError(
                "matplotlib: the Python package is not installed; the study page needs it; "
                "install: pip install 'edgeasr[train]'"
            ) from None
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_SETTINGS)
            return draw(*given, **named)

    return styled


@_styled
def accuracy_against_bytes(model: Model) -> Plot:
    """Plot each recipe's accuracy over the bytes of its weights, with the reference."""
    return _scatter(
        model,
        [(number, row, row.weight_bytes) for number, row in enumerate(model.rows, 1)],
        "bytes of weights, packed, with tables",
        f"{model.name}: accuracy on the test clips against bytes of weights",
    )


@_styled
def accuracy_against_instructions(model: Model) -> Plot | None:
    """Plot each recipe's accuracy over instructions; None when none were counted."""
    counted = [
        (number, row, row.instructions)
        for number, row in enumerate(model.rows, 1)
        if row.instructions is not None
    ]
    core = f" on {model.core}" if model.core else ""
    caption = f"{model.name}: accuracy on the test clips against instructions of an inference{core}"
    return _scatter(model, counted, "instructions of an inference", caption) if counted else None


@_styled
def layer_sqnr(model: Model, table: LayerTable) -> Plot | None:
    """Plot bars of each layer's signal to quantization noise; None when it was not measured."""
    kinds = {
        "weights": [row.sqnr_weights_db for row in table.rows],
        "output on real audio": [row.sqnr_activations_db for row in table.rows],
    }
    kinds = {kind: values for kind, values in kinds.items() if any(v is not None for v in values)}
    if not kinds:
        return None
    caption = f"{model.name}, {table.recipe}: signal to quantization noise of each layer"
    figure = _figure(0.9 + 0.17 * len(kinds) * len(table.rows) + 0.12 * len(table.rows))
    axes = _axes(figure)
    height = 0.8 / len(kinds)
    for place, (kind, values) in enumerate(kinds.items()):
        axes.barh(
            [row + height * (place - (len(kinds) - 1) / 2) for row in range(len(values))],
            [0 if value is None else value for value in values],
            height,
            color=_SERIES[place],
            edgecolor=_INK,
            hatch=_HATCHES[place],
            linewidth=0.5,
            label=kind,
        )
    axes.set_yticks(range(len(table.rows)), [row.layer for row in table.rows])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("SQNR in dB, longer is better")
    _legend(figure, axes)
    return _finish(figure, caption)


@_styled
def weight_histograms(model: Model, shown: Histograms) -> Plot:
    """Plot each layer's weights with the levels of its grid as lines."""
    columns = min(_HISTOGRAM_COLUMNS, len(shown.histograms))
    rows = -(-len(shown.histograms) // columns)
    figure = _figure(1.75 * rows)
    for place, one in enumerate(shown.histograms, 1):
        axes = _axes(figure, (rows, columns, place))
        axes.grid(visible=False)
        axes.vlines(
            one.levels, 0, 1, color=_SERIES[1], linewidth=0.8, transform=axes.get_xaxis_transform()
        )
        axes.stairs(one.counts, one.edges, fill=True, color=_SERIES[0], alpha=0.75)
        axes.set_title(one.layer, fontsize=8)
        axes.set_xlabel(one.axis, fontsize=7)
        axes.set_yticks([])
        axes.tick_params(labelsize=7)
    caption = (
        f"{model.name}, {shown.recipe}: weights of each layer (filled) and the levels of its grid "
        "(lines)"
    )
    return _finish(figure, caption)


@_styled
def search_front(model: Model, search: Search) -> Plot:
    """Plot all that a search evaluated: loss over flash, and over instructions if counted."""
    counted = all(point.instructions is not None for point in search.points)
    costs = [("flash_bytes", "bytes of flash")]
    costs += [("instructions", "instructions of an inference")] if counted else []
    figure = _figure(3.4)
    for place, (cost, label) in enumerate(costs, 1):
        axes = _axes(figure, (1, len(costs), place))
        _front(axes, search, cost)
        axes.xaxis.get_major_locator().set_params(nbins=4)
        axes.set_xlabel(label)
        axes.set_ylabel("loss" if place == 1 else "")
        if cost == "flash_bytes" and search.budget_bytes is not None:
            axes.axvline(search.budget_bytes, color=_SERIES[1], linestyle="--", label="budget")
        if place == 1:
            _legend(figure, axes)
    return _finish(
        figure,
        f"{model.name}: {len(search.points)} assignments that the search evaluated, and their "
        "Pareto front",
    )


def _front(axes: Axes, search: Search, cost: str) -> None:
    def points(chosen: Sequence[Any]) -> tuple[list[float], list[float]]:
        return [getattr(p, cost) for p in chosen], [p.loss for p in chosen]

    rest = [point for point in search.points if not point.on_front]
    front = [point for point in search.points if point.on_front]
    size = {"linewidths": 0.8, "edgecolors": _INK}
    axes.scatter(*points(rest), s=14, color=_INK, alpha=0.45, marker=".", label="evaluated")
    axes.scatter(*points(front), s=22, color=_SERIES[0], marker="o", label="on the front", **size)
    best = [search.points[search.best]]
    axes.scatter(*points(best), s=110, color=_SERIES[3], marker="*", label="chosen", **size)
    losses = sorted(point.loss for point in search.points)
    if losses[-1] > 20 * max(losses[len(losses) // 2], 1e-9) and losses[0] > 0:
        axes.set_yscale("log")


def _scatter(model: Model, rows: Sequence[tuple[int, Row, int]], label: str, caption: str) -> Plot:
    """Plot mean accuracy with the range over seeds; a point's number is its row in the table."""
    figure = _figure(3.8)
    axes = _axes(figure)
    axes.axhline(
        100 * model.reference_accuracy, color=_INK, linestyle="--", linewidth=1,
        label=model.reference,
    )  # fmt: skip
    methods = list(dict.fromkeys(row.method for _, row, _ in rows))
    for place, method in enumerate(methods):
        style = place % len(_SERIES)
        mine = [(number, row, cost) for number, row, cost in rows if row.method == method]
        means = [100 * row.accuracy for _, row, _ in mine]
        ranges = [[100 * one.accuracy for one in row.seeds] for _, row, _ in mine]
        reach = [
            [mean - min(values) for mean, values in zip(means, ranges, strict=True)],
            [max(values) - mean for mean, values in zip(means, ranges, strict=True)],
        ]
        axes.errorbar(
            [cost for _, _, cost in mine], means, reach, fmt=_MARKERS[style], markersize=6,
            color=_SERIES[style], ecolor=_SERIES[style], markeredgecolor=_INK,
            markeredgewidth=0.6, capsize=3, elinewidth=1, label=method,
        )  # fmt: skip
    _number(axes, [(number, cost, 100 * row.accuracy) for number, row, cost in rows])
    axes.set_xlabel(label)
    axes.set_ylabel("accuracy in %")
    axes.margins(x=0.08, y=0.12)
    _legend(figure, axes)
    return _finish(figure, f"{caption}; mean and range over seeds, numbers are rows of the table")


def _figure(height_in: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")


def _axes(figure: Figure, place: tuple[int, int, int] = (1, 1, 1)) -> Axes:
    axes = figure.add_subplot(*place)
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_INK)
    axes.tick_params(colors=_INK, labelsize=8)
    axes.grid(color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter("{x:,.10g}")
    for text in (axes.xaxis.label, axes.yaxis.label, axes.title):
        text.set_color(_INK)
        text.set_fontsize(9)
    return axes


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper left", ncols=len(labels), frameon=False, fontsize=8,
        labelcolor=_INK,
    )  # fmt: skip


def _number(axes: Axes, points: Sequence[tuple[int, float, float]]) -> None:
    """Write each point's number at its right, or at its left where another is near at the right."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    for number, x, y in points:
        crowded = any(
            0 < (other - x) / (right - left) < 0.06 and abs(height - y) / (high - low) < 0.06
            for _, other, height in points
        )
        axes.annotate(
            str(number), (x, y), xytext=(-7 if crowded else 7, 0), textcoords="offset points",
            ha="right" if crowded else "left", va="center", fontsize=8, color=_INK,
        )  # fmt: skip


def _finish(figure: Figure, caption: str) -> Plot:
    import matplotlib

    text = io.StringIO()
    # The ids in a plot are hashes with this salt: no two plots of a page share one.
    matplotlib.rcParams["svg.hashsalt"] = caption
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    svg = text.getvalue()
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    used = set(re.findall(r"#(\w+)[\")]", svg))
    svg = re.sub(r'(<\w+) id="([^"]*)"', lambda tag: tag[0] if tag[2] in used else tag[1], svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    head = f'<svg role="img" aria-label="{escape(caption)}"'
    svg = svg.replace("<svg", head, 1)
    return Plot(Markup(re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)), caption)
