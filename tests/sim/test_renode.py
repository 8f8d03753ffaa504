"""The whole path in Renode, wherever it is: no registry has it, so all but one skip in CI too."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeasr import boards, paths
from edgeasr.errors import ToolError
from edgeasr.toolchain import renode
from tests.boards.conftest import need_tools
from tests.sim.test_hil import edgeasr

_BOARDS = [name for name in boards.names() if boards.load(name).runner == "renode"]


# Takes Renode's place: QEMU runs what Renode's script loads, with the line on the script's port.
_QEMU = """#!/bin/sh
for script; do :; done
elf=$(sed -n 's/^sysbus LoadELF @//p' "$script")
port=$(sed -n 's/^[$]line_port?=//p' "$script")
exec qemu-system-arm -M netduinoplus2 -kernel "$elf" -nodefaults -display none -monitor none \
    -semihosting-config enable=on,target=native -icount shift=3 -echr 0x100 -serial chardev:line \
    -chardev socket,id=line,host=127.0.0.1,port=$port,server=on,wait=off,mux=on
"""


def test_hil_through_what_stands_in_for_renode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_tools("qemu_netduinoplus2")
    stand_in = tmp_path / "renode"
    stand_in.write_text(_QEMU)
    stand_in.chmod(0o755)
    monkeypatch.setenv(renode.VARIABLE, str(tmp_path))
    facts, _, _ = (paths.boards() / "qemu_netduinoplus2.toml").read_text().partition("[runner]")
    runner = '[runner]\nname = "renode"\nmips = 125\nuart = "usart1"\ndevices = ""\n'
    (tmp_path / "mine.toml").write_text(facts + runner)
    made = edgeasr("export", "digits", "--board", "mine.toml", "--out", "p", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert edgeasr("build", "p", cwd=tmp_path).returncode == 0

    done = edgeasr("hil", "p", "--simulate", "--random", 2, "--json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["inputs"], report["agreement"]) == (2, 1.0)
    assert report["instructions"] > 1_000_000
    assert {file.suffix for file in (tmp_path / "p/build/renode").iterdir()} == {
        ".repl", ".resc", ".robot",
    }  # fmt: skip


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
    done = edgeasr(
        "hil", "p", "--simulate", f"--clips={clips}", "--limit", 20, "--json", cwd=project.parent
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["agreement"] == 1.0
    assert report["inference_instructions"] > 1_000_000


def test_the_robot_test_passes(project: Path, program: Path) -> None:
    robot = shutil.which("renode-test", path=str(program.resolve().parent))
    if robot is None:
        pytest.skip(f"renode-test is not beside {program}")
    edgeasr("hil", "p", "--simulate", "--random", 1, cwd=project.parent)
    (script,) = (project / "build" / "renode").glob("*.robot")

    done = subprocess.run(
        [robot, script], cwd=project, capture_output=True, text=True, timeout=600, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
