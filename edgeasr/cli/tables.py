"""Tables that several commands print."""

import numpy as np
from rich.table import Table

from edgeasr.boards import Board
from edgeasr.cli import console
from edgeasr.hil import Report
from edgeasr.toolchain import Built
from edgeasr.units import format_bytes


def show_build(built: Built, board: Board) -> None:
    """Print where the program is and what it takes of the board."""
    lines = [f"{built.elf}"]
    for what, used, has in (
        ("flash", built.flash_bytes, board.flash_bytes),
        ("RAM", built.ram_bytes, board.ram_bytes),
    ):
        of = f" of {format_bytes(has)}, {100 * used / has:.1f} %" if has else ""
        lines.append(f"  {what:<6}{format_bytes(used)}{of}")
    if not board.port.hosted:
        sections = ", ".join(f"{name} {count:,} B" for name, count in built.sections.items())
        lines.append(f"  {sections}")
    console.out.print("\n".join(lines), markup=False)


def show_report(report: Report) -> None:
    """Print a run of the host in the loop: confusion matrix, accuracy, agreement, cost."""
    console.out.print(confusion_table(report.labels, report.confusion()))
    count = len(report.outcomes)
    right = round(report.accuracy() * count)
    features = sum(o.features_equal for o in report.outcomes)
    scores = sum(o.scores_equal for o in report.outcomes)
    median_s, most_s = report.round_trip_s()
    lines = [
        f"{report.board}: {right} of {count} clips recognised, {100 * report.accuracy():.2f} % "
        f"(host {100 * report.accuracy('host'):.2f} %)",
        f"agreement with {report.reference}: features {100 * features / count:g} %, "
        f"scores {100 * scores / count:g} %",
        f"round trip of a clip: median {median_s:.2f} s, longest {most_s:.2f} s",
    ]
    front_end = report.instructions("front_end")
    inference = report.instructions("inference")
    if inference is not None:
        lines.append(
            f"instructions: {inference:,} an inference, {front_end:,} for the features of a clip"
        )
    console.out.print("\n".join(lines), markup=False)


def confusion_table(labels: tuple[str, ...], matrix: np.ndarray) -> Table:
    """Return a confusion matrix: a row for each label spoken, a column for each recognised."""
    table = Table(box=None, pad_edge=False, title="spoken \\ recognised", title_justify="left")
    table.add_column("")
    for label in labels:
        table.add_column(label.strip("_"), justify="right")
    table.add_column("%", justify="right")
    for label, row in zip(labels, matrix, strict=True):
        if not row.sum():
            continue
        here = labels.index(label)
        cells = [f"[bold]{n}[/]" if i == here else str(n) if n else "·" for i, n in enumerate(row)]
        table.add_row(label.strip("_"), *cells, f"{100 * row[here] / row.sum():.1f}")
    return table
