"""The `edgeasr` command: one file per subcommand, imported only when it runs."""

import importlib
import keyword
import sys
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup

from edgeasr import __version__
from edgeasr.errors import EdgeasrError

# Name of the subcommand (and of its module in this package): its line in `edgeasr --help`.
_COMMANDS = {
    "boards": "List the boards, or show the facts of one.",
    "doctor": "Check this computer for what edgeasr needs, with the command that installs it.",
    "data": "Fetch public recordings, and look at what a folder or a manifest holds.",
    "train": "Train a recogniser and write it as an int8 speech model with its card.",
    "import": "Import a model of PyTorch (.pt2) or ONNX, compared with the original.",
    "quantize": "Quantize a model to few bits, search schemes by layer, study what they cost.",
    "inspect": "Show a model: operations, memory plan, size, cost, facts.",
    "export": "Write the firmware project of a model for a board.",
    "build": "Build a firmware project.",
    "flash": "Write a built project to its board, verify it, and hear it answer.",
    "run": "Run a project's firmware and show the words that it recognises.",
    "hil": "Stream recordings to the firmware and check it against the host.",
    "bench": "Run a model with each engine on a board, and compare cost and outputs.",
    "demo": "Run the whole path with the zoo's digits model on an emulated board.",
}


class _LazyGroup(TyperGroup):
    def list_commands(self, ctx: typer.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: typer.Context, name: str) -> TyperCommand | None:
        """Return a stand-in with the summary: all that the group's own help needs."""
        if name not in _COMMANDS:
            return None
        stand_in = typer.Typer(add_completion=False)
        stand_in.command(name=name, help=_COMMANDS[name])(lambda: None)
        return typer.main.get_command(stand_in)

    def resolve_command(
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str | None, TyperCommand | None, list[str]]:
        """Import the module of the command that is about to run."""
        if not args or args[0] not in _COMMANDS:
            return super().resolve_command(ctx, args)
        name = args[0]
        module = f"{name}_" if keyword.iskeyword(name) else name
        command = typer.main.get_command(importlib.import_module(f"edgeasr.cli.{module}").app)
        command.name = name
        return name, command, args[1:]


app = typer.Typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a trained speech model to verified firmware.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"edgeasr {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an EdgeasrError becomes its sentence and its exit code."""
    try:
        app()
    except EdgeasrError as error:
        print(f"edgeasr: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("edgeasr: interrupted", file=sys.stderr)
        sys.exit(130)
