"""Where TFLite-Micro is looked for, and what is said when it is not there."""

import dataclasses
import os
from pathlib import Path

import pytest

from edgeasr import boards, microlite
from edgeasr.errors import ToolError

_M4 = "cortex_m_generic_cortex-m4+fp_release_cmsis_nn_gcc"


def _root(folder: Path, *builds: str, makefile: bool = True) -> Path:
    names = [microlite.HEADER, *(f"gen/{build}/lib/{microlite.LIBRARY}" for build in builds)]
    for name in (*names, *([microlite.MAKEFILE] if makefile else [])):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("board", "words"),
    [
        ("qemu_mps2_an386", "TARGET=cortex_m_generic TARGET_ARCH=cortex-m4+fp "
                            "OPTIMIZED_KERNEL_DIR=cmsis_nn BUILD_TYPE=release microlite"),
        ("qemu_mps2_an385", "TARGET=cortex_m_generic TARGET_ARCH=cortex-m3 "
                            "OPTIMIZED_KERNEL_DIR=cmsis_nn BUILD_TYPE=release microlite"),
        ("qemu_mps3_an547", "TARGET=cortex_m_generic TARGET_ARCH=cortex-m55 "
                            "OPTIMIZED_KERNEL_DIR=cmsis_nn BUILD_TYPE=release microlite"),
        ("host", "BUILD_TYPE=release microlite"),
        ("rpi4", "TARGET=linux TARGET_ARCH=aarch64 TARGET_TOOLCHAIN_PREFIX=aarch64-linux-gnu- "
                 "BUILD_TYPE=release microlite"),
    ],
)  # fmt: skip
def test_upstreams_command_for_each_board(board: str, words: str) -> None:
    target = microlite.target(boards.load(board))

    assert target.command == f"make -f {microlite.MAKEFILE} {words}"


@pytest.mark.parametrize(
    ("core", "flags", "arch"),
    [
        ("cortex-m4", ["-mcpu=cortex-m4", "-mfloat-abi=soft"], "cortex-m4"),
        ("cortex-m4", ["-mcpu=cortex-m4", "-mfloat-abi=softfp"], "cortex-m4+sfp"),
        ("cortex-m0plus", ["-mcpu=cortex-m0plus"], "cortex-m0plus"),
        ("cortex-m7", ["-mfloat-abi=hard"], "cortex-m7+fp"),
    ],
)
def test_a_core_is_called_by_its_floating_point(core: str, flags: list[str], arch: str) -> None:
    board = boards.load("qemu_mps2_an386")
    compiler = dataclasses.replace(board.compiler, c_flags=tuple(flags))

    assert microlite.target(dataclasses.replace(board, core=core, compiler=compiler)).arch == arch


def test_a_core_without_a_name_upstream_is_told() -> None:
    board = dataclasses.replace(boards.load("qemu_mps2_an386"), core="riscv32")

    with pytest.raises(ToolError, match="build it for riscv32 and give TFLM_LIBRARY and TFLM_INCL"):
        microlite.find(board, {})


def test_optimized_kernels_and_release_builds_come_first() -> None:
    builds = microlite.target(boards.load("qemu_mps2_an386")).builds("x86_64")

    assert builds[0] == _M4
    assert builds.index("cortex_m_generic_cortex-m4+fp_default_cmsis_nn_gcc") < builds.index(
        "cortex_m_generic_cortex-m4+fp_release_gcc"
    )


def test_a_checkout_must_hold_the_cores_library(tmp_path: Path) -> None:
    board, other = boards.load("qemu_mps2_an386"), boards.load("qemu_mps3_an547")
    root = {"TFLM_ROOT": str(_root(tmp_path, _M4))}

    assert microlite.find(board, root) == root
    with pytest.raises(ToolError, match=r"holds no library for cortex-m55 \(no gen/cortex_m_gen"):
        microlite.find(other, root)


def test_a_tree_of_sources_does_for_every_core(tmp_path: Path) -> None:
    root = {"TFLM_ROOT": str(_root(tmp_path, makefile=False))}

    for name in boards.names():
        assert microlite.find(boards.load(name), root) == root


def test_library_and_headers_belong_together(tmp_path: Path) -> None:
    board = boards.load("host")
    library = tmp_path / "lib.a"
    library.touch()

    with pytest.raises(ToolError, match="belong together, and only one is set"):
        microlite.find(board, {"TFLM_LIBRARY": str(library)})
    both = {
        "TFLM_LIBRARY": str(library),
        "TFLM_INCLUDE_DIRS": os.pathsep.join([str(tmp_path), str(tmp_path / "no")]),
    }
    with pytest.raises(ToolError, match=r"/no does not exist; in a checkout of"):
        microlite.find(board, both)
    both["TFLM_INCLUDE_DIRS"] = str(tmp_path)
    with pytest.raises(ToolError, match=f"no {microlite.HEADER} below {tmp_path}; name the"):
        microlite.find(board, both)
    _root(tmp_path)
    with pytest.raises(ToolError, match=f"TFLM_LIBRARY: {tmp_path} is no file; in a checkout"):
        microlite.find(board, both | {"TFLM_LIBRARY": str(tmp_path)})
    assert microlite.find(board, both) == both


def test_nothing_set_is_said_with_upstreams_command() -> None:
    with pytest.raises(ToolError) as caught:
        microlite.find(boards.load("host"), {"TFLM_ROOT": ""})
    assert str(caught.value) == (
        "TFLite-Micro was not found: TFLM_ROOT is not set; in a checkout of "
        "https://github.com/tensorflow/tflite-micro run 'make -f "
        "tensorflow/lite/micro/tools/make/Makefile BUILD_TYPE=release microlite', then set "
        "TFLM_ROOT to the checkout"
    )
