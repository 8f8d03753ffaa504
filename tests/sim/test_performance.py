"""PERFORMANCE.md says what the baseline has, and what layers take on the emulated Cortex-M4F."""

import importlib.util
from pathlib import Path

import pytest

from edgeasr import paths
from tests.conftest import need

_ROOT = Path(__file__).parents[2]
_FILE = paths.firmware_templates() / "PERFORMANCE.md"

_SPEC = importlib.util.spec_from_file_location("table", _ROOT / "tools" / "performance_table.py")
table = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(table)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_totals_are_the_baseline_s() -> None:
    rows = [x for x in _FILE.read_text(encoding="utf-8").splitlines() if x.startswith("| `")]

    assert rows == table.totals()[2:], "paste what tools/performance_table.py prints"


def test_layers_take_what_is_said(shared_data: Path) -> None:
    need("cmake", "ninja", "arm-none-eabi-gcc", "qemu-system-arm")
    text = _FILE.read_text(encoding="utf-8").splitlines()
    said = {_cells(x)[1]: _cells(x)[3] for x in text if x.startswith("| cortex-m4 | ")}

    found = table.layers(str(shared_data / "models" / table.MODELS[0]), "qemu_mps2_an386")

    counted = {_cells(x)[1]: int(_cells(x)[3].replace(",", "")) for x in found}
    assert {kind: int(n.replace(",", "")) for kind, n in said.items()} == pytest.approx(
        counted, rel=0.05
    )
