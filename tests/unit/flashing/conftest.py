"""A desk without hardware: boards of one's own, programs that only act, USB as files."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from edgeasr import boards, deploy, paths, speech
from edgeasr.flashing import usb
from edgeasr.project import Project
from tests import tiny

_REAL = """
[line]
baud = 115200
usb = ["0483:374b"]
"""


def write_board(folder: Path, name: str, tables: str, like: str = "qemu_mps2_an386") -> Path:
    """Write a real board's file: one of the shipped ones, with a line and ways to flash it."""
    text = (paths.boards() / f"{like}.toml").read_text()
    text = text.replace("simulated = true", "simulated = false")
    text = re.sub(r"\n\[runner\].*", "", text, flags=re.DOTALL)
    file = folder / f"{name}.toml"
    file.write_text(text + (tables if "[line]" in tables else _REAL + tables))
    return file


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Project]:
    """Return a function that exports the tiny model for a board with the given flash tables."""

    def export(tables: str, like: str = "qemu_mps2_an386", name: str = "desk") -> Project:
        file = write_board(tmp_path, name, tables, like)
        model = speech.load(tiny.write_model(tmp_path / "tiny.tflite"))
        return deploy.export(model, boards.load(file), tmp_path / "tiny desk", replace=True)

    return export


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every project for built: what is written is for the fake programs to ignore."""
    monkeypatch.setattr("edgeasr.toolchain.find_built", lambda folder: None)


class Programs:
    """Fake programs, alone on PATH; `calls` are the arguments that each was given."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._calls = folder, folder / "calls"

    def add(self, name: str, body: str = "") -> None:
        """Add a program; body: Python that may print, and sys.exit."""
        file = self.folder / name
        file.write_text(
            f"#!{sys.executable}\nimport json, os, sys\n"
            f"with open({str(self._calls)!r}, 'a') as f:\n"
            f"    f.write(json.dumps([{name!r}, *sys.argv[1:]]) + '\\n')\n{body}\n"
        )
        file.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        import json

        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [json.loads(line) for line in lines]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Nothing on PATH but what a test puts there, and what the steps take for granted."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cp", "stty", "sha256sum"):
        (folder / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(folder))
    return Programs(folder)


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that plugs in a USB device; it returns the device's node."""
    sysfs, nodes = tmp_path / "sysfs", tmp_path / "nodes"
    sysfs.mkdir()
    monkeypatch.setattr(usb, "SYSFS", sysfs)
    monkeypatch.setattr(usb, "NODES", nodes)

    def add(numbers: str, serial: str = "", product: str = "STM32 STLink") -> Path:
        number = len(list(sysfs.iterdir())) + 1
        folder, node = sysfs / f"1-{number}", nodes / "001" / f"{number:03}"
        folder.mkdir()
        vendor, device = numbers.split(":")
        values = {"idVendor": vendor, "idProduct": device, "serial": serial,
                  "product": product, "busnum": "1", "devnum": str(number)}  # fmt: skip
        for key, value in values.items():
            (folder / key).write_text(value + "\n")
        node.parent.mkdir(parents=True, exist_ok=True)
        node.write_text("")
        return node

    return add


@pytest.fixture
def serial_ports(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that says which serial ports are there: (device, "vvvv:pppp", serial)."""

    def set_ports(*ports: tuple[str, str, str]) -> None:
        found = [
            SimpleNamespace(
                device=device,
                vid=int(numbers[:4], 16),
                pid=int(numbers[5:], 16),
                serial_number=serial,
                product="a port",
            )
            for device, numbers, serial in ports
        ]
        monkeypatch.setattr(list_ports, "comports", lambda: found)

    set_ports()
    return set_ports
