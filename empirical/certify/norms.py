"""The norms an error is certified in: all monotone in the absolute entries, so entry bounds give norm bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from empirical.certify.rounding import TINY, Floats, gamma

__all__ = ["NORMS", "Norm"]


@dataclass(frozen=True)
class Norm:
    """A matrix norm with |X| <= U entrywise implying norm(X) <= norm(U).

    Args:
        name: ``max`` (largest entry), ``fro`` (Frobenius), ``inf`` (induced, row sums), ``one`` (induced, column sums).
        of: Float value on a stack (batch, n, n).
        dual: Float gradient at a stack, (batch, n, n).
        ball: Value of a flint ``arb_mat`` in balls.
    """

    name: str
    of: Callable[[Floats], Floats]
    dual: Callable[[Floats], Floats]
    ball: Callable[[Any], Any]

    def above(self, entries: Floats) -> Floats:
        """Upper bound of the norm of every matrix with absolute entries below ``entries`` (batch, n, n)."""
        if self.name == "max":
            return self.of(entries)
        # At most n^2 + 3 roundings, a square root among them.
        return self.of(entries) * (1 + gamma(entries.shape[-1] ** 2 + 8)) + TINY


def _max(stack: Floats) -> Floats:
    return np.abs(stack).max(axis=(1, 2))


def _max_dual(stack: Floats) -> Floats:
    flat = stack.reshape(len(stack), -1)
    rows, best = np.arange(len(stack)), np.abs(flat).argmax(axis=1)
    result = np.zeros_like(flat)
    result[rows, best] = np.where(flat[rows, best] >= 0, 1.0, -1.0)
    return result.reshape(stack.shape)


def _frobenius(stack: Floats) -> Floats:
    return np.sqrt((stack * stack).sum(axis=(1, 2)))


def _frobenius_dual(stack: Floats) -> Floats:
    return stack / np.maximum(_frobenius(stack), 1e-300)[:, None, None]


def _row_sums(stack: Floats) -> Floats:
    return np.abs(stack).sum(axis=2).max(axis=1)


def _row_sums_dual(stack: Floats) -> Floats:
    best = np.abs(stack).sum(axis=2).argmax(axis=1)
    on = np.arange(stack.shape[1])[None, :] == best[:, None]
    return np.where(on[:, :, None], np.where(stack >= 0, 1.0, -1.0), 0.0)


def _columns(of: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda stack: of(np.swapaxes(stack, 1, 2))


def _column_dual(stack: Floats) -> Floats:
    return np.swapaxes(_row_sums_dual(np.swapaxes(stack, 1, 2)), 1, 2)


def _ball_max(matrix: Any) -> Any:
    from flint import arb

    best = arb(0)
    for entry in matrix.entries():
        best = best.max(abs(entry))
    return best


def _ball_frobenius(matrix: Any) -> Any:
    from flint import arb

    return sum((entry * entry for entry in matrix.entries()), arb(0)).sqrt()


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
        Norm("fro", _frobenius, _frobenius_dual, _ball_frobenius),
        Norm("inf", _row_sums, _row_sums_dual, _ball_row_sums),
        Norm("one", _columns(_row_sums), _column_dual, _ball_column_sums),
    )
}
