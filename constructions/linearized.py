"""The linearised inverse as one hidden layer: n^2 units on inputs shifted into the active half-line, or 2 n^2.

A matrix is flattened row by row; entry (i, j) of V H V reads H_kl with weight V_ik V_lj.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import scipy.sparse as sps
from numpy.typing import NDArray

from constructions.exact import ExactMatrix
from constructions.network import Affine, Block, Network
from theory.linearized_plan import LinearizedPlan
from theory.program import Rows

__all__ = ["left_product", "linearized_network", "right_product"]


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
    """Return the plan's network, frozen: a product of two floats, as float64 multiplies them, is rounded once."""
    n, units = plan.problem.n, plan.units
    V, eye = _floats(plan.around.V), np.eye(n * n)
    sandwich = (V[:, None, :, None] * V.T[None, :, None, :]).reshape(n * n, n * n)  # H -> V H V: V_ik V_lj at ij, kl
    if plan.form == "shifted":
        first, last = _with_bias(eye, plan.shift), _with_bias(-sandwich, plan.bias)
    else:
        both = np.vstack([eye, -eye])
        first, last = np.hstack([both, np.zeros((units, 1))]), _with_bias(np.hstack([-sandwich, sandwich]), plan.bias)
    maps = tuple(Affine(ExactMatrix.from_floats(sps.csr_array(weights))) for weights in (first, last))
    return Network(maps, (("A", n * n),), (("Y", n * n),), _blocks(plan))


def _floats(rows: Rows) -> NDArray[np.float64]:
    return np.array([[float(entry) for entry in row] for row in rows], dtype=np.float64)


def _with_bias(weights: NDArray[np.float64], bias: Rows) -> NDArray[np.float64]:
    """Return [W | b], b row by row, every entry rounded once."""
    return np.hstack([weights, _floats(bias).reshape(-1, 1)])


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
