"""The formulas of the exponential's theorems, each written once."""

from __future__ import annotations

import sympy as sp

from theory.symbols import E0, N, eta, mu, n, q, s, theta

__all__ = ["MONOMIAL_FREEZING", "PRODUCT_SHARE", "SQUARED_TAIL", "TAIL", "TREE", "UNIFORM"]

#: sum_{k>q} theta^k/k! <= theta^(q+1)/(q+1)! * 1/(1 - theta/(q+2)), for theta < q + 2: the terms' ratios are at most
#: theta/(q+2).
TAIL = theta ** (q + 1) / sp.gamma(q + 2) / (1 - theta / (q + 2))

#: ||e^{2^s X} - T^{2^s}|| <= 2^s max(||e^X||, ||T||)^(2^s - 1) ||e^X - T||, with both norms at most e^theta.
SQUARED_TAIL = 2**s * sp.exp(theta * (2**s - 1)) * E0

#: What a product of factors of analysis norm b_L, b_R adds to the error, over b_L b_R: (3/2) n^2 mu^2 / N^2, entries
#: being at most mu times the norm (1/n on the box, 1 on the ball). 257/256 pays for scales rounded to 12 bits.
PRODUCT_SHARE = sp.Rational(257, 256) * sp.Rational(3, 2) * n**2 * mu**2 / N**2

#: All products of relative error eta, coefficients non-negative and at most those of e^x: the error in real arithmetic.
UNIFORM = eta * theta * sp.exp((1 + eta) * theta)

#: A tree of products of s levels with factors in [-1, 1], squarers of N pieces: the error of its value.
TREE = (1 + 1 / N**2) ** (2**s - 1) - 1

#: What freezing to float64 may add to trees of products of entries at most mu, in nu and Frobenius norm.
MONOMIAL_FREEZING = sp.Rational(2**12, 2**53) * (1 + n * mu) * sp.exp(n * mu)
