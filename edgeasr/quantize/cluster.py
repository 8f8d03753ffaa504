"""Workers on an existing Ray cluster: the executor `Ray`. Starts no cluster of its own.

Needs the extra `ray`, edgeasr installed on each node, and the same Python and Ray there. Through
HOST:PORT this computer must be a node of the cluster; ray://HOST:PORT (Ray's client) needs no node.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgeasr.errors import EdgeasrError, InputError, ToolError
from edgeasr.quantize.executors import DispatchingPool, Executor, MakeWorker, Pool, check_count

INSTALL = "pip install 'edgeasr[ray]'"
_ADDRESS = re.compile(r"(?:ray://)?(?P<host>[^\s:/]+):(?P<port>\d{1,5})")
_REACH_S = 5.0
_CONNECT_S = 60.0


@dataclass(frozen=True)
class Ray(Executor):
    """A Ray cluster that runs already, by its address HOST:PORT or ray://HOST:PORT.

    workers: at most so many actors of one CPU each; by default one for each CPU of the cluster.
    """

    address: str
    workers: int | None = None

    def __post_init__(self) -> None:
        check_count(self.workers)
        match = _ADDRESS.fullmatch(self.address)
        if not match or not 0 < int(match["port"]) < 1 << 16:
            raise InputError(
                f'Ray address "{self.address}" is not understood; write HOST:PORT or '
                "ray://HOST:PORT of a cluster that runs, as 'ray start --head' prints it"
            )

    def start(self, make_worker: MakeWorker) -> Pool:
        """Connect, and return a pool whose actors start when the first items come.

        Raises ToolError when Ray is not installed, and when no cluster answers.
        """
        try:
            import ray
        except ImportError:
            raise ToolError(
                f"ray: the Python package is not installed; the executor of Ray cluster "
                f"{self.address} needs it; install: {INSTALL}"
            ) from None
        self._connect(ray)
        return _RayPool(
            ray, make_worker, self.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        )

    def _connect(self, ray: Any) -> None:
        """Ray itself waits for minutes, or for ever, for a cluster that is not there."""
        match = _ADDRESS.fullmatch(self.address)
        hint = "is it running? start one with: ray start --head"
        try:
            socket.create_connection((match["host"], int(match["port"])), _REACH_S).close()
        except OSError as error:
            why = error.strerror or str(error)
            raise ToolError(f"Ray cluster {self.address}: not reached ({why}); {hint}") from None
        failures: list[Exception] = []

        def connect() -> None:
            try:
                ray.init(self.address, log_to_driver=False, logging_level="ERROR")
            except Exception as error:
                failures.append(error)

        connecting = threading.Thread(target=connect, daemon=True)
        connecting.start()
        connecting.join(_CONNECT_S)
        if connecting.is_alive():
            raise ToolError(
                f"Ray cluster {self.address}: something listens there, but did not answer as Ray "
                f"in {_CONNECT_S:g} s; {hint}"
            )
        if failures:
            raise ToolError(f"Ray cluster {self.address}: {failures[0]}") from None


class _RayPool(DispatchingPool):
    def __init__(self, ray: Any, make_worker: MakeWorker, limit: int) -> None:
        super().__init__(limit)
        self._ray = ray
        self._make_worker = make_worker

    def _start_worker(self) -> Any:
        return self._ray.remote(num_cpus=1)(_Actor).remote(self._make_worker)

    def _submit(self, worker: Any, item: Any) -> Any:
        return worker.work.remote(item)

    def _wait(self, works: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        ended, _ = self._ray.wait(list(works))
        return [(work, self._receive(work)) for work in ended]

    def _receive(self, work: Any) -> Any:
        try:
            return self._ray.get(work)
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, Exception):
                raise cause from (None if isinstance(cause, EdgeasrError) else error)
            raise
        except self._ray.exceptions.RayError as error:
            raise ToolError(
                f"worker on the Ray cluster was lost before its work was done: "
                f"{str(error).splitlines()[0]}"
            ) from None

    def _stop(self, workers: Sequence[Any]) -> None:
        for worker in workers:
            self._ray.kill(worker)
        self._ray.shutdown()


class _Actor:
    """A worker in a process of the cluster, made when the first item comes."""

    def __init__(self, make_worker: MakeWorker) -> None:
        self._make_worker = make_worker
        self._worker: Any = None

    def work(self, item: Any) -> Any:
        if self._worker is None:
            self._worker = self._make_worker()
        return self._worker(item)
