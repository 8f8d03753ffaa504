"""A Linux program's microphone: PCM from a FIFO or the standard input, whole sample by sample."""

import ctypes
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeasr import boards, paths
from edgeasr.codegen.environment import render
from tests.boards.conftest import context
from tests.conftest import need

_PCM = np.array([0, 1, -1, 256, -32768, 32767, 12345], "<i2")


@pytest.fixture
def port(tmp_path: Path) -> ctypes.CDLL:
    """The port as a library of its own: its state is static, so each test has a fresh one."""
    need("gcc")
    (tmp_path / "board_config.h").write_text(render("project/board_config.h.j2", context("host")))
    sources = [file for name, file in boards.load("host").port.files.items() if name[-2:] == ".c"]
    folders = (tmp_path, paths.firmware_templates() / "port", sources[0].parent)
    built = tmp_path / "port.so"
    subprocess.run(
        ["gcc", "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC",
         *(f"-I{folder}" for folder in folders), *sources, "-o", built], check=True,
    )  # fmt: skip
    loaded = ctypes.CDLL(str(built))
    loaded.ear_port_microphone.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    loaded.ear_port_microphone.restype = ctypes.c_size_t
    loaded.ear_port_arguments.restype = ctypes.c_bool
    return loaded


def _arguments(port: ctypes.CDLL, *words: str) -> tuple[bool, int]:
    given = [b"program", *(word.encode() for word in words)]
    code = ctypes.c_int()
    argv = (ctypes.c_char_p * (len(given) + 1))(*given, None)
    port.argv = argv  # the port keeps what it points to
    return port.ear_port_arguments(len(given), argv, ctypes.byref(code)), code.value


def _heard(port: ctypes.CDLL, capacity: int) -> list[int]:
    samples = np.zeros(capacity, np.int16)
    return samples[: port.ear_port_microphone(samples.ctypes.data, capacity)].tolist()


def test_without_one_there_is_nothing(port: ctypes.CDLL) -> None:
    assert _arguments(port)[0]
    assert _heard(port, 8) == []


def test_a_writer_may_come_and_go(port: ctypes.CDLL, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert _arguments(port, "--listen", "0", "--microphone", str(fifo))[0]
    port.ear_port_init()
    assert _heard(port, 8) == []

    for _ in range(2):
        with fifo.open("wb", buffering=0) as writer:
            writer.write(_PCM.tobytes())
            assert _heard(port, 3) == _PCM[:3].tolist()
            assert _heard(port, 100) == _PCM[3:].tolist()
            assert _heard(port, 100) == []
        assert _heard(port, 100) == []


def test_samples_in_two_pieces_are_put_together(port: ctypes.CDLL, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    _arguments(port, "--listen", "0", "--microphone", str(fifo))
    port.ear_port_init()
    sent, heard = _PCM.tobytes(), []

    with fifo.open("wb", buffering=0) as writer:
        for begin in range(0, len(sent), 3):
            writer.write(sent[begin : begin + 3])
            heard += _heard(port, 1) + _heard(port, 1)

    assert heard == _PCM.tolist()


def test_the_standard_input_is_one_thing_only(
    port: ctypes.CDLL, capfd: pytest.CaptureFixture
) -> None:
    assert _arguments(port, "--microphone", "-") == (False, 2)
    assert "which is the line; give another by --port or --listen" in capfd.readouterr().err
