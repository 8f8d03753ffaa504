"""A Raspberry Pi's Python: the real TFLite runtime, on a sysroot of Debian's packages in QEMU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeasr import paths
from edgeasr.errors import ToolError
from edgeasr.runners import sysroot
from tests.conftest import missing, need

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
        [sys.executable, "-m", "edgeasr.runners.sysroot"],
        env={**os.environ, **variables}, capture_output=True, text=True,
    )  # fmt: skip

    assert said.returncode == 3
    assert said.stderr.startswith(
        "edgeasr: the Raspberry Pi's Python could not be put together from Debian's and PyPI's"
    )
    assert not any((tmp_path / "sysroots").iterdir())
