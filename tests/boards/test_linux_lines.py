"""A Linux program's other lines: a serial device and TCP, and arguments that are refused."""

import contextlib
import os
import re
import select
import socket
import subprocess
import termios
import time

import pytest

_DATA = bytes(range(0xFD)) * 8


@pytest.fixture
def program(echo):
    return echo("host")[1].elf


@contextlib.contextmanager
def _started(*argv):
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def _listening(process) -> tuple[str, int]:
    assert select.select([process.stderr], [], [], 60)[0], "it does not listen"
    said = re.fullmatch(r"listening on (\S+):(\d+)\n", process.stderr.readline())
    return said[1], int(said[2])


def _wait_until_raw(tty: int) -> None:
    deadline = time.monotonic() + 60
    while termios.tcgetattr(tty)[3] & termios.ECHO:
        assert time.monotonic() < deadline, "it does not make the line raw"
        time.sleep(0.01)


def _echoed(line: socket.socket) -> bytes:
    line.settimeout(60)
    line.sendall(_DATA)
    back = b""
    while len(back) < len(_DATA):
        back += line.recv(4096)
    return back


def test_tcp_serves_one_client_after_another(program):
    with _started(program, "--listen", "0") as process:
        address = _listening(process)
        assert address[0] == "127.0.0.1"
        for _ in range(3):
            with socket.create_connection(address, 60) as line:
                assert _echoed(line) == _DATA
        assert process.poll() is None


def test_tcp_survives_a_client_that_resets(program):
    with _started(program, "--listen", "127.0.0.1:0") as process:
        address = _listening(process)
        with socket.create_connection(address, 60) as line:
            line.sendall(_DATA * 50)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        with socket.create_connection(address, 60) as line:
            assert _echoed(line) == _DATA


def test_a_port_in_use_is_told(program):
    with _started(program, "--listen", "0") as process:
        port = _listening(process)[1]
        done = subprocess.run([program, "--listen", str(port)], capture_output=True, text=True)
    assert done.returncode == 4
    assert done.stderr == f"cannot listen on {port}: Address already in use\n"


def test_a_serial_device_is_raw_and_its_end_ends_the_program(program):
    ours, theirs = os.openpty()
    with _started(program, "--port", os.ttyname(theirs), "--baud", "115200") as process:
        _wait_until_raw(theirs)
        os.write(ours, b"a")
        assert os.read(ours, 1) == b"a"
        os.close(theirs)
        back = b""
        for at in range(0, len(_DATA), 1024):
            os.write(ours, _DATA[at : at + 1024])
            while len(back) < min(at + 1024, len(_DATA)):
                back += os.read(ours, 4096)
        assert back == _DATA
        os.close(ours)
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["--port", "/dev/nosuch"], 4, "cannot open /dev/nosuch: No such file or directory\n"),
        (["--port", "/dev/null"], 4, "no serial device: /dev/null: Inappropriate ioctl"),
        (["--port", "/dev/null", "--baud", "12"], 2, "baud rate 12 is not known; allowed: 9600 "),
        (["--listen", "x"], 2, "--listen x is not [ADDRESS:]PORT, an IPv4 address and a number\n"),
        (["--listen", "70000"], 2, "--listen 70000 is not [ADDRESS:]PORT"),
        (["--listen", ""], 2, "--listen  is not [ADDRESS:]PORT"),
        (["--listen", "1.2.3:9"], 2, "--listen 1.2.3:9 is not [ADDRESS:]PORT"),
        (["--listen"], 2, "argument --listen is not understood\nusage: "),
        (["--speed", "1"], 2, "argument --speed is not understood\nusage: "),
        (["--port", "a", "--listen", "1"], 2, "--port and --listen exclude each other\n"),
    ],
)
def test_arguments_that_are_refused(program, argv, code, said):
    done = subprocess.run([program, *argv], capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert done.stderr.startswith(said)


def test_help(program):
    done = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_a_reader_that_went_away_ends_the_program(program):
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.close()
    process.stdin.write(b"x")
    process.stdin.flush()
    assert process.wait(60) == 0
    process.stdin.close()
