"""A memory plan becomes an SVG: steps from left to right, bytes upwards, state above the arena."""

from collections.abc import Sequence
from pathlib import Path

import jinja2

from edgeasr.plan import Placed, Plan
from edgeasr.units import format_bytes

_LEFT, _TOP, _PLOT_HEIGHT, _FOOT = 84, 58, 380, 160
_LEAST_WIDTH, _STEP_MOST, _STEP_LEAST = 860, 64, 14
_LETTER = 6.2  # width of a letter of the labels, about


def render(plan: Plan, kinds: Sequence[str], name: str) -> str:
    """Return the picture of a plan, the same for the same plan.

    kinds: of the operators, in order. name: the model's, for the title; it is escaped.
    """
    step_width = max(_STEP_LEAST, min(_STEP_MOST, 1100 // (len(kinds) + 2)))
    right = _LEFT + step_width * (len(kinds) + 2)
    per_byte = _PLOT_HEIGHT / max(plan.ram_bytes, 1)
    bottom = _TOP + _PLOT_HEIGHT

    def x(step: float) -> float:
        return round(_LEFT + (step + 1) * step_width, 1)  # step -1, before the first, is leftmost

    def y(offset: float) -> float:
        return round(bottom - offset * per_byte, 1)

    labels = ["input", *(f"{i} {kind}" for i, kind in enumerate(kinds)), "output"]
    return _template().render(
        width=max(right + 20, _LEAST_WIDTH),
        height=bottom + _FOOT,
        title=f"Memory plan of {name}",
        summary=f"arena {format_bytes(plan.arena_bytes)}, "
        f"at least {format_bytes(plan.lower_bound_bytes)} are live at once"
        + (f"; state {format_bytes(plan.state_bytes)}" if plan.state else ""),
        plot={"left": _LEFT, "top": _TOP, "right": right, "bottom": bottom},
        steps=[
            {"middle": round(x(i - 1) + step_width / 2, 1), "label": label}
            for i, label in enumerate(labels)
        ],
        ticks=[(y(offset), f"{offset:,}") for offset in _ticks(plan.ram_bytes)],
        boxes=[
            *(_box(p, "scratch" if p.buffer.scratch else "tensor", x, y) for p in plan.placed),
            *(_box(placed, "state", x, y) for placed in plan.state),
        ],
        live=_live(plan, len(kinds), x, y),
    )


def _template() -> jinja2.Template:
    """Names of other people's tensors come in here, so everything is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("memory.svg.j2")


def _box(placed: Placed, kind: str, x: object, y: object) -> dict[str, object]:
    buffer = placed.buffer
    left, right = x(buffer.first), x(buffer.last + 1)
    top, bottom = y(placed.end), y(placed.offset)
    width, height = round(right - left, 1), round(bottom - top, 1)
    name = "".join(c if c.isprintable() else "?" for c in buffer.name)
    fits = height >= 13 and width >= _LETTER * 4
    letters = int(width / _LETTER)
    short = name if len(name) <= letters else name.rsplit("/", 1)[-1]
    return {
        "x": left,
        "y": top,
        "width": width,
        "height": height,
        "kind": kind,
        "middle": round((left + right) / 2, 1),
        "baseline": round((top + bottom) / 2 + 4, 1),
        "label": (short if len(short) <= letters else short[: letters - 1] + "…") if fits else "",
        "hint": f"{name}: {format_bytes(buffer.bytes)} at {placed.offset:,}, "
        f"steps {buffer.first} to {buffer.last}",
    }


def _ticks(end: int) -> list[int]:
    """Return round offsets, five to ten of them, and the end."""
    step = 16
    while end / step > 10:
        step *= 2
    return [*(at for at in range(0, end, step) if end - at > step / 2), end]


def _live(plan: Plan, steps: int, x: object, y: object) -> str:
    parts = []
    for step in range(-1, steps + 1):
        height = y(plan.live_bytes(step))
        parts.append(f"{'M' if step == -1 else 'L'}{x(step)} {height}L{x(step + 1)} {height}")
    return "".join(parts)
