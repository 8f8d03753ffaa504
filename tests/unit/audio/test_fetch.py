"""Fetching a data set: a folder in its layout, or nothing but what can be resumed."""

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from edgeasr.audio import catalog, fetch, public
from edgeasr.audio.public import PublicSet
from edgeasr.cli import data
from edgeasr.errors import CheckError, InputError, ToolError


def archive(recordings: int = 60, top: str = "fsdd-1") -> bytes:
    wav = io.BytesIO()
    soundfile.write(wav, np.zeros(80, np.int16), 8000, format="WAV")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for number in range(recordings):
            speaker = ("ann", "bob", "cid")[number // 10 % 3]
            info = tarfile.TarInfo(f"{top}/recordings/{number % 10}_{speaker}_{number // 30}.wav")
            info.size = wav.getbuffer().nbytes
            wav.seek(0)
            tar.addfile(info, wav)
    return packed.getvalue()


CONTENT = archive()


@pytest.fixture
def small(site) -> PublicSet:
    site.files["v1.tar.gz"] = CONTENT
    return replace(
        public.SETS["fsdd"],
        url=site.url("v1.tar.gz"),
        recordings=60,
        archive_bytes=len(CONTENT),
        unpacked_bytes=20_000,
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        top="fsdd-1",
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_appears_whole(small, tmp_path, monkeypatch):
    monkeypatch.setattr(public, "SETS", {"fsdd": small})
    folder = fetch.fetch("fsdd", tmp_path)
    assert folder == tmp_path / "fsdd"
    assert names(tmp_path) == ["fsdd"]
    clips = catalog.load(folder)
    assert len(clips) == 60
    assert {c.split for c in clips} == {"train", "val", "test"}
    receipt = json.loads((folder / "edgeasr-source.json").read_text())
    assert receipt == {"url": small.url, "sha256": small.sha256}


def test_what_is_there_is_not_fetched_again(small, site, tmp_path):
    fetch.fetch(small, tmp_path)
    asked = len(site.requests)
    steps = []
    fetch.fetch(small, tmp_path, on_step=steps.append)
    assert len(site.requests) == asked
    assert steps == [f"{tmp_path / 'fsdd'} is there already"]


def test_archive_is_kept_when_asked(small, tmp_path):
    fetch.fetch(small, tmp_path, keep_archive=True)
    assert names(tmp_path) == ["fsdd", "fsdd-v1.tar.gz"]


def test_wrong_bytes_leave_nothing(small, site, tmp_path):
    site.files["v1.tar.gz"] = archive(59)
    with pytest.raises(CheckError, match="is right"):
        fetch.fetch(small, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive(59), "holds 59 recordings, .* has 60"),
        (archive(top="elsewhere"), "in its official layout"),
    ],
)
def test_another_content_leaves_nothing(small, site, tmp_path, content, message):
    site.files["v1.tar.gz"] = content
    with pytest.raises(CheckError, match=message):
        fetch.fetch(replace(small, sha256=None), tmp_path)
    assert names(tmp_path) == []


def test_bomb_leaves_no_folder(small, tmp_path):
    with pytest.raises(InputError, match="unpacks to more than"):
        fetch.fetch(replace(small, unpacked_bytes=1000), tmp_path)
    assert names(tmp_path) == []


def test_interrupted_unpacking_leaves_the_archive_only(small, site, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:

        def interrupt(*args, **kwargs):
            raise KeyboardInterrupt

        patched.setattr(catalog, "load", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch.fetch(small, tmp_path)
    assert names(tmp_path) == ["fsdd-v1.tar.gz"]
    fetch.fetch(small, tmp_path)
    assert names(tmp_path) == ["fsdd"]
    assert len(site.requests) == 1


def test_leftovers_of_a_killed_run_are_no_hindrance(small, tmp_path):
    (tmp_path / ".fsdd.unpacking" / "fsdd-1").mkdir(parents=True)
    fetch.fetch(small, tmp_path)
    assert names(tmp_path) == ["fsdd"]


def test_too_little_disk_is_said_before_anything_is_fetched(small, site, tmp_path):
    with pytest.raises(ToolError, match="free, fsdd needs about"):
        fetch.fetch(replace(small, unpacked_bytes=1 << 60), tmp_path)
    assert site.requests == []


def test_command(small, site, tmp_path, monkeypatch):
    monkeypatch.setattr(public, "SETS", {"fsdd": small})
    monkeypatch.setenv("EDGEASR_CACHE", str(tmp_path))
    site.cut_after, site.cuts = 300, 1
    done = CliRunner().invoke(data.app, ["fetch", "fsdd"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "data" / "fsdd")
    listed = CliRunner().invoke(data.app, ["list", "--json"])
    assert json.loads(listed.stdout)[0]["folder"] == str(tmp_path / "data" / "fsdd")


def test_shipped_sets_are_sound():
    for name, each in public.SETS.items():
        assert each.name == name
        assert each.layout in catalog.LAYOUTS
        assert each.archive_bytes < each.unpacked_bytes * 2
        assert each.sha256 is None or len(bytes.fromhex(each.sha256)) == 32
        assert each.sha256 or each.note
