"""Endless fresh examples of a matrix function: drawn, evaluated and counted on the device, never repeated.

A stream is cut into chunks, and a chunk is a function of (seed, stream, chunk number) alone: a run that was killed goes
on with the very examples it would have seen, evaluation samples come from a stream of their own, and nothing has to be
stored. A CPU and a GPU draw different samples from the same seed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from empirical import truth
from empirical.ensembles import Ensemble
from theory.errors import BadInput

__all__ = ["EVALUATION", "TRAINING", "Examples", "chunk", "draw", "stream_generator"]

TRAINING, EVALUATION = "training", "evaluation"
_LEAST_SHARE = 1e-3


@dataclass(frozen=True)
class Examples:
    """Accepted matrices with their function's values, and what was not accepted.

    Attributes:
        inputs: float64, shape (count, n, n).
        targets: f(A), of the same shape.
        drawn: How many samples it took.
        rejected: Reason -> how many of them had no value.
    """

    inputs: Tensor
    targets: Tensor
    drawn: int
    rejected: dict[str, int]

    def __post_init__(self) -> None:
        if self.drawn != len(self.inputs) + sum(self.rejected.values()):
            raise ValueError("every drawn sample is accepted or counted as rejected")


def stream_generator(seed: int, stream: str, number: int, device: torch.device) -> torch.Generator:
    """Return the generator of one chunk; different arguments give independent ones."""
    digest = hashlib.sha256(f"{seed}/{stream}/{number}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def draw(
    ensemble: Ensemble,
    function: str,
    count: int,
    generator: torch.Generator,
    prepare: Callable[[Tensor], Tensor] | None = None,
) -> Examples:
    """Draw until ``count`` samples have a value; the ones after the last accepted are not counted as drawn.

    Args:
        ensemble: Where matrices come from.
        function: The matrix function.
        count: How many to accept.
        generator: Where randomness comes from; it decides the device.
        prepare: What to do with the matrices before f is evaluated, if anything.

    Raises:
        BadInput: If fewer than one sample in a thousand has a value.
    """
    inputs: list[Tensor] = []
    targets: list[Tensor] = []
    rejected: Counter[str] = Counter()
    accepted = drawn = 0
    share = 1.0
    while accepted < count:
        wanted = min(int((count - accepted) / max(share, 0.002) * 1.05) + 8, 4 * count + 4096)
        matrices = ensemble.sample(wanted, generator)
        matrices = matrices if prepare is None else prepare(matrices)
        found = truth.evaluate(function, matrices)
        position = found.ok.cumsum(0)
        if int(position[-1]) > count - accepted:
            # Cut right after the last sample needed, so that the counts are those of drawing one by one.
            used = int((position < count - accepted).sum()) + 1
            matrices, found = matrices[:used], truth.Truth(found.values[:used], found.outcomes[:used])
        inputs.append(matrices[found.ok])
        targets.append(found.values[found.ok])
        rejected.update(found.refused())
        drawn += len(matrices)
        accepted += len(inputs[-1])
        share = accepted / drawn
        if drawn >= 4_000 and share < _LEAST_SHARE:
            raise BadInput(
                f"{function} has a value at fewer than 1 in 1000 matrices of the ensemble {ensemble.kind}; "
                "choose another, for example positive_definite"
            )
    return Examples(torch.cat(inputs), torch.cat(targets), drawn, dict(sorted(rejected.items())))


def chunk(
    ensemble: Ensemble, function: str, count: int, seed: int, stream: str, number: int, device: torch.device
) -> Examples:
    """Return chunk ``number`` of a stream: the same examples whenever it is asked for, on one kind of device."""
    return draw(ensemble, function, count, stream_generator(seed, stream, number, device))
