"""From a project to a device that answers: its simulator or program, or a port that is given."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edgeasr import boards, runners, speech, toolchain
from edgeasr.boards import Board
from edgeasr.client import Device, Hello
from edgeasr.codegen import tflite
from edgeasr.errors import CheckError, InputError
from edgeasr.link import BAUD, open_link
from edgeasr.project import PYTHON_ENGINES, Project
from edgeasr.runners import Running
from edgeasr.speech import SpeechModel


@dataclass(frozen=True, eq=False)
class Connected:
    """A running firmware of a project.

    count: turns the device's ticks into what `counted` says: instructions, or cycles; None where
    the runner cannot.
    """

    project: Project
    model: SpeechModel
    device: Device
    hello: Hello
    count: Callable[[int], int | None] | None
    counted: str

    @property
    def instructions(self) -> Callable[[int], int | None] | None:
        """`count` where it is instructions that are counted, else None."""
        return self.count if self.counted == runners.INSTRUCTIONS else None


@contextlib.contextmanager
def connect(
    project: Project,
    *,
    port: str | None = None,
    baud: int = BAUD,
    log: Path | None = None,
    front_end: str = speech.NEEDED,
) -> Iterator[Connected]:
    """Start the project's firmware with its board's runner, or open `port`, and say hello.

    log: file for every byte that passes, about 100 KB a clip. front_end: as in speech.load, NEEDED
    for whoever sends sound.
    Raises InputError when the project's model is not as needed, CheckError when the firmware is of
    another model or board, LinkError when it is silent, ToolError when the runner's program is
    missing.
    """
    model = load_model(project, front_end=front_end)
    board = boards.of_project(project.folder, project.manifest.board)
    if port is not None:
        with contextlib.closing(open_link(port, baud=baud)) as link:
            yield _greet(project, model, Device(link, log=log), None, runners.INSTRUCTIONS)
        return
    with _run(project, board) as running:
        device = Device(running.link, log=log)
        yield _greet(project, model, device, running.instructions, running.counted)


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
    return runners.start_python(project.folder, board, library, tflite.KERNELS[engine])


def load_model(project: Project, *, front_end: str = speech.NEEDED) -> SpeechModel:
    """Load the project's model with the facts that it was exported with."""
    facts = project.folder / speech.FACTS_FILE
    return speech.load(
        project.model_path, facts=facts if facts.is_file() else None, front_end=front_end
    )


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
    """Refuse firmware of another model or board than the project's, or of another hop."""
    manifest = project.manifest
    running = hello.model_hash.hex()
    if not manifest.model_sha256.startswith(running):
        raise CheckError(
            f"{project.folder}: the device runs model {hello.model_name} ({running}), the project "
            f"holds {manifest.model_name} ({manifest.model_sha256[: len(running)]}); build the "
            "project, and flash it, again"
        )
    # Firmware for tensors alone has no frames; it is never incremental.
    frames = manifest.hop or (model.facts.frames if hello.sample_rate_hz else hello.frames)
    if hello.frames != frames:
        raise CheckError(
            f"{project.folder}: the device takes {_piece(hello.frames, model)}, the project's "
            f"firmware {_piece(frames, model)}; build the project, and flash it, again"
        )
    if hello.board != manifest.board:
        raise CheckError(
            f"{project.folder}: the device says it is a {hello.board}, the project is for "
            f"{manifest.board}; export for that board, or choose another port"
        )


def _piece(frames: int, model: SpeechModel) -> str:
    kind = "whole window" if frames == model.facts.frames else "incremental"
    return f"{frames} frames an inference ({kind})"
