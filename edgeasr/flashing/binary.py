"""The program without the ELF around it: the bytes from the start of the board's code on."""

from pathlib import Path

from edgeasr.flashing.way import Job, Step


def step(job: Job) -> tuple[Path, Step]:
    """Return where the bytes will be, and the step that writes them there."""
    target = job.program.with_suffix(".bin")
    objcopy = f"{job.board.compiler.prefix}objcopy"
    argv = (objcopy, "-O", "binary", str(job.program), str(target))
    return target, Step("takes the bytes out of the ELF", argv)
