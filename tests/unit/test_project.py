"""Projects on disk: whole or not at all, and never over somebody's files."""

import json
from pathlib import Path

import pytest

from edgeasr import project
from edgeasr.errors import InputError
from edgeasr.project import Layer, Manifest

MANIFEST = Manifest(
    generator="edgeasr 0",
    board="host",
    engine="ear",
    program="kws",
    model_name="kws",
    model_file="model/kws.tflite",
    model_sha256="00" * 32,
    labels=("yes", "où"),
    arena_bytes=16,
    constant_bytes=4,
    layers=(Layer(0, 0, "SOFTMAX", "ear_softmax_s8", 1, 0, 4),),
)
FILES = {"model/kws.tflite": b"\0", "src/main.c": "int main(void) { return 0; }\n"}


def test_written_project_loads_back(tmp_path: Path) -> None:
    made = project.write(tmp_path / "out", FILES, MANIFEST, replace=False)

    assert project.load(tmp_path / "out") == made
    assert made.manifest == MANIFEST
    assert made.model_path.read_bytes() == b"\0"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    assert project.write(tmp_path / "out", FILES, MANIFEST, replace=False).folder.is_dir()


def test_somebodys_folder_is_never_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("two years of work")

    with pytest.raises(InputError, match="not empty and not an edgeasr project"):
        project.write(tmp_path, FILES, MANIFEST, replace=True)
    assert (tmp_path / "thesis.txt").read_text() == "two years of work"


def test_a_project_is_replaced_only_when_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.write(out, {**FILES, "old.c": ""}, MANIFEST, replace=False)

    with pytest.raises(InputError, match="--force"):
        project.write(out, FILES, MANIFEST, replace=False)
    assert (out / "old.c").exists()
    project.write(out, FILES, MANIFEST, replace=True)
    assert not (out / "old.c").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failure_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    clashing = {**FILES, "src/main.c/inside": "a file cannot be a folder"}

    with pytest.raises(InputError, match="cannot be written"):
        project.write(tmp_path / "out", clashing, MANIFEST, replace=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")

    with pytest.raises(InputError, match="is a file"):
        project.write(tmp_path / "out", FILES, MANIFEST, replace=True)


def test_no_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="edgeasr export"):
        project.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"format": 9}, {"layers": 3}, {"layers": [{"index": 0}]}, {"surprise": 1}, {"labels": None}],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, change: dict) -> None:
    made = project.write(tmp_path / "out", FILES, MANIFEST, replace=False)
    path = made.folder / project.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(InputError, match="export it again"):
        project.load(made.folder)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InputError, match=r"out: cannot be written: .*; choose another --out"):
        project.write(tmp_path / "file" / "out", FILES, MANIFEST, replace=False)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
