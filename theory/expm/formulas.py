"""The formulas of the exponential's theorems, each written once."""

from __future__ import annotations

import sympy as sp

from theory.symbols import E0, q, s, theta

__all__ = ["SQUARED_TAIL", "TAIL"]

#: sum_{k>q} theta^k/k! <= theta^(q+1)/(q+1)! * 1/(1 - theta/(q+2)), for theta < q + 2: the terms' ratios are at most
#: theta/(q+2).
TAIL = theta ** (q + 1) / sp.gamma(q + 2) / (1 - theta / (q + 2))

#: ||e^{2^s X} - T^{2^s}|| <= 2^s max(||e^X||, ||T||)^(2^s - 1) ||e^X - T||, with both norms at most e^theta.
SQUARED_TAIL = 2**s * sp.exp(theta * (2**s - 1)) * E0
