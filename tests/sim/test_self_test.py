"""`edgeasr hil --self-test`: what a port proves of itself, on every simulated board."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from edgeasr import boards, connect, deploy, hil, hostlib, paths, speech, toolchain
from edgeasr.client import Device
from edgeasr.errors import CheckError
from tests import tiny
from tests.boards.conftest import SIMULATED, need_tools
from tests.unit.client import fake


def built(board: boards.Board, folder: Path, *, bare: bool = False):
    need_tools("qemu_mps2_an386" if board.runner == "qemu_system" else board.name)
    model = speech.load(tiny.write_model(folder / "tiny.tflite"))
    if bare:
        model = dataclasses.replace(model, facts=dataclasses.replace(model.facts, front_end=None))
    made = deploy.export(model, board, folder / f"tiny-{board.name}")
    toolchain.build(made.folder)
    return made


def prove(made) -> tuple[str, ...]:
    with connect.connect(made, port=connect.SIMULATOR, front_end=speech.OPTIONAL) as connected:
        return hil.prove(connected)


@pytest.mark.parametrize("name", SIMULATED)
def test_a_port_proves_itself(name, tmp_path):
    board = boards.load(name)

    found = prove(built(board, tmp_path))

    assert found[0] == "line: all 256 values of a byte come back"
    about = [sentence.split(":")[0] for sentence in found[1:]]
    clock = ["clock"] if board.runner in ("native", "qemu_system") else []
    memory = [] if board.port.hosted else ["memory"]
    assert about == [*clock, *memory, "layers"]


def test_a_wrong_clock_is_refused(tmp_path):
    text = (paths.boards() / "qemu_mps2_an386.toml").read_text()
    (tmp_path / "hasty.toml").write_text(text.replace("ticks_hz = 25_0", "ticks_hz = 50_0"))
    made = built(boards.load(tmp_path / "hasty.toml"), tmp_path)

    with pytest.raises(CheckError) as told:
        prove(made)

    assert "board hasty: its clock counts 2" in str(told.value)
    assert "ticks a second, its file says ticks_hz = 50000000; " in str(told.value)


def test_memory_that_is_not_there_is_refused(tmp_path):
    """A board file that claims twice the memory: QEMU's mirror of it is where the rest would be."""
    text = (paths.boards() / "qemu_mps2_an386.toml").read_text()
    text = text.split("[memory.external]")[0] + "[constants]" + text.split("[constants]")[1]
    head, tail = text.split("[memory.data]")
    (tmp_path / "large.toml").write_text(
        f"{head}[memory.data]{tail.replace('bytes = 0x400000', 'bytes = 0x800000', 1)}"
    )
    board = boards.load(tmp_path / "large.toml")
    assert board.ram_bytes == 0x800000
    made = built(board, tmp_path)

    with pytest.raises(CheckError) as told:
        prove(made)

    assert "board large: its memory at 0x20000000 does not keep what is written" in str(told.value)


def test_firmware_without_a_self_test_says_so(tmp_path):
    found = prove(built(boards.load("host"), tmp_path, bare=True))

    assert found[0].startswith("self-test: this firmware has none")
    assert [sentence.split(":")[0] for sentence in found] == ["self-test", "layers"]


def test_values_of_memory_survive(tmp_path):
    """The test runs over variables, ring and stack: the firmware goes on as before."""
    made = built(boards.load("qemu_mps2_an386"), tmp_path)
    with connect.connect(made) as connected:
        device: Device = connected.device
        before = device.profile().total_ticks
        words = device.self_test().ram_words
        for first in range(0, words, 1 << 16):
            assert device.self_test(first, 1 << 16).next == first + (1 << 16)
        # A tick is less than an instruction: where the clock is read between two is chance.
        assert device.profile().total_ticks == pytest.approx(before, abs=2)
        assert device.hello() == connected.hello


_MAIN = r"""
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ear_session_parts.h"
#include "port.h"
static uint8_t reply[EAR_FRAME_MAX_PAYLOAD];
uint8_t *const ear_out = reply;
uint32_t ear_port_ticks(void) { return 7; }
int main(int argc, char **argv) {
    int fd = memfd_create("ram", 0);
    const off_t second = argc > 1 && strcmp(argv[1], "joined") == 0 ? 0 : 4096;
    const int how = MAP_SHARED | MAP_FIXED_NOREPLACE;
    uint8_t request[EAR_SELF_TEST_BYTES] = {0};
    size_t count = 0;
    void *base = (void *)(uintptr_t)EAR_SELF_TEST_RAM_BASE;
    if (ftruncate(fd, 8192) != 0 ||
        mmap(base, 4096, PROT_READ | PROT_WRITE, how, fd, 0) == MAP_FAILED ||
        mmap((uint8_t *)base + 4096, 4096, PROT_READ | PROT_WRITE, how, fd, second) == MAP_FAILED) {
        return 1;
    }
    memset(base, 0x37, 4096);
    ear_put_u32(request + EAR_SELF_TEST_AT_WORDS, 2048);
    if (ear_serve_self_test(request, sizeof request, &count) != EAR_OK) {
        return 2;
    }
    for (int i = 0; i < 4096; i++) {
        if (((uint8_t *)base)[i] != 0x37) {
            return 3;
        }
    }
    printf("%u\n", ear_get_u32(reply + EAR_SELF_TEST_REPLY_AT_NEXT));
    return 0;
}
"""


@pytest.mark.parametrize(("wiring", "tested"), [("whole", 2048), ("joined", 0)])
def test_a_broken_address_line_is_seen(wiring, tested, tmp_path):
    """Two pages of memory, and one page that answers at both addresses."""
    fake.write_headers(tmp_path)
    (tmp_path / "main.c").write_text(_MAIN)
    runtime = paths.runtime()
    command = [
        *hostlib.compiler(), "-std=c11", "-Wall", "-Werror", "-O2", "-D_GNU_SOURCE",
        "-DEAR_SELF_TEST_RAM_BASE=0x60000000u",
        "-DEAR_SELF_TEST_RAM_BYTES=8192u", f"-I{tmp_path}", f"-I{runtime}",
        f"-I{paths.firmware_templates() / 'port'}", tmp_path / "main.c",
        runtime / "ear_session_proof.c", "-o", tmp_path / "main",
    ]  # fmt: skip
    assert sys.platform == "linux"
    subprocess.run(command, check=True)

    done = subprocess.run([tmp_path / "main", wiring], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, f"{tested}\n")
