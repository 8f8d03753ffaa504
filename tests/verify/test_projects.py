"""Exported projects compile, for every board, without a warning, and without edgeasr."""

import os
import subprocess
from pathlib import Path

import pytest

from edgeasr import boards, deploy, speech, toolchain
from tests import tiny
from tests.conftest import need
from tests.unit.speech.test_model import NASTY

_CASES = {"plain": {}, "nasty": {"labels": NASTY[:4], "name": 'n*/"'}}


@pytest.mark.parametrize("board", boards.names())
@pytest.mark.parametrize("case", _CASES)
def test_project_builds(case: str, board: str, tmp_path: Path) -> None:
    loaded = boards.load(board)
    need(loaded.compiler.program, "cmake", "ninja")
    model = speech.load(tiny.write_model(tmp_path / "m.tflite", **_CASES[case]))
    made = deploy.export(model, loaded, tmp_path / "project")

    built = toolchain.build(made.folder)

    assert built.elf.is_file()
    assert "warning" not in built.log.read_text().lower()
    if loaded.ram_bytes:
        assert built.ram_bytes < loaded.ram_bytes
    assert toolchain.find_built(made.folder).elf == built.elf


def test_project_builds_on_its_own(tmp_path: Path) -> None:
    """The README's two lines, with an environment in which nothing of edgeasr can be found."""
    need("gcc", "cmake", "ninja")
    model = speech.load(tiny.write_model(tmp_path / "m.tflite"))
    made = deploy.export(model, boards.load("host"), tmp_path / "project")
    alone = {"PATH": os.defpath, "HOME": str(tmp_path)}

    for command in (
        ["cmake", "-B", "build", "-G", "Ninja", "-DEAR_SANITIZE=ON"],
        ["cmake", "--build", "build"],
    ):
        done = subprocess.run(command, cwd=made.folder, env=alone, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    assert os.access(made.folder / "build" / "tiny", os.X_OK)


def test_every_export_has_the_same_bytes(tmp_path: Path) -> None:
    model = speech.load(tiny.write_model(tmp_path / "m.tflite"))
    board = boards.load("host")
    one = deploy.export(model, board, tmp_path / "one").folder
    two = deploy.export(model, board, tmp_path / "two").folder

    names = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(two) for p in two.rglob("*") if p.is_file())
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_generated_headers_stand_alone(tmp_path: Path) -> None:
    """Every header of a project compiles when it is the first and only one."""
    need("gcc")
    model = speech.load(tiny.write_model(tmp_path / "m.tflite"))
    folder = deploy.export(model, boards.load("host"), tmp_path / "project").folder
    include = [f"-I{folder / name}" for name in ("src", "model", "runtime", "port")]
    for header in sorted(folder.rglob("*.h")):
        flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        source = tmp_path / "one.c"
        source.write_text(f'#include "{header.name}"\ntypedef int not_empty;\n')
        done = subprocess.run(
            ["gcc", *flags, *include, source], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{header.name}: {done.stderr}"
