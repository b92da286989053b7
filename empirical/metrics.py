"""How far an answer is from the value, and how often it is near enough: the measure d1 of the published experiments."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["TOLERANCES", "accuracies", "d1", "quantiles"]

#: The tolerances accuracy is reported at.
TOLERANCES = (0.05, 0.02, 0.01, 0.005)


def d1(answers: Tensor, values: Tensor) -> Tensor:
    """Return sum|answer - value| / sum|value| over the entries of each matrix: shape (..., n, n) to (...).

    An answer with NaN or infinite entries is infinitely far off, and so is any answer where the value itself has such
    entries (an encoding had no number for it). Nothing but zero is near a zero value.
    """
    values = values.to(torch.float64)
    difference = (answers.to(torch.float64) - values).abs().sum((-2, -1))
    size = values.abs().sum((-2, -1))
    distance = torch.where(difference == 0, 0.0, difference / size)
    return torch.where(difference.isfinite() & size.isfinite(), distance, torch.inf)


def accuracies(distances: Tensor, tolerances: Sequence[float] = TOLERANCES) -> dict[str, float]:
    """Return the share of answers with d1 below each tolerance, keyed by its text ("0.05").

    Raises:
        ValueError: If there are no answers.
    """
    if distances.numel() == 0:
        raise ValueError("accuracy of no answers")
    return {str(tolerance): float((distances < tolerance).double().mean()) for tolerance in tolerances}


def quantiles(distances: Tensor, shares: Sequence[float] = (0.1, 0.5, 0.9)) -> dict[str, float | None]:
    """Return the distances below which given shares of the answers lie; None for an infinite one."""
    ordered = distances.double().flatten().sort().values
    found = {str(share): float(ordered[min(int(share * len(ordered)), len(ordered) - 1)]) for share in shares}
    return {share: value if value < float("inf") else None for share, value in found.items()}
