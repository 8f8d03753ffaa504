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
from edgeasr.errors import CheckError, EdgeasrError, InputError, LinkError, ToolError
from edgeasr.link import SerialLink
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


_SSH = """#!{python}
import os, subprocess, sys
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "-W":
    os.execv({program!r}, [{program!r}])
# What would need the board's root is noted only.
for command in sys.argv[2].split(" && "):
    if not command.startswith("sudo ") and not command.startswith("cd "):
        subprocess.run(command, shell=True, check=True, cwd={there!r})
"""


@pytest.fixture
def pi(tmp_path, monkeypatch):
    """A board that ssh reaches: a folder here, in which the program that is copied runs."""
    there = tmp_path / "there"
    there.mkdir()
    log, program = tmp_path / "ssh.log", there / "tiny"
    files = {
        "ssh": _SSH.format(
            python=sys.executable, log=str(log), program=str(program), there=str(there)
        ),
        "rsync": '#!/bin/sh\nwhile [ $# -gt 1 ]; do case "$1" in --*) ;; *) cp "$1" "'
        + str(there)
        + '/";; esac; shift; done\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    text = (
        (paths.boards() / "host.toml").read_text().replace("simulated = true", "simulated = false")
    )
    tables = f'\n[flash.ssh]\nuser = "pi"\nfolder = "{there}"\nservice = "ears"\n'
    (tmp_path / "far.toml").write_text(text + tables)
    return tmp_path


def test_flash_by_ssh_copies_proves_starts_and_hears_it_answer(pi):
    need_tools("host")
    model = speech.load(tiny.write_model(pi / "tiny.tflite"))
    made = deploy.export(model, boards.load(pi / "far.toml"), pi / "tiny-far")
    toolchain.build(made.folder)

    said, refused = edgeasr("flash", made.folder, "--host", "pi@far")

    assert refused is None
    assert "far answers on exec:ssh -W 127.0.0.1:7171 pi@far: model tiny" in said
    assert (pi / "there" / "tiny").read_bytes() == (made.folder / "build" / "tiny").read_bytes()
    done = (pi / "ssh.log").read_text()
    assert "sudo systemctl enable ears.service && sudo systemctl restart ears.service" in done
    _, refused = edgeasr("flash", made.folder, "--host", "pi@far", "--remove")
    assert refused is None
    assert not (pi / "there").exists()


def test_a_copy_that_is_damaged_is_told(pi):
    need_tools("host")
    model = speech.load(tiny.write_model(pi / "tiny.tflite"))
    made = deploy.export(model, boards.load(pi / "far.toml"), pi / "tiny-far")
    toolchain.build(made.folder)
    (pi / "rsync").write_text((pi / "rsync").read_text() + f"echo x >> {pi}/there/tiny\n")

    _, refused = edgeasr("flash", made.folder, "--host", "pi@far")

    assert isinstance(refused, ToolError)
    assert str(refused).startswith("the file there is not the program; flash it again; stopped in ")
    assert "systemctl" not in (pi / "ssh.log").read_text()


def test_bench_flashes_a_real_board(pi):
    need_tools("host")
    tiny.write_model(pi / "tiny.tflite")

    said, refused = edgeasr(
        "bench", pi / "tiny.tflite", "--board", pi / "far.toml", "--engines", "ear",
        "--inputs", "2", "--json",
    )  # fmt: skip

    assert refused is None
    (found,) = json.loads(said)
    assert found["agrees"]
    assert "restart ears.service" in (pi / "ssh.log").read_text()


class _Unplugged(SerialLink):
    """A port that goes away after a while, as one does that is unplugged."""

    reads = 0

    def read(self, timeout_s: float) -> bytes:
        self.reads += 1
        if self.reads > 5:
            self._port.close()
            self._port.is_open = True  # the file descriptor is gone, as with a device that is
        return super().read(timeout_s)


def test_unplugged_in_the_middle(project, monkeypatch):
    monkeypatch.setattr("edgeasr.link.SerialLink", _Unplugged)
    with serial_board(project.folder / "build" / "tiny") as port:
        _, refused = edgeasr("hil", project.folder, "--random", "50", "--port", port)

    assert isinstance(refused, LinkError)
    assert f"{port}: the port went away" in str(refused)
    assert "was the board unplugged?" in str(refused)


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
