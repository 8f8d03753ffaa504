"""Projects of the engine `tflm` build and behave, with a stand-in for TFLite-Micro's tree.

What needs the real library is in tests/sim/test_tflm.py.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeasr import boards, connect, deploy, speech, toolchain
from edgeasr.errors import LinkError, ToolError
from edgeasr.project import Project
from tests import tiny
from tests.conftest import need

_STUB = Path(__file__).parent / "tflm_stub"
_VARIABLES = ("TFLM_ROOT", "TFLM_LIBRARY", "TFLM_INCLUDE_DIRS")


@pytest.fixture(autouse=True)
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)


def _export(folder: Path, board: str = "host") -> Project:
    model = speech.load(tiny.write_model(folder / "m.tflite"))
    return deploy.export(model, boards.load(board), folder / "project", engine="tflm")


def _configure(made: Project, *options: str) -> subprocess.CompletedProcess[str]:
    need("cmake", "ninja", "g++")
    clean = {k: v for k, v in os.environ.items() if k not in _VARIABLES}
    command = ["cmake", "-S", made.folder, "-B", made.folder / "build", "-G", "Ninja", *options]
    return subprocess.run(command, env=clean, capture_output=True, text=True, check=False)


def test_a_project_builds_without_a_warning_and_runs(tmp_path: Path) -> None:
    """Each layer is seen after its operator, and stopping there leaves the rest undone."""
    need("gcc", "g++", "cmake", "ninja")
    made = _export(tmp_path)

    built = toolchain.build(made.folder, tflm_root=_STUB)

    assert "warning" not in built.log.read_text().lower()
    with connect.connect(made) as connected:
        device = connected.device
        assert connected.hello.engine == "tflm"
        window = bytes(connected.hello.input_bytes)
        seen = [device.tensor(window, layer=layer.index)[0] for layer in made.manifest.layers]
        assert seen == [1, 2, 3, 4]
        assert device.tensor(window) == bytes([4] * 4)
        assert len(device.profile(window).layer_ticks) == 4
    said = (made.folder / "build" / "runner.log").read_text()
    assert f"arena: used bytes 64 of {made.manifest.arena_bytes}\n" in said


def test_a_project_builds_for_a_bare_machine(tmp_path: Path) -> None:
    need("arm-none-eabi-g++", "cmake", "ninja")
    made = _export(tmp_path, "qemu_mps2_an386")
    stub = shutil.copytree(_STUB, tmp_path / "stub")
    source = stub / "tensorflow" / "lite" / "micro" / "micro_interpreter.cc"
    source.write_text(source.read_text().replace('std::getenv("STUB_SCHEMA_VERSION")', "nullptr"))

    built = toolchain.build(made.folder, tflm_root=stub)

    assert "warning" not in built.log.read_text().lower()
    assert built.parts["model"].flash_bytes >= len(made.model_path.read_bytes())
    assert built.parts["arena"].ram_bytes == made.manifest.arena_bytes


@pytest.mark.parametrize("damage", ["byte", "schema"])
def test_a_damaged_model_is_refused(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("gcc", "g++", "cmake", "ninja")
    made = _export(tmp_path)
    if damage == "byte":
        data = made.folder / "model" / "model_data.c"
        first, rest = data.read_text().split(" = {\n    ", 1)
        number, rest = rest.split(",", 1)
        data.write_text(f"{first} = {{\n    {int(number) ^ 1},{rest}")
    else:
        monkeypatch.setenv("STUB_SCHEMA_VERSION", "4")
    toolchain.build(made.folder, tflm_root=_STUB)

    with (
        pytest.raises((LinkError, ToolError), match="the model was refused"),
        connect.connect(made),
    ):
        pass


def test_without_the_library_cmake_gives_upstreams_command(tmp_path: Path) -> None:
    done = _configure(_export(tmp_path, "qemu_mps2_an386"))

    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert "TFLite-Micro for cortex-m4 was not found: TFLM_ROOT is not set." in said
    assert (
        "make -f tensorflow/lite/micro/tools/make/Makefile TARGET=cortex_m_generic "
        "TARGET_ARCH=cortex-m4+fp OPTIMIZED_KERNEL_DIR=cmsis_nn BUILD_TYPE=release microlite"
    ) in said


def _checkout(folder: Path, build: str) -> Path:
    """Write what FindTFLM.cmake looks for in a checkout of upstream."""
    for name in (
        "tensorflow/lite/micro/micro_interpreter.h",
        "tensorflow/lite/micro/tools/make/Makefile",
        f"gen/{build}/lib/libtensorflow-microlite.a",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    downloads = folder / "tensorflow/lite/micro/tools/make/downloads"
    for name in ("gemmlowp", "flatbuffers/include", "kissfft", "ruy"):
        (downloads / name).mkdir(parents=True)
    return folder


def test_the_library_of_a_checkout_is_found(tmp_path: Path) -> None:
    build = f"linux_{os.uname().machine}_release_with_logs_gcc"
    root = _checkout(tmp_path / "upstream", build)

    done = _configure(_export(tmp_path), f"-DTFLM_ROOT={root}")

    assert done.returncode == 0, done.stderr
    ninja = (tmp_path / "project" / "build" / "build.ninja").read_text()
    assert f"{root}/gen/{build}/lib/libtensorflow-microlite.a" in ninja
    assert f"{root}/tensorflow/lite/micro/tools/make/downloads/flatbuffers/include" in ninja


def test_a_checkout_without_the_cores_library_is_told(tmp_path: Path) -> None:
    root = _checkout(tmp_path / "upstream", "cortex_m_generic_cortex-m0_release_gcc")

    done = _configure(_export(tmp_path), f"-DTFLM_ROOT={root}")

    assert done.returncode != 0
    assert "holds no library for this core" in " ".join(done.stderr.split())


def test_library_and_headers_are_taken_as_given(tmp_path: Path) -> None:
    library = tmp_path / "libmine.a"
    library.write_text("MicroPrintf arm_convolve_wrapper_s8")

    alone = _configure(_export(tmp_path), f"-DTFLM_LIBRARY={library}")
    both = _configure(
        Project(tmp_path / "project", None),
        f"-DTFLM_LIBRARY={library}",
        f"-DTFLM_INCLUDE_DIRS={_STUB};{tmp_path}",
    )

    assert "TFLM_LIBRARY is set, and TFLM_INCLUDE_DIRS is not" in " ".join(alone.stderr.split())
    assert both.returncode == 0, both.stderr
    ninja = (tmp_path / "project" / "build" / "build.ninja").read_text()
    assert str(library) in ninja and f"-isystem {_STUB} -isystem {tmp_path}" in ninja
    assert "-DCMSIS_NN" in ninja and "TF_LITE_STRIP_ERROR_STRINGS" not in ninja


def test_edgeasr_refuses_before_any_work(tmp_path: Path) -> None:
    need("cmake", "ninja", "gcc", "g++")
    made = _export(tmp_path)

    with pytest.raises(ToolError, match=r"^TFLite-Micro was not found: TFLM_ROOT is not set; in a"):
        toolchain.build(made.folder)
    with pytest.raises(ToolError, match=r"^TFLM_ROOT: .* holds no TFLite-Micro"):
        toolchain.build(made.folder, tflm_root=tmp_path)

    assert not (made.folder / "build").exists()
