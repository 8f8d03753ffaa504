"""`edgeasr data`: fetch public recordings, look at recordings, synthesise words."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from edgeasr.audio import catalog, fetch, public, summary, tasks, voices
from edgeasr.audio.clip import SPLITS
from edgeasr.cli import console
from edgeasr.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Fetch public recordings, and look at recordings.")
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command("list")
def list_sets(as_json: _Json = False) -> None:
    """List the public data sets that can be fetched, and where those lie that are here."""
    rows = []
    for each in public.SETS.values():
        folder = fetch.home() / each.name
        rows.append({
            "name": each.name, "title": each.title, "holds": each.holds, "licence": each.licence,
            "recordings": each.recordings, "speakers": each.speakers,
            "archive_bytes": each.archive_bytes, "url": each.url, "sha256": each.sha256,
            "note": each.note, "folder": str(folder) if folder.is_dir() else None,
        })  # fmt: skip
    if as_json:
        console.print_json(rows)
        return
    table = Table("name", "holds", "licence", "clips", "speakers", "download", box=None)
    for row in rows:
        numbers = (f"{row['recordings']:,}", f"{row['speakers']:,}")
        size = f"{row['archive_bytes'] / 2**20:,.0f} MiB"
        table.add_row(row["name"], row["holds"], row["licence"], *numbers, size)
    console.out.print(table)
    for row in rows:
        parts = [row["title"], row["url"], row["note"], f"lies in {row['folder']}"]
        known = [part for part in (parts if row["folder"] else parts[:3]) if part]
        console.out.print(f"{row['name']}: {'; '.join(known)}", markup=False)


@app.command("fetch")
def fetch_set(
    name: Annotated[str, typer.Argument(help="speech_commands, fsdd or audiomnist.")],
    to: Annotated[
        Path | None, typer.Option(help="Folder to put it in.", show_default="the cache")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Another address of the same archive.")] = None,
    keep_archive: Annotated[bool, typer.Option(help="Keep the archive beside the folder.")] = False,
) -> None:
    """Download a public data set in its official layout, verified; goes on where it broke."""
    wanted = public.named(name)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
    bar = Progress(
        *columns, console=console.err, transient=True, disable=not console.err.is_terminal
    )
    with bar:
        shown = bar.add_task(name, total=wanted.archive_bytes)

        def advance(done: int, total: int | None) -> None:
            bar.update(shown, completed=done, total=total or wanted.archive_bytes)

        try:
            folder = fetch.fetch(wanted, to or fetch.home(), url=url, keep_archive=keep_archive,
                                 on_progress=advance, on_step=console.say)  # fmt: skip
        except KeyboardInterrupt:
            console.say("stopped; the same command goes on with what has arrived")
            raise
    console.say(f"licence of the recordings: {wanted.licence}")
    console.out.print(str(folder), markup=False)


@app.command("show")
def show(
    path: Annotated[Path, typer.Argument(help="A folder of recordings, or a manifest CSV.")],
    layout: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(catalog.LAYOUTS)}; found by looking.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Show what a folder or a manifest holds: clips by label and split, speakers, hours."""
    name = layout or catalog.detect(path)
    clips = catalog.load(path, name, check=False)
    with console.progress() as bar:
        task = bar.add_task("measuring", total=len(clips))
        result = {"path": str(path), "layout": name}
        result |= summary.summarize(clips, lambda: bar.advance(task))
    if as_json:
        console.print_json(result)
        return
    console.out.print(f"{path}: {len(clips):,} clips, layout {name}", markup=False)
    console.out.print(_table(result))
    for licence in result["licences"]:
        console.out.print(f"licence: {licence}", markup=False)
    if result["synthetic"]:
        console.out.print(f"synthetic clips: {result['synthetic']:,}")
    for warning in result["warnings"]:
        console.say(f"warning: {warning}")


def _table(result: dict) -> Table:
    table = Table("label", *SPLITS, "all", box=None)
    for label, counts in result["labels"].items():
        numbers = [counts[split] for split in SPLITS]
        table.add_row(escape(label), *(f"{n:,}" for n in numbers), f"{sum(numbers):,}")
    table.add_section()
    for name, form in (("speakers", "{:,}"), ("hours", "{:.2f}")):
        numbers = [result[name][split] for split in SPLITS]
        table.add_row(name, *(form.format(n) for n in numbers), form.format(sum(numbers)))
    return table


@app.command("synthesize")
def synthesize(
    out: Annotated[Path, typer.Option(help="New folder for the clips and their manifest.csv.")],
    word: Annotated[
        list[str] | None, typer.Argument(help="Words, or WORD=LABEL.", show_default=False)
    ] = None,
    task: Annotated[str | None, typer.Option(help="All words of a task: digits, keywords.")] = None,
    per_word: Annotated[int, typer.Option(help="Clips of each word.", min=1)] = 150,
    engine: Annotated[
        list[str] | None, typer.Option(help="espeak-ng, flite, festival; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Chooses the voices and their speed.")] = 1,
    rate: Annotated[int, typer.Option(help="Sample rate in hertz.")] = 16000,
) -> None:
    """Let synthesisers say words with many voices: for training and for demonstrations only."""
    labels = _labels(word or [], task)
    with console.progress() as bar:
        shown = bar.add_task("speaking", total=per_word * len(labels))
        clips = voices.synthesize(
            labels, out, per_word=per_word, engine_names=engine or tuple(voices.SHARES), seed=seed,
            sample_rate_hz=rate, on_clip=lambda: bar.advance(shown),
        )  # fmt: skip
    speakers = len({clip.speaker for clip in clips})
    console.say(f"{len(clips):,} clips of {len(labels)} words by {speakers} synthetic voices")
    console.out.print(str(out / "manifest.csv"), markup=False)


def _labels(words: list[str], task: str | None) -> dict[str, str]:
    labels = {}
    for word in words:
        said, _, label = word.partition("=")
        labels[said] = label or said
    if task:
        labels |= {said: label for said, label in tasks.words(task).items() if said.isalpha()}
    if not labels:
        raise InputError("no words are given; give WORD…, or --task digits or --task keywords")
    return labels
