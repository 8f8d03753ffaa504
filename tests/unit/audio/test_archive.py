"""Archives: what is good is unpacked as it is, what is bad leaves nothing."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from edgeasr.audio.archive import unpack
from edgeasr.errors import InputError

GOOD = {"top/a.txt": b"alpha", "top/sub/b.txt": b"beta" * 1000}


def tar(path: Path, members: dict[str, bytes], *special: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in special:
            archive.addfile(info)
    return path


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("top")
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


def refused(archive: Path, tmp_path: Path, message: str, most_bytes: int = 10**6) -> None:
    with pytest.raises(InputError, match=message):
        unpack(archive, tmp_path / "out", most_bytes=most_bytes)
    assert sorted(p.name for p in tmp_path.iterdir()) == [archive.name]


@pytest.mark.parametrize("make", [tar, zipped])
def test_good_archive(tmp_path, make):
    unpack(make(tmp_path / "a.bin", GOOD), tmp_path / "out", most_bytes=10**6)
    there = {
        p.relative_to(tmp_path / "out").as_posix(): p.read_bytes()
        for p in (tmp_path / "out").rglob("*")
        if p.is_file()
    }
    assert there == GOOD


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize("name", ["../evil", "top/../../evil", "/evil", "c:evil", "top\\..\\evil"])
def test_paths_outside(tmp_path, make, name):
    refused(make(tmp_path / "a.bin", {**GOOD, name: b"x"}), tmp_path, "lies outside the folder")


@pytest.mark.parametrize(
    "member",
    [
        special("top/link", tarfile.SYMTYPE, "/etc/passwd"),
        special("top/link", tarfile.LNKTYPE, "top/a.txt"),
        special("top/device", tarfile.CHRTYPE),
        special("top/pipe", tarfile.FIFOTYPE),
    ],
    ids=["symlink", "hardlink", "device", "fifo"],
)
def test_links_and_devices_in_tar(tmp_path, member):
    refused(tar(tmp_path / "a.tgz", GOOD, member), tmp_path, "is a link or a device")


def test_symlink_in_zip(tmp_path):
    path = zipped(tmp_path / "a.zip", GOOD)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("top/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    refused(path, tmp_path, "is a link or a device")


@pytest.mark.parametrize("make", [tar, zipped])
def test_bomb(tmp_path, make):
    path = make(tmp_path / "a.bin", {"a": bytes(600_000), "b": bytes(600_000)})
    assert path.stat().st_size < 10_000
    refused(path, tmp_path, r"unpacks to more than 1,000,000 B")


def test_same_name_twice(tmp_path):
    path = tar(tmp_path / "a.tgz", GOOD)
    with tarfile.open(tmp_path / "b.tgz", "w:gz") as archive:
        for content in (b"1", b"2"):
            info = tarfile.TarInfo("top/a.txt")
            info.size = 1
            archive.addfile(info, io.BytesIO(content))
    path.unlink()
    refused(tmp_path / "b.tgz", tmp_path, '"a.txt" twice')


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_truncated(tmp_path, make, keep):
    path = make(tmp_path / "a.bin", {f"{n}": bytes([n % 251]) * 999 for n in range(300)})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    refused(path, tmp_path, "is damaged")


def test_flipped_byte_in_zip(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.txt": bytes(range(256)) * 40})
    content = bytearray(path.read_bytes())
    content[len(content) // 2 - 20] ^= 0xFF
    path.write_bytes(content)
    refused(path, tmp_path, "is damaged")


def test_neither_tar_nor_zip(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("<html>Sign in</html>")
    refused(path, tmp_path, "is damaged")
