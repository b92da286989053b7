"""How the networks are trained: the paper's appendices B and C, with the restarts that it does not give."""

from __future__ import annotations

import math
from dataclasses import dataclass

from theory.errors import BadInput

__all__ = ["Protocol"]


@dataclass(frozen=True)
class Protocol:
    """Adam on the mean squared error, with a learning rate that falls along a cosine and starts again.

    Batch, rate and weight decay are the paper's. Its restart periods are not public; here the first of ``cycles``
    periods takes T₀ = ⌈steps/(2^cycles - 1)⌉ steps and each further one twice as many, so that the run ends with the
    end of a period, and the rate falls to zero in each: torch's ``CosineAnnealingWarmRestarts(T_0, T_mult=2,
    eta_min=0)``, stepped once a batch.

    Attributes:
        steps: Optimizer steps.
        batch: Matrices a step.
        rate: Learning rate at the start of a period.
        weight_decay: Adam's: this times the weights is added to the gradient.
        cycles: Periods in all.
        reports: How often the errors are measured and a checkpoint is written.

    Raises:
        BadInput: If a number is out of range.
    """

    steps: int
    batch: int = 128
    rate: float = 5e-5
    weight_decay: float = 1e-7
    cycles: int = 4
    reports: int = 20

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.cycles, self.reports) < 1:
            raise BadInput("steps, batch, cycles and reports must be at least 1")
        if not (0 < self.rate < math.inf and 0 <= self.weight_decay < math.inf):
            raise BadInput("the learning rate must be above 0, and the weight decay not below 0")

    @property
    def first_period(self) -> int:
        """T₀."""
        return -(-self.steps // (2**self.cycles - 1))

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        period = self.first_period
        number = (step // period + 1).bit_length() - 1
        start = period * (2**number - 1)
        return self.rate * 0.5 * (1 + math.cos(math.pi * (step - start) / (period * 2**number)))

    def window_end(self, step: int) -> int:
        """Return the step at which the window with this step ends: a report and a checkpoint."""
        window = -(-self.steps // self.reports)
        return min((step // window + 1) * window, self.steps)
