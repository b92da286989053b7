"""Train all networks of one bundle together, in windows, each ended by a report and a checkpoint.

A checkpoint is written whole or not at all and holds everything that does not follow from the step's number: weights
and Adam's moments. Learning rates and batches follow from the number alone, no random state is kept, so a run that was
killed at any moment goes on from its last window and ends, on a CPU with the same number of threads, in the same bits.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from empirical.batched_mlp import BatchedMlp, Member
from empirical.experiments.inversion.feed import Feed, Source, TestSet
from empirical.experiments.inversion.protocol import Protocol
from empirical.progress import Progress
from empirical.train import TrainOutcome, load_checkpoint
from theory.errors import BadInput
from theory.files import whole_file

__all__ = ["Bundle", "Run", "errors_on", "train_bundle"]

#: Test matrices that a report looks at; the record's errors come from all of them.
_REPORT_SAMPLES = 1000


@dataclass(frozen=True)
class Bundle:
    """Networks that train together.

    Attributes:
        name: Of its files and in progress.
        sources: What they learn from.
        members: The networks; ``source`` points into ``sources``.
        labels: Their names.
        tests: Test matrices of every source.
        protocol: How they are trained.
        configuration: Plain values that decide the run, for the checkpoint.
        starts: Weights to start from, by the network's place; the others start from their seeds.

    Raises:
        ValueError: If the parts do not fit together.
    """

    name: str
    sources: tuple[Source, ...]
    members: tuple[Member, ...]
    labels: tuple[str, ...]
    tests: tuple[TestSet, ...]
    protocol: Protocol
    configuration: dict[str, Any]
    starts: Mapping[int, nn.Sequential] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.members) or len(self.tests) != len(self.sources):
            raise ValueError("every network needs a label and every source its test matrices")
        if {member.source for member in self.members} != set(range(len(self.sources))):
            raise ValueError("every source needs a network that learns from it")


@dataclass
class Run:
    """A bundle's training, finished or not.

    Attributes:
        outcome: How it ended.
        model: The networks.
        steps: Steps done, over all pieces.
        seconds: Time in steps, over all pieces, without measuring.
        curve: One report a window: steps, and the mean absolute error of every network.
    """

    outcome: TrainOutcome
    model: BatchedMlp
    steps: int = 0
    seconds: float = 0.0
    curve: list[dict[str, Any]] = field(default_factory=list)


def train_bundle(
    bundle: Bundle,
    folder: Path,
    device: torch.device,
    *,
    resume: bool,
    progress: Progress,
    max_seconds: float | None = None,
) -> Run:
    """Train to the end, or stop at the first checkpoint after ``max_seconds``.

    Args:
        bundle: What to train.
        folder: Where the checkpoint ``NAME.pt`` is written; with ``resume`` also read, if it is there.
        device: Where to train.
        resume: Go on from the checkpoint.
        progress: Where progress is told.
        max_seconds: How long to go on.
    """
    protocol, path = bundle.protocol, folder / f"{bundle.name}.pt"
    run = Run(TrainOutcome.STOPPED, BatchedMlp(bundle.members, device))
    for index, network in bundle.starts.items():
        run.model.start_from(index, network)
    parameters = run.model.parameters
    parameters.grad = run.model.gradient
    optimizer = torch.optim.Adam([parameters], lr=protocol.rate, weight_decay=protocol.weight_decay, fused=True)
    _begin(bundle, run, optimizer, path, resume)
    start = time.monotonic()
    feed: Feed | None = None
    while run.steps < protocol.steps:
        if feed is None:
            progress.say(f"{bundle.name}: {len(bundle.members)} networks together, {protocol.steps:,} steps")
            feed = Feed(list(bundle.sources), protocol.batch, device)
        last = protocol.window_end(run.steps)
        run.seconds += _window(bundle, run, optimizer, feed, last, progress)
        if not bool(parameters.isfinite().all()):
            run.outcome = TrainOutcome.DIVERGED
            return run
        run.steps = last
        errors = [float(mean) for mean, _ in errors_on(bundle, run.model, _REPORT_SAMPLES)]
        run.curve.append({"steps": last, "errors": [float(f"{error:.5g}") for error in errors]})
        _save(bundle, run, optimizer, path)
        if max_seconds is not None and time.monotonic() - start > max_seconds:
            break
    run.outcome = TrainOutcome.FINISHED if run.steps >= protocol.steps else TrainOutcome.STOPPED
    return run


def errors_on(bundle: Bundle, model: BatchedMlp, samples: int | None = None) -> list[tuple[float, float]]:
    """Return every network's (mean, largest) absolute error over entries and test matrices, evaluated in float64."""
    found = []
    for index, member in enumerate(bundle.members):
        test = bundle.tests[member.source]
        network = model.network(index).double().to(test.inputs.device)
        with torch.no_grad():
            difference = (network(test.inputs[:samples]) - test.targets[:samples]).abs()
        found.append((float(difference.mean()), float(difference.max())))
    return found


def _window(
    bundle: Bundle, run: Run, optimizer: torch.optim.Optimizer, feed: Feed, last: int, progress: Progress
) -> float:
    """Take the steps up to ``last``; return the time they took."""
    protocol, model, group = bundle.protocol, run.model, optimizer.param_groups[0]
    started = told = time.monotonic()
    for step in range(run.steps, last):
        inputs, targets = feed.step(step)
        model.fill_gradient(inputs, targets)
        group["lr"] = protocol.rate_at(step)
        optimizer.step()
        now = time.monotonic()
        if now - told > 1:
            told = now
            _tell(bundle, run, step + 1, (step + 1 - run.steps) / (now - started), progress)
    _wait_for(model.parameters)
    seconds = time.monotonic() - started
    _tell(bundle, run, last, (last - run.steps) / max(seconds, 1e-9), progress)
    return seconds


def _tell(bundle: Bundle, run: Run, step: int, rate: float, progress: Progress) -> None:
    known = {"mean_error": _mean(run.curve[-1]["errors"])} if run.curve else {}
    examples = rate * bundle.protocol.batch * len(bundle.members)
    progress.update(f"{bundle.name} steps", step, bundle.protocol.steps, examples, **known)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _wait_for(tensor: Tensor) -> None:
    if tensor.device.type == "cuda":
        torch.cuda.synchronize(tensor.device)


def _begin(bundle: Bundle, run: Run, optimizer: torch.optim.Optimizer, path: Path, resume: bool) -> None:
    """Take up the checkpoint, if there is one and it is wanted.

    Raises:
        BadInput: If an unfinished run would be overwritten, or the checkpoint was written with other settings.
    """
    if not path.exists():
        return
    checkpoint = load_checkpoint(path, run.model.parameters.device)
    if not resume:
        if checkpoint["steps"] < checkpoint["of_steps"]:
            raise BadInput(f"{path} is an unfinished run; go on with --resume, or remove it, or choose another --out")
        return
    if checkpoint["configuration"] != _plain(bundle.configuration):
        raise BadInput(f"{path} was written with other settings; use those, or remove it, or choose another --out")
    run.model.parameters.copy_(checkpoint["parameters"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    run.steps, run.seconds, run.curve = checkpoint["steps"], checkpoint["seconds"], checkpoint["curve"]


def _save(bundle: Bundle, run: Run, optimizer: torch.optim.Optimizer, path: Path) -> None:
    checkpoint = {
        "format": 1,
        "kind": "inversion",
        "configuration": _plain(bundle.configuration),
        "labels": list(bundle.labels),
        "parameters": run.model.parameters.detach(),
        "optimizer": optimizer.state_dict(),
        "steps": run.steps,
        "of_steps": bundle.protocol.steps,
        "seconds": run.seconds,
        "curve": run.curve,
    }
    with whole_file(path) as temporary:
        torch.save(checkpoint, temporary)


def _plain(configuration: dict[str, Any]) -> dict[str, Any]:
    """The configuration as it reads after a trip through JSON: tuples and lists are the same."""
    plain: dict[str, Any] = json.loads(json.dumps(configuration, allow_nan=False))
    return plain
