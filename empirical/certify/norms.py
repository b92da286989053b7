"""The norms an error is certified in: maxima of finitely many linear functionals, each bounded in its own nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from empirical.certify.rounding import Floats
from theory.errors import BadInput

__all__ = ["NORMS", "Norm"]

#: Row and column sums take n 2^n functionals.
_LARGEST_SUMMED_SIDE = 8


@dataclass(frozen=True)
class Norm:
    """A matrix norm that is the largest of finitely many functionals F . X, F with entries -1, 0 and 1.

    Args:
        name: ``max`` (largest entry), ``inf`` (induced, row sums) or ``one`` (induced, column sums).
        of: Float value on a stack (batch, n, n).
        dual: Float functional attaining it at each matrix of a stack, (batch, n, n).
        ball: Value of a flint ``arb_mat`` in balls.
    """

    name: str
    of: Callable[[Floats], Floats]
    dual: Callable[[Floats], Floats]
    ball: Callable[[Any], Any]

    def functionals(self, n: int) -> Floats:
        """All the functionals, flattened row by row, (count, n^2).

        Raises:
            BadInput: If they are too many: n above 8 for ``inf`` and ``one``.
        """
        if self.name == "max":
            return np.concatenate([np.eye(n * n), -np.eye(n * n)])
        if n > _LARGEST_SUMMED_SIDE:
            raise BadInput(f"--norm {self.name} takes n 2^n searches: at most 8 x 8 matrices; use --norm max")
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        rows = np.zeros((n, 2**n, n, n))
        for i in range(n):
            rows[i, :, i, :] = signs
        stack = rows.reshape(-1, n, n)
        return (stack if self.name == "inf" else np.swapaxes(stack, 1, 2)).reshape(-1, n * n)


def _max(stack: Floats) -> Floats:
    return np.abs(stack).max(axis=(1, 2))


def _max_dual(stack: Floats) -> Floats:
    flat = stack.reshape(len(stack), -1)
    rows, best = np.arange(len(stack)), np.abs(flat).argmax(axis=1)
    result = np.zeros_like(flat)
    result[rows, best] = np.where(flat[rows, best] >= 0, 1.0, -1.0)
    return result.reshape(stack.shape)


def _row_sums(stack: Floats) -> Floats:
    return np.abs(stack).sum(axis=2).max(axis=1)


def _row_sums_dual(stack: Floats) -> Floats:
    best = np.abs(stack).sum(axis=2).argmax(axis=1)
    on = np.arange(stack.shape[1])[None, :] == best[:, None]
    return np.where(on[:, :, None], np.where(stack >= 0, 1.0, -1.0), 0.0)


def _column_sums(stack: Floats) -> Floats:
    return _row_sums(np.swapaxes(stack, 1, 2))


def _column_sums_dual(stack: Floats) -> Floats:
    return np.swapaxes(_row_sums_dual(np.swapaxes(stack, 1, 2)), 1, 2)


def _ball_max(matrix: Any) -> Any:
    from flint import arb

    best = arb(0)
    for entry in matrix.entries():
        best = best.max(abs(entry))
    return best


def _ball_row_sums(matrix: Any) -> Any:
    from flint import arb

    best = arb(0)
    for row in matrix.tolist():
        best = best.max(sum((abs(entry) for entry in row), arb(0)))
    return best


def _ball_column_sums(matrix: Any) -> Any:
    return _ball_row_sums(matrix.transpose())


NORMS: dict[str, Norm] = {
    norm.name: norm
    for norm in (
        Norm("max", _max, _max_dual, _ball_max),
        Norm("inf", _row_sums, _row_sums_dual, _ball_row_sums),
        Norm("one", _column_sums, _column_sums_dual, _ball_column_sums),
    )
}
