"""Board files: what is shipped is sane, and what is wrong is refused in a sentence."""

import copy
import re
import tomllib

import pytest

from edgeasr import boards, paths
from edgeasr.codegen.environment import render
from edgeasr.errors import InputError
from tests.boards.conftest import context

_AN386 = tomllib.loads((paths.boards() / "qemu_mps2_an386.toml").read_text())


def _refused(change) -> str:
    table = copy.deepcopy(_AN386)
    change(table)
    with pytest.raises(InputError) as caught:
        boards.parse("changed", table, where="changed.toml")
    return str(caught.value)


def test_all_shipped_boards_load():
    for name in boards.names():
        board = boards.load(name)
        assert board.name == name
        assert board.port.files
        assert board.simulated or board.flash


def test_sizes_are_those_of_code_and_data():
    board = boards.load("qemu_mps2_an386")
    assert (board.flash_bytes, board.ram_bytes) == (4 << 20, 4 << 20)
    assert boards.load("rpi4").ram_bytes is None


def test_a_board_file_of_ones_own_loads_by_its_path(tmp_path):
    mine = tmp_path / "my_board.toml"
    mine.write_text((paths.boards() / "host.toml").read_text())
    assert boards.load(mine).name == "my_board"
    assert boards.load(str(mine)).compiler == boards.load("host").compiler


def test_a_misspelt_board_gets_its_neighbour():
    with pytest.raises(InputError) as caught:
        boards.load("qemu_mps2_an368")
    said = str(caught.value)
    assert said.startswith('board "qemu_mps2_an368" not found; did you mean "qemu_mps2_an38')
    assert '"qemu_mps2_an386"' in said and said.count("did you mean") == 1
    assert said.endswith("; see 'edgeasr boards'")


@pytest.mark.parametrize("name", ["", "../rpi4", "nosuch.toml", "rpi4\n", "RPI4"])
def test_no_such_board(name):
    with pytest.raises(InputError, match=r"not found"):
        boards.load(name)


def test_not_toml(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"title = \xff")
    with pytest.raises(InputError, match=r"bad\.toml: not TOML"):
        boards.load(bad)
    bad.write_text("title = ")
    with pytest.raises(InputError, match=r"bad\.toml: not TOML"):
        boards.load(bad)


def test_a_bad_name(tmp_path):
    bad = tmp_path / 'x"; y.toml'
    bad.write_text((paths.boards() / "host.toml").read_text())
    with pytest.raises(InputError, match=r"is not made of a-z, 0-9 and _"):
        boards.load(bad)


def test_unknown_key():
    said = _refused(lambda t: t.update(coer="m4"))
    assert said.startswith("changed.toml: coer is unknown; ")
    assert '"core"' in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("ticks_hz"), "changed.toml: ticks_hz is missing"),
        (lambda t: t.update(title=7), "changed.toml: title is 7; it must be a text"),
        (
            lambda t: t.update(simulated=1),
            "changed.toml: simulated is 1; it must be true or false",
        ),
        (
            lambda t: t.update(rx_bytes=True),
            "changed.toml: rx_bytes is True; it must be a whole number",
        ),
        (lambda t: t.update(ticks_hz=0), "changed.toml: ticks_hz is 0; it must be above 0"),
        (
            lambda t: t.update(rx_bytes=2000),
            "changed.toml: rx_bytes is 2000; it must be a power of two",
        ),
        (lambda t: t.update(sources=[]), "sources is empty; say where the facts come from"),
        (lambda t: t.update(sources=[1]), "changed.toml: sources holds 1; it must hold texts only"),
        (
            lambda t: t.update(port="stm32"),
            'changed.toml: port "stm32" not found; allowed: cmsdk, linux',
        ),
        (lambda t: t["compiler"].update(speed=1), "changed.toml: compiler.speed is unknown"),
        (lambda t: t.pop("runner"), "changed.toml: runner is missing"),
        (
            lambda t: t["memory"].pop("data"),
            "changed.toml: memory.data is missing; a bare-metal board needs",
        ),
        (
            lambda t: t["memory"]["external"].update(origin=0x20001000),
            "changed.toml: memory.data (0x20000000 to 0x20400000) overlaps memory.external, "
            "which begins at 0x20001000",
        ),
        (
            lambda t: t["memory"]["external"].update(origin=0xFF800000),
            "changed.toml: memory.external ends at 0x100800000, beyond 32-bit addresses",
        ),
        (lambda t: t["memory"]["data"].update(bytes=-1), "memory.data.bytes is -1"),
        (
            lambda t: t.update(stack_bytes=4 << 20),
            "stack_bytes and rx_bytes take 4195328 B, and memory.data has 4,194,304 B (4.0 MiB)",
        ),
        (
            lambda t: t["constants"].pop("uart_base"),
            'changed.toml: constants.uart_base is missing; port "cmsdk" needs it: address of',
        ),
        (lambda t: t["constants"].update(led=4), "changed.toml: constants.led is unknown"),
        (
            lambda t: t["constants"].update(baud=1 << 32),
            "changed.toml: constants.baud is 4294967296; it must fit 32 bits unsigned",
        ),
    ],
)
def test_refusals(change, said):
    assert said in _refused(change)


@pytest.mark.parametrize("name", boards.names())
def test_templates_render_what_the_board_file_says(name):
    board, given = boards.load(name), context(name)
    config = render("project/board_config.h.j2", given)
    assert f'#define EAR_BOARD_NAME "{name}"\n' in config
    assert f"#define EAR_PORT_TICKS_HZ {board.ticks_hz}u\n" in config
    assert f"#define EAR_PORT_RX_BYTES {board.rx_bytes}u\n" in config
    for key, value in board.constants.items():
        literal = re.search(rf"#define EAR_PORT_{key.upper()} (\w+)u\n", config)
        assert int(literal[1], 0) == value
    cmake = render("project/CMakeLists.txt.j2", given)
    for flag in ("-Werror", "-Wconversion", "-Wl,--build-id=none", *board.compiler.c_flags):
        assert flag in cmake
    if not board.port.hosted:
        script = render("project/linker.ld.j2", given)
        for region in board.memory.values():
            assert f"ORIGIN = 0x{region.origin:08x}, LENGTH = {region.bytes}\n" in script


def test_a_project_brings_its_own_board_file(tmp_path):
    (tmp_path / "board").mkdir()
    text = (paths.boards() / "host.toml").read_text().replace("rx_bytes = 4096", "rx_bytes = 8192")
    (tmp_path / "board" / "mine.toml").write_text(text)
    assert boards.of_project(tmp_path, "mine").rx_bytes == 8192
    assert boards.of_project(tmp_path, "host") == boards.load("host")
    with pytest.raises(InputError, match='board "other" not found'):
        boards.of_project(tmp_path, "other")
