"""The formulas of theorems freeze.squarer and freeze.stage, apart from their proofs, so that planning loads no more."""

from __future__ import annotations

import sympy as sp

from theory.symbols import P, n, phi, r, r1, r2, tau1, tau2

__all__ = [
    "CARRIERS",
    "EXACT_LINEAR",
    "FIRST_LAYER",
    "KINKS",
    "KINKS_TWO_LAYERS",
    "LAST_KINKS",
    "LATER_KINKS",
    "PER_SQUARE",
    "ROW",
    "SECOND_LAYER",
]

#: Smallest safe constants: 8 tau_1/r_1 and 8 tau_2/(r_2 r_1^2) bound the change of a squarer of u^2 on [-1, 1].
FIRST_LAYER = sp.Integer(8)
SECOND_LAYER = sp.Integer(8)
#: The first of these where the linear part of X_1 is exact.
EXACT_LINEAR = 16 * sp.floor(r1 / 2) * tau1 / r1**2
#: What a squarer's output is off by: kinks of layer 1 by tau_1, carriers that move its form by phi, layer 2 by tau_2.
PER_SQUARE = EXACT_LINEAR + 2 * phi + SECOND_LAYER * tau2 / (r2 * r1**2)
#: Mass of layer 1's kinks in U - R/2 - C/2, in units of n B_L B_R, when they share one relative rounding error.
KINKS = 4 + 4 / r1**2
#: The same when layer 2 is the last: odd kinks share one error, even ones another.
KINKS_TWO_LAYERS = (1 - 1 / (2 * r2)) * (4 + 4 / r1**2) + 6 / r2
#: Mass of the kinks of layers 2, ..., m - 1, in the same units.
LATER_KINKS = 20 / r1**2
#: Mass of the carriers, in units of B_L B_R.
CARRIERS = 4 * n + 8
#: Mass of a squarer's last kinks, per unit of d_q: radix r, N/r = P pieces before.
LAST_KINKS = 4 * (r - 1) / (r * P**2)
#: Mass of a row that reads a squarer of one layer, per unit of d_q: kinks, carriers and bias.
ROW = sp.Integer(9)
