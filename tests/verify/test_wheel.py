"""The wheel holds all that the package needs, and works away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def test_a_wheel_exports_and_inspects(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(build, cwd=_ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}

    def edgeasr(*argv: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "edgeasr", *argv],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = subprocess.run(
        [sys.executable, "-c", "import edgeasr; print(edgeasr.__file__)"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert where.startswith(str(site))
    assert "digits" in edgeasr("inspect", "digits")
    assert "rpi4" in edgeasr("boards")
    edgeasr("export", "--board", "rpi4")
    assert (tmp_path / "digits-rpi4" / "runtime" / "ear.h").is_file()
    assert (site / "edgeasr" / "LICENSE").is_file()
