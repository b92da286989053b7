"""The linearised inverse as one hidden layer: n^2 units on inputs shifted into the active half-line, or 2 n^2.

A matrix is flattened row by row; entry (i, j) of V H V reads H_kl with weight V_ik V_lj.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from constructions.exact import Batch, ExactMatrix
from constructions.network import Affine, Block, Network
from theory.linearized_plan import LinearizedPlan
from theory.program import Rows

__all__ = ["left_product", "linearized_network", "right_product"]

_ONE = Fraction(1)


def left_product(constant: Rows) -> ExactMatrix:
    """Return X -> constant X on matrices flattened row by row: entry (i, j) reads entries (k, j)."""
    n = len(constant)
    columns = np.arange(n, dtype=np.int64)
    batches = [(i * n + columns, k * n + columns, c) for i, line in enumerate(constant) for k, c in enumerate(line)]
    return ExactMatrix.from_batches((n * n, n * n), batches)


def right_product(constant: Rows) -> ExactMatrix:
    """Return X -> X constant on matrices flattened row by row: entry (i, j) reads entries (i, k)."""
    n = len(constant)
    rows = np.arange(n, dtype=np.int64) * n
    batches = [(rows + j, rows + k, c) for k, line in enumerate(constant) for j, c in enumerate(line)]
    return ExactMatrix.from_batches((n * n, n * n), batches)


def linearized_network(plan: LinearizedPlan) -> Network:
    """Return the plan's network in exact rationals, before freezing."""
    V, size = plan.around.V, plan.problem.n**2
    place = np.arange(size, dtype=np.int64)
    sandwich = right_product(V) @ left_product(V)  # H -> V H V
    first: list[Batch] = [(place, place, _ONE)]
    last = sandwich.scaled(-1).batches()
    if plan.form == "shifted":
        first += _column(plan.shift, size)
    else:
        first.append((size + place, place, -_ONE))
        last += sandwich.batches(column_shift=size)
    last += _column(plan.bias, plan.units)
    maps = (
        Affine(ExactMatrix.from_batches((plan.units, size + 1), first)),
        Affine(ExactMatrix.from_batches((size, plan.units + 1), last)),
    )
    return Network(maps, (("A", size),), (("Y", size),), _blocks(plan))


def _column(values: Rows, column: int) -> list[Batch]:
    """Return the biases: values row by row, in the last column."""
    flat = enumerate(entry for row in values for entry in row)
    return [(np.array([row]), np.array([column]), entry) for row, entry in flat]


def _blocks(plan: LinearizedPlan) -> tuple[Block, ...]:
    """Return what the hidden units are, with their ranges on the box."""
    size, domain = plan.problem.n**2, plan.around.domain
    if plan.form == "two-sided":
        return tuple(
            Block("affine", name, 0, side * size, (side + 1) * size, Fraction(0), domain.largest)
            for side, name in enumerate(("relu(A)", "relu(-A)"))
        )
    pairs = zip(domain.centre, plan.shift, strict=True)
    top = max(a + b + domain.half_width for row, shift in pairs for a, b in zip(row, shift, strict=True))
    return (Block("affine", "A - A0 + d", 0, 0, size, Fraction(0), top),)
