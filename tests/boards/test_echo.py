"""Every board's port builds with the strict flags, and carries each byte there and back."""

import random
import subprocess
import time

import pytest

from edgeasr import boards, runners, toolchain
from edgeasr.errors import LinkError
from tests.boards.conftest import SIMULATED

# 0xFF asks for the ticks, 0xFD and 0xFE make the bare-metal echo fault.
_PLAIN = bytes(range(0xFD))
_BURST = 20_000


@pytest.fixture(params=SIMULATED)
def running(request, echo):
    made, built = echo(request.param)
    with runners.start(made.folder, boards.load(request.param), built.elf) as started:
        yield started


def _receive(link, count: int, timeout_s: float = 60.0) -> bytes:
    data, deadline = b"", time.monotonic() + timeout_s
    while len(data) < count and time.monotonic() < deadline:
        data += link.read(0.5)
    return data


def _ticks(link) -> int:
    link.write(b"\xff")
    answer = _receive(link, 5)
    assert answer[:1] == b"\xff"
    return int.from_bytes(answer[1:], "little")


def test_every_byte_value_comes_back(running):
    running.link.write(_PLAIN)
    assert _receive(running.link, len(_PLAIN)) == _PLAIN


def test_a_burst_in_the_announced_window_loses_nothing(running, request):
    window = boards.load(request.node.callspec.params["running"]).rx_bytes
    rng = random.Random(20)
    data = bytes(rng.choices(_PLAIN, k=_BURST))
    sent, back = 0, b""
    while len(back) < len(data):
        if (free := min(window - (sent - len(back)), len(data) - sent)) > 0:
            running.link.write(data[sent : sent + free])
            sent += free
        piece = running.link.read(60)
        assert piece, f"silent after {len(back)} of {sent} bytes"
        back += piece
    assert back == data


def test_more_than_the_ring_holds_waits_in_the_line(running):
    """Without a window too: the line pushes back, and the port masks its interrupt."""
    data = _PLAIN * 40
    running.link.write(data)
    assert _receive(running.link, len(data)) == data


def test_ticks_increase(running):
    first = _ticks(running.link)
    second = _ticks(running.link)
    assert 0 < (second - first) % (1 << 32) < 1 << 31


def test_instructions_are_counted_exactly_where_they_can_be(running, request):
    board = boards.load(request.node.callspec.params["running"])
    if board.runner == "qemu_system":
        # -icount: an instruction takes 2^shift ns
        instruction_ns = 2 ** board.runner_options["icount_shift"]
        assert running.instructions(board.ticks_hz // 1000) == round(1_000_000 / instruction_ns)
    elif board.runner == "rp2040js":
        assert running.counted == "cycles"
        assert running.instructions(1000) == 125_000
    else:  # with the plugin, a tick is an instruction
        counted = board.runner == "qemu_user"
        assert running.instructions(1000) == (1000 if counted else None)


@pytest.mark.parametrize("board", [n for n in boards.names() if boards.load(n).port.hosted])
def test_a_program_ends_when_its_line_closes(echo, board):
    made, built = echo(board)
    with runners.start(made.folder, boards.load(board), built.elf) as started:
        started.link.write(b"x")
        assert _receive(started.link, 1) == b"x"
        started.link.close()
        assert started._process.wait(60) == 0


@pytest.mark.parametrize(
    "board", [n for n in boards.names() if boards.load(n).runner == "qemu_system"]
)
@pytest.mark.parametrize(
    ("byte", "said"),
    [
        (0xFD, r"fault: pc 0x[0-9a-f]{8} lr 0x[0-9a-f]{8} cfsr 0x00008200"),
        (0xFE, r"fault: the stack ran out, cfsr 0x[0-9a-f]{8}"),
    ],
    ids=["bus fault", "stack overflow"],
)
def test_a_fault_ends_the_firmware_in_a_sentence(echo, board, byte, said):
    made, built = echo(board)
    with (
        runners.start(made.folder, boards.load(board), built.elf) as started,
        pytest.raises(LinkError, match=f"the firmware stopped: {said}; log: "),
    ):
        started.link.write(bytes([byte]))
        _receive(started.link, 2, 60)


def test_linux_port_under_sanitizers(tmp_path, echo):
    made, _ = echo("host")
    build = tmp_path / "checked"
    configure = ["cmake", "-S", made.folder, "-B", build, "-G", "Ninja", "-DEAR_SANITIZE=ON"]
    subprocess.run(configure, check=True, capture_output=True)
    subprocess.run(["cmake", "--build", build], check=True, capture_output=True)
    data = _PLAIN * 200
    done = subprocess.run([build / "echo"], input=data, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data


@pytest.mark.parametrize("board", boards.names())
def test_sizes_are_those_of_the_program(echo, board):
    made, built = echo(board)
    assert built.elf.is_file()
    assert toolchain.find_built(made.folder) == built
    assert built.sections[".text"] > 100
    assert dict(built.frames)["main"] < 1024
    facts = boards.load(board)
    assert built.stack_bytes == facts.stack_bytes
    if not facts.port.hosted:
        ram, flash = facts.stack_bytes + facts.rx_bytes + 1024, 2500
        if facts.microphone:  # the samples that it keeps, and what it makes them of
            ram += 2 * facts.microphone.constants.get("buffer_samples", 0) + 2048
            flash += 1500
        assert built.ram_bytes < ram
        assert built.flash_bytes < flash
