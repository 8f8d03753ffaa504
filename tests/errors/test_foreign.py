"""What people get who bring a model of others, and facts that do not fit: a sentence each."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests import tiny
from tests.conftest import need
from tests.errors.test_commands import INPUT, edgeasr, refused
from tests.unit.speech import foreign
from tests.unit.speech.test_micro_wake_word import V2
from tests.vectors.kernels.tflite_builder import serialize


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model that has no facts."""
    (tmp_path / "kws.tflite").write_bytes(serialize(tiny.graph()))
    return tmp_path


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project of a model without facts."""
    need("gcc", "cmake", "ninja")
    folder = tmp_path_factory.mktemp("bare")
    (folder / "kws.tflite").write_bytes(serialize(tiny.graph()))
    done = edgeasr("export", "kws.tflite", "-b", "host", "--bare", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "no front end: this firmware takes tensors" in done.stderr
    assert edgeasr("build", "kws-host", cwd=folder).returncode == 0
    return folder / "kws-host"


def test_no_facts_names_every_place(folder: Path) -> None:
    done = edgeasr("export", "kws.tflite", "-b", "host", cwd=folder)
    refused(
        done, INPUT, "no EDGEASR metadata", "no kws.toml beside it", "manifest kws.json",
        "none of the models that edgeasr knows", "with --bare",
    )  # fmt: skip
    assert not (folder / "kws-host").exists()


@pytest.mark.parametrize("command", ["inspect", "export"])
def test_a_file_of_facts_that_is_not_there(folder: Path, command: str) -> None:
    board = ("-b", "host") if command == "export" else ()
    done = edgeasr(command, "kws.tflite", *board, "--facts", "none.json", cwd=folder)
    if command == "export":
        refused(done, INPUT, "none.json: cannot be read: No such file or directory")
    else:
        assert "none.json: cannot be read: No such file or directory" in done.stdout


def test_a_manifest_that_is_wrong(folder: Path) -> None:
    (folder / "jo.json").write_text(json.dumps(V2 | {"version": 3}))
    done = edgeasr("export", "kws.tflite", "-b", "host", "--facts", "jo.json", cwd=folder)
    refused(done, INPUT, "jo.json: a microWakeWord manifest of type 'micro' and version 3")


def test_a_manifest_of_another_model(folder: Path) -> None:
    (folder / "jo.json").write_text(json.dumps(V2))
    done = edgeasr("export", "kws.tflite", "-b", "host", "--facts", "jo.json", cwd=folder)
    refused(done, INPUT, 'jo.json: input "features" of the model has shape [1, 6, 8, 1]')


def test_labels_that_the_archive_lacks(folder: Path) -> None:
    (folder / "kws.tflite").write_bytes(foreign.labelled({"other.txt": b"a"}))
    done = edgeasr("export", "kws.tflite", "-b", "host", "--bare", cwd=folder)
    refused(done, INPUT, 'names the file "labels.txt", which the model does not hold')


@pytest.mark.parametrize("command", [("run", "--audio", "none.wav"), ("hil", "--clips", ".")])
def test_a_bare_model_cannot_hear(bare: Path, command: tuple[str, ...]) -> None:
    name, *rest = command
    (bare.parent / "a").mkdir(exist_ok=True)
    soundfile.write(bare.parent / "a" / "x.wav", np.zeros(16_000, np.int16), 16_000)
    done = edgeasr(name, bare, *rest, cwd=bare.parent)
    refused(done, INPUT, "name no front end, so it runs on tensors alone and cannot hear")


def test_a_bare_model_agrees_on_tensors(bare: Path) -> None:
    done = edgeasr("hil", bare, "--random", "25", "--seed", "3", "--json", cwd=bare.parent)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["inputs"], report["agreement"], report["unequal"]) == (25, 1.0, [])
    assert report["distinct_outputs"] > 5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "nothing to send; give one of --clips MANIFEST, --random N, --input FILE"),
        (("--random", "5", "--input", "x.npy"), "several things to send"),
        (("--random", "5", "--junit", "x.xml"), "--junit and --min-accuracy are about recordings"),
        (("--input", "none.npy"), "none.npy: cannot be read as inputs"),
    ],
)
def test_what_is_sent_must_be_said(bare: Path, options: tuple[str, ...], says: str) -> None:
    refused(edgeasr("hil", bare, *options, cwd=bare.parent), INPUT, says)


FACTS = """
name = "kws"
labels = ["a", "b", "c"]
frames = 6
feature_scale = 0.015625
feature_offset = 0.0
[front_end]
kind = "micro"
channels = 8
[decision]
window = 3
"""


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ('"micro"', '"foo"', 'f.toml: front end: kind is "foo"'),
        ("channels = 8", "channels = 1.5", "f.toml: front end: channels is 1.5"),
        ("window = 3", "window = 0", "f.toml: decision: window is 0"),
    ],
)
def test_wrong_tables_of_facts_name_their_file(was: str, now: str, says: str, folder: Path) -> None:
    (folder / "f.toml").write_text(FACTS.replace(was, now))
    refused(
        edgeasr("export", "kws.tflite", "-b", "host", "--facts", "f.toml", cwd=folder), INPUT, says
    )


@pytest.mark.parametrize(
    ("text", "says"), [("[]", "a table is expected, not list"), ("\x01", "f.json: not JSON")]
)
def test_facts_in_json_are_told_as_json(text: str, says: str, folder: Path) -> None:
    (folder / "f.json").write_text(text)
    done = edgeasr("export", "kws.tflite", "-b", "host", "--facts", "f.json", cwd=folder)
    refused(done, INPUT, says)


@pytest.mark.parametrize("command", [("build",), ("hil", "--random", "2")])
def test_a_project_of_another_build_system_is_built_by_it(
    command: tuple[str, ...], folder: Path
) -> None:
    options = ("-b", "host", "--bare", "--project", "zephyr", "-o", "z")
    assert edgeasr("export", "kws.tflite", *options, cwd=folder).returncode == 0
    name, *rest = command
    refused(
        edgeasr(name, "z", *rest, cwd=folder), INPUT,
        "z: is a project for zephyr, which edgeasr does not build", "z/README.md", "--port",
    )  # fmt: skip
    assert not (folder / "z" / "build").exists()


def test_a_picture_is_an_svg(folder: Path) -> None:
    done = edgeasr("inspect", "kws.tflite", "--picture", "plan.png", cwd=folder)
    refused(done, INPUT, "plan.png: the picture is an SVG drawing")
    assert not (folder / "plan.png").exists()


def test_a_build_folder_that_cannot_be_made_is_said(folder: Path) -> None:
    need("gcc", "cmake", "ninja")
    options = ("-b", "host", "--bare", "-o", "k")
    assert edgeasr("export", "kws.tflite", *options, cwd=folder).returncode == 0
    (folder / "k" / "build").touch()
    done = edgeasr("build", "k", cwd=folder)
    refused(done, INPUT, "k/build: cannot be written: File exists; remove it")
