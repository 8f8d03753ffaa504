"""Runners: found by name, ended with their parent, and every end told in a sentence."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgeasr import boards, runners
from edgeasr.errors import InputError, LinkError, ToolError
from edgeasr.runners.child import spawn
from tests.boards.conftest import need_tools

_CAT = [sys.executable, "-c", "import os\nwhile d := os.read(0, 999): os.write(1, d)"]


def _gone(pid: int, within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def _with_options(name: str, **options: object) -> boards.Board:
    board = boards.load(name)
    changed = {**board.runner_options, **options}
    kept = {key: value for key, value in changed.items() if value is not None}
    return dataclasses.replace(board, runner_options=kept)


def test_bytes_go_there_and_back(tmp_path):
    with spawn(_CAT, tmp_path / "log") as running:
        running.link.write(b"abc")
        assert running.link.read(5.0) == b"abc"
        assert running.link.read(0.0) == b""
        assert running.instructions(5) is None


def test_a_program_that_waits_to_be_read_does_not_block_the_writer(tmp_path):
    """Echo of 4 MB in one write: more than any buffer between the two."""
    data = bytes(range(256)) * 16384
    with spawn(_CAT, tmp_path / "log") as running:
        running.link.write(data)
        back = b""
        while len(back) < len(data):
            piece = running.link.read(5.0)
            assert piece
            back += piece
    assert back == data


def test_a_program_that_does_not_read_times_out(tmp_path):
    with (
        spawn(["sleep", "60"], tmp_path / "log") as running,
        pytest.raises(LinkError, match=r"sleep: took no byte in 0\.2 s, \d+ of 4000000 B are left"),
    ):
        running.link.write(bytes(4_000_000), timeout_s=0.2)


def test_silence_is_no_error(tmp_path):
    with spawn(["sleep", "60"], tmp_path / "log") as running:
        start = time.monotonic()
        assert running.link.read(0.1) == b""
        assert time.monotonic() - start >= 0.1


def test_stop_leaves_no_process(tmp_path):
    with spawn(["sleep", "60"], tmp_path / "log") as running:
        pid = running.pid
    assert not Path(f"/proc/{pid}").exists()
    running.stop()
    with pytest.raises(LinkError, match="the line is closed on this side"):
        running.link.read(0.1)


def test_a_program_that_ignores_the_polite_signal_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("edgeasr.runners.child._ENDS_S", 0.2)
    with spawn(["sh", "-c", "trap '' TERM; echo x; sleep 60 & wait; wait"], tmp_path / "log") as r:
        assert r.link.read(5.0) == b"x\n"
        pid = r.pid
    assert not Path(f"/proc/{pid}").exists()


def test_a_program_that_ends_at_once_is_a_tool_error(tmp_path):
    with pytest.raises(ToolError, match=r"`false` ended with exit code 1 and said: nothing; log: "):
        spawn(["false"], tmp_path / "log")


def test_a_program_that_cannot_start(tmp_path):
    with pytest.raises(ToolError, match=r"`/nosuch/program` could not start"):
        spawn(["/nosuch/program"], tmp_path / "log")


def test_an_end_in_mid_session_is_told_with_the_last_words(tmp_path):
    script = "import sys, os; os.read(0, 1); print('last words', file=sys.stderr); sys.exit(3)"
    with spawn([sys.executable, "-c", script], tmp_path / "log") as running:
        running.link.write(b"x")
        with pytest.raises(LinkError, match=r"exit code 3 and said: last words; log: "):
            running.link.read(10.0)


def test_a_killed_program_is_told_by_its_signal(tmp_path):
    with spawn(["sleep", "60"], tmp_path / "log") as running:
        os.kill(running.pid, signal.SIGKILL)
        with pytest.raises(LinkError, match="was ended by SIGKILL"):
            running.link.read(10.0)


def test_the_program_dies_with_its_parent(tmp_path):
    script = (
        "import time, pathlib\n"
        "from edgeasr.runners.child import spawn\n"
        f"running = spawn(['sleep', '60'], pathlib.Path({str(tmp_path / 'log')!r}))\n"
        "print(running.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert _gone(pid)


def test_what_is_awaited_is_waited_for(tmp_path):
    talk = ["sh", "-c", "echo not ready >&2; sleep 0.2; echo ready >&2; sleep 60"]
    with spawn(talk, tmp_path / "log") as running:
        running.wait_until_said("ready", 60)


@pytest.mark.parametrize(
    ("script", "timeout_s", "said"),
    [
        ("sleep 0.1; echo oh >&2; exit 3", 60, r"` ended with exit code 3 and said: oh; log: "),
        (
            "echo oh >&2; sleep 60",
            0.3,
            r'` did not say "ready" in 0\.3 s; it still runs and said: oh; ',
        ),
    ],
)
def test_what_is_awaited_in_vain_ends_the_program(tmp_path, script, timeout_s, said):
    running = spawn(["sh", "-c", script], tmp_path / "log")
    with pytest.raises(ToolError, match=said):
        running.wait_until_said("ready", timeout_s)
    assert not Path(f"/proc/{running.pid}").exists()


def test_an_unknown_runner(tmp_path):
    board = dataclasses.replace(boards.load("host"), runner="nosuch")
    with pytest.raises(InputError) as caught:
        runners.start(tmp_path, board, tmp_path / "x")
    assert str(caught.value) == (
        f'board host: runner "nosuch" not found; allowed: {", ".join(sorted(runners.RUNNERS))}'
    )


@pytest.mark.parametrize(
    ("board", "said"),
    [
        (
            _with_options("qemu_mps2_an386", machine=None),
            "board qemu_mps2_an386: runner.machine is missing; runner qemu_system needs it",
        ),
        (
            _with_options("qemu_mps2_an386", icount_shift="6"),
            "board qemu_mps2_an386: runner.icount_shift is '6'; it must be a whole number",
        ),
        (
            _with_options("host", speed=1),
            "board host: runner.speed is unknown; none are available",
        ),
    ],
)
def test_wrong_runner_options(tmp_path, board, said):
    with pytest.raises(InputError) as caught:
        runners.start(tmp_path, board, tmp_path / "x")
    assert str(caught.value) == said


@pytest.mark.parametrize("name", boards.names())
def test_shipped_boards_have_a_runner(name):
    board = boards.load(name)
    assert board.runner in runners.RUNNERS if board.simulated else board.line or board.port.hosted


def test_a_board_that_nothing_simulates_needs_a_port(tmp_path):
    board = dataclasses.replace(boards.load("qemu_mps2_an386"), runner=None)
    with pytest.raises(InputError, match=r"^board qemu_mps2_an386: no simulator runs"):
        runners.start(tmp_path, board, tmp_path / "x")


@pytest.mark.parametrize(
    ("name", "program"), [("qemu_mps2_an386", "qemu-system-arm"), ("rpi4", "qemu-aarch64")]
)
def test_a_missing_emulator_is_named(tmp_path, monkeypatch, name, program):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=f"^{program}: not found on PATH; running .* needs it; "):
        runners.start(tmp_path, boards.load(name), tmp_path / "x")


def test_qemu_that_dies_at_once_is_quoted(tmp_path):
    board = _with_options("qemu_mps2_an386", machine="nosuch")
    need_tools("qemu_mps2_an386")
    with (
        pytest.raises((ToolError, LinkError), match="unsupported machine type"),
        runners.start(tmp_path, board, tmp_path / "x") as running,
    ):
        running.link.read(10.0)
