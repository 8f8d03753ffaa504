"""Tools are looked for before any work, sizes are read, and stale builds are refused."""

import json
import shutil
import struct
import subprocess

import pytest
import typer.testing

from edgeasr.cli import doctor
from edgeasr.errors import InputError, ToolError
from edgeasr.toolchain import build, checks, elf, find_built, tools
from tests.boards.conftest import need_tools, write_echo
from tests.conftest import missing


@pytest.fixture
def empty_path(tmp_path, monkeypatch):
    """A PATH on which nothing lies, but what the test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _pretend(folder, *programs: str) -> None:
    for program in programs:
        (folder / program).write_text("#!/bin/sh\nexit 1\n")
        (folder / program).chmod(0o755)


def test_a_missing_compiler_is_named_before_any_work(tmp_path, empty_path):
    made = write_echo("qemu_mps2_an386", tmp_path / "echo")
    _pretend(empty_path, "cmake", "ninja")
    with pytest.raises(ToolError) as caught:
        build(made.folder)
    assert str(caught.value) == (
        "arm-none-eabi-gcc: not found on PATH; building firmware for Cortex-M boards needs it; "
        "install: apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"
    )
    assert not (made.folder / "build").exists()


@pytest.mark.parametrize(("there", "named"), [((), "cmake"), (("cmake",), "ninja")])
def test_missing_build_tools(tmp_path, empty_path, there, named):
    made = write_echo("host", tmp_path / "echo")
    _pretend(empty_path, *there)
    with pytest.raises(ToolError, match=f"^{named}: not found on PATH; building firmware needs it"):
        build(made.folder)


def test_make_does_as_well_as_ninja(empty_path):
    _pretend(empty_path, "make")
    assert tools.require("ninja") == str(empty_path / "make")


def test_a_compiler_that_is_in_no_table_has_a_sentence_too(empty_path):
    with pytest.raises(ToolError, match="riscv64-unknown-elf-gcc: not found on PATH"):
        tools.require("riscv64-unknown-elf-gcc")


def test_a_failing_build_shows_command_and_log(tmp_path):
    need_tools("host")
    made = write_echo("host", tmp_path / "echo")
    (made.folder / "src" / "main.c").write_text("int main(void) { return nothing; }\n")
    with pytest.raises(ToolError, match=r"(?s)failed with exit code 1; full log: .*nothing"):
        build(made.folder)
    assert "nothing" in (made.folder / "build" / "build.log").read_text()
    with pytest.raises(InputError, match=r"is not built; run 'edgeasr build"):
        find_built(made.folder)


def test_a_stale_program_is_refused(tmp_path):
    need_tools("host")
    made = write_echo("host", tmp_path / "echo")
    with pytest.raises(InputError, match=r"is not built; run 'edgeasr build"):
        find_built(made.folder)
    built = build(made.folder, jobs=1)
    assert find_built(made.folder) == built
    main = made.folder / "src" / "main.c"
    main.write_text(main.read_text() + "\n")
    with pytest.raises(InputError, match=r"older than its sources; run 'edgeasr build"):
        find_built(made.folder)
    built = build(made.folder)
    built.elf.unlink()
    with pytest.raises(InputError, match=r"the program of the last build is gone"):
        find_built(made.folder)


def test_a_moved_project_builds_again(tmp_path):
    need_tools("host")
    made = write_echo("host", tmp_path / "echo")
    build(made.folder)
    moved = made.folder.rename(tmp_path / "moved")
    assert build(moved).elf == moved / "build" / "echo"


def test_not_a_project(tmp_path):
    with pytest.raises(InputError, match=r"not an edgeasr project"):
        build(tmp_path)


def test_sections_are_those_that_binutils_sees(tmp_path):
    need_tools("host")
    made = write_echo("host", tmp_path / "echo")
    built = build(made.folder)
    listed = subprocess.run(["size", "-A", built.elf], capture_output=True, text=True, check=True)
    seen = dict(line.split()[:2] for line in listed.stdout.splitlines() if line.startswith("."))
    for name, count in built.sections.items():
        assert int(seen[name]) == count
    assert built.sections.keys() >= {".text", ".rodata", ".data", ".bss"}


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF", b"not an elf file at all", b"\x7fELF\x01\x01" + bytes(60)]
)
def test_what_is_no_elf_file_is_refused(tmp_path, content):
    path = tmp_path / "x.elf"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.elf: not a whole little-endian ELF file"):
        elf.sections(path)


def test_a_table_beyond_the_end_of_the_file_is_refused(tmp_path):
    header = bytearray(52)
    header[:6] = b"\x7fELF\x01\x01"
    struct.pack_into("<I", header, 0x20, 1 << 30)
    struct.pack_into("<3H", header, 0x2E, 40, 3, 2)
    path = tmp_path / "x.elf"
    path.write_bytes(header)
    with pytest.raises(InputError, match=r"not a whole little-endian ELF file"):
        elf.sections(path)


def test_doctor_finds_nothing_on_an_empty_path(empty_path):
    found = {check.name: check for check in checks.all_checks()}
    for name in ("gcc", "cmake", "ninja", "arm-none-eabi-gcc", "qemu-system-arm", "espeak-ng"):
        assert not found[name].ok
        assert found[name].install.startswith("apt-get install ")
    assert found["gcc"].essential
    assert not found["arm-none-eabi-gcc"].essential
    assert found["Python 3.11"].ok


def test_doctor_ends_with_exit_code_1_and_names_what_is_missing(empty_path):
    done = typer.testing.CliRunner().invoke(doctor.app, [])
    assert done.exception.exit_code == 1
    assert str(done.exception) == "no board can be built for without: gcc, cmake, ninja"
    assert "MISSING  cmake, for building firmware; install it with: apt-get install cmake" in (
        done.stdout
    )


def test_doctor_speaks_json(empty_path):
    done = typer.testing.CliRunner().invoke(doctor.app, ["--json"])
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["cmake"]["ok"] is False
    assert rows["cmake"]["install"] == "apt-get install cmake"


def test_a_compiler_without_its_library_is_found_out(empty_path):
    _pretend(empty_path, "arm-none-eabi-gcc")
    found = {check.name: check for check in checks.all_checks()}
    assert found["arm-none-eabi-gcc"].ok
    library = found["C library of arm-none-eabi-gcc"]
    assert not library.ok
    assert library.install == "apt-get install libnewlib-arm-none-eabi"


def test_make_builds_what_ninja_does(tmp_path, monkeypatch):
    need_tools("host")
    make = shutil.which("make") or missing("make")
    made = write_echo("host", tmp_path / "echo")
    with_ninja = build(made.folder)
    require = tools.require
    monkeypatch.setattr(tools, "require", lambda name: make if name == "ninja" else require(name))
    assert build(made.folder).sections == with_ninja.sections
    assert (made.folder / "build" / "Makefile").is_file()
