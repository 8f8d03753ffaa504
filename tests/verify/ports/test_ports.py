"""The ports compile without a warning for every core and compiler that could meet them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edgeasr import boards, paths
from edgeasr.codegen.environment import render
from tests.boards.conftest import context
from tests.conftest import missing

_STRICT = (
    "-std=c11 -O2 -Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Wundef "
    "-Wcast-align -Wmissing-prototypes -Wvla -Werror"
).split()

_CORES = {
    "m0plus": "-mcpu=cortex-m0plus -mthumb",
    "m3": "-mcpu=cortex-m3 -mthumb",
    "m4": "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16",
    "m7": "-mcpu=cortex-m7 -mthumb -mfloat-abi=hard -mfpu=fpv5-d16",
    "m33": "-mcpu=cortex-m33 -mthumb -mfloat-abi=hard -mfpu=fpv5-sp-d16",
    "m55": "-mcpu=cortex-m55 -mthumb -mfloat-abi=hard",
}


def _compile(compiler: str, flags: list[str], board: str, folder: Path, **constants: int) -> None:
    if shutil.which(compiler) is None:
        missing(compiler)
    given = context(board)
    given["board"]["constants"] = [
        (name, f"{constants[name]}u" if name in constants else value, why)
        for name, value, why in given["board"]["constants"]
    ]
    (folder / "board_config.h").write_text(render("project/board_config.h.j2", given))
    files = boards.load(board).port.files.values()
    folders = {paths.firmware_templates() / "port", *(file.parent for file in files)}
    include = [f"-I{folder}", *(f"-I{held}" for held in folders)]
    for source in [file for file in files if file.suffix == ".c"]:
        command = [compiler, *_STRICT, *flags, *include, "-c", source, "-o", folder / "x.o"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


@pytest.mark.parametrize("core", _CORES)
@pytest.mark.parametrize("level", ["-Os", "-O3"])
def test_cmsdk_on_every_core(core: str, level: str, tmp_path: Path) -> None:
    _compile("arm-none-eabi-gcc", [*_CORES[core].split(), level], "qemu_mps2_an386", tmp_path)


def test_cmsdk_without_semihosting_and_with_another_interrupt(tmp_path: Path) -> None:
    flags = _CORES["m4"].split()
    changed = {"EAR_PORT_SEMIHOSTING": 0, "EAR_PORT_UART_RX_IRQ": 37}
    _compile("arm-none-eabi-gcc", flags, "qemu_mps2_an386", tmp_path, **changed)


@pytest.mark.parametrize("level", ["-Os", "-O3"])
@pytest.mark.parametrize("board", ["nrf52840dk", "nano33ble_sense"])
def test_nrf52(board: str, level: str, tmp_path: Path) -> None:
    _compile("arm-none-eabi-gcc", [*_CORES["m4"].split(), level], board, tmp_path)


def test_nrf52_without_a_microphone(tmp_path: Path) -> None:
    without = {"EAR_PORT_MICROPHONE_PDM": 0}
    _compile("arm-none-eabi-gcc", _CORES["m4"].split(), "nrf52840dk", tmp_path, **without)


@pytest.mark.parametrize("level", ["-Os", "-O3"])
@pytest.mark.parametrize("board", ["qemu_netduinoplus2", "nucleo_f446re", "stm32f4_discovery"])
def test_stm32f4(board: str, level: str, tmp_path: Path) -> None:
    _compile("arm-none-eabi-gcc", [*_CORES["m4"].split(), level], board, tmp_path)


def test_stm32f4_without_a_crystal(tmp_path: Path) -> None:
    flags = _CORES["m4"].split()
    _compile("arm-none-eabi-gcc", flags, "nucleo_f446re", tmp_path, EAR_PORT_HSE_HZ=0)


def test_stm32f4_without_a_microphone(tmp_path: Path) -> None:
    flags = _CORES["m4"].split()
    without = {"EAR_PORT_MICROPHONE_PDM": 0}
    _compile("arm-none-eabi-gcc", flags, "stm32f4_discovery", tmp_path, **without)


def test_stm32f7(tmp_path: Path) -> None:
    flags = _CORES["m7"].split()
    _compile("arm-none-eabi-gcc", flags, "stm32f746g_disco", tmp_path)


@pytest.mark.parametrize(("board", "core"), [("rpi_pico", "m0plus"), ("rpi_pico2", "m33")])
@pytest.mark.parametrize("level", ["-Os", "-O3"])
def test_rp2_on_both_chips(board: str, core: str, level: str, tmp_path: Path) -> None:
    _compile("arm-none-eabi-gcc", [*_CORES[core].split(), level], board, tmp_path)


@pytest.mark.parametrize("compiler", ["gcc", "aarch64-linux-gnu-gcc"])
def test_linux_port(compiler: str, tmp_path: Path) -> None:
    _compile(compiler, [], "host", tmp_path)


@pytest.mark.parametrize("header", ["port.h", "linux/port_linux.h"])
def test_headers_stand_alone(header: str, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        missing("gcc")
    path = paths.firmware_templates() / "port" / header
    command = ["gcc", *_STRICT, "-fsyntax-only", "-x", "c", "-include", path, "/dev/null"]
    subprocess.run(command, check=True)
