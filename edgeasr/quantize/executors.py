"""Work spread over processes: the same results, in the same order, on every executor.

A worker is made once in each process by a picklable factory without arguments (`functools.partial`
of a module-level function), so that data are loaded once; then it is called for item after item.
Which process takes which item, and when it ends, never changes what `Pool.map` returns.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import signal
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection, get_context
from typing import Any

from edgeasr.errors import InputError, ToolError

Worker = Callable[[Any], Any]
MakeWorker = Callable[[], Worker]
OnResult = Callable[[int, Any], None]

_STOP_S = 5.0


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pool(ABC):
    """Workers of one kind, ready for one `map` after another. A context manager."""

    @abstractmethod
    def map(self, items: Sequence[Any], on_result: OnResult | None = None) -> list[Any]:
        """Return the worker's result for each item, in the order of `items`.

        `on_result(index, result)` is called in this process as soon as a result is there, in the
        order of completion. The first error of a worker is raised as it was raised there, and
        stops all workers; ToolError when a worker's process dies.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop all workers at once; the pool is of no use afterwards."""

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Executor(ABC):
    """Where workers run."""

    @abstractmethod
    def start(self, make_worker: MakeWorker) -> Pool:
        """Return a pool of workers that `make_worker` makes, each in its own process."""

    def map(
        self, make_worker: MakeWorker, items: Sequence[Any], on_result: OnResult | None = None
    ) -> list[Any]:
        """Start a pool, map `items` over it (see Pool.map) and stop it."""
        with self.start(make_worker) as pool:
            return pool.map(items, on_result)


def check_count(workers: int | None) -> None:
    """Raise InputError for a number of workers below 1."""
    if workers is not None and workers < 1:
        raise InputError(f"executor: {workers} workers; at least 1 is needed")


@dataclass(frozen=True)
class Serial(Executor):
    """One worker in this process, made when the first item comes."""

    def start(self, make_worker: MakeWorker) -> Pool:
        """Return a pool that works in the caller's own process."""
        return _SerialPool(make_worker)


class _SerialPool(Pool):
    def __init__(self, make_worker: MakeWorker) -> None:
        self._make_worker = make_worker
        self._worker: Worker | None = None

    def map(self, items: Sequence[Any], on_result: OnResult | None = None) -> list[Any]:
        results = []
        for index, item in enumerate(items):
            if self._worker is None:
                self._worker = self._make_worker()
            results.append(self._worker(item))
            if on_result:
                on_result(index, results[-1])
        return results

    def close(self) -> None:
        self._worker = None


@dataclass(frozen=True)
class Processes(Executor):
    """Processes of this computer, as many as `workers`, by default one for each usable core.

    They are spawned, not forked, because a forked TensorFlow hangs.
    """

    workers: int | None = None

    def __post_init__(self) -> None:
        check_count(self.workers)

    def start(self, make_worker: MakeWorker) -> Pool:
        """Return a pool whose processes start when the first items come."""
        return _ProcessPool(make_worker, self.workers or cores())


class DispatchingPool(Pool):
    """Gives each free worker one item; subclasses start, feed, await and stop the workers."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._workers: list[Any] = []

    @abstractmethod
    def _start_worker(self) -> Any: ...

    @abstractmethod
    def _submit(self, worker: Any, item: Any) -> Any:
        """Hand one item to a free worker and return what `_wait` knows the work by."""

    @abstractmethod
    def _wait(self, works: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """Return (work, result) of at least one of `works` that ended."""

    @abstractmethod
    def _stop(self, workers: Sequence[Any]) -> None: ...

    def map(self, items: Sequence[Any], on_result: OnResult | None = None) -> list[Any]:
        try:
            while len(self._workers) < min(self._limit, len(items)):
                self._workers.append(self._start_worker())
            return self._dispatch(items, on_result)
        except BaseException:
            self.close()
            raise

    def _dispatch(self, items: Sequence[Any], on_result: OnResult | None) -> list[Any]:
        results: dict[int, Any] = {}
        waiting = iter(enumerate(items))
        free, running = list(self._workers), {}
        while len(results) < len(items):
            for worker, (index, item) in zip(free, itertools.islice(waiting, len(free))):  # noqa: B905
                running[self._submit(worker, item)] = (worker, index)
            free = []
            for work, result in self._wait(list(running)):
                worker, index = running.pop(work)
                free.append(worker)
                results[index] = result
                if on_result:
                    on_result(index, result)
        return [results[index] for index in range(len(items))]

    def close(self) -> None:
        workers, self._workers = self._workers, []
        self._stop(workers)


class _ProcessPool(DispatchingPool):
    """One pipe to each process. `concurrent.futures` cannot stop one that is working, and
    `multiprocessing.Pool` waits for ever for one that died."""

    def __init__(self, make_worker: MakeWorker, limit: int) -> None:
        super().__init__(limit)
        self._make_worker = make_worker
        self._context = get_context("spawn")

    def _start_worker(self) -> tuple[Any, Any]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(theirs, self._make_worker), daemon=True
        )
        with _interrupts_held():
            process.start()
        theirs.close()
        return process, ours

    def _submit(self, worker: tuple[Any, Any], item: Any) -> Any:
        process, line = worker
        data = pickle.dumps(item)
        try:
            line.send_bytes(data)
        except OSError:
            raise _died(process) from None
        return line

    def _wait(self, works: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        return [(line, self._receive(line)) for line in connection.wait(works)]

    def _receive(self, line: Any) -> Any:
        try:
            result, error, trace = pickle.loads(line.recv_bytes())
        except (EOFError, OSError):
            raise _died(next(p for p, its in self._workers if its is line)) from None
        if error is not None:
            error.add_note(f"In the worker's process:\n{trace}")
            raise error
        return result

    def _stop(self, workers: Sequence[tuple[Any, Any]]) -> None:
        for process, line in workers:
            line.close()
            process.terminate()
        for process, _ in workers:
            process.join(_STOP_S)
            if process.is_alive():
                process.kill()
                process.join()


def _died(process: Any) -> ToolError:
    process.join(_STOP_S)
    code = process.exitcode
    how = f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with {code}"
    hint = "; is there memory enough? try fewer workers" if code == -signal.SIGKILL else ""
    return ToolError(f"worker process {process.pid} {how} before its work was done{hint}")


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start processes that never see Ctrl-C: this one hears it, and stops them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(line: Any, make_worker: MakeWorker) -> None:
    """Answer items with (result, error, traceback) until the line closes."""
    worker = None
    while True:
        try:
            data = line.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            if worker is None:
                worker = make_worker()
            answer = pickle.dumps((worker(pickle.loads(data)), None, ""))
        except Exception as error:
            answer = _failure(error)
        line.send_bytes(answer)


def _failure(error: Exception) -> bytes:
    trace = traceback.format_exc()
    try:
        data = pickle.dumps((None, error, trace))
        pickle.loads(data)
        return data
    except Exception:  # an error's own pickling may fail in any way
        return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}"), trace))
