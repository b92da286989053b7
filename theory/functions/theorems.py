"""The theorems behind the functions' networks: series, coupled inverse, Neumann's product, sign, the cosine."""

from __future__ import annotations

import sympy as sp

from theory.steps import Cited, Identity, Induction, Smt, le
from theory.symbols import A_BLOCKS, DL, DR, MATRICES, R, a, b, delta, k, m, mu, nu, phi, q, rho, t, x, y
from theory.theorem import Bound, Kind, Theorem

__all__ = ["COSINE", "COUPLED", "GEOMETRIC", "NEUMANN", "NEWTON", "SERIES_TAIL", "SIGN"]

_HIGHAM = "Higham, Functions of Matrices, SIAM 2008"
#: Matrices that do not commute.
_A, _R, _, _E = A_BLOCKS
#: X, errors of two products, and what a carried X has drifted by.
_X, _D1, _D2, _F = MATRICES


def _ge(high: sp.Expr | int, low: sp.Expr | int) -> sp.Rel:
    return le(low, high)


GEOMETRIC = Induction(
    "geometric",
    "1 + g + ... + g^(m-1) = (1 - g^m)/(1 - g), so terms that shrink by g < 1 sum to at most the first over 1 - g",
    Identity("geometric-base", "m = 1", (1 - rho) / (1 - rho), sp.Integer(1)),
    Identity(
        "geometric-step",
        "(1 - g^m)/(1 - g) + g^m = (1 - g^(m+1))/(1 - g)",
        (1 - rho**m) / (1 - rho) + rho**m,
        (1 - rho ** (m + 1)) / (1 - rho),
    ),
)

SERIES_TAIL = Theorem(
    id="series.tail",
    title="a power series of a matrix, cut after degree q",
    statement=(
        "Let f(c + z) = sum c_k z^k and ||A - cI|| <= R inside its disc of convergence, in a submultiplicative "
        "norm. Then "
        "||f(A) - sum_{k<=q} c_k (A - cI)^k|| <= sum_{k>q} |c_k| R^k; where |c_{k+1}| R <= g |c_k| beyond q with "
        "g < 1, "
        "that is at most |c_{q+1}| R^(q+1) / (1 - g). For (1 + z)^p with -1 <= p <= 1, log(1 + z) and 1/(1 - z) "
        "one may "
        "take g = R; for sin and cos, whose terms go two by two, g = R^2 / ((q + 2)(q + 3))."
    ),
    hypotheses=("||A - cI|| <= R", "R below the radius of convergence", "g < 1"),
    bound=Bound(R ** (q + 1) / (1 - R), Kind.UPPER, "2", "||A - cI||_2 <= R, for coefficients at most 1"),
    steps=(
        Cited(
            "calculus", "f(A) is the sum of its series where ||A - cI|| is inside the disc", f"{_HIGHAM}, Theorem 4.7"
        ),
        Induction(
            "powers",
            "||B^k|| <= R^k",
            Smt("powers-base", "k = 1", (le(x, R),), le(x, R)),
            Smt(
                "powers-step",
                "||B^k B|| <= ||B^k|| ||B|| <= R^k R",
                (_ge(x, 0), le(x, a), _ge(y, 0), le(y, b)),
                le(x * y, a * b),
            ),
        ),
        GEOMETRIC,
        Smt(
            "binomial", "|p - k| <= k + 1 for -1 <= p <= 1, k >= 1", (_ge(x, -1), le(x, 1), _ge(k, 1)), le(k - x, k + 1)
        ),
        Smt("logarithm", "k/(k + 1) <= 1", (_ge(k, 1),), le(k / (k + 1), 1)),
        Smt(
            "factorial",
            "1/((k + 2)(k + 3)) <= 1/((q + 2)(q + 3)) for k >= q",
            (_ge(k, q), _ge(q, 1)),
            le((q + 2) * (q + 3), (k + 2) * (k + 3)),
        ),
    ),
    source="classical; Higham, Functions of Matrices, section 4.3",
)

COUPLED = Theorem(
    id="inverse.coupled",
    title="the coupled, Chebyshev-scaled Newton iteration for the inverse",
    statement=(
        "On sigma_min(A) >= delta, ||A||_F <= R let X_0 = c A^T, R_0 = I - c A^T A, X_{k+1} = t_k (I + R_k) X_k, "
        "R_{k+1} = "
        "(1 - t_k) I + t_k R_k^2 with any c > 0 and t_k >= 1. Then R_k = I - X_k A is symmetric, ||R_0||_2 <= rho_0 = "
        "max(1 - c delta^2, c R^2 - 1), ||R_{k+1}||_2 <= rho_{k+1} = max(t_k - 1, 1 - t_k + t_k rho_k^2), ||X_k||_2 <= "
        "(1 + rho_k)/delta, and ||X_k - A^-1||_2 <= rho_k / delta."
    ),
    hypotheses=("sigma_min(A) >= delta", "||A||_F <= R", "c > 0", "t_k >= 1"),
    bound=Bound(rho / delta, Kind.UPPER, "2", "sigma_min(A) >= delta, ||A||_F <= R"),
    steps=(
        Smt(
            "start-high",
            "1 - c s^2 <= 1 - c delta^2 for s >= delta",
            (_ge(x, delta), _ge(a, 0)),
            le(1 - a * x**2, 1 - a * delta**2),
        ),
        Smt(
            "start-low",
            "1 - c s^2 >= 1 - c R^2 for 0 <= s <= R",
            (_ge(x, 0), le(x, R), _ge(a, 0)),
            _ge(1 - a * x**2, 1 - a * R**2),
        ),
        Cited(
            "spectral",
            "for symmetric S, ||p(S)||_2 is the largest |p| on the spectrum, and p(S) is symmetric",
            "spectral theorem; Higham, Functions of Matrices, section 1.2",
        ),
        Identity(
            "residual",
            "I - t (I + R)(I - R) = (1 - t) I + t R^2",
            1 - t * (1 + _R) * (1 - _R),
            (1 - t) + t * _R**2,
        ),
        Smt(
            "shrink-high",
            "1 - t + t x^2 <= 1 - t + t rho^2 for |x| <= rho",
            (_ge(t, 1), _ge(x, -rho), le(x, rho)),
            le(1 - t + t * x**2, 1 - t + t * rho**2),
        ),
        Smt("shrink-low", "1 - t + t x^2 >= -(t - 1)", (_ge(t, 1),), _ge(1 - t + t * x**2, 1 - t)),
        Identity("error", "X = (I - R) A^-1, so X - A^-1 = -R A^-1", (1 - _R) * _A - _A, -_R * _A),
        Smt(
            "size",
            "||I - R|| <= 1 + rho and ||A^-1|| <= 1/delta bound their product by (1 + rho)/delta",
            (_ge(x, 0), le(x, 1 + rho), _ge(y, 0), le(y * delta, 1)),
            le(x * y * delta, 1 + rho),
        ),
    ),
    source="derived here; Newton's iteration after Schulz 1933, Chebyshev scaling after Pan and Schreiber 1991",
)

NEWTON = Theorem(
    id="inverse.newton-schulz",
    title="the iteration of Newton and Schulz for the inverse, which corrects its own errors",
    statement=(
        "On sigma_min(A) >= delta, ||A||_F <= R let R_k = I - A X_k for any X_k, ||R_k||_2 <= rho, ||R_k||_F <= phi. "
        "If E = R_k + D_1 and X_{k+1} = X_k + X_k E + D_2, then R_{k+1} = R_k^2 - (I - R_k) D_1 - A D_2, so "
        "||R_{k+1}||_2 <= rho^2 + (1 + rho) ||D_1|| + R ||D_2||, the same with rho phi for rho^2 in the Frobenius "
        "norm, and ||X_{k+1} - A^-1|| <= ||R_{k+1}|| / delta. Exact products square the residual; from X_0 = c A^T "
        "it starts at rho_0 = max(1 - c delta^2, c R^2 - 1). X_k is as computed: no error is carried from step to step."
    ),
    hypotheses=("sigma_min(A) >= delta", "||A||_F <= R", "||D_1||_F <= D_L", "||D_2||_F <= D_R"),
    bound=Bound(
        (rho**2 + (1 + rho) * DL + R * DR) / delta, Kind.UPPER, "2", "sigma_min(A) >= delta, ||A||_F <= R, one step"
    ),
    steps=(
        Identity(
            "residual",
            "I - A (X + X (R + D_1) + D_2) = R^2 - (I - R) D_1 - A D_2 for R = I - AX",
            1 - _A * (_X + _X * (1 - _A * _X + _D1) + _D2),
            (1 - _A * _X) ** 2 - _A * _X * _D1 - _A * _D2,
        ),
        Identity("error", "X - A^-1 = -A^-1 R", _X - _A**-1, -(_A**-1) * (1 - _A * _X)),
        Identity(
            "drift",
            "X + f in place of X: (X + f)(I + R + D_1) + D_2 = X + X R + X D_1 + (f (I + R + D_1) + D_2), the last D_2",
            (_X + _F) * (1 + _A + _D1) + _D2,
            _X + _X * _A + _X * _D1 + (_F * (1 + _A + _D1) + _D2),
        ),
        Smt(
            "norms",
            "||R||^2 + ||I - R|| ||D_1|| + ||A|| ||D_2|| <= rho^2 + (1 + rho) D_L + R D_R",
            (_ge(x, 0), le(x, rho), _ge(y, 0), le(y, 1 + rho), _ge(a, 0), le(a, R)),
            le(x * x + y * DL + a * DR, rho**2 + (1 + rho) * DL + R * DR),
        ),
        Cited(
            "frobenius",
            "||R R||_F <= ||R||_2 ||R||_F, and ||A||_2 <= ||A||_F",
            f"{_HIGHAM}, section B.7",
        ),
        Smt(
            "size",
            "X = A^-1 (I - R) is at most (1 + rho)/delta",
            (_ge(x, 0), le(x, 1 + rho), _ge(y, 0), le(y * delta, 1)),
            le(x * y * delta, 1 + rho),
        ),
        Induction(
            "squaring",
            "without errors ||R_k|| <= rho_0^(2^k): each exponent twice the last",
            Identity("squaring-base", "k = 0", rho**1, rho),
            Identity("squaring-step", "(rho^q)^2 = rho^(2q)", (rho**q) ** 2, rho ** (2 * q)),
        ),
    ),
    source="derived here; the iteration after Schulz 1933",
    uses=("inverse.coupled",),
    formulas={"frobenius": (rho * phi + (1 + rho) * DL + R * DR) / delta},
)

NEUMANN = Theorem(
    id="inverse.neumann",
    title="Neumann's series and product for the inverse",
    statement=(
        "If ||I - A|| <= rho < 1 and B = I - A, then A^-1 = sum_k B^k, ||A^-1 - sum_{k<m} B^k|| <= rho^m/(1 - "
        "rho), and "
        "sum_{k<2^J} B^k = prod_{j<J} (I + B^(2^j))."
    ),
    hypotheses=("||I - A|| <= rho < 1 in a submultiplicative norm with ||I|| = 1",),
    bound=Bound(rho**m / (1 - rho), Kind.UPPER, "2", "||I - A||_2 <= rho"),
    steps=(
        Induction(
            "telescope",
            "(I - B)(I + B + ... + B^(m-1)) = I - B^m",
            Identity("telescope-base", "m = 1", 1 - x, 1 - x),
            Identity(
                "telescope-step", "(1 - B^m) + (1 - B) B^m = 1 - B^(m+1)", (1 - x**m) + (1 - x) * x**m, 1 - x ** (m + 1)
            ),
        ),
        Identity("doubling", "(I + S)(I + Q) = I + (S + Q + S Q)", (1 + _A) * (1 + _R), 1 + (_A + _R + _A * _R)),
        GEOMETRIC,
    ),
    source="classical; Higham, Functions of Matrices, section 4.3",
    uses=("series.tail",),
)

SIGN = Theorem(
    id="sign.series",
    title="the matrix sign as a series in the residual",
    statement=(
        "If ||I - A^2||_2 <= rho < 1 and ||A||_2 <= nu, then with E = I - A^2 the sign of A is A (I - E)^(-1/2), "
        "and cutting "
        "the binomial series of (1 - z)^(-1/2) after degree q errs by at most nu rho^(q+1)/(1 - rho)."
    ),
    hypotheses=("||I - A^2||_2 <= rho < 1", "||A||_2 <= nu (the first clause alone bounds nothing)"),
    bound=Bound(nu * rho ** (q + 1) / (1 - rho), Kind.UPPER, "2", "||I - A^2||_2 <= rho, ||A||_2 <= nu"),
    steps=(
        Cited("definition", "sign A = A (A^2)^(-1/2)", f"{_HIGHAM}, equation (5.5)"),
        Identity("residual", "A^2 = I - E for E = I - A^2", _A**2, 1 - (1 - _A**2)),
        Smt("coefficients", "(k + 1/2)/(k + 1) <= 1", (_ge(k, 1),), le((2 * k + 1) / (2 * k + 2), 1)),
        Smt(
            "scale",
            "||A|| times the series' tail",
            (_ge(x, 0), le(x, nu), _ge(y, 0), le(y, mu)),
            le(x * y, nu * mu),
        ),
    ),
    source="Higham, Functions of Matrices, section 5.1; the domain derived here",
    uses=("series.tail",),
)

COSINE = Theorem(
    id="cos.doubling",
    title="the cosine by doubling angles",
    statement=(
        "With C = cos X - I, cos 2X - I = 4C + 2C^2. If ||C|| <= cosh(theta) - 1 and C carries an error of norm d, the "
        "doubled one carries at most 4 cosh(theta) d + 2 d^2."
    ),
    hypotheses=("||X|| <= theta in the analysis norm",),
    bound=Bound(4 * sp.cosh(R) * mu + 2 * mu**2, Kind.UPPER, "2", "||X|| <= R, error mu before the doubling"),
    steps=(
        Identity("doubling", "2 (I + C)^2 - 2 I = 4C + 2C^2", 2 * (1 + _A) ** 2 - 2, 4 * _A + 2 * _A**2),
        Cited("angle", "cos 2X = 2 cos^2 X - I", f"{_HIGHAM}, section 12.1"),
        Identity(
            "error",
            "4(C + E) + 2(C + E)^2 - 4C - 2C^2 = 4E + 2(CE + EC) + 2E^2",
            4 * (_A + _E) + 2 * (_A + _E) ** 2 - 4 * _A - 2 * _A**2,
            4 * _E + 2 * (_A * _E + _E * _A) + 2 * _E**2,
        ),
        Identity("factor", "4 + 4 (cosh - 1) = 4 cosh", 4 + 4 * (sp.cosh(R) - 1), 4 * sp.cosh(R)),
        Smt(
            "majorant",
            "the series of cos X - I is bounded by that of cosh - 1, term by term",
            (_ge(x, 0), le(x, y), _ge(a, 0)),
            le(a * x, a * y),
        ),
    ),
    source="derived here; Higham, Functions of Matrices, section 12.3",
    uses=("series.tail",),
)
