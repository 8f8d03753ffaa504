"""A Raspberry Pi's Python: the real TFLite runtime, on a sysroot of Debian's packages in QEMU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeasr import backend, deploy, paths, speech
from edgeasr.errors import ToolError
from edgeasr.quantize import ptq
from edgeasr.toolchain import sysroot
from tests.boards.conftest import need_tools
from tests.conftest import missing, need, need_package

_PROGRAM = """
import sys
import numpy
from tflite_runtime.interpreter import Interpreter
model = Interpreter(sys.argv[1], num_threads=1)
model.allocate_tensors()
model.invoke()
print(numpy.__version__, model.get_output_details()[0]["shape"].tolist())
"""


@pytest.fixture(scope="module")
def made() -> sysroot.Sysroot:
    need("qemu-aarch64", "apt-get", "dpkg-deb")
    try:
        return sysroot.sysroot()
    except ToolError as error:
        missing(f"the Raspberry Pi's Python ({str(error)[:200]})")


def test_it_runs_a_model_of_the_zoo(made: sysroot.Sysroot) -> None:
    variables = {"QEMU_LD_PREFIX": str(made.root), "PYTHONPATH": str(made.site)}
    command = ["qemu-aarch64", "-cpu", "cortex-a72", made.python, "-S", "-c", _PROGRAM]

    said = subprocess.run(
        [*command, paths.zoo() / "digits.tflite"],
        env={**os.environ, **variables}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert said.stdout == "1.26.4 [1, 12]\n"


def test_what_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    need("apt-get", "dpkg-deb")
    variables = {"EDGEASR_CACHE": str(tmp_path), "EDGEASR_DEBIAN_MIRROR": f"file://{tmp_path}/no"}

    said = subprocess.run(
        [sys.executable, "-m", "edgeasr.toolchain.sysroot"],
        env={**os.environ, **variables}, capture_output=True, text=True,
    )  # fmt: skip

    assert said.returncode == 3
    assert said.stderr.startswith(
        "edgeasr: the Raspberry Pi's Python could not be put together from Debian's and PyPI's"
    )
    assert not any((tmp_path / "sysroots").iterdir())


def _edgeasr(*argv: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgeasr", *map(str, argv)],
        cwd=cwd, capture_output=True, text=True, timeout=900,
    )  # fmt: skip


@pytest.fixture(scope="module")
def project(made: sysroot.Sysroot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_tools("rpi4")
    folder = tmp_path_factory.mktemp("pi")
    for command in (["export", "digits", "--board", "rpi4", "--out", "p"], ["build", "p"]):
        done = _edgeasr(*command, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder / "p"


def test_the_reference_kernels_give_the_bits_of_all_engines(
    project: Path, shared_data: Path
) -> None:
    done = _edgeasr(
        "hil", "p", "--engine", "tflite", "--clips", shared_data / "digits" / "manifest.csv",
        "--limit", 120, "--json", cwd=project.parent,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["engine"], report["clips"], report["agreement"]) == ("tflite", 120, 1.0)


def test_a_project_without_the_program_says_so(tmp_path: Path) -> None:
    assert _edgeasr("export", "--board", "host", "--out", "p", cwd=tmp_path).returncode == 0

    done = _edgeasr("hil", "p", "--engine", "tflite", "--random", 1, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr == (
        'edgeasr: p: the engine "tflite" is not in this project; it has ear; projects for a '
        "Raspberry Pi have tflite and xnnpack too\n"
    )


def test_this_computer_runs_it_too(tmp_path: Path) -> None:
    need_package("ai_edge_litert")
    for command in (
        ["export", "digits", "--board", "host", "--engine", "tflite", "--out", "p"],
        ["build", "p"],
        ["hil", "p", "--random", 20],
    ):
        done = _edgeasr(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "20 of 20" in done.stdout


def test_boards_without_linux_refuse_it(tmp_path: Path) -> None:
    done = _edgeasr("export", "--board", "qemu_mps2_an386", "--engine", "tflite", cwd=tmp_path)

    assert done.returncode == 2
    assert "the engine tflite is a Python program, for a computer with Linux" in done.stderr


@pytest.fixture(scope="module", params=["dynamic", "float16"])
def floats(
    request: pytest.FixtureRequest, made: sysroot.Sysroot, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A built project of the zoo's digits, whose weights alone are quantized."""
    need_package("ai_edge_litert")
    need_package("tensorflow")
    need_tools("rpi4")
    keras = backend.load_keras()
    trained = keras.models.load_model(paths.zoo() / "digits.keras")
    folder = tmp_path_factory.mktemp(request.param)
    content = ptq.quantize(trained, None, request.param)
    model = speech.embed(content, deploy.load_model("digits").facts)
    (folder / "m.tflite").write_bytes(model)
    export = ["export", "m.tflite", "--board", "rpi4", "--engine", "tflite", "--out", "p"]
    for command in (export, ["build", "p"]):
        done = _edgeasr(*command, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder / "p"


@pytest.mark.parametrize("engine", ["tflite", "xnnpack"])
def test_models_of_floats_hear_what_the_host_hears(
    floats: Path, engine: str, shared_data: Path
) -> None:
    done = _edgeasr(
        "hil", "p", "--engine", engine, "--clips", shared_data / "digits" / "manifest.csv",
        "--limit", 30, "--json", cwd=floats.parent,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["features_equal"] == report["scores_equal"] == 30
    assert report["accuracy_device"] == report["accuracy_host"] > 0.8
    assert report["reference"] == "LiteRT within 0.01"
    assert report["scores_apart"] < 0.01


def test_xnnpack_is_within_some_steps(project: Path, shared_data: Path) -> None:
    done = _edgeasr(
        "hil", "p", "--engine", "xnnpack", "--clips", shared_data / "digits" / "manifest.csv",
        "--limit", 60, "--json", cwd=project.parent,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["engine"], report["features_equal"]) == ("xnnpack", 60)
    assert report["reference"] == "TFLite-Micro within 8"


def test_a_recording_is_heard_as_a_stream(project: Path, shared_data: Path) -> None:
    spoken = shared_data / "digits" / "asterisk" / "3_allison.flac"

    done = _edgeasr("run", "p", "--engine", "tflite", "--audio", spoken, cwd=project.parent)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1.29", "s", "3", "0.90"]
