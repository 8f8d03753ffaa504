"""The whole path in Renode, wherever it is: no registry has it, so this skips in CI too."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeasr import boards
from edgeasr.errors import ToolError
from edgeasr.toolchain import renode
from tests.boards.conftest import need_tools
from tests.sim.test_hil import edgeasr

_BOARDS = [name for name in boards.names() if boards.load(name).runner == "renode"]


@pytest.fixture(scope="module")
def program() -> Path:
    try:
        return renode.find()
    except ToolError as error:
        pytest.skip(str(error))


@pytest.fixture(params=_BOARDS)
def project(request: pytest.FixtureRequest, program: Path, tmp_path: Path) -> Path:
    need_tools(request.param)
    made = edgeasr("export", "digits", "--board", request.param, "--out", "p", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    built = edgeasr("build", "p", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    return tmp_path / "p"


def test_recordings_agree_with_the_host(project: Path, shared_data: Path) -> None:
    clips = shared_data / "digits" / "manifest.csv"
    done = edgeasr("hil", "p", f"--clips={clips}", "--limit", 20, "--json", cwd=project.parent)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["agreement"] == 1.0
    assert report["inference_instructions"] > 1_000_000


def test_the_robot_test_passes(project: Path, program: Path) -> None:
    robot = shutil.which("renode-test", path=str(program.resolve().parent))
    if robot is None:
        pytest.skip(f"renode-test is not beside {program}")
    edgeasr("hil", "p", "--random", 1, cwd=project.parent)
    (script,) = (project / "build" / "renode").glob("*.robot")

    done = subprocess.run(
        [robot, script], cwd=project, capture_output=True, text=True, timeout=600, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
