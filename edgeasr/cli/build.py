"""`edgeasr build`: compile a firmware project, and show what it takes of the board."""

from pathlib import Path
from typing import Annotated

import typer

from edgeasr import boards, project, toolchain
from edgeasr.cli import console, tables

app = typer.Typer(add_completion=False)


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(metavar="PROJECT", help="Folder of 'edgeasr export'.")],
    tflm_root: Annotated[
        Path | None,
        typer.Option(help="Checkout or tree of TFLite-Micro, for engine tflm [$TFLM_ROOT]."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Build the firmware of PROJECT with CMake."""
    made = project.load(folder)
    board = boards.of_project(made.folder, made.manifest.board)
    built = toolchain.build(made.folder, tflm_root=tflm_root)
    if json:
        console.print_json(
            {
                "program": str(built.elf),
                "uf2": str(built.uf2) if built.uf2 else None,
                "flash_bytes": built.flash_bytes,
                "ram_bytes": built.ram_bytes,
                "stack_bytes": built.stack_bytes,
                "sections": dict(built.sections),
                "parts": {name: vars(part) for name, part in built.parts.items()},
            }
        )
    else:
        tables.show_build(built, board)
        hears = (folder / "model" / "speech.c").is_file()
        what = "--clips MANIFEST" if hears else "--random 200"
        console.out.print(f"next: edgeasr hil {folder} {what}", markup=False)
