"""Downloads against a server on loopback that is well, slow to finish, deaf or wrong."""

import errno
import hashlib
import random
import socket
from pathlib import Path

import pytest

from edgeasr.audio import download as module
from edgeasr.audio.download import download
from edgeasr.errors import CheckError, ToolError

CONTENT = random.Random(5).randbytes(1_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def content(site):
    site.files["set.bin"] = CONTENT


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_whole_file_with_progress(site, tmp_path):
    seen = []
    found = download(
        site.url("set.bin"), tmp_path / "new" / "set.bin", sha256=SHA256.upper(),
        on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert found == SHA256
    assert (tmp_path / "new" / "set.bin").read_bytes() == CONTENT
    assert names(tmp_path / "new") == ["set.bin"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_cut_connections_go_on_where_they_broke(site, tmp_path):
    site.cut_after = 150_000
    download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256, pause_s=0)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    ranges = [asked for _, asked in site.requests]
    assert ranges == [None, *(f"bytes={n * 150_000}-" for n in range(1, 7))]


def test_an_interrupted_run_is_resumed_by_the_next(site, tmp_path):
    def interrupt(done: int, total: int | None) -> None:
        if done > 300_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(site.url("set.bin"), tmp_path / "set.bin", on_progress=interrupt)
    assert names(tmp_path) == ["set.bin.part"]
    have = (tmp_path / "set.bin.part").stat().st_size
    assert 300_000 < have < len(CONTENT)
    download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256)
    assert site.requests[-1][1] == f"bytes={have}-"
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_server_that_ignores_ranges_starts_anew(site, tmp_path):
    site.ranges = False
    site.cut_after, site.cuts = 400_000, 2
    download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256, pause_s=0)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert len(site.requests) == 3


def test_server_that_ignores_ranges_and_always_cuts_is_given_up(site, tmp_path):
    site.ranges = False
    site.cut_after = 400_000
    with pytest.raises(ToolError, match=r"broke after .*, 5 times; .* are kept"):
        download(site.url("set.bin"), tmp_path / "set.bin", pause_s=0)
    # The first broke with progress, the other five without.
    assert len(site.requests) == 5


def test_a_part_that_is_whole_needs_no_byte(site, tmp_path):
    (tmp_path / "set.bin.part").write_bytes(CONTENT)
    download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256)
    assert [asked for _, asked in site.requests] == ["bytes=1000000-"]
    assert names(tmp_path) == ["set.bin"]


def test_a_part_longer_than_the_file_is_thrown_away(site, tmp_path):
    (tmp_path / "set.bin.part").write_bytes(CONTENT + b"more")
    download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256, pause_s=0)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_wrong_bytes_leave_nothing(site, tmp_path):
    site.files["set.bin"] = CONTENT[:-1] + b"x"
    with pytest.raises(CheckError, match=rf"SHA-256 [0-9a-f]{{64}}, {SHA256} is right"):
        download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256)
    assert names(tmp_path) == []


def test_a_part_of_another_file_is_found_out(site, tmp_path):
    (tmp_path / "set.bin.part").write_bytes(b"?" * 1000)
    with pytest.raises(CheckError):
        download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256)
    download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_missing_file_is_not_tried_again(site, tmp_path):
    with pytest.raises(ToolError, match="answered 404 Not Found; the file may have moved"):
        download(site.url("other.bin"), tmp_path / "other.bin", pause_s=0)
    assert len(site.requests) == 1
    assert names(tmp_path) == []


def test_busy_server_is_tried_again(site, tmp_path):
    site.errors = [503, 429, 500]
    download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256, pause_s=0)
    assert len(site.requests) == 4


def test_server_that_stays_broken(site, tmp_path):
    site.errors = [503] * 5
    with pytest.raises(ToolError, match="answered 503 Service Unavailable, 5 times; check"):
        download(site.url("set.bin"), tmp_path / "set.bin", pause_s=0)


def test_length_that_is_not_told(site, tmp_path):
    site.tell_length = False
    seen = []
    download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256,
             on_progress=lambda done, total: seen.append(total))  # fmt: skip
    assert set(seen) == {None}


def test_nobody_listens(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/set.bin"
        with pytest.raises(ToolError, match=r"not reachable .* 5 times; check the network"):
            download(url, tmp_path / "set.bin", pause_s=0)
    assert names(tmp_path) == []


def test_silent_server_times_out(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_TRIES", 1)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/set.bin"
        with pytest.raises(ToolError, match="timed out"):
            download(url, tmp_path / "set.bin", timeout_s=0.2, pause_s=0)


class FullDisk:
    """A file that takes 100,000 bytes."""

    def __init__(self, stream):
        self._stream = stream

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stream.close()

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, chunk):
        if self._stream.tell() + len(chunk) > 500_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._stream.write(chunk)


def test_full_disk_keeps_what_arrived(site, tmp_path, monkeypatch):
    real = Path.open

    def opened(self, mode="r", *args, **kwargs):
        stream = real(self, mode, *args, **kwargs)
        return FullDisk(stream) if mode in ("wb", "r+b") else stream

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", opened)
        with pytest.raises(ToolError, match=r"disk is full after .*; make room"):
            download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256)
    assert names(tmp_path) == ["set.bin.part"]
    download(site.url("set.bin"), tmp_path / "set.bin", sha256=SHA256)
    assert site.requests[-1][1] is not None


def test_folder_that_can_not_be_written(site, tmp_path):
    (tmp_path / "set.bin.part").mkdir()
    with pytest.raises(ToolError, match=r"set\.bin\.part: can not be written"):
        download(site.url("set.bin"), tmp_path / "set.bin", pause_s=0)
