"""`edgeasr doctor`: what is here of all that edgeasr uses, and the commands for the rest."""

from typing import Annotated

import typer

from edgeasr.cli import console
from edgeasr.errors import CheckError
from edgeasr.toolchain import checks

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check this computer. Exit code 1 when something is missing that every board needs."""
    seen = list(checks.all_checks())
    if json:
        console.print_json([{**vars(check), "ok": check.ok} for check in seen])
    else:
        for check in seen:
            console.out.print(_line(check), markup=False)
    missing = [check.name for check in seen if check.essential and not check.ok]
    if missing:
        raise CheckError(f"no board can be built for without: {', '.join(missing)}")


def _line(check: checks.Check) -> str:
    if check.ok:
        return f"  ok       {check.name}: {check.found}"
    grade = "MISSING" if check.essential else "missing"
    return f"  {grade}  {check.name}, for {check.needed_for}; install it with: {check.install}"
