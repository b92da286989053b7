"""Many independent runs: one after another here, or on processes, a local Dask cluster or Slurm, and resumable.

A cell of a sweep is a worker (``module:function``), its settings and a label. A worker takes a ``Cell`` and returns
plain values; they are kept in ``cells/LABEL.json`` of the run's folder, so that a killed sweep, started again with
``--resume``, redoes no finished cell and goes on with an unfinished one from its checkpoint. Processes and clusters are
spoken to as ``concurrent.futures`` executors; Dask workers need to see the same folder.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from empirical.progress import Progress
from theory.errors import BadInput
from theory.files import write_whole

__all__ = ["Cell", "open_executor", "parse_cluster", "run_sweep"]

_CLUSTERS = ("here", "processes", "dask", "slurm")


@dataclass(frozen=True)
class Cell:
    """One run of a sweep; all of it can be sent to another process.

    Attributes:
        worker: ``module:function`` that does it.
        label: Its name, unique in the sweep; also the name of its files.
        settings: What decides the result; plain values.
        folder: Where its files go.
        device: Where tensors live.
        resume: Keep finished results and go on from checkpoints.
        deadline: Wall-clock time (``time.time()``) after which to stop at a checkpoint.
        progress: Where a worker in this process tells its progress.
        threads: CPU threads for torch, also in another process: a run's bits are those of its number of threads.
    """

    worker: str
    label: str
    settings: Mapping[str, Any]
    folder: str
    device: str = "cpu"
    resume: bool = False
    deadline: float | None = None
    progress: Progress = field(default_factory=lambda: Progress(quiet=True), compare=False)
    threads: int | None = None

    @property
    def checkpoint(self) -> Path:
        """Where the cell's checkpoint goes."""
        return Path(self.folder) / f"{self.label}.pt"

    @property
    def result(self) -> Path:
        """Where the cell's result goes."""
        return Path(self.folder) / "cells" / f"{self.label}.json"

    def seconds_left(self) -> float | None:
        """Return the time to the deadline, at least a little; None without one."""
        return None if self.deadline is None else max(self.deadline - time.time(), 1e-3)


def parse_cluster(text: str) -> tuple[str, int]:
    """Read ``here``, ``processes:N``, ``dask:N`` or ``slurm:N``.

    Raises:
        BadInput: If the text is none of these.
    """
    name, _, count = text.partition(":")
    if name == "here" and not count:
        return name, 1
    if name not in _CLUSTERS[1:] or not re.fullmatch(r"[1-9]\d{0,4}", count):
        raise BadInput(f"cannot read --cluster {text!r}; write here, processes:N, dask:N or slurm:N")
    return name, int(count)


@contextlib.contextmanager
def open_executor(cluster: str) -> Iterator[Executor | None]:
    """Yield an executor with the workers asked for; None means one after another in this process.

    Raises:
        BadInput: If Dask is asked for and not installed.
    """
    name, count = parse_cluster(cluster)
    if name == "here":
        yield None
        return
    if name == "processes":
        from multiprocessing import get_context

        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
            yield pool
        return
    try:
        distributed = import_module("distributed")
        jobqueue = import_module("dask_jobqueue") if name == "slurm" else None
    except ImportError as error:
        raise BadInput(
            f"--cluster {name} needs {error.name}; install it with: pip install 'funmnet[cluster]'"
        ) from None
    # Slurm's queue, memory and so on come from Dask's own configuration file (jobqueue.slurm).
    if jobqueue is not None:
        machines = jobqueue.SLURMCluster()
        machines.scale(jobs=count)
    else:
        machines = distributed.LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None)
    with machines, distributed.Client(machines) as client:
        yield client.get_executor(pure=False)


def run_sweep(cells: Sequence[Cell], cluster: str, progress: Progress) -> list[dict[str, Any]]:
    """Do every cell; return the results in their order.

    A result that starts with ``{"outcome": "not started"}`` belongs to a cell whose turn came after the deadline.

    Raises:
        ValueError: If two cells have one label.
    """
    if len({cell.label for cell in cells}) < len(cells):
        raise ValueError("cells of a sweep need different labels")
    if cells:
        cells[0].result.parent.mkdir(parents=True, exist_ok=True)
    with open_executor(cluster) as executor:
        if executor is None:
            return [_do(cell) for cell in _told(cells, progress)]
        quiet = [_without_progress(cell) for cell in cells]
        places = {executor.submit(_do, cell): place for place, cell in enumerate(quiet)}
        results: dict[int, dict[str, Any]] = {}
        for future in as_completed(places):
            place = places[future]
            results[place] = future.result()
            progress.update("cells", len(results), len(cells))
            progress.say(f"done: {cells[place].label}")
    return [results[place] for place in range(len(cells))]


def _told(cells: Sequence[Cell], progress: Progress) -> Iterator[Cell]:
    for number, cell in enumerate(cells, start=1):
        if len(cells) > 1:
            progress.say(f"cell {number} of {len(cells)}: {cell.label}")
        yield cell


def _without_progress(cell: Cell) -> Cell:
    from dataclasses import replace

    return replace(cell, progress=Progress(quiet=True))


def _do(cell: Cell) -> dict[str, Any]:
    """Return the kept result of a cell, or do it and keep what it gives if it came to an end."""
    key = json.dumps(dict(cell.settings), sort_keys=True)
    if cell.resume and cell.result.is_file():
        kept = json.loads(cell.result.read_text(encoding="utf-8"))
        if kept["settings"] == json.loads(key):
            return kept["result"]
    if cell.deadline is not None and time.time() > cell.deadline:
        return {"outcome": "not started", "settings": dict(cell.settings)}
    if cell.threads is not None:
        import torch

        if torch.get_num_threads() != cell.threads:
            torch.set_num_threads(cell.threads)
    module, _, function = cell.worker.partition(":")
    result = getattr(import_module(module), function)(cell)
    if result.get("outcome") != "stopped":
        text = json.dumps({"settings": dict(cell.settings), "result": result}, allow_nan=False)
        write_whole(cell.result, text)
    return result
