"""The theorem behind the sign by Newton and Schulz: what a step leaves as it is, and how far errors move it."""

from __future__ import annotations

import sympy as sp

from theory.steps import Cited, Identity, Induction, Smt, le, lt
from theory.symbols import A_BLOCKS, DL, DR, MATRICES, a, b, k, mu, nu, q, rho, tau, x, y
from theory.theorem import Bound, Kind, Theorem

__all__ = ["NEWTON_SIGN"]

_HIGHAM = "Higham, Functions of Matrices, SIAM 2008"
#: Matrices that do not commute: residuals, iterates, values of (I - E)^(-1/2), powers, an error.
_E, _E2, _G, _G2 = A_BLOCKS
_X, _K, _K2, _D = MATRICES
_HALF, _AFTER2 = sp.Rational(1, 2), sp.Rational(3, 4) * rho**2 + rho**3 / 4
_H3 = 1 + _E / 2 + sp.Rational(3, 8) * _E**2
_AFTER3 = sp.Rational(5, 8) * rho**3 + sp.Rational(15, 64) * rho**4 + sp.Rational(9, 64) * rho**5
#: ||(I - E')^(-1/2) - (I - E)^(-1/2)|| over ||E' - E||, where both norms are at most rho.
_SLOPE = _HALF / (1 - rho) ** sp.Rational(3, 2)


def _ge(high: sp.Expr | int, low: sp.Expr | int) -> sp.Rel:
    return le(low, high)


_STEPS = (
    Cited("definition", "sign A = A (A^2)^(-1/2), and A^2 = I - E_0", f"{_HIGHAM}, equation (5.5)"),
    Identity(
        "residual-2",
        "order 2: I - (I - E)(I + E/2)^2 = 3/4 E^2 + 1/4 E^3",
        1 - (1 - _E) * (1 + _E / 2) ** 2,
        sp.Rational(3, 4) * _E**2 + _E**3 / 4,
    ),
    Identity(
        "residual-3",
        "order 3: I - (I - E)(I + E/2 + 3/8 E^2)^2 = 5/8 E^3 + 15/64 E^4 + 9/64 E^5",
        1 - (1 - _E) * _H3**2,
        sp.Rational(5, 8) * _E**3 + sp.Rational(15, 64) * _E**4 + sp.Rational(9, 64) * _E**5,
    ),
    Smt(
        "shrink-2",
        "3/4 rho^2 + 1/4 rho^3 < rho^2 < 1 for 0 < rho < 1: coefficients are positive and sum to 1",
        (lt(0, rho), lt(rho, 1)),
        lt(_AFTER2, rho**2),
    ),
    Smt(
        "shrink-3",
        "5/8 rho^3 + 15/64 rho^4 + 9/64 rho^5 < rho^3 < 1 for 0 < rho < 1",
        (lt(0, rho), lt(rho, 1)),
        lt(_AFTER3, rho**3),
    ),
    Identity("squares", "h(z) / sqrt(1 - z') squared is 1/(1 - z), for 1 - z' = (1 - z) h^2", x**2 / (y * x**2), 1 / y),
    Cited(
        "root",
        "continuous square roots on a disc of a function without zeros there, equal at 0, are equal, and an identity "
        "of power series holds for matrices of norm inside the disc",
        f"{_HIGHAM}, Theorems 1.15 and 4.7",
    ),
    Identity(
        "invariant", "X h(E) times h(E)^-1 (I - E)^(-1/2) is X (I - E)^(-1/2)", (_X * _K) * (_K**-1 * _G), _X * _G
    ),
    Induction(
        "powers",
        "||E'^k - E^k|| <= k rho^(k-1) ||E' - E||, for E'^(k+1) - E^(k+1) = E'(E'^k - E^k) + (E' - E) E^k",
        Identity(
            "powers-base",
            "E' (P' - P) + (E' - E) P = E' P' - E P, with P' = E'^k, P = E^k",
            _E2 * (_K2 - _K) + (_E2 - _E) * _K,
            _E2 * _K2 - _E * _K,
        ),
        Smt(
            "powers-step",
            "rho (k r d) + d (rho r) = (k + 1)(rho r) d, r = rho^(k-1), bounds the two norms' sum",
            (_ge(x, 0), le(x, rho), _ge(a, 0), le(a, k * tau * DL), _ge(b, 0), le(b, tau * rho)),
            le(x * a + DL * b, (k + 1) * (rho * tau) * DL),
        ),
    ),
    Identity(
        "slope",
        "sum k c_k rho^(k-1) is the derivative of (1 - rho)^(-1/2) = sum c_k rho^k",
        sp.diff(1 / sp.sqrt(1 - rho), rho),
        _SLOPE,
    ),
    Identity(
        "law",
        "(X + d) G' - X G = d G' + X (G' - G)",
        (_X + _D) * _G2 - _X * _G,
        _D * _G2 + _X * (_G2 - _G),
    ),
    Smt(
        "norms",
        "||d|| ||G'|| + ||X|| ||G' - G|| <= D_R g + mu s D_L",
        (_ge(x, 0), le(x, DR), _ge(y, 0), le(y, tau), _ge(a, 0), le(a, mu), _ge(b, 0), le(b, nu * DL)),
        le(x * y + a * b, DR * tau + mu * nu * DL),
    ),
    Smt("coefficients", "(k + 1/2)/(k + 1) <= 1: c_k <= 1", (_ge(k, 1),), le((2 * k + 1) / (2 * k + 2), 1)),
    Smt(
        "scale",
        "||X_K|| times the series' tail",
        (_ge(x, 0), le(x, mu), _ge(y, 0), le(y, tau)),
        le(x * y, mu * tau),
    ),
)

NEWTON_SIGN = Theorem(
    id="sign.newton-schulz",
    title="the iteration of Newton and Schulz for the sign, on its residual, and a series at the end",
    statement=(
        "Let ||I - A^2||_2 <= rho_0 < 1, ||A||_2 <= nu, X_0 = A, E_0 = I - A^2, and h(z) = 1 + z/2 (order 2) or "
        "1 + z/2 + 3/8 z^2 (order 3). For any X and any E with ||E||_2 <= rho < 1, X h(E) and E+ = I - (I - E) h(E)^2 "
        "have X h(E) (I - E+)^(-1/2) = X (I - E)^(-1/2): nothing commutes with A. E+ is 3/4 E^2 + 1/4 E^3, or 5/8 E^3 "
        "+ 15/64 E^4 + 9/64 E^5, of norm below rho^2 or rho^3, and ||X h(E)|| <= h(rho) ||X||. So X_K (I - E_K)^(-1/2) "
        "= sign A, and the series cut after degree q errs by at most ||X_K||_2 rho_K^(q+1)/(1 - rho_K). If X errs by "
        "D_R, E by D_L, ||X||_2 <= mu and both residuals' norms are at most rho < 1, X (I - E)^(-1/2) moves by at most "
        "D_R (1 - rho)^(-1/2) + mu D_L (1 - rho)^(-3/2) / 2; these add up over the steps, for nothing grows in between."
    ),
    hypotheses=(
        "||I - A^2||_2 <= rho_0 < 1",
        "||A||_2 <= nu (the first clause alone bounds nothing)",
        "||X_K||_2 <= mu, ||E_K||_2 <= rho",
    ),
    bound=Bound(mu * rho ** (q + 1) / (1 - rho), Kind.UPPER, "2", "||I - A^2||_2 <= rho_0, ||A||_2 <= nu"),
    steps=_STEPS,
    source="derived here; the iteration after Schulz 1933 and Higham, Functions of Matrices, section 5.3",
    uses=("series.tail", "expm.propagation"),
    formulas={
        "residual-2": _AFTER2,
        "residual-3": _AFTER3,
        "growth-2": 1 + rho / 2,
        "growth-3": 1 + rho / 2 + sp.Rational(3, 8) * rho**2,
        "law": DR / sp.sqrt(1 - rho) + mu * DL * _SLOPE,
    },
)
