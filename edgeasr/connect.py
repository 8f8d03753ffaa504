"""From a project to a device that answers: its simulator or program, or a port that is given."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edgeasr import boards, runners, speech, toolchain
from edgeasr.boards import Board
from edgeasr.client import Device, Hello
from edgeasr.codegen import tflite
from edgeasr.errors import CheckError, InputError, LinkError
from edgeasr.link import BAUD, open_link, ports
from edgeasr.link.ports import SerialPort
from edgeasr.project import PYTHON_ENGINES, Project
from edgeasr.runners import Running
from edgeasr.speech import SpeechModel

AUTO = "auto"
"""As a port: the serial port of a real board, found by the USB numbers in its file."""

SIMULATOR = "simulator"
"""As a port: what runs the board's firmware without the board."""

_BOOTS_S = 10.0
_LOOKS_S = 0.3


@dataclass(frozen=True, eq=False)
class Connected:
    """A running firmware of a project.

    count: turns the device's ticks into what `counted` says: instructions, or cycles; None where
    the runner cannot. runner: what runs it; None for a port.
    """

    project: Project
    model: SpeechModel
    device: Device
    hello: Hello
    count: Callable[[int], int | None] | None
    counted: str
    runner: str | None = None

    @property
    def instructions(self) -> Callable[[int], int | None] | None:
        """`count` where it is instructions that are counted, else None."""
        return self.count if self.counted == runners.INSTRUCTIONS else None


@contextlib.contextmanager
def connect(
    project: Project,
    *,
    port: str | None = None,
    baud: int | None = None,
    log: Path | None = None,
    front_end: str = speech.NEEDED,
) -> Iterator[Connected]:
    """Start the project's firmware with its board's runner, or open its port, and say hello.

    port: a device or URL, AUTO or SIMULATOR; None stands for the simulator of a simulated board and
    for AUTO with a real one. baud: None is the board's. log: file for every byte that passes, about
    100 KB a clip. front_end: as in speech.load, NEEDED for whoever sends sound.
    Raises InputError when the project's model is not as needed or several ports may be meant,
    CheckError when the firmware is of another model or board, LinkError when it is silent or no
    port is found, ToolError when the runner's program is missing.
    """
    model = load_model(project, front_end=front_end)
    board = boards.of_project(project.folder, project.manifest.board)
    url = line_of(board, port)
    if url is not None:
        with contextlib.closing(open_link(url, baud=baud or _baud(board))) as link:
            yield _greet(project, model, Device(link, log=log), None, runners.INSTRUCTIONS)
        return
    with _run(project, board) as running:
        device = Device(running.link, log=log)
        greeted = _greet(project, model, device, running.instructions, running.counted)
        yield replace(greeted, runner=board.runner)


def as_engine(project: Project, engine: str) -> Project:
    """Return a project whose Python program is run, with the kernels of one of PYTHON_ENGINES.

    Raises InputError for a project without one.
    """
    manifest = project.manifest
    if engine == manifest.engine:
        return project
    if engine not in PYTHON_ENGINES or not (project.folder / tflite.PROGRAM).is_file():
        held = [manifest.engine]
        if (project.folder / tflite.PROGRAM).is_file():
            held += [name for name in PYTHON_ENGINES if name != manifest.engine]
        raise InputError(
            f'{project.folder}: the engine "{engine}" is not in this project; it has '
            f"{', '.join(held)}; projects for a Raspberry Pi have tflite and xnnpack too"
        )
    graph = load_model(project, front_end=speech.OPTIONAL).graph
    layer = tflite.whole(graph, project.model_path.stat().st_size)
    changed = replace(manifest, engine=engine, layers=(layer,), hop=0, steps=1)
    return replace(project, manifest=changed)


def _run(project: Project, board: Board) -> Running:
    built, engine = toolchain.find_built(project.folder), project.manifest.engine
    if engine not in PYTHON_ENGINES:
        return runners.start(project.folder, board, built.elf)
    library = toolchain.library(project)
    return runners.start_python(project.folder, board, library, tflite.ARGUMENTS[engine])


def load_model(project: Project, *, front_end: str = speech.NEEDED) -> SpeechModel:
    """Load the project's model with the facts that it was exported with."""
    facts = project.folder / speech.FACTS_FILE
    return speech.load(
        project.model_path, facts=facts if facts.is_file() else None, front_end=front_end
    )


def line_of(board: Board, port: str | None) -> str | None:
    """Return the port to open, as `connect` takes it; None where the runner is to start."""
    if port == SIMULATOR or (port is None and board.simulated):
        return None
    if port not in (None, AUTO):
        return port
    found = candidates(board)
    if len(found) > 1:
        listed = "; ".join(map(str, found))
        raise InputError(
            f"board {board.name}: {len(found)} ports may be its line: {listed}; choose with --port"
        )
    if not found:
        raise LinkError(_no_port(board))
    return found[0].device


def candidates(board: Board) -> list[SerialPort]:
    """Return the ports that may be the board's line: by its USB numbers, or any USB adapter."""
    return ports.usb_ports(board.line.usb if board.line else ())


def _no_port(board: Board) -> str:
    usb = board.line.usb if board.line else ()
    wanted = f"a USB device {' or '.join(usb)}" if usb else "a USB serial adapter"
    others = [str(port) for port in ports.usb_ports()]
    here = f"here are {', '.join(others)}" if others else "no USB serial port is here at all"
    simulate = f"; --simulate runs it in {board.runner}" if board.runner else ""
    return (
        f"board {board.name}: its serial port, {wanted}, is not plugged in: {here}; is it a cable "
        f"that only charges? --port DEVICE names another{simulate}"
    )


def _baud(board: Board) -> int:
    return board.line.baud if board.line else BAUD


def await_firmware(
    project: Project,
    *,
    port: str | None = None,
    baud: int | None = None,
    timeout_s: float = _BOOTS_S,
) -> tuple[str, Hello]:
    """Return the line and the HELLO of a board that starts just now: it may need a while.

    Raises LinkError when its port does not come back or stays silent, CheckError as check_firmware.
    """
    board = boards.of_project(project.folder, project.manifest.board)
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            url = line_of(board, port or AUTO)
            with contextlib.closing(open_link(url, baud=baud or _baud(board))) as link:
                hello = Device(link).hello(timeout_s=max(1.5, deadline - time.monotonic()))
            break
        except LinkError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOKS_S)
    check_firmware(hello, project, load_model(project, front_end=speech.OPTIONAL))
    return url, hello


def _greet(
    project: Project,
    model: SpeechModel,
    device: Device,
    count: Callable[[int], int | None] | None,
    counted: str,
) -> Connected:
    hello = device.hello()
    check_firmware(hello, project, model)
    counts = count if count is not None and count(1 << 20) is not None else None
    return Connected(project, model, device, hello, counts, counted)


def check_firmware(hello: Hello, project: Project, model: SpeechModel) -> None:
    """Refuse firmware of another model, engine, board or runtime than the project's."""
    manifest = project.manifest
    again = "build the project, and flash it, again"
    where = f"{project.folder}: the device"
    running = hello.model_hash.hex()
    if hello.board != manifest.board:
        raise CheckError(
            f"{where} says it is a {hello.board}, the project is for {manifest.board}; export for "
            "that board, or choose another port"
        )
    if not manifest.model_sha256.startswith(running):
        raise CheckError(
            f"{where} runs model {hello.model_name} ({running}), the project holds "
            f"{manifest.model_name} ({manifest.model_sha256[: len(running)]}); {again}"
        )
    if hello.engine != manifest.engine:
        raise CheckError(
            f"{where} runs the engine {hello.engine}, the project is of {manifest.engine}; {again}"
        )
    # Firmware for tensors alone has no frames; it is never incremental.
    frames = manifest.hop or (model.facts.frames if hello.sample_rate_hz else hello.frames)
    if hello.frames != frames:
        raise CheckError(
            f"{where} takes {_piece(hello.frames, model)}, the project's firmware "
            f"{_piece(frames, model)}; {again}"
        )
    made = manifest.runtime_version
    if made and hello.runtime_version != made:
        raise CheckError(
            f"{where} has version {hello.runtime_version} of the runtime, the project {made}; "
            f"{again}"
        )


def _piece(frames: int, model: SpeechModel) -> str:
    kind = "whole window" if frames == model.facts.frames else "incremental"
    return f"{frames} frames an inference ({kind})"
