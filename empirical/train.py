"""The training loop: warm-up, clipping, reports, checkpoints, and going on after a kill as if nothing had happened.

A run is cut into windows of ``report_every`` steps. At the end of each the loss is read, the accuracy measured, and a
checkpoint written whole or not at all, so a kill loses one window at most. Everything that decides the further run is
in the checkpoint (weights, optimizer, random state, step) or follows from the step alone (learning rate, data): on a
CPU a resumed run ends in the same bits, with the same number of threads. Checkpoints are plain ``torch.save`` files of
tensors and numbers, read with ``weights_only=True``.
"""

from __future__ import annotations

import contextlib
import math
import pickle
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from empirical.progress import Progress
from empirical.settings import fingerprint
from theory.errors import BadInput
from theory.files import whole_file

__all__ = ["Schedule", "Task", "TrainOutcome", "TrainResult", "load_checkpoint", "train"]

_FORMAT = 1


class TrainOutcome(Enum):
    """How a run ended."""

    FINISHED = "finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"


@dataclass(frozen=True)
class Schedule:
    """Learning rate and length of a run.

    Attributes:
        steps: Optimizer steps in all.
        rate: Learning rate after the warm-up.
        warmup: Steps over which the rate grows linearly.
        decay: ``constant``, or ``cosine`` down to zero at the last step.
        clip: Largest gradient norm; 0 does not clip.
        report_every: Steps between reports and checkpoints.
    """

    steps: int
    rate: float
    warmup: int = 0
    decay: str = "constant"
    clip: float = 0.0
    report_every: int = 1000

    def __post_init__(self) -> None:
        if self.steps < 1 or self.report_every < 1 or self.warmup < 0:
            raise BadInput("a run needs at least one step, one step between reports, and no negative warm-up")
        if not (self.rate > 0 and math.isfinite(self.rate)) or not self.clip >= 0:
            raise BadInput("the learning rate must be above 0, and the clipping norm not below 0")
        if self.decay not in ("constant", "cosine"):
            raise BadInput(f"no decay {self.decay!r}; choose constant or cosine")

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        if self.decay == "constant":
            return self.rate
        done = (step - self.warmup) / max(self.steps - self.warmup, 1)
        return self.rate * 0.5 * (1 + math.cos(math.pi * done))


class Task(ABC):
    """Something to train: a model, its data and its loss.

    Attributes:
        kind: What sort of checkpoint it writes.
        configuration: A frozen dataclass of plain values that decides the run.
        schedule: Its length and learning rate.
        batch: Examples a step.
        model: The network, on its device.
        device: Where it runs.
        precision: ``float32`` or ``bfloat16`` (mixed, on a GPU).
        seed: Seed of the model's own randomness (weights, dropout).
    """

    kind: str
    configuration: Any
    schedule: Schedule
    batch: int
    model: nn.Module
    device: torch.device
    precision: str
    seed: int

    @abstractmethod
    def loss(self, step: int) -> Tensor:
        """Return the loss of a step's batch; the data depends on the step alone."""

    @abstractmethod
    def measure(self) -> dict[str, float]:
        """Return what to tell while training: at least ``accuracy``, on samples kept for that."""

    def state(self) -> dict[str, Any]:
        """Return what else a resumed run needs; plain values."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what ``state`` returned.

        Raises:
            ValueError: If there is something to take back and the task keeps nothing.
        """
        if state:
            raise ValueError("this task keeps no state")


@dataclass
class TrainResult:
    """What a run came to.

    Attributes:
        outcome: How it ended.
        steps: Steps done, over all pieces.
        seconds: Time in steps, over all pieces, without measuring.
        cpu_seconds: This process's processor time in them: what a busy machine does not stretch.
        curve: One report a window: examples, loss, what ``measure`` told.
    """

    outcome: TrainOutcome
    steps: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)

    def as_record(self, batch: int) -> dict[str, Any]:
        """Return plain values for a record."""
        rate = self.steps * batch / self.seconds if self.seconds > 0 else None
        return {
            "outcome": self.outcome.value,
            "examples": self.steps * batch,
            "train_seconds": round(self.seconds, 2),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "examples_per_second": None if rate is None else round(rate, 1),
            "curve": self.curve,
        }


def train(
    task: Task, path: Path, *, resume: bool, progress: Progress, label: str, max_seconds: float | None = None
) -> TrainResult:
    """Train to the end of the schedule, or until ``max_seconds`` have passed.

    Args:
        task: What to train.
        path: Where the checkpoint is written; with ``resume`` also read, if it is there.
        resume: Go on from the checkpoint.
        progress: Where progress is told.
        label: What to call the run there.
        max_seconds: Stop after the first window that ends later than this.

    Returns:
        The outcome; a diverged run keeps its last finite checkpoint.
    """
    optimizer = torch.optim.Adam(task.model.parameters(), lr=task.schedule.rate, fused=True)
    devices = [task.device] if task.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(task.seed)
        result = _begin(task, optimizer, path, resume)
        start = time.monotonic()
        while result.steps < task.schedule.steps:
            loss, seconds, cpu_seconds = _window(task, optimizer, result, progress, label)
            if not math.isfinite(loss):
                result.outcome = TrainOutcome.DIVERGED
                return result
            result.steps = _window_end(task.schedule, result.steps)
            result.seconds += seconds
            result.cpu_seconds += cpu_seconds
            measured = task.measure()
            report = {"examples": result.steps * task.batch, "loss": loss} | measured
            result.curve.append({name: float(f"{value:.6g}") for name, value in report.items()})
            rate = result.steps * task.batch / max(result.seconds, 1e-9)
            total = task.schedule.steps * task.batch
            progress.update(label, result.steps * task.batch, total, rate, loss=loss, **measured)
            _save(task, optimizer, path, result)
            if max_seconds is not None and time.monotonic() - start > max_seconds:
                break
    finished = result.steps >= task.schedule.steps
    result.outcome = TrainOutcome.FINISHED if finished else TrainOutcome.STOPPED
    return result


def load_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read a checkpoint without running anything in it.

    Raises:
        BadInput: If it is no checkpoint of this format.
    """
    try:
        checkpoint = torch.load(path, map_location=device, weights_only=True)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, ValueError):
        raise BadInput(f"{path} is not a checkpoint; give a .pt file that a run wrote") from None
    if not isinstance(checkpoint, dict) or checkpoint.get("format") != _FORMAT:
        raise BadInput(f"{path} is not a checkpoint of format {_FORMAT}; give a .pt file that a run wrote")
    return checkpoint


def _begin(task: Task, optimizer: torch.optim.Optimizer, path: Path, resume: bool) -> TrainResult:
    if not path.exists():
        return TrainResult(TrainOutcome.STOPPED)
    if not resume:
        if not load_checkpoint(path)["finished"]:
            raise BadInput(f"{path} is an unfinished run; go on with --resume, or remove it, or choose another --out")
        return TrainResult(TrainOutcome.STOPPED)
    checkpoint = load_checkpoint(path, task.device)
    if checkpoint["fingerprint"] != fingerprint(task.configuration):
        raise BadInput(f"{path} was written with other settings; use those, or remove it, or choose another --out")
    task.model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    task.restore(checkpoint["task"])
    torch.set_rng_state(checkpoint["random"].cpu())
    if task.device.type == "cuda" and checkpoint["random_cuda"] is not None:
        torch.cuda.set_rng_state(checkpoint["random_cuda"].cpu(), task.device)
    return TrainResult(
        TrainOutcome.STOPPED,
        checkpoint["steps"],
        checkpoint["seconds"],
        checkpoint["cpu_seconds"],
        checkpoint["curve"],
    )


def _save(task: Task, optimizer: torch.optim.Optimizer, path: Path, result: TrainResult) -> None:
    checkpoint = {
        "format": _FORMAT,
        "kind": task.kind,
        "configuration": asdict(task.configuration),
        "fingerprint": fingerprint(task.configuration),
        "model": task.model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "task": task.state(),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state(task.device) if task.device.type == "cuda" else None,
        "steps": result.steps,
        "finished": result.steps >= task.schedule.steps,
        "seconds": result.seconds,
        "cpu_seconds": result.cpu_seconds,
        "curve": result.curve,
    }
    with whole_file(path) as temporary:
        torch.save(checkpoint, temporary)


def _window_end(schedule: Schedule, step: int) -> int:
    return min((step // schedule.report_every + 1) * schedule.report_every, schedule.steps)


def _window(
    task: Task, optimizer: torch.optim.Optimizer, result: TrainResult, progress: Progress, label: str
) -> tuple[float, float, float]:
    """Take the steps up to the next report; return their mean loss, the time they took and the processor time."""
    schedule, first = task.schedule, result.steps
    last = _window_end(schedule, first)
    total = torch.zeros((), device=task.device)
    started = told = time.monotonic()
    cpu_started = time.process_time()
    task.model.train()
    for step in range(first, last):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate_at(step)
        optimizer.zero_grad(set_to_none=True)
        with autocast(task):
            loss = task.loss(step)
        loss.backward()
        if schedule.clip:
            nn.utils.clip_grad_norm_(task.model.parameters(), schedule.clip)
        optimizer.step()
        total += loss.detach()
        if time.monotonic() - told > 1:
            told = time.monotonic()
            rate = (step + 1 - first) * task.batch / (told - started)
            known = {"accuracy": result.curve[-1]["accuracy"]} if result.curve else {}
            progress.update(label, (step + 1) * task.batch, schedule.steps * task.batch, rate, **known)
    mean = float(total) / (last - first)  # waits for a GPU, so the time below is that of the work
    return mean, time.monotonic() - started, time.process_time() - cpu_started


@contextlib.contextmanager
def autocast(task: Task) -> Iterator[None]:
    """Run in mixed precision where the task asks for it."""
    if task.precision == "bfloat16":
        with torch.autocast(task.device.type, dtype=torch.bfloat16):
            yield
    else:
        yield
