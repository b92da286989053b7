"""What an exact solver would score: one that sees a matrix as its tokens say it, and answers in tokens.

No network does better through the same encodings except by luck, so every accuracy is shown beside this one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from empirical import truth
from empirical.encodings.encoding import Encoding

__all__ = ["exact_answers", "round_to"]


def round_to(encoding: Encoding, matrices: Tensor) -> Tensor:
    """Return what is left of matrices (batch, rows, columns) once written and read: NaN where there is no number."""
    return encoding.read(encoding.encode_numbers(matrices.flatten()).mT).reshape(matrices.shape)


def exact_answers(function: str, inputs: Tensor, written: Encoding, answered: Encoding) -> Tensor:
    """Return the answers, as read from their tokens, of a solver that evaluates f exactly at the matrices it is shown.

    Args:
        function: The matrix function.
        inputs: float64, shape (batch, n, n).
        written: The encoding the solver sees the inputs in.
        answered: The encoding it answers in.

    Returns:
        float64, shape (batch, n, n); NaN where the matrix it sees has no value, or the value no number.
    """
    values = truth.evaluate(function, round_to(written, inputs)).values
    usable = answered.representable(values).all(-1).all(-1)[:, None, None]
    return torch.where(usable, round_to(answered, torch.where(usable, values, 0.0)), torch.nan)
