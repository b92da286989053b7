"""Who does the work: this process, a pool of processes, or a Dask cluster, all as ``concurrent.futures`` executors.

Work is pure functions of picklable arguments, so a piece lost with its worker is simply submitted again: the results,
and every bound made of them, do not depend on who died.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

__all__ = ["Crew", "WorkersLost", "local_crew"]

_REBUILDS = 5
_POLL_SECONDS = 0.05
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkersLost(RuntimeError):
    """Workers kept dying: the pool was rebuilt several times without finishing a round."""


class Crew:
    """Runs pure functions on an executor that may have to be rebuilt.

    Args:
        make: Makes an executor; None to work in this process alone.
        lost: Exceptions of a future that mean its worker is gone and not that the work is wrong.
        close: Called with every executor no longer used.
        end: Called once, at the end.
    """

    def __init__(
        self,
        make: Callable[[], Executor] | None,
        lost: tuple[type[BaseException], ...] = (BrokenProcessPool, CancelledError),
        close: Callable[[Executor], None] = lambda executor: executor.shutdown(wait=False, cancel_futures=True),
        end: Callable[[], None] = lambda: None,
    ) -> None:
        self._make, self._lost, self._close, self._end = make, lost, close, end
        self._executor: Executor | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *reason: object) -> None:
        self._drop()
        self._end()

    @property
    def executor(self) -> Executor | None:
        """The executor in use, if one has been needed yet."""
        return self._executor

    def run(
        self, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Any]]:
        """Yield (index, function(*task)) as they finish, until all have or ``stop()`` says so.

        Raises:
            WorkersLost: If workers died in several rebuilt executors.
        """
        if self._make is None or len(tasks) == 1:
            for index, task in enumerate(tasks):
                if stop():
                    return
                yield index, function(*task)
            return
        pending = dict(enumerate(tasks))
        for _ in range(_REBUILDS):
            yield from self._attempt(function, pending, stop)
            if not pending or stop():
                return
            self._drop()
        raise WorkersLost(f"{len(pending)} pieces of work were lost with their workers {_REBUILDS} times")

    def _attempt(
        self, function: Callable[..., Any], pending: dict[int, tuple[Any, ...]], stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Any]]:
        """Yield what one executor finishes; leave in ``pending`` what it loses."""
        if self._executor is None and self._make is not None:
            self._executor = self._make()
        assert self._executor is not None
        futures: dict[Future[Any], int] = {}
        with contextlib.suppress(*self._lost):
            for index, task in pending.items():
                futures[self._executor.submit(function, *task)] = index
        try:
            while futures and not stop():
                for future in wait(futures, timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED").done:
                    index = futures.pop(future)
                    try:
                        result = future.result()
                    except self._lost:
                        continue
                    del pending[index]
                    yield index, result
        finally:
            for future in futures:
                future.cancel()

    def _drop(self) -> None:
        if self._executor is not None:
            executor, self._executor = self._executor, None
            self._close(executor)


def local_crew(workers: int) -> Crew:
    """Return a crew of processes on this machine; one worker means this process."""
    return Crew((lambda: _process_pool(workers)) if workers > 1 else None)


def _process_pool(workers: int) -> Executor:
    """A pool of fresh processes, one core each: BLAS threads of several workers would only fight for the same cores."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_settle_in)
        # Spawned processes read the environment at their start, which the first submission causes.
        pool.submit(int)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    return pool


def _settle_in() -> None:
    """In a worker: leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
