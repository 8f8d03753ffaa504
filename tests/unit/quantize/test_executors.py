"""Executors: one answer on all of them, errors as they were raised, and no process left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from edgeasr.errors import CheckError, InputError, ToolError
from edgeasr.quantize.cluster import Ray
from edgeasr.quantize.executors import Executor, Processes, Serial, cores

ITEMS = list(range(7))


class Awkward(Exception):
    """An error that cannot be pickled back: its arguments are not those of __init__."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def _make(base: int, folder: Path | None = None):
    """Count the makings in `folder`; earlier items take longer, so that they end out of order."""
    if folder is not None:
        (folder / f"made-{os.getpid()}-{time.monotonic_ns()}").touch()

    def work(item: int) -> tuple[int, int]:
        time.sleep(0.02 * (len(ITEMS) - item))
        return item, base + item * item

    return work


def _make_failing(kind: str):
    def work(item: int) -> int:
        if item != 2:
            return item
        match kind:
            case "check":
                raise CheckError("accuracy 0.5 is below 0.9")
            case "bug":
                raise KeyError("nothing")
            case "awkward":
                raise Awkward(1, 2)
        os.kill(os.getpid(), signal.SIGKILL)

    return work


def _make_broken():
    raise InputError("data: the folder is empty")


_SLOW_PROGRAM = """
import os, sys, time
from pathlib import Path
from edgeasr.quantize.executors import Processes

def make():
    def work(item):
        Path(sys.argv[1], f"{os.getpid()}.pid").touch()
        time.sleep(600)
    return work

if __name__ == "__main__":
    Processes(2).map(make, [1, 2, 3])
"""


@pytest.fixture(params=[Serial(), Processes(2)], ids=["serial", "processes"])
def executor(request) -> Executor:
    return request.param


def test_results_come_in_the_order_of_the_items(executor):
    told = []

    found = executor.map(partial(_make, 100), ITEMS, lambda index, result: told.append(index))

    assert found == [(item, 100 + item * item) for item in ITEMS]
    assert sorted(told) == ITEMS


def test_one_pool_serves_many_maps_and_makes_each_worker_once(executor, tmp_path):
    with executor.start(partial(_make, 0, tmp_path)) as pool:
        assert pool.map([]) == []
        for _ in range(3):
            assert [square for _, square in pool.map(ITEMS)] == [item * item for item in ITEMS]

    assert len(list(tmp_path.iterdir())) == (1 if isinstance(executor, Serial) else 2)


@pytest.mark.parametrize(
    "kind, error, message",
    [("check", CheckError, "accuracy 0.5 is below 0.9"), ("bug", KeyError, "'nothing'")],
)
def test_a_workers_error_is_raised_as_it_was(executor, kind, error, message):
    with pytest.raises(error) as caught:
        executor.map(partial(_make_failing, kind), ITEMS)
    assert str(caught.value) == message
    assert type(caught.value) is error


def test_an_error_while_making_a_worker_is_raised_as_it_was(executor):
    with pytest.raises(InputError, match="data: the folder is empty"):
        executor.map(_make_broken, ITEMS)


def test_ray_gives_the_same_in_the_same_order_and_makes_each_worker_once(cluster, tmp_path):
    told = []
    with Ray(cluster).start(partial(_make, 100, tmp_path)) as pool:
        assert pool.map([]) == []
        for _ in range(3):
            found = pool.map(ITEMS, lambda index, result: told.append(index))
            assert found == [(item, 100 + item * item) for item in ITEMS]

    assert len(list(tmp_path.iterdir())) == 2
    assert sorted(told) == sorted(3 * ITEMS)


@pytest.mark.parametrize(
    "kind, error, message",
    [
        ("check", CheckError, "accuracy 0.5 is below 0.9"),
        ("kill", ToolError, "worker on the Ray cluster was lost before its work was done"),
    ],
)
def test_an_error_on_ray_is_raised_as_it_was_and_a_lost_worker_is_told(
    cluster, kind, error, message
):
    with pytest.raises(error) as caught:
        Ray(cluster, workers=1).map(partial(_make_failing, kind), ITEMS)
    assert str(caught.value).startswith(message)
    assert type(caught.value) is error


def test_an_error_that_cannot_be_pickled_keeps_its_name_and_words():
    with pytest.raises(RuntimeError) as caught:
        Processes(1).map(partial(_make_failing, "awkward"), ITEMS)
    assert str(caught.value) == "Awkward: 1 and 2"


def test_a_bug_in_a_process_shows_where_it_was():
    with pytest.raises(KeyError) as caught:
        Processes(1).map(partial(_make_failing, "bug"), ITEMS)
    assert 'raise KeyError("nothing")' in "".join(caught.value.__notes__)


def test_a_process_that_dies_is_told_and_not_waited_for():
    with pytest.raises(ToolError, match=r"worker process \d+ was ended by signal 9 .*memory"):
        Processes(2).map(partial(_make_failing, "kill"), ITEMS)


def test_ctrl_c_stops_all_processes_at_once(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(_SLOW_PROGRAM)
    child = subprocess.Popen(
        [sys.executable, program, tmp_path],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    limit = time.monotonic() + 120
    while len(pids := list(tmp_path.glob("*.pid"))) < 2:
        assert child.poll() is None and time.monotonic() < limit
        time.sleep(0.05)

    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=30)

    assert said.count("KeyboardInterrupt") == 1, said
    for file in pids:
        assert not Path(f"/proc/{file.stem}").exists()


def test_processes_start_without_forking_tensorflow_and_take_all_cores_by_default():
    assert Processes().workers is None
    assert cores() == len(os.sched_getaffinity(0))
    with pytest.raises(InputError, match="0 workers; at least 1"):
        Processes(0)


@pytest.mark.parametrize("address", ["", "local", "auto", "head:0", "head:70000", "head", "a b:1"])
def test_a_ray_address_without_host_or_port_is_refused(address):
    with pytest.raises(InputError, match=r"is not understood; write HOST:PORT"):
        Ray(address)


def test_ray_that_is_not_installed_is_named_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ToolError, match=r"head:6379 needs it; install: pip install 'edgeasr\[ray"):
        Ray("head:6379").start(partial(_make, 0))


def test_a_ray_cluster_that_is_not_there_is_named():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(ToolError, match=f"Ray cluster {address}: not reached .*ray start --head"):
        Ray(address).start(partial(_make, 0))


def test_what_is_not_a_ray_cluster_is_named_and_not_waited_for_at_the_end():
    script = (
        "import sys; from edgeasr.quantize import cluster\n"
        "cluster._CONNECT_S = 0.5\n"
        "try: cluster.Ray(sys.argv[1]).start(None)\n"
        "except Exception as error: print(error)"
    )
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        argv = [sys.executable, "-c", script, address]
        said = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout

    assert said.startswith(f"Ray cluster {address}: something listens there, but did not answer")
