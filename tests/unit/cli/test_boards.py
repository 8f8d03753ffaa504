"""`edgeasr boards` and tools/new_board: what is listed, what is shown, what is written."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeasr import boards, cli, deploy
from edgeasr.errors import InputError

_NEW_BOARD = Path(__file__).parents[3] / "tools" / "new_board"
_GIVEN = ("--core", "cortex-m4", "--port", "stm32f4", "--title", "A board", "--flash",
          "256K@0x08000000", "--ram", "64K", "--source", "ST DS10086, 5")  # fmt: skip


def listed(*options: str) -> list[boards.Board]:
    done = CliRunner().invoke(cli.app, ["boards", "--json", *options], catch_exceptions=False)
    return [boards.load(facts["name"]) for facts in json.loads(done.stdout)]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ((), lambda board: True),
        (("--microphone",), lambda board: board.microphone is not None),
        (("--simulated",), lambda board: board.runner is not None),
        (("--core", "cortex-m33"), lambda board: board.core == "cortex-m33"),
        (("--min-ram", "300K"), lambda board: (board.ram_bytes or 1 << 30) >= 300 * 1024),
        (
            ("--core", "cortex-m4", "--simulated"),
            lambda board: board.core == "cortex-m4" and board.runner is not None,
        ),
    ],
)
def test_filters(options, kept):
    found = listed(*options)

    everything = [boards.load(name) for name in boards.names()]
    assert found == [board for board in everything if kept(board)]
    assert found


def test_a_core_that_no_board_has():
    done = CliRunner().invoke(cli.app, ["boards", "--core", "m4"])

    assert isinstance(done.exception, InputError)
    assert 'core "m4" not found; allowed: cortex-a53' in str(done.exception)


def test_show_says_what_fits_and_what_could_flash(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "pyocd").touch(mode=0o755)

    said = CliRunner().invoke(cli.app, ["boards", "show", "nrf52840dk"]).stdout

    assert "  line             1,000,000 baud, USB 1366:1015" in said
    assert "  flash.pyocd      target nrf52840; ready here\n" in said
    assert "config board/nordic_nrf52_dk.cfg; missing here: openocd\n" in said
    assert "  microphone       pdm\n  clock_pin        26 (pin of the" in said
    for model in deploy.zoo_names():
        assert f"  model {model:<10} fits: at least " in said


def test_show_says_what_does_not_fit(tmp_path):
    text = (boards.paths.boards() / "qemu_mps2_an385.toml").read_text()
    (tmp_path / "small.toml").write_text(text.replace("bytes = 0x400000", "bytes = 0x5000"))

    done = CliRunner().invoke(
        cli.app, ["boards", "show", str(tmp_path / "small.toml"), "--json"], catch_exceptions=False
    )

    facts = json.loads(done.stdout)
    assert facts["ram_bytes"] == 0x5000
    assert not facts["models"]["digits"]["fits"]
    assert facts["models"]["digits"]["ram_bytes"] > 0x5000


def new_board(*argv: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, _NEW_BOARD, *map(str, argv)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_new_board_is_written_and_valid(tmp_path):
    done = new_board(
        "my_f401", *_GIVEN, "--out", tmp_path, "--baud", 115200, "--usb", "0483:374b",
        "--set", "constants.uart_tx_pin=9", "--set", 'flash.openocd.config="board/x.cfg"',
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    board = boards.load(tmp_path / "my_f401.toml")
    assert (board.flash_bytes, board.ram_bytes) == (256 * 1024, 64 * 1024)
    assert board.memory["code"].origin == 0x08000000
    assert board.constants["uart_tx_pin"] == 9
    assert board.line == boards.Line(115_200, ("0483:374b",))
    assert board.constants["baud"] == 115_200
    assert dict(board.flash) == {"openocd": {"config": "board/x.cfg"}}
    assert not board.simulated
    assert board.runner is None
    assert "edgeasr boards show" in done.stdout


@pytest.mark.parametrize("port", boards.port_names())
def test_a_new_board_of_each_port(port, tmp_path):
    core = next(b.core for b in map(boards.load, boards.names()) if b.port.name == port)

    done = new_board(
        "mine", *_GIVEN, "--core", core, "--port", port, "--flash", "256K", "--out", tmp_path
    )

    assert done.returncode == 0, done.stderr
    board = boards.load(tmp_path / "mine.toml")
    assert (board.core, board.port.name) == (core, port)
    table = tomllib.loads((tmp_path / "mine.toml").read_text())
    assert set(table.get("constants", {})) == set(board.port.constants)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--core", "m4"), 'core "m4" not found; allowed: cortex-a53'),
        (("--port", "stm32"), 'port "stm32" not found; allowed: '),
        (("--flash", "many"), 'size "many" is not understood'),
        (("--ram", "64K@here"), 'address "here" is not understood'),
        (("--set", "constants.uart=1"), "constants.uart is unknown; "),
        (("--set", "rx_bytes=1000"), "rx_bytes is 1000; it must be a power of two"),
        (("--set", "flash.jlink={}"), "flash.jlink: allowed: bossa, openocd"),
        (("--set", "flash.openocd={}"), "flash.openocd.config is missing"),
        (("--usb", "STLINK"), 'usb holds "STLINK"; it must be like "0483:374b"'),
    ],
)
def test_what_new_board_refuses(options, said, tmp_path):
    done = new_board("mine", *_GIVEN, *options, "--out", tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("tools/new_board: ")
    assert said in done.stderr
    assert not (tmp_path / "mine.toml").exists()


def test_new_board_names_the_option_that_it_lacks_and_keeps_files(tmp_path):
    done = new_board("mine", *_GIVEN[:4], "--out", tmp_path)
    assert "what it is, in one line is not known; give --title" in done.stderr
    (tmp_path / "mine.toml").write_text("kept")
    done = new_board("mine", *_GIVEN, "--out", tmp_path)
    assert "mine.toml: is there already; choose another name" in done.stderr
    assert (tmp_path / "mine.toml").read_text() == "kept"


def test_the_readme_shows_the_list_as_it_is():
    text = (Path(__file__).parents[3] / "README.md").read_text()
    shown = text.split("    $ edgeasr boards --core cortex-m4\n")[1].split("\n\n")[0]

    said = CliRunner().invoke(cli.app, ["boards", "--core", "cortex-m4"]).stdout

    assert [line.strip() for line in said.splitlines()] == [
        line.strip() for line in shown.splitlines()
    ]
