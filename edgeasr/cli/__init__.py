"""The `edgeasr` command: one file per subcommand, imported only when it runs."""

import importlib
import sys

import typer
from typer.core import TyperGroup

from edgeasr.errors import EdgeasrError

# Name of the subcommand (and of its module in this package): its line in `edgeasr --help`.
_COMMANDS = {
    "boards": "List the boards, or show the facts of one.",
    "doctor": "Check this computer for what edgeasr needs, with the command that installs it.",
    "data": "Fetch public recordings, and look at what a folder or a manifest holds.",
    "train": "Train a recogniser and write it as an int8 speech model with its card.",
    "quantize": "Quantize a trained Keras model to a full-integer speech model.",
    "inspect": "Show a model: operations, memory plan, size, cost, facts.",
    "export": "Write the firmware project of a model for a board.",
    "build": "Build a firmware project.",
    "run": "Run a project's firmware and show the words that it recognises.",
    "hil": "Stream recordings to the firmware and check it against the host.",
}


class _LazyGroup(TyperGroup):
    def list_commands(self, ctx: typer.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: typer.Context, name: str):  # noqa: ANN201 - click's own type
        if name not in _COMMANDS:
            return None
        if ctx.resilient_parsing or _asks_for_help(ctx):
            return typer.main.get_command(_placeholder(name))
        command = typer.main.get_command(importlib.import_module(f"edgeasr.cli.{name}").app)
        command.name = name
        return command


def _asks_for_help(ctx: typer.Context) -> bool:
    """True while the group prints its own help, which needs names and summaries alone."""
    return not ctx.args and not ctx._protected_args and ctx.invoked_subcommand is None


def _placeholder(name: str) -> typer.Typer:
    app = typer.Typer(add_completion=False)
    app.command(name=name, help=_COMMANDS[name])(lambda: None)
    return app


app = typer.Typer(
    cls=_LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="From a trained speech model to verified firmware.",
)


@app.callback()
def _root() -> None:
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
