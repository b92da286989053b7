"""The only place a Symbol is made: equal names with different assumptions are different symbols to SymPy."""

from __future__ import annotations

import sympy as sp

__all__ = ["BL", "BR", "DL", "DR", "E0", "M", "N", "R", "a", "b", "delta", "eps", "eta", "h", "j", "k", "m", "n", "nu",
           "p", "phi", "q", "r", "s", "t", "theta", "u", "v", "w", "x", "y", "z"]  # fmt: skip

# Sizes and counts.
n = sp.Symbol("n", integer=True, positive=True)
m = sp.Symbol("m", integer=True, positive=True)
N = sp.Symbol("N", integer=True, positive=True)
r = sp.Symbol("r", integer=True, positive=True)
w = sp.Symbol("w", integer=True, positive=True)
q = sp.Symbol("q", integer=True, positive=True)
s = sp.Symbol("s", integer=True, nonnegative=True)
p = sp.Symbol("p", integer=True, nonnegative=True)
h = sp.Symbol("h", integer=True, nonnegative=True)
j = sp.Symbol("j", integer=True, nonnegative=True)
k = sp.Symbol("k", integer=True, positive=True)

# Tolerances, radii, ranges, errors: positive or non-negative reals.
eps = sp.Symbol("epsilon", positive=True)
delta = sp.Symbol("delta", positive=True)
M = sp.Symbol("M", positive=True)
R = sp.Symbol("R", positive=True)
theta = sp.Symbol("theta", positive=True)
nu = sp.Symbol("nu", positive=True)
phi = sp.Symbol("phi", nonnegative=True)
eta = sp.Symbol("eta", nonnegative=True)
BL = sp.Symbol("B_L", positive=True)
BR = sp.Symbol("B_R", positive=True)
DL = sp.Symbol("D_L", nonnegative=True)
DR = sp.Symbol("D_R", nonnegative=True)
E0 = sp.Symbol("E_0", nonnegative=True)

# Real variables.
a = sp.Symbol("a", real=True)
b = sp.Symbol("b", real=True)
t = sp.Symbol("t", real=True)
u = sp.Symbol("u", real=True)
v = sp.Symbol("v", real=True)
x = sp.Symbol("x", real=True)
y = sp.Symbol("y", real=True)
z = sp.Symbol("z", real=True)
