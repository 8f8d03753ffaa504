"""Tables that several commands print."""

import numpy as np
from rich.table import Table

from edgeasr.boards import Board
from edgeasr.cli import console
from edgeasr.hil import Report, StreamReport, TensorReport
from edgeasr.toolchain import Built
from edgeasr.units import format_bytes


def show_build(built: Built, board: Board) -> None:
    """Print where the program is and what it takes of the board."""
    lines = [f"{built.elf}"] + [f"{built.uf2}"] * (built.uf2 is not None)
    for what, used, has in (
        ("flash", built.flash_bytes, board.flash_bytes),
        ("RAM", built.ram_bytes, board.ram_bytes),
    ):
        of = f" of {format_bytes(has)}, {100 * used / has:.1f} %" if has else ""
        lines.append(f"  {what:<6}{format_bytes(used)}{of}")
    if not board.port.hosted:
        sections = ", ".join(f"{name} {count:,} B" for name, count in built.sections.items())
        lines.append(f"  {sections}")
    for what in ("flash", "ram"):
        sizes = {name: getattr(part, f"{what}_bytes") for name, part in built.parts.items()}
        shown = ", ".join(f"{name} {size:,} B" for name, size in sizes.items() if size)
        if shown:
            lines.append(f"  {what.replace('ram', 'RAM')} by part: {shown}")
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
        f"scores {100 * scores / count:g} %{_apart(report)}",
        f"round trip of a clip: median {median_s:.2f} s, longest {most_s:.2f} s",
    ]
    front_end = report.instructions("front_end")
    inference = report.instructions("inference")
    if inference is not None:
        led = ", with the frame that led to it" if report.incremental else ""
        frames = "a clip's other frames" if led else "the features of a clip"
        lines.append(
            f"{report.counted}: {inference:,} an inference{led}, {front_end:,} for {frames}"
        )
    console.out.print("\n".join(lines), markup=False)


def _apart(report: Report) -> str:
    """Say how far the scores are apart, where they are and that is let pass."""
    if not report.apart:
        return ""
    return f" (at most {report.apart:.2g} apart)"


def show_streams(report: StreamReport) -> None:
    """Print a run of recordings as streams: words found, false events, agreement, cost."""
    count, spoken = len(report.outcomes), report.spoken()
    inferences = sum(o.inferences for o in report.outcomes)
    equal = inferences - sum(o.unequal for o in report.outcomes)
    features = sum(o.features_equal for o in report.outcomes)
    words = ", ".join(report.words)
    lines = [
        f"{report.board}: {words} detected in {report.detected()} of {spoken} recordings, "
        f"missed in {report.missed()}; false in {report.false()} of {count - spoken} others",
        f"host: detected in {report.detected('host')}, false in {report.false('host')}",
        f"agreement with {report.reference}: features {100 * features / count:g} %, "
        f"{equal:,} of {inferences:,} inferences",
    ]
    if (each := report.instructions()) is not None:
        lines.append(f"{report.counted}: {each:,} an inference, with the frame that led to it")
    console.out.print("\n".join(lines), markup=False)


def show_tensors(report: TensorReport) -> None:
    """Print a run of inputs through the tensor mode."""
    equal = report.inputs - len(report.unequal)
    lines = [
        f"{report.board}: {equal} of {report.inputs} outputs equal those of {report.reference}"
        f"{'' if report.tolerance else ', bit for bit'} ({report.distinct_outputs} different ones)",
    ]
    if report.layers:  # an engine on this computer in TFLite-Micro's place does not show them
        compared = report.layers - len(report.layers_unequal)
        lines.append(f"layers: {compared} of {report.layers} equal at every input")
    if report.instructions is not None:
        lines.append(f"{report.counted}: {report.instructions:,} an inference")
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
