"""What the exporter believes of the unpackers' code: that it is there, and how large it is."""

import subprocess
from pathlib import Path

from edgeasr import paths
from edgeasr.codegen.packing.linking import CODE_BYTES
from tests.conftest import need

_NEAR = 0.15


def test_unpackers_are_as_large_as_the_exporter_counts(tmp_path: Path) -> None:
    need("arm-none-eabi-gcc", "arm-none-eabi-size")
    sources = [paths.runtime() / f"{name}.c" for name in CODE_BYTES]
    subprocess.run(
        ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-O2", "-std=c11", "-c", *sources],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    listed = subprocess.run(
        ["arm-none-eabi-size", *(f"{name}.o" for name in CODE_BYTES)],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip

    rows = [line.split() for line in listed.splitlines()[1:]]
    sizes = {row[-1].removesuffix(".o"): int(row[0]) for row in rows}
    assert sizes.keys() == CODE_BYTES.keys()
    wrong = {
        name: (counted, sizes[name])
        for name, counted in CODE_BYTES.items()
        if abs(counted / sizes[name] - 1) > _NEAR
    }
    assert not wrong
