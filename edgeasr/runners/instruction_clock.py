"""A plugin of QEMU's user mode whose clock counts instructions, compiled here when first needed."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from edgeasr import paths

_SOURCE = Path(__file__).with_suffix(".c")
_COMMAND = ("-std=c11", "-O2", "-shared", "-fPIC", "-fvisibility=hidden")


def plugin() -> Path | None:
    """Return the compiled plugin, from the cache if it is there; None where there is no gcc."""
    digest = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]
    made = paths.cache() / "plugins" / f"instruction_clock-{digest}.so"
    if made.is_file():
        return made
    compiler = shutil.which("gcc")
    if compiler is None:
        return None
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=made.parent) as folder:
        fresh = Path(folder) / made.name
        command = [compiler, *_COMMAND, str(_SOURCE), "-o", str(fresh)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return None
        fresh.replace(made)
    return made
