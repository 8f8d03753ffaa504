"""The kernels run their cases as a C program: under ASan and UBSan, and on a Cortex-M4F in QEMU."""

import subprocess
from pathlib import Path

import pytest

from edgeasr import paths
from tests.conftest import need
from tests.vectors.kernels import emit
from tests.vectors.kernels.cases import KINDS, cases
from tests.vectors.kernels.oracle import tflm

_PER_KIND = 12
_FLAGS = "-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wdouble-promotion -Werror".split()
_M4F = "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16".split()
_HERE = Path(__file__).parent / "kernels"


@pytest.fixture(scope="module")
def program() -> emit.Program:
    table = [case for kind in KINDS for case in cases(kind, _PER_KIND)]
    return emit.program((case, tflm(case.graph, case.inputs)) for case in table)


def _compile(program: emit.Program, folder: Path, main: str, command: list[str]) -> Path:
    (folder / "cases.c").write_text(program.text)
    sources = [str(paths.runtime() / s) for s in program.sources if s.endswith(".c")]
    built = folder / "cases"
    done = subprocess.run(
        [*command, *_FLAGS, f"-I{paths.runtime()}", str(folder / "cases.c"), str(_HERE / main),
         *sources, "-o", str(built)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return built


def _verdict(program: emit.Program, output: str) -> None:
    first_wrong = int(output.split("first wrong case:")[1].split()[0])
    assert first_wrong == 0, program.names[first_wrong - 1]


def test_clean_under_sanitizers(program: emit.Program, tmp_path: Path) -> None:
    need("gcc")
    built = _compile(
        program, tmp_path, "main_host.c",
        ["gcc", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    )  # fmt: skip

    done = subprocess.run([built], capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr[-4000:]
    _verdict(program, done.stdout)


def test_bit_exact_on_cortex_m4f(program: emit.Program, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc", "qemu-system-arm")
    built = _compile(
        program, tmp_path, "main_semihosting.c",
        ["arm-none-eabi-gcc", *_M4F, "-O2", "-ffreestanding", "-nostartfiles",
         "--specs=nosys.specs", "-T", str(_HERE / "an386.ld")],
    )  # fmt: skip

    done = subprocess.run(
        ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-semihosting", "-kernel", built],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    _verdict(program, done.stdout + done.stderr)
