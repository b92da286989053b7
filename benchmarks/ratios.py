"""What the benchmarks share: a ratio beside its target, and CPU time of fresh interpreters, round by round."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

__all__ = ["Ratio", "Run", "interpreter", "interpreters", "show", "timed"]

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ratio:
    """A measured number, and what it should be: ``at_most`` or ``at_least`` the target; None for information only."""

    name: str
    value: float
    relation: str = ""
    target: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.relation == "at_most" else self.value >= self.target

    def json(self) -> dict[str, object]:
        """Return the ratio for a document."""
        return {
            "name": self.name,
            "value": self.value,
            "relation": self.relation,
            "target": self.target,
            "met": self.met,
        }


@dataclass(frozen=True)
class Run:
    """One fresh interpreter: CPU seconds, wall seconds, largest resident memory in MB, standard output."""

    cpu: float
    wall: float
    megabytes: float
    output: str


def interpreter(arguments: Sequence[str]) -> Run:
    """Run a fresh interpreter in the project's folder, on one thread.

    Raises:
        RuntimeError: If it fails.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"python {' '.join(arguments)} left with code {process.returncode}")
    wall = time.perf_counter() - start
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, output)


def interpreters(commands: Sequence[Sequence[str]], rounds: int) -> list[list[Run]]:
    """Run every command once a round, so that a slow spell of the machine meets them all; return runs per command."""
    for command in commands:
        interpreter(command)  # byte code and file caches are warm for everybody
    done = [[interpreter(command) for command in commands] for _ in range(rounds)]
    return [list(runs) for runs in zip(*done, strict=True)]


def timed(sides: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the median CPU seconds of every side, all of them run in every round (one thread is assumed)."""
    for side in sides:
        side()
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, taken in zip(sides, times, strict=True):
            start = time.process_time()
            side()
            taken.append(time.process_time() - start)
    return [median(taken) for taken in times]


def show(title: str, ratios: Sequence[Ratio]) -> None:
    """Print a table of ratios."""
    print(title)
    for ratio in ratios:
        target = "" if ratio.target is None else f"{ratio.relation.replace('_', ' ')} {ratio.target:g}"
        verdict = {None: "", True: "met", False: "MISSED"}[ratio.met]
        print(f"  {ratio.name:<64}{ratio.value:>12.4g}  {target:<14}{verdict}")
