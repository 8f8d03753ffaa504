"""Lines: bytes go both ways, time runs out without an error, and a closed one says so."""

import errno
import socket
import sys
import time
from pathlib import Path

import pytest

from edgeasr.errors import InputError, LinkError
from edgeasr.link import Link, LoggedLink, ProcessLink, PtyLink, SerialLink, open_link, pair

EVERY_BYTE = bytes(range(256))


def read(link: Link, count: int) -> bytes:
    data, deadline = b"", time.monotonic() + 20
    while len(data) < count and time.monotonic() < deadline:
        data += link.read(1.0)
    return data


def check_both_ways(one: Link, two: Link) -> None:
    for near, far in ((one, two), (two, one)):
        near.write(EVERY_BYTE)
        assert read(far, 256) == EVERY_BYTE
        assert near.read(0) == far.read(0.01) == b""


def test_a_pair() -> None:
    one, two = pair()
    check_both_ways(one, two)
    one.write(b"last")
    one.close()
    assert two.read(1) == b"last"
    with pytest.raises(LinkError, match="closed"):
        two.read(1)
    one.close()
    with pytest.raises(LinkError, match="closed on this side"):
        one.read(0)


def test_a_pty_and_a_serial_port_at_its_other_side() -> None:
    pty = open_link("pty:")
    assert isinstance(pty, PtyLink)
    serial = open_link(pty.other_side, baud=921600)
    assert isinstance(serial, SerialLink)
    assert serial.hint.startswith("is the firmware running at 921600 baud, does the cable")
    check_both_ways(pty, serial)
    with pytest.raises(LinkError, match="is busy; another program has it open; close that one"):
        open_link(pty.other_side)
    serial.close()
    with pytest.raises(LinkError, match="closed on this side"):
        serial.read(0)
    pty.close()


def test_tcp_and_unix_sockets(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = open_link(f"socket://127.0.0.1:{server.getsockname()[1]}")
        far, _ = server.accept()
    with far:
        near.write(EVERY_BYTE)
        assert far.recv(256, socket.MSG_WAITALL) == EVERY_BYTE
        far.sendall(EVERY_BYTE)
        assert read(near, 256) == EVERY_BYTE
    with pytest.raises(LinkError, match="closed the line; is the simulator"):
        near.read(5)
    near.close()
    path = tmp_path / "line"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        near = open_link(f"unix:{path}")
        far, _ = server.accept()
        with far:
            far.sendall(b"hello")
            assert read(near, 5) == b"hello"
    near.close()


def test_a_program() -> None:
    cat = open_link("exec:cat")
    assert isinstance(cat, ProcessLink)
    cat.write(EVERY_BYTE * 1000)  # more than pipes hold: what comes back is kept meanwhile
    assert read(cat, 256_000) == EVERY_BYTE * 1000
    cat.close()
    cat.close()
    assert cat.process.returncode == 0


def test_a_program_that_ends_tells_how() -> None:
    link = ProcessLink([sys.executable, "-c", "import sys; print('out'); sys.exit('no model')"])
    assert read(link, 4) == b"out\n"
    with pytest.raises(LinkError, match="ended with exit code 1; it said: no model"):
        link.read(10)
    link.close()


def test_a_line_that_takes_nothing_is_given_up() -> None:
    one, two = pair()
    with pytest.raises(LinkError, match=r"took no byte in 0\.1 s, \d+ of 10000000 B are left"):
        one.write(bytes(10_000_000), timeout_s=0.1)
    two.close()
    one.close()


def test_the_log_holds_what_passed(tmp_path: Path) -> None:
    link = open_link("exec:cat", log=tmp_path / "logs" / "session.log")
    assert isinstance(link, LoggedLink)
    link.write(b"\x00\x05")
    assert read(link, 2) == b"\x00\x05"
    link.close()
    lines = [line.split(" ", 1) for line in link.log_path.read_text().splitlines()]
    assert [what for _, what in lines] == ["> 00 05", "< 00 05"]
    assert all(seconds.startswith("+") and float(seconds) >= 0 for seconds, _ in lines)


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("/dev/ttyNONE9", LinkError, "no such port"),
        ("/dev/null", LinkError, "is not a serial port; give a device such as"),
        ("socket://127.0.0.1:1", LinkError, "no connection: Connection refused; is the simulator"),
        ("socket://127.0.0.1", InputError, "is not socket://HOST:PORT"),
        ("socket://127.0.0.1:99999", InputError, "is not socket://HOST:PORT"),
        ("unix:/nowhere/line", LinkError, "no connection: No such file or directory"),
        ("exec:/nowhere/program", LinkError, "could not start: No such file or directory"),
        ("exec:", InputError, "names no program"),
        ("exec:'open", InputError, "quote it as in a shell"),
        ("smoke://signal", InputError, "protocol 'smoke' not known"),
    ],
)
def test_what_cannot_be_opened_says_why(url: str, kind: type, message: str) -> None:
    with pytest.raises(kind) as caught:
        open_link(url)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_port_that_one_may_not_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    port = tmp_path / "tty"
    port.touch()
    monkeypatch.setattr("os.open", refuse)  # root may open any port
    with pytest.raises(LinkError, match=r"permission denied; .* cure: sudo usermod -aG \w+ \$USER"):
        open_link(str(port))
