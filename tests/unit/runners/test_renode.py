"""Renode's runner: where it finds Renode, the scripts that it writes, a program that acts as it."""

import dataclasses
import json
import os
import shlex
import stat
import sys
import time
from pathlib import Path

import pytest

from edgeasr import boards, paths, runners
from edgeasr.errors import InputError, ToolError
from edgeasr.runners import renode
from edgeasr.toolchain import checks
from edgeasr.toolchain import renode as places

_FAKE = Path(__file__).with_name("fake_renode.py")
_BOARDS = [name for name in boards.names() if boards.load(name).runner == "renode"]


def _program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or f'#!/bin/sh\n{shlex.join([sys.executable, str(_FAKE)])} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Put the fake on PATH, as a shell script around a program, which the real one is."""
    _program(tmp_path / "bin" / "renode")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_RENODE_LOG", str(tmp_path / "calls"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(places.VARIABLE, raising=False)
    return tmp_path / "calls"


def _start(folder: Path, board: str = "stm32f4_discovery"):
    elf = folder / "my project" / "build" / "digits.elf"
    elf.parent.mkdir(parents=True, exist_ok=True)
    return runners.start(elf.parent.parent, boards.load(board), elf)


def _in_group(group: int) -> list[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _group_of(pid) == group]


def _group_of(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return -1
    return -1 if fields[0] == "Z" else int(fields[2])


def test_bytes_go_through_the_line_and_all_processes_end(tmp_path, fake):
    with _start(tmp_path) as running:
        running.link.write(b"abc")
        assert running.link.read(30.0) == b"abc"
        group = running.pid
        assert len(_in_group(group)) == 2
    deadline = time.monotonic() + 10
    while _in_group(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _in_group(group) == []


def test_it_is_started_without_windows_and_with_ports_of_its_own(tmp_path, fake):
    with _start(tmp_path), _start(tmp_path):
        pass
    first, second = [json.loads(line) for line in fake.read_text().splitlines()]
    assert first[:3] == ["--disable-xwt", "--plain", "-P"]
    assert first[3] != second[3]
    assert first[4] == str(tmp_path / "my project/build/renode/stm32f4_discovery.resc")


def test_instructions_are_those_of_the_clock(tmp_path, fake):
    board = boards.load("stm32f4_discovery")
    with _start(tmp_path) as running:
        assert running.instructions(board.ticks_hz) == board.runner_options["mips"] * 1_000_000
        assert running.instructions(2) == 50


def test_a_port_that_is_taken_is_not_the_last_word(tmp_path, fake, monkeypatch):
    monkeypatch.setenv("FAKE_RENODE", "taken")
    with _start(tmp_path) as running:
        running.link.write(b"x")
        assert running.link.read(30.0) == b"x"
    assert len(fake.read_text().splitlines()) == 2


def test_an_end_before_the_line_is_told(tmp_path, fake, monkeypatch):
    monkeypatch.setenv("FAKE_RENODE", "dies")
    with pytest.raises(ToolError) as caught:
        _start(tmp_path)
    said = str(caught.value)
    assert "did not open its line, TCP port " in said
    assert "ended with exit code 1 and said: Cannot load the description: line 3; log: " in said
    assert len(fake.read_text().splitlines()) == 1


def test_a_line_that_never_opens_ends_the_program(tmp_path, fake, monkeypatch):
    monkeypatch.setenv("FAKE_RENODE", "silent")
    monkeypatch.setattr(renode, "_OPENS_S", 1.0)
    with pytest.raises(ToolError, match=r"did not open its line, TCP port \d+, in 1 s and still"):
        _start(tmp_path)


def test_a_missing_renode_is_named_with_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv(places.VARIABLE, raising=False)
    with pytest.raises(ToolError) as caught:
        _start(tmp_path)
    assert str(caught.value).startswith("renode: not found on PATH; ")
    assert "download the portable build of https://renode.io" in str(caught.value)
    assert f"set {places.VARIABLE} to its folder" in str(caught.value)


def test_variable_then_configuration_then_path(tmp_path, monkeypatch):
    on_path = _program(tmp_path / "path" / "renode")
    told = _program(tmp_path / "told" / "renode")
    chosen = _program(tmp_path / "chosen" / "renode")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    environment = {"PATH": str(on_path.parent)}

    assert places.find(environment) == on_path
    paths.configuration().parent.mkdir(parents=True)
    paths.configuration().write_text("[programs]\n")
    assert places.find(environment) == on_path
    paths.configuration().write_text(f'[programs]\nrenode = "{told.parent}"\n')
    assert places.find(environment) == told
    assert places.find(environment | {places.VARIABLE: str(chosen)}) == chosen
    assert places.find(environment | {places.VARIABLE: str(chosen.parent)}) == chosen


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("programs = 1", InputError, "cannot be used"),
        ("[programs]\nrenode = 1", InputError, "programs.renode is 1; it must be a text"),
        ("=", InputError, "cannot be used"),
        ('[programs]\nrenode = "/nosuch"', ToolError, r"/nosuch is no program; download"),
    ],
)
def test_a_configuration_that_is_of_no_use(tmp_path, monkeypatch, text, error, said):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    paths.configuration().parent.mkdir(parents=True)
    paths.configuration().write_text(text)
    with pytest.raises(error, match=said):
        places.find({"PATH": ""})


def test_a_variable_that_names_nothing(tmp_path):
    with pytest.raises(ToolError, match=r"^\$RENODE_PATH: .*/renode is no program; download"):
        places.find({places.VARIABLE: str(tmp_path)})


def test_doctor_looks_in_the_same_places(tmp_path, monkeypatch):
    program = _program(tmp_path / "renode")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(places.VARIABLE, str(tmp_path))
    (check,) = [one for one in checks.all_checks() if one.name == "renode"]
    assert check.found == str(program)


def _scripts(tmp_path: Path, board: boards.Board) -> dict[str, str]:
    build = tmp_path / "a project" / "build"
    renode.write(board, board.runner_options, build / "x.elf", build, 4711)
    written = (build / "renode").iterdir()
    return {file.suffix: file.read_text() for file in written}


@pytest.mark.parametrize("name", _BOARDS)
def test_the_description_has_what_the_firmware_needs(tmp_path, name):
    board = boards.load(name)
    text = _scripts(tmp_path, board)[".repl"]
    for region in board.memory.values():
        assert (
            f"Memory.MappedMemory @ sysbus 0x{region.origin:08x}\n    size: 0x{region.bytes:x}\n"
            in text
        )
    assert f'cpuType: "{board.core}"' in text
    assert f"{board.runner_options['uart']}: UART." in text
    assert f"-> nvic@{board.constants['uart_rx_irq']}\n" in text


@pytest.mark.parametrize("name", [n for n in _BOARDS if boards.load(n).port.name == "stm32f4"])
def test_timers_of_an_stm32_have_the_clock_that_its_port_sets(tmp_path, name):
    board = boards.load(name)
    text = _scripts(tmp_path, board)[".repl"]
    assert f"    frequency: {board.constants['cpu_hz'] // 2}\n" in text.split("timer2: ")[1]
    assert f"@ sysbus 0x{board.constants['uart_base']:08x}" in text.replace("<", "")


def test_the_script_loads_connects_and_starts(tmp_path):
    lines = _scripts(tmp_path, boards.load("nucleo_f446re"))[".resc"].splitlines()
    folder = str(tmp_path / "a\\ project")
    wanted = [
        "$line_port?=4711",
        f"machine LoadPlatformDescription @{folder}/build/renode/nucleo_f446re.repl",
        "cpu PerformanceInMips 100",
        f"sysbus LoadELF @{folder}/build/x.elf",
        'emulation CreateServerSocketTerminal $line_port "line" false',
        "connector Connect sysbus.usart2 line",
        "emulation SetGlobalAdvanceImmediately true",
        "start",
    ]
    assert [line for line in lines if line in wanted] == wanted
    assert lines[-1] == "start"


def test_the_robot_test_runs_the_script_and_compares(tmp_path):
    text = _scripts(tmp_path, boards.load("nucleo_f446re"))[".robot"]
    assert f"${{PROJECT}}        {tmp_path / 'a project'}\n" in text
    assert f"${{SCRIPT}}         {tmp_path / 'a project/build/renode/nucleo_f446re.resc'}\n" in text
    assert "    Execute Script    ${SCRIPT}\n" in text
    assert "socket://127.0.0.1:${LINE_PORT}" in text


def test_scripts_are_the_same_each_time(tmp_path):
    board = boards.load("stm32f746g_disco")
    assert _scripts(tmp_path, board) == _scripts(tmp_path, board)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mips": None}, "runner.mips is missing"),
        ({"mips": "9"}, "runner.mips is '9'"),
        ({"platform": "x"}, "runner.platform is unknown"),
    ],
)
def test_wrong_options(tmp_path, fake, options, said):
    board = boards.load("nucleo_f446re")
    changed = {**board.runner_options, **options}
    kept = {key: value for key, value in changed.items() if value is not None}
    with pytest.raises(InputError, match=said):
        runners.start(tmp_path, dataclasses.replace(board, runner_options=kept), tmp_path / "x")
