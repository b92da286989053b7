"""The only place a Symbol is made: equal names with different assumptions are different symbols to SymPy."""

from __future__ import annotations

import sympy as sp

__all__ = ["A_BLOCKS", "BL", "BR", "B_BLOCKS", "DL", "DR", "E0", "MATRICES", "Gg", "Gh", "M", "N", "P", "Pf", "Pg",
           "Ph", "R", "S", "T", "X", "a", "b", "beta", "delta", "eps", "eta", "g0", "gap", "h", "j", "k", "lam", "m",
           "mu", "n", "nu", "p", "phi", "q", "r", "r1", "r2", "rho", "s", "t", "tau", "tau1", "tau2", "theta",
           "u", "v", "w", "x", "xi", "y", "z", "zeta"]  # fmt: skip

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

# Polynomially Lipschitz maps: norms of two points, values of moduli and growths there, a distance, a moment's order.
xi = sp.Symbol("xi", nonnegative=True)
zeta = sp.Symbol("zeta", nonnegative=True)
Pf = sp.Symbol("P_f", nonnegative=True)
Pg = sp.Symbol("P_g", nonnegative=True)
Ph = sp.Symbol("P_h", nonnegative=True)
Gg = sp.Symbol("G_g", nonnegative=True)
Gh = sp.Symbol("G_h", nonnegative=True)
g0 = sp.Symbol("g_0", nonnegative=True)
beta = sp.Symbol("beta", nonnegative=True)
lam = sp.Symbol("lambda", nonnegative=True)
gap = sp.Symbol("d", nonnegative=True)
tau = sp.Symbol("tau", positive=True)
rho = sp.Symbol("rho", positive=True)
mu = sp.Symbol("mu", positive=True)

# Networks of squarers: product of the radices so far, accumulator, zigzag value, perturbations of a layer, its radix.
P = sp.Symbol("P", integer=True, positive=True)
S = sp.Symbol("S", real=True)
T = sp.Symbol("T", real=True)
tau1 = sp.Symbol("tau_1", nonnegative=True)
tau2 = sp.Symbol("tau_2", nonnegative=True)
r1 = sp.Symbol("r_1", integer=True, positive=True)
r2 = sp.Symbol("r_2", integer=True, positive=True)

# The variable of a user's formula: complex, since formulas are studied on discs; it is written and printed ``x``.
X = sp.Symbol("X")

# Blocks of two matrices, row by row: they do not commute.
A_BLOCKS = sp.symbols("A_{11} A_{12} A_{21} A_{22}", commutative=False)
B_BLOCKS = sp.symbols("B_{11} B_{12} B_{21} B_{22}", commutative=False)

# Two factors and their errors, as matrices: they do not commute.
MATRICES = sp.symbols("A_L A_R E_L E_R", commutative=False)
