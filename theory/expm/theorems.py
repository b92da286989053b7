"""Truncating e^A, and how errors run through a matrix program, with proofs."""

from __future__ import annotations

import sympy as sp

from theory.expm.formulas import PRODUCT_SHARE, TAIL, UNIFORM
from theory.steps import Identity, Induction, Positive, Smt, eq, le, lt
from theory.symbols import (
    BL,
    BR,
    DL,
    DR,
    MATRICES,
    M,
    N,
    a,
    b,
    delta,
    eps,
    eta,
    h,
    j,
    k,
    mu,
    n,
    p,
    q,
    t,
    tau,
    theta,
    u,
    v,
    w,
    x,
    y,
    z,
)
from theory.theorem import Bound, Kind, Theorem

__all__ = ["PROPAGATION", "TRUNCATION"]

_BOX = "|a_ij| <= M with nu(X) = n max|x_ij| and theta = nM, or ||A||_2 <= theta"
_LEFT, _RIGHT, _LEFT_ERROR, _RIGHT_ERROR = MATRICES


def _log_factorial(number: sp.Expr) -> sp.Expr:
    """ln(e (k/e)^k), which k! is at least."""
    return 1 + number * sp.log(number) - number


_TRUNCATION_STEPS = (
    Induction(
        "submultiplicative",
        "|sum of n products x_k y_k| <= n a b for |x_k| <= a, |y_k| <= b, so nu(X Y) <= nu(X) nu(Y), nu = n max",
        Smt(
            "base",
            "one product",
            (le(x, a), le(-a, x), le(y, b), le(-b, y), le(0, a), le(0, b)),
            le((x * y - a * b) * (x * y + a * b), 0),
        ),
        Smt("step", "one more", (le(u, k * w), le(-k * w, u), le(v, w), le(-w, v)), le(u + v, (k + 1) * w)),
    ),
    Identity("nu-product", "n (n a b) = (n a)(n b)", n * (n * a * b), (n * a) * (n * b)),
    Induction(
        "box-power",
        "entrywise |A^k| <= M^k n^(k-1) J, J all ones, J^2 = n J",
        Identity("base", "k = 1", M**1 * n**0, M),
        Identity("step", "(M^k n^(k-1) J)(M J)", M**k * n ** (k - 1) * M * n, M ** (k + 1) * n**k),
    ),
    Identity(
        "box-exponential",
        "so |e^A - I| <= ((e^theta - 1)/n) J: M^k n^(k-1) = theta^k/n",
        M**k * n ** (k - 1),
        (n * M) ** k / n,
    ),
    Identity("first", "the first term left out", theta ** (q + 1) / sp.factorial(q + 1), TAIL * (1 - theta / (q + 2))),
    Smt(
        "ratio",
        "later terms shrink by theta/(k+1) <= theta/(q+2) each, k > q",
        (le(q + 1, k), le(0, x)),
        le(x * theta / (k + 1), x * theta / (q + 2)),
    ),
    Induction(
        "geometric",
        "1 + x + ... + x^j = (1 - x^(j+1))/(1 - x), at most 1/(1 - x) for 0 <= x < 1",
        Identity("base", "j = 0", sp.Integer(1), (1 - x) / (1 - x)),
        Identity("step", "j -> j + 1", (1 - x ** (j + 1)) / (1 - x) + x ** (j + 1), (1 - x ** (j + 2)) / (1 - x)),
    ),
)

_ENOUGH_STEPS = (
    Identity("log-slope", "t - ln(1 + t): 0 at 0, slope t/(1 + t) >= 0", sp.diff(t - sp.log(1 + t), t), t / (1 + t)),
    Induction(
        "factorial",
        "k! >= e (k/e)^k: ln(e (k/e)^k) grows by at most ln(k+1)",
        Identity("base", "1! = e (1/e)", _log_factorial(sp.Integer(1)), sp.log(sp.factorial(1))),
        Identity(
            "step",
            "by ln(k+1) + (k ln(1 + 1/k) - 1), and k ln(1 + 1/k) <= 1",
            _log_factorial(k + 1) - _log_factorial(k),
            sp.log(k + 1) + k * (sp.log(k + 1) - sp.log(k)) - 1,
        ),
    ),
    Identity(
        "convex",
        "(1 + t) ln(1 + t) - t is 0 at 0 and its slope ln(1 + t) >= 0: (1 + t) ln(1 + t) >= t",
        sp.diff((1 + t) * sp.log(1 + t) - t, t),
        sp.log(1 + t),
    ),
    Identity(
        "exponent",
        "at k = e theta (1 + t), t = ln(1/eps)/(e theta): ln((e theta/k)^k) = -e theta (1 + t) ln(1 + t)",
        (sp.E * theta * (1 + tau)) * (1 + sp.log(theta) - sp.expand_log(sp.log(sp.E * theta * (1 + tau)))),
        -sp.E * theta * (1 + tau) * sp.log(1 + tau),
    ),
    Identity(
        "target",
        "which is at most -e theta t = ln eps",
        -sp.E * theta * (sp.log(1 / eps) / (sp.E * theta)),
        sp.log(eps),
    ),
    Identity(
        "monotone",
        "(e theta/k)^k falls in k from theta on: the slope of its logarithm is ln(theta/k)",
        sp.diff(mu * (1 + sp.log(theta) - sp.log(mu)), mu),
        sp.log(theta) - sp.log(mu),
    ),
    Positive("factor", "and 1/(1 - theta/(k+1)) <= 1/(1 - 1/e) <= e pays for it", sp.E - 1 / (1 - 1 / sp.E), {}),
)

TRUNCATION = Theorem(
    id="expm.truncation",
    title="cutting the exponential's Taylor series",
    statement=(
        "In a submultiplicative norm with ||A|| <= theta < q + 2, ||e^A - T_q(A)|| <= theta^(q+1)/(q+1)! / (1 - "
        "theta/(q+2)). On the box |a_ij| <= M this holds for nu(X) = n max|x_ij|, theta = nM, which dominates the "
        "Frobenius, 2-, inf- and 1-norm; on the ball for the 2-norm, times sqrt(n) in Frobenius norm. q + 1 >= e "
        "theta + ln(1/eps) makes the right-hand side at most eps."
    ),
    hypotheses=("theta < q + 2", "eps <= 1 for the degree"),
    bound=Bound(TAIL, Kind.UPPER, "fro", _BOX),
    steps=(*_TRUNCATION_STEPS, *_ENOUGH_STEPS),
    source="derived here",
    formulas={"degree, at least": sp.ceiling(sp.E * theta + sp.log(1 / eps)) - 1},
)

_ERROR = BL * DR + DL * BR + DL * DR + n * delta

_PROPAGATION_STEPS = (
    Identity(
        "error",
        "(L + E)(R + F) - L R = L F + E R + E F, matrices do not commute",
        sp.expand((_LEFT + _LEFT_ERROR) * (_RIGHT + _RIGHT_ERROR) - _LEFT * _RIGHT),
        _LEFT * _RIGHT_ERROR + _LEFT_ERROR * _RIGHT + _LEFT_ERROR * _RIGHT_ERROR,
    ),
    Smt(
        "norms",
        "by the triangle inequality and submultiplicativity (on the box: theorem expm.truncation)",
        (
            le(x, BL * DR),
            le(y, DL * BR),
            le(z, DL * DR),
            le(w, n * delta),
        ),
        le(x + y + z + w, _ERROR),
    ),
    Smt("entry", "an entry is at most the Frobenius norm", (le(0, y),), le(x**2, x**2 + y)),
    Identity("entries-fro", "n^2 entries of at most delta: ||.||_F <= n delta", n**2 * delta**2, (n * delta) ** 2),
    Induction(
        "cauchy-schwarz",
        "|sum x_k y_k|^2 <= sum x_k^2 sum y_k^2: ||E F||_F <= ||E||_F ||F||_F",
        Smt("base", "nothing yet", (eq(z, 0), le(0, x), le(0, y)), le(z**2, x * y)),
        Smt(
            "step",
            "one more",
            (le(0, x), le(0, y), le(z**2, x * y)),
            le((z + a * b) ** 2, (x + a**2) * (y + b**2)),
        ),
    ),
    Induction(
        "columns",
        "||L f||^2 <= B_L^2 ||f||^2 for each column f: ||L F||_F <= ||L||_2 ||F||_F",
        Smt("base", "one column", (le(x, BL**2 * y),), le(x, BL**2 * y)),
        Smt("step", "one more", (le(x, BL**2 * y), le(u, BL**2 * v)), le(x + u, BL**2 * (y + v))),
    ),
)

_UNIFORM_STEPS = (
    Smt(
        "rounding",
        "bounds and scales of 12 bits, above by 2^-11 each, and a centre short by 2^-11: at most 257/256 in all",
        (le(1, x), le(2048 * x, 2049), le(0, y), le(3 * 2048 * y, 1)),
        le(x**4 * (1 + y), sp.Rational(257, 256)),
    ),
    Identity(
        "own",
        "n delta at factors' ranges b_L + D_L, b_R + D_R is eta (b_L + D_L)(b_R + D_R)",
        n * (sp.Rational(3, 2) * n * (mu * x) * (mu * y) / N**2) * sp.Rational(257, 256),
        PRODUCT_SHARE * x * y,
    ),
    Identity(
        "products",
        "so b + D of a product is (1 + eta)(b_L + D_L)(b_R + D_R)",
        x * y + (a * y + x * b + a * b) + eta * (x + a) * (y + b),
        (1 + eta) * (x + a) * (y + b),
    ),
    Identity(
        "monomials",
        "and monomials v theta^i z^(i-1), z = 1 + eta, stay so: z (theta^h z^(h-1)) (theta^p z^(p-1))",
        z * (theta**h * z ** (h - 1)) * (theta**p * z ** (p - 1)),
        theta ** (h + p) * z ** (h + p - 1),
    ),
    Induction(
        "power",
        "z^k - 1 <= (z - 1) k z^(k-1) for z >= 1",
        Identity("base", "k = 1", z - 1, (z - 1) * 1 * z**0),
        Smt(
            "step",
            "k -> k + 1: x = z^(k-1), y = z^k",
            (le(1, z), le(1, x), eq(y, x * z), le(y - 1, (z - 1) * k * x)),
            le(z * y - 1, (z - 1) * (k + 1) * y),
        ),
    ),
    Identity(
        "derivative",
        "so G(z theta)/z - G(theta) <= G(z theta) - G(theta) <= eta theta G'(z theta), term by term",
        theta**k * eta * k * z ** (k - 1),
        eta * theta * sp.diff(x**k, x).subs(x, z * theta),
    ),
    Smt(
        "exponential",
        "and G' <= e^x: at most eta theta e^(z theta)",
        (le(x, y), lt(0, eta)),
        le(eta * theta * x, eta * theta * y),
    ),
)

PROPAGATION = Theorem(
    id="expm.propagation",
    title="how errors run through a program of matrix products",
    statement=(
        "Let factors of norms at most b_L, b_R be known within D_L, D_R, and let a network return their product with "
        "entries off by at most delta (delta = 3/2 n B_L B_R/N^2, B_L, B_R bounds on the computed entries). Then the "
        "result is off by at most b_L D_R + D_L b_R + D_L D_R + n delta: in nu = n max|x_ij| on the box, in Frobenius "
        "norm with b_L, b_R in 2-norm on the ball. Linear combinations add. Uniform form: a program with non-negative "
        "coefficients that evaluates a polynomial G without constant term, all squarers of N pieces, errs by at most "
        "eta theta G'((1 + eta) theta), so by eta theta e^((1 + eta) theta) if G' <= e^x, with eta = 257/256 3/2 n^2 "
        "mu^2/N^2, mu = 1/n on the box and 1 on the ball."
    ),
    hypotheses=(
        "the computed entries stay within B_L, B_R",
        "ranges and scales are bounds rounded up to 12 bits (uniform form)",
    ),
    bound=Bound(_ERROR, Kind.UPPER, "fro", "one product; " + _BOX),
    steps=(*_PROPAGATION_STEPS, *_UNIFORM_STEPS),
    source="derived here",
    uses=("matmul.polarised", "matmul.square", "expm.truncation"),
    formulas={"uniform": UNIFORM, "eta": PRODUCT_SHARE},
)
