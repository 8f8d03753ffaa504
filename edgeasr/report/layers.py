"""Instructions of each layer become an SVG: a bar a layer, one group of bars an engine."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

from edgeasr.units import format_count

_LEFT, _TOP, _WIDTH, _ROW, _HEAD = 210, 50, 520, 18, 30


def render(engines: Mapping[str, Sequence[tuple[str, int, int]]], title: str) -> str:
    """Return the picture, the same for the same figures.

    engines: (name of the layer, instructions, MACs) in order of execution, by the engine's name;
    an engine without any is left out. All bars have one scale. Names are escaped.
    """
    shown = {name: rows for name, rows in engines.items() if rows}
    most = max((count for rows in shown.values() for _, count, _ in rows), default=0)
    groups, y = [], _TOP
    for engine, rows in shown.items():
        total = sum(count for _, count, _ in rows)
        y += _HEAD
        bars = [
            {
                "y": y + i * _ROW,
                "name": name,
                "width": round(_WIDTH * count / max(most, 1), 1),
                "label": _label(count, macs, total),
            }
            for i, (name, count, macs) in enumerate(rows)
        ]
        groups.append({"title": f"{engine}: {total:,} instructions", "y": y - 8, "bars": bars})
        y += len(rows) * _ROW
    return _template().render(
        title=f"Instructions by layer: {title}",
        width=_LEFT + _WIDTH + 230,
        height=y + 20,
        left=_LEFT,
        groups=groups,
    )


def _label(count: int, macs: int, total: int) -> str:
    label = f"{format_count(count)}, {100 * count / max(total, 1):.1f} %"
    return f"{label}, {count / macs:.2f} a MAC" if macs else label


def _template() -> jinja2.Template:
    """Names of other people's files come in here, so everything is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("layers.svg.j2")
