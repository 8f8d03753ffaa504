"""The stack that a board file gives is enough for what firmware does, and not far too much."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeasr import audio, boards, deploy, speech, toolchain
from edgeasr.audio import catalog
from edgeasr.boards import Board
from edgeasr.client import Device
from edgeasr.connect import Connected, connect
from edgeasr.graph import Graph
from edgeasr.runners import child, qemu_system
from tests.boards.conftest import need_tools
from tests.sim.packed import Firmware, every_packing, firmware

# What startup.c fills the stack with.
_PAINT = b"\xc5"
_BARE = [name for name in boards.names() if boards.load(name).runner == "qemu_system"]


@pytest.mark.parametrize("board", _BARE)
@pytest.mark.parametrize("model", ["digits", "every packing"])
def test_a_fifth_of_the_stack_is_never_used(
    board: str, model: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_tools(board)
    door = tmp_path / "door"
    monkeypatch.setattr(qemu_system, "spawn", _with_door(door))
    packed = model == "every packing"
    made = every_packing(tmp_path, board) if packed else firmware(model, tmp_path, board)

    with connect(made.project) as connected:
        _exercise(made, connected, shared_data)
        stack = _stack(door, boards.load(board), tmp_path / "stack")

    used = len(stack.lstrip(_PAINT))
    assert len(stack) // 4 < used < len(stack) * 4 // 5


@pytest.mark.parametrize("board", _BARE)
def test_a_fifth_is_never_used_without_a_front_end_either(
    board: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_tools(board)
    door = tmp_path / "door"
    monkeypatch.setattr(qemu_system, "spawn", _with_door(door))
    model = deploy.load_model(
        str(shared_data / "models" / "mlperf_tiny_kws_ref_model.tflite"), front_end=speech.NONE
    )
    made = deploy.export(model, boards.load(board), tmp_path / "project")
    stack_bytes = toolchain.build(made.folder).stack_bytes

    with connect(made, front_end=speech.OPTIONAL) as connected:
        _run_tensors(connected.device, model.graph, made.manifest.layers[0].index)
        stack = _stack(door, boards.load(board), tmp_path / "stack")[:stack_bytes]

    assert stack_bytes // 4 < len(stack.lstrip(_PAINT)) < stack_bytes * 4 // 5


def _exercise(made: Firmware, connected: Connected, shared_data: Path) -> None:
    """Clips, a stream, single layers and a profile; a receiver's interrupt comes with each byte."""
    device, graph = connected.device, made.model.graph
    clip = next(c for c in catalog.load(shared_data / "digits" / "manifest.csv"))
    sound = audio.read_clip(clip)
    device.clip(sound)
    list(device.stream([np.concatenate([sound, np.zeros(16000, np.int16), sound])]))
    _run_tensors(device, graph, made.project.manifest.layers[0].index)


def _run_tensors(device: Device, graph: Graph, layer: int) -> None:
    entry = graph.tensor(graph.inputs[0])
    window = np.random.default_rng(1).integers(-128, 128, entry.shape, np.int8).tobytes()
    device.profile(window)
    device.digest(window)
    device.tensor(window, layer=layer)


def _with_door(door: Path) -> Callable[..., child.Running]:
    """Return QEMU's spawn with a door for questions, as the runner has none."""

    def spawn(argv: list[str], *rest: object, **options: object) -> child.Running:
        return child.spawn([*argv, "-qmp", f"unix:{door},server=on,wait=off"], *rest, **options)

    return spawn


def _stack(door: Path, board: Board, into: Path) -> bytes:
    """Return the stack's memory: the lowest of the memory for data."""
    where = {"val": board.memory["data"].origin, "size": board.stack_bytes, "filename": str(into)}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(door))
        answers = line.makefile("r")
        answers.readline()  # its greeting
        for name, arguments in (("qmp_capabilities", {}), ("stop", {}), ("memsave", where)):
            line.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
            while "event" in (said := json.loads(answers.readline())):
                pass
            assert "return" in said, said
    return into.read_bytes()
