"""The exact worst error of a small network against an affine function, as mixed-integer linear programs (big-M).

One binary b a hidden neuron, y its pre-activation with y in [l, u], z = relu(y):
    z >= y,  z >= 0,  z <= y - l (1 - b),  z <= u b,
with l, u from interval arithmetic widened to hold 0. (Tjeng, Xiao, Tedrake, "Evaluating Robustness of Neural Networks
with Mixed Integer Programming", ICLR 2019, section 4.) Floats and the solver's tolerances throughout: it checks the
certifier, and proves nothing itself.
"""

from __future__ import annotations

import numpy as np

from empirical.certify.affine import AffineTarget
from empirical.certify.chain import ReluChain
from empirical.certify.norms import NORMS
from empirical.certify.region import Region
from empirical.certify.rounding import Floats

__all__ = ["exact_worst"]


def exact_worst(chain: ReluChain, target: AffineTarget, region: Region, norm: str = "max") -> float:
    """Return max over the region of norm(N(A) - f(A)), one program a functional of the norm.

    Raises:
        RuntimeError: If the solver does not prove an optimum.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    low, high = region.outer
    bounds, matrix, least, most, integral = _program(chain, low, high)
    inputs, last = chain.inputs, chain.hidden[-1] if chain.hidden else 0
    worst = 0.0
    for functional in NORMS[norm].functionals(region.n):
        # The functional is affine in x and in the last hidden layer's z.
        cost = np.zeros(matrix.shape[1])
        cost[:inputs] = functional @ target.matrix
        columns = slice(_starts(chain)[-1], _starts(chain)[-1] + last) if last else slice(0, inputs)
        cost[columns] -= functional @ chain.weights[-1]
        constraints = [LinearConstraint(matrix, least, most)] if len(matrix) else []
        box = Bounds(bounds[0], bounds[1])
        found = milp(cost, constraints=constraints, bounds=box, integrality=integral, options={"mip_rel_gap": 1e-9})
        if not found.success:
            raise RuntimeError(f"the mixed-integer solver found no optimum: {found.message}")
        worst = max(worst, float(functional @ (chain.biases[-1] - target.shift) - found.fun))
    return worst


def _starts(chain: ReluChain) -> list[int]:
    """Columns where each hidden layer's z begin; its binaries follow them. Variables: x, z_1, b_1, z_2, b_2, ..."""
    starts, column = [], chain.inputs
    for width in chain.hidden:
        starts.append(column)
        column += 2 * width
    return starts


def _program(
    chain: ReluChain, low: Floats, high: Floats
) -> tuple[tuple[Floats, Floats], Floats, Floats, Floats, Floats]:
    """Variable bounds, constraint matrix with its two sides, and which variables are whole numbers."""
    columns = chain.inputs + 2 * sum(chain.hidden)
    down, up = np.zeros(columns), np.ones(columns)
    down[: chain.inputs], up[: chain.inputs] = low, high
    integral = np.zeros(columns)
    rows: list[Floats] = [np.zeros((0, columns))]
    least: list[Floats] = [np.zeros(0)]
    most: list[Floats] = [np.zeros(0)]
    before = slice(0, chain.inputs)
    for start, weight, bias in zip(_starts(chain), chain.weights, chain.biases, strict=False):
        width = len(bias)
        middle, half = (low + high) / 2, (high - low) / 2
        centre, spread = weight @ middle + bias, np.abs(weight) @ half
        bottom, top = np.minimum(centre - spread, 0), np.maximum(centre + spread, 0)
        block = np.zeros((3 * width, columns))
        z, b = slice(start, start + width), slice(start + width, start + 2 * width)
        eye, diagonal = np.eye(width), range(width)
        block[: 2 * width, before] = np.concatenate([-weight, -weight])
        block[:, z] = np.concatenate([eye, eye, eye])
        block[width : 2 * width, b][diagonal, diagonal] = -bottom
        block[2 * width :, b][diagonal, diagonal] = -top
        infinite = np.full(width, np.inf)
        rows.append(block)
        least.append(np.concatenate([bias, -infinite, -infinite]))
        most.append(np.concatenate([infinite, bias - bottom, np.zeros(width)]))
        up[z], integral[b] = top, 1
        before, low, high = z, np.zeros(width), top
    return (down, up), np.concatenate(rows), np.concatenate(least), np.concatenate(most), integral
