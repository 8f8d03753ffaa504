"""`edgeasr flash` and a real board's line, from the command line: a program here is the board."""

import contextlib
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tty
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports
from typer.testing import CliRunner

from edgeasr import boards, cli, deploy, flashing, paths, speech, toolchain
from edgeasr.errors import CheckError, EdgeasrError, InputError, LinkError
from edgeasr.project import Project
from tests import tiny
from tests.boards.conftest import need_tools

FLASHED = tuple(name for name in boards.names() if boards.load(name).flash)
_USB = "0483:374b"
_TABLES = f"""
[line]
baud = 115200
usb = ["{_USB}"]

[flash.openocd]
config = "board/desk.cfg"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A built project for a board that is flashed with OpenOCD, and runs on this computer."""
    need_tools("host")
    folder = tmp_path_factory.mktemp("flash")
    text = (
        (paths.boards() / "host.toml").read_text().replace("simulated = true", "simulated = false")
    )
    (folder / "desk.toml").write_text(text + _TABLES)
    model = speech.load(tiny.write_model(folder / "tiny.tflite"))
    made = deploy.export(model, boards.load(folder / "desk.toml"), folder / "tiny-desk")
    toolchain.build(made.folder)
    return made


@pytest.fixture
def openocd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An OpenOCD that notes its arguments; nothing is on USB that this computer could tell of."""
    file = tmp_path / "openocd"
    file.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {shlex.quote(str(tmp_path / "called"))}\n')
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("edgeasr.flashing.usb.SYSFS", tmp_path / "no sysfs")
    return tmp_path / "called"


@contextlib.contextmanager
def serial_board(program: Path | None) -> Iterator[str]:
    """Yield a serial port with a program at its other end; None: with nobody there."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    running = program and subprocess.Popen(
        [program], stdin=ours, stdout=ours, stderr=subprocess.DEVNULL
    )
    try:
        yield os.ttyname(theirs)
    finally:
        if running:
            running.kill()
            running.wait()
        os.close(ours)
        os.close(theirs)


def plugged(monkeypatch: pytest.MonkeyPatch, *devices: str, usb: str = _USB) -> None:
    found = [
        SimpleNamespace(
            device=device,
            vid=int(usb[:4], 16),
            pid=int(usb[5:], 16),
            serial_number=f"S{number}",
            product="STLink",
        )
        for number, device in enumerate(devices)
    ]
    monkeypatch.setattr(list_ports, "comports", lambda: found)


def edgeasr(*argv: object) -> tuple[str, EdgeasrError | None]:
    """Run a command here; return what it printed on stdout, and how it was refused."""
    done = CliRunner().invoke(cli.app, [str(word) for word in argv])
    if done.exception is not None and not isinstance(done.exception, EdgeasrError):
        raise done.exception
    return done.stdout, done.exception


def test_flash_writes_and_hears_the_board_answer(project, openocd, monkeypatch):
    with serial_board(project.folder / "build" / "tiny") as port:
        plugged(monkeypatch, port)

        said, refused = edgeasr("flash", project.folder)

    assert refused is None
    model = project.manifest.model_sha256[:16]
    assert f"desk answers on {port}: model tiny ({model}), engine ear, runtime" in said
    assert openocd.read_text().splitlines()[:2] == ["-f", "board/desk.cfg"]


def test_flash_says_in_json_who_answered(project, openocd, monkeypatch):
    with serial_board(project.folder / "build" / "tiny") as port:
        said, refused = edgeasr("flash", project.folder, "--port", port, "--json")

    assert refused is None
    facts = json.loads(said)
    assert (facts["board"], facts["line"], facts["engine"]) == ("desk", port, "ear")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("model_sha256", "ab" * 32, "runs model tiny .*; build the project, and flash it, again"),
        ("engine", "tflm", "the device runs the engine ear, the project is of tflm; build"),
    ],
)
def test_flash_that_did_not_take(project, openocd, tmp_path, monkeypatch, key, value, said):
    """The board still runs what it ran before: other firmware than the project's."""
    other = tmp_path / "other"
    shutil.copytree(project.folder, other)
    manifest = json.loads((other / "project.json").read_text())
    (other / "project.json").write_text(json.dumps({**manifest, key: value}))
    monkeypatch.setattr(toolchain, "find_built", lambda folder: None)
    line = f"exec:{project.folder / 'build' / 'tiny'}"

    _, refused = edgeasr("flash", other, "--port", line)

    assert isinstance(refused, CheckError)
    assert re.search(said, str(refused)), refused


def test_firmware_with_another_runtime(project, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(project.folder, other)
    manifest = json.loads((other / "project.json").read_text())
    number = manifest["runtime_version"]
    changed = {**manifest, "runtime_version": number + 1}
    (other / "project.json").write_text(json.dumps(changed))

    _, refused = edgeasr(
        "hil", other, "--random", "1", "--port", f"exec:{project.folder / 'build' / 'tiny'}"
    )

    assert f"the device has version {number} of the runtime, the project {number + 1}" in str(
        refused
    )


def test_another_board(project):
    board = boards.load("host")
    model = speech.load(project.model_path)
    made = deploy.export(model, board, project.folder.parent / "host", replace=True)

    _, refused = edgeasr(
        "hil", made.folder, "--random", "1", "--port", f"exec:{project.folder / 'build' / 'tiny'}"
    )

    assert isinstance(refused, CheckError)
    assert "the device says it is a desk, the project is for host; export for that board" in str(
        refused
    )


def test_hil_finds_the_port_of_a_real_board(project, monkeypatch):
    with serial_board(project.folder / "build" / "tiny") as port:
        plugged(monkeypatch, port)
        for given in ([], ["--port", "auto"]):
            said, refused = edgeasr("hil", project.folder, "--random", "2", *given)
            assert refused is None
            assert "desk" in said


def test_hil_of_a_real_board_in_its_simulator(project, monkeypatch):
    plugged(monkeypatch)

    said, refused = edgeasr("hil", project.folder, "--random", "2", "--simulate")

    assert refused is None
    assert "desk" in said


def test_several_ports(project, monkeypatch):
    plugged(monkeypatch, "/dev/ttyACM0", "/dev/ttyACM1")

    _, refused = edgeasr("hil", project.folder, "--random", "1")

    assert isinstance(refused, InputError)
    assert str(refused) == (
        "2 ports are here: /dev/ttyACM0 (STLink, 0483:374b, serial S0); /dev/ttyACM1 (STLink, "
        "0483:374b, serial S1); choose with --port DEVICE"
    )


def test_no_port(project, monkeypatch):
    plugged(monkeypatch)
    _, refused = edgeasr("hil", project.folder, "--random", "1")
    assert isinstance(refused, LinkError)
    assert str(refused) == (
        "board desk: its serial port, a USB device 0483:374b, is not plugged in: no USB serial "
        "port is here at all; is it a cable that only charges? --port DEVICE names another; "
        "--simulate runs it in native"
    )
    plugged(monkeypatch, "/dev/ttyUSB0", usb="1a86:7523")
    _, refused = edgeasr("hil", project.folder, "--random", "1")
    assert "here are /dev/ttyUSB0 (STLink, 1a86:7523, serial S0); is it a cable" in str(refused)


def test_a_line_that_is_silent(project, monkeypatch):
    with serial_board(None) as port:
        plugged(monkeypatch, port)
        _, refused = edgeasr("hil", project.folder, "--random", "1")
    assert isinstance(refused, LinkError)
    assert "no HELLO in 5.0 s (received 0 bytes); is the firmware running at 115200 baud" in str(
        refused
    )
    assert "does the cable carry data, and do TX and RX cross?" in str(refused)


def test_a_line_at_another_speed(project, tmp_path):
    """At a wrong speed bytes come that are no frames."""
    noise = tmp_path / "noise"
    noise.write_text(
        f"#!{sys.executable}\nimport os\n"
        "while os.read(0, 999): os.write(1, b'\\xfe\\x00\\x7f' * 9)\n"
    )
    noise.chmod(0o755)
    with serial_board(noise) as port:
        _, refused = edgeasr("hil", project.folder, "--random", "1", "--port", port)

    assert "frames were damaged); is the line at another speed? --baud RATE" in str(refused)


def test_a_port_that_another_program_has(project):
    import serial

    with serial_board(project.folder / "build" / "tiny") as port, serial.Serial(port) as other:
        other.exclusive = True
        _, refused = edgeasr("hil", project.folder, "--random", "1", "--port", port)

    assert isinstance(refused, LinkError)
    assert "the port is busy; another program has it open; close that one first" in str(refused)


def test_flash_asks_where_somebody_can_answer(project, openocd, monkeypatch):
    """At a terminal several ports are a question; the answer is the second."""
    with serial_board(project.folder / "build" / "tiny") as port:
        plugged(monkeypatch, "/dev/none", port)
        monkeypatch.setattr("edgeasr.cli.asking.at_terminal", lambda: True)
        done = CliRunner().invoke(cli.app, ["flash", str(project.folder)], input="7\n2\n")

    assert done.exception is None
    assert f"desk answers on {port}" in done.stdout
    assert "2 ports are here (--port DEVICE chooses without asking):" in done.stderr


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name in FLASHED for way in boards.load(name).flash]
)
def test_a_dry_run_for_each_real_board(name, way, tmp_path, monkeypatch):
    """Exact commands that a shell reads back as they are, with nothing plugged in or installed."""
    board = boards.load(name)
    monkeypatch.setenv("PATH", "/nowhere")
    plugged(monkeypatch)
    model = speech.load(tiny.write_model(tmp_path / "tiny.tflite"))
    made = deploy.export(model, board, tmp_path / "a project")

    printed, refused = edgeasr("flash", made.folder, "--dry-run", "--with", way)
    listed, _ = edgeasr("flash", made.folder, "--dry-run", "--with", way, "--json")

    assert refused is None
    commands = [shlex.split(line) for line in printed.splitlines()]
    assert commands == [step["argv"] for step in json.loads(listed)]
    assert any(str(made.folder / "build" / "tiny") in word for argv in commands for word in argv)
    assert {argv[0] for argv in commands} >= set(flashing.WAYS[way].PROGRAMS)


def test_the_readme_shows_what_a_dry_run_prints(tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "README.md").read_text()
    shown = re.findall(
        r"^    \$ edgeasr (flash .*--dry-run)\n((?:    \S.*\n)+)", text, re.MULTILINE
    )
    assert len(shown) >= 3
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(tmp_path)
    for command, output in shown:
        argv = shlex.split(command)
        model, name = argv[1].split("-", 1)
        if not Path(argv[1]).exists():
            deploy.export(deploy.load_model(model), boards.load(name), Path(argv[1]))
        printed, refused = edgeasr(*argv)
        assert refused is None
        assert printed == textwrap.dedent(output)
