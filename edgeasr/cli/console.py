"""What the commands print: results on stdout (as JSON when asked), all else on stderr."""

import json
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# Where no terminal says how wide it is, tables are as wide as they want to be.
_PIPE_COLUMNS = 160

out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _PIPE_COLUMNS)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def say(text: str) -> None:
    """Tell what was done or is being done, on stderr."""
    err.print(text, markup=False)


def print_json(result: object) -> None:
    """Print a result for scripts: one JSON document on stdout."""
    json.dump(result, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def progress() -> Progress:
    """Return a progress bar on stderr; it shows nothing where stderr is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
