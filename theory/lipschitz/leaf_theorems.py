"""Dense layers, convolutions and entrywise maps: the leaves of ``theory.lipschitz.leaves`` as theorems."""

from __future__ import annotations

import sympy as sp

from theory.lipschitz.common_steps import CAUCHY, MONOTONE_POWER, SMALL_POWER
from theory.steps import Cited, Identity, Induction, Positive, Smt, le
from theory.symbols import a, b, eps, eta, gap, k, lam, mu, n, rho, t, tau, u, v, w, x, xi, y, z, zeta
from theory.theorem import Bound, Kind, Theorem

__all__ = ["AFFINE", "CONVOLUTION", "GELU", "RELU", "ROOT", "SIGMOID", "SPECTRAL", "SPLINE", "TANH"]

_HERE = "derived here"

_SCHUR = Smt(
    "schur-test",
    "(sum_j w_j x_j)^2 <= (sum_j w_j)(sum_j w_j x_j^2), w >= 0: their difference is a sum of such pairs (u, v weights)",
    (le(0, u), le(0, v)),
    le(u * v * 2 * x * y, u * v * (x**2 + y**2)),
)
_ROWS = Smt(
    "rows-and-columns",
    "so ||Wx||^2 <= (largest row sum)(largest column sum) ||x||^2: rows bound the first factor, columns the second",
    (le(0, u), le(0, v), le(0, z), le(z, u * t), le(t, v * gap**2)),
    le(z, u * v * gap**2),
)

AFFINE = Theorem(
    id="lipschitz.affine",
    title="dense layers, and norms that bound them",
    statement=(
        "x -> W x + b is certified by (||W||_2, 1, ||b||); at m positions at once by (||W||_2, 1, sqrt(m) ||b||). "
        "||W||_2 is at most the Frobenius norm, and at most sqrt(||W||_1 ||W||_inf)."
    ),
    hypotheses=("u, v the largest sums of |W| over a row and over a column",),
    bound=Bound(sp.sqrt(u * v), Kind.UPPER, "2", "||W||_2"),
    steps=(
        CAUCHY,
        Smt(
            "frobenius",
            "row by row (W x)_i^2 <= |W_i|^2 |x|^2; rows add (x, y two parts of the sum)",
            (le(x, u * gap**2), le(y, v * gap**2)),
            le(x + y, (u + v) * gap**2),
        ),
        _SCHUR,
        _ROWS,
        Identity("positions", "m copies of b", n * eta**2, (sp.sqrt(n) * eta) ** 2),
    ),
    source=_HERE,
)

SPECTRAL = Theorem(
    id="lipschitz.spectral-norm",
    title="the 2-norm of a matrix, certified from above by Cholesky",
    statement=(
        "tau I - W^T W = C^T C - E with ||E||_2 <= eps: then ||W||_2 <= sqrt(tau + eps). A floating-point Cholesky "
        "factorisation that runs to its end gives such C and eps."
    ),
    hypotheses=("tau, eps >= 0",),
    bound=Bound(sp.sqrt(tau + eps), Kind.UPPER, "2", "||W||_2, where tau I - W^T W + E = C^T C"),
    steps=(
        Smt(
            "gram",
            "||Wx||^2 = tau |x|^2 - |Cx|^2 + x^T E x <= (tau + eps) |x|^2 (x its left side, u = |Cx|^2, v = x^T E x)",
            (le(x, tau * gap**2 - u + v), le(0, u), le(v, eps * gap**2)),
            le(x, (tau + eps) * gap**2),
        ),
        Cited(
            "cholesky",
            "Cholesky of B in floating point that completes: C^T C = B + E, ||E||_2 <= g/(1 - g) trace(B), "
            "g = gamma_(p+1)",
            "Rump, Verification of positive definiteness, BIT 46 (2006) 433-452",
        ),
    ),
    source=_HERE,
)

CONVOLUTION = Theorem(
    id="lipschitz.convolution",
    title="convolutions, zero padding, any stride and dilation",
    statement=(
        "A convolution with taps K_1, ..., K_m (matrices from input to output channels) has 2-norm at most "
        "sum_k ||K_k||_2, and at most the root of (largest sum of |K| over an output channel) times (over an input "
        "channel), whatever the size of the input."
    ),
    hypotheses=("zero padding", "stride and dilation at least 1"),
    bound=Bound(u + v, Kind.UPPER, "2", "u, v norms of two taps; more add up"),
    steps=(
        Smt(
            "shift",
            "a tap reads each input position at most once: the sum of squares read is at most the whole sum",
            (le(0, x), le(0, y), le(z, x)),
            le(z, x + y),
        ),
        Induction(
            "taps",
            "norms of sums add (triangle inequality), one tap more",
            Smt("base", "one tap", (le(x, u * gap),), le(x, u * gap)),
            Smt("step", "one tap more", (le(x, u * gap), le(y, v * gap), le(z, x + y)), le(z, (u + v) * gap)),
        ),
        _SCHUR,
        _ROWS,
    ),
    source=_HERE,
    uses=("lipschitz.affine",),
)

RELU = Theorem(
    id="lipschitz.relu",
    title="relu and its leaky forms",
    statement="|f(x) - f(y)| <= max(1, |slope|) |x - y| for f(x) = x above 0 and slope x below; f(0) = 0.",
    hypotheses=("lambda = max(1, |slope|)",),
    bound=Bound(lam, Kind.TIGHT, "abs", "all x, y"),
    steps=(
        Smt(
            "same-side",
            "both above 0, or both below (slope a)",
            (le(a, lam), le(-a, lam), le(y, x)),
            le(a * (x - y), lam * (x - y)),
        ),
        Smt(
            "across",
            "x >= 0 >= y, upwards",
            (le(1, lam), le(a, lam), le(-a, lam), le(0, x), le(y, 0)),
            le(x - a * y, lam * (x - y)),
        ),
        Smt(
            "across-down",
            "and downwards",
            (le(1, lam), le(a, lam), le(-a, lam), le(0, x), le(y, 0)),
            le(-(x - a * y), lam * (x - y)),
        ),
    ),
    source=_HERE,
)

SIGMOID = Theorem(
    id="lipschitz.sigmoid",
    title="the logistic function",
    statement=(
        "sigma is 1/4-Lipschitz, 0 < sigma < 1, sigma(0) = 1/2; on n entries the output's norm is below sqrt(n)."
    ),
    hypotheses=("n entries",),
    bound=Bound(sp.Rational(1, 4), Kind.TIGHT, "abs", "all x, y"),
    steps=(
        Identity(
            "slope",
            "sigma' = sigma (1 - sigma)",
            sp.diff(1 / (1 + sp.exp(-x)), x),
            1 / (1 + sp.exp(-x)) * (1 - 1 / (1 + sp.exp(-x))),
        ),
        Smt("quarter", "u (1 - u) <= 1/4", (), le(u * (1 - u), sp.Rational(1, 4))),
        Identity("attained", "at u = 1/2", sp.Rational(1, 2) * (1 - sp.Rational(1, 2)), sp.Rational(1, 4)),
        Smt("entries", "n squares below 1", (le(0, x), le(0, u), le(u, 1), le(x, n)), le(x + u**2, n + 1)),
    ),
    source=_HERE,
    uses=("lipschitz.jacobian",),
)

TANH = Theorem(
    id="lipschitz.tanh",
    title="tanh",
    statement="tanh is 1-Lipschitz, |tanh| < 1, tanh(0) = 0; on n entries the output's norm is below sqrt(n).",
    hypotheses=("n entries",),
    bound=Bound(sp.Integer(1), Kind.TIGHT, "abs", "all x, y"),
    steps=(
        Identity("slope", "tanh' = 1 - tanh^2", sp.diff(sp.tanh(x), x), 1 - sp.tanh(x) ** 2),
        Smt("one", "0 <= 1 - u^2 <= 1", (le(u**2, 1),), le(1 - u**2, 1)),
        Smt("entries", "n squares below 1", (le(0, x), le(u**2, 1), le(x, n)), le(x + u**2, n + 1)),
    ),
    source=_HERE,
    uses=("lipschitz.jacobian",),
)

_NORMAL = (1 + sp.erf(x / sp.sqrt(2))) / 2
_DENSITY = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
_PEAK = (1 + sp.erf(sp.Integer(1))) / 2 + sp.exp(-1) / sp.sqrt(sp.pi)
_ARGUMENT = sp.sqrt(2) / sp.sqrt(sp.pi) * (x + sp.Rational("0.044715") * x**3)
_TANH_SLOPE = (
    1 / (1 + sp.exp(-2 * _ARGUMENT)) + 2 * x * sp.diff(_ARGUMENT, x) / (sp.exp(_ARGUMENT) + sp.exp(-_ARGUMENT)) ** 2
)

GELU = Theorem(
    id="lipschitz.gelu",
    title="GELU, exact and in its tanh form",
    statement=(
        "x Phi(x), and x (1 + tanh(sqrt(2/pi)(x + 0.044715 x^3)))/2, are 1.13-Lipschitz and at most |x| in absolute "
        "value. The exact form's largest slope is Phi(sqrt 2) + sqrt(2) phi(sqrt 2) = 1.1289..., at x = sqrt(2)."
    ),
    hypotheses=("real x, y",),
    bound=Bound(sp.Rational(113, 100), Kind.UPPER, "abs", "all x, y"),
    steps=(
        Identity("slope", "(x Phi)' = Phi + x phi", sp.diff(x * _NORMAL, x), _NORMAL + x * _DENSITY),
        Identity("bend", "its derivative is phi (2 - x^2)", sp.diff(_NORMAL + x * _DENSITY, x), _DENSITY * (2 - x**2)),
        Smt("rises", "so it rises on |x| <= sqrt 2 and falls outside", (le(0, u), le(x**2, 2)), le(0, u * (2 - x**2))),
        Identity(
            "reflected",
            "slopes at x and -x add to 1: the least slope is 1 minus the largest",
            (_NORMAL + x * _DENSITY) + (_NORMAL + x * _DENSITY).subs(x, -x),
            sp.Integer(1),
        ),
        Positive("peak", "the largest slope is below 1.13", sp.Rational(113, 100) - _PEAK, {}),
        Identity("peak-value", "at sqrt 2", (_NORMAL + x * _DENSITY).subs(x, sp.sqrt(2)), _PEAK),
        Identity(
            "tanh-slope",
            "the tanh form's slope, with tanh w = 2/(1 + e^(-2w)) - 1",
            sp.diff(x / (1 + sp.exp(-2 * _ARGUMENT)), x),
            _TANH_SLOPE,
        ),
        Positive("tanh-below", "is below 1.13 on [-8, 8]", sp.Rational(113, 100) - _TANH_SLOPE, {x: (-8, 8)}),
        Positive("tanh-above", "and above -1.13 there", sp.Rational(113, 100) + _TANH_SLOPE, {x: (-8, 8)}),
        Smt(
            "tail-argument",
            "x w' <= 3 w for w = k (x + c x^3), x >= 0",
            (le(0, x), le(0, a), le(0, b)),
            le(x * a * (1 + 3 * b * x**2), 3 * a * (x + b * x**3)),
        ),
        Smt(
            "tail",
            "past 8, w >= 6 and with v = e^(-w) <= 1/400, u = w e^(-w) <= 1: |slope| <= 1 + 6 u v < 1.13",
            (le(0, u), le(u, 1), le(0, v), le(v, sp.Rational(1, 400)), le(x, 1 + 6 * u * v)),
            le(x, sp.Rational(113, 100)),
        ),
        Positive("tail-start", "w(8) > 6 and e^(-6) < 1/400", _ARGUMENT.subs(x, 8) - 6, {}),
        Positive("tail-power", "e^(-6) < 1/400", sp.Rational(1, 400) - sp.exp(-6), {}),
        Smt("size", "0 <= Phi <= 1", (le(0, u), le(u, 1)), le((x * u) ** 2, x**2)),
    ),
    source="derived here; GELU: Hendrycks and Gimpel, arXiv 1606.08415",
    uses=("lipschitz.jacobian",),
)

SPLINE = Theorem(
    id="lipschitz.spline",
    title="continuous piecewise polynomials, quadratic and cubic splines among them",
    statement=(
        "f continuous, on each piece a polynomial sum_k a_k x^k: with b_(k-1) the largest k |a_k| over the pieces, f "
        "applied to every entry is certified by c = 1 and P(s, t) = b_0 + sum_{k>=1} b_k (s^k + t^k)."
    ),
    hypotheses=("finitely many pieces", "f continuous"),
    bound=Bound(b + a * (xi**k + zeta**k), Kind.UPPER, "fro", "b = b_0, a = b_k, more terms alike"),
    steps=(
        Identity("slope", "(a x^k)' = k a x^(k-1)", sp.diff(a * tau**k, tau), k * a * tau ** (k - 1)),
        Induction(
            "pieces",
            "|f(x) - f(y)| <= L |x - y| adds up over the pieces between x and y (u, v lengths, continuity between)",
            Smt("base", "one piece", (le(x, lam * u),), le(x, lam * u)),
            Smt("step", "one piece more", (le(x, lam * u), le(y, lam * v), le(z, x + y)), le(z, lam * (u + v))),
        ),
        MONOTONE_POWER,
        Smt(
            "entries",
            "|x_i| <= ||x||, and the squares add over entries (x, y two parts of the sum)",
            (le(x, lam**2 * u), le(y, lam**2 * v)),
            le(x + y, lam**2 * (u + v)),
        ),
    ),
    source="derived here; the use of splines in networks: Durkan et al. 2019, Cai et al. 2022",
    uses=("lipschitz.jacobian",),
)
ROOT = Theorem(
    id="lipschitz.root",
    title="roots: exponents below 1 do occur",
    statement="x -> |x|^c on n entries, 0 < c <= 1, is certified by (n^((1-c)/2), c, 0).",
    hypotheses=("0 < c <= 1 rational",),
    bound=Bound(sp.Pow(n, (1 - mu) / 2), Kind.TIGHT, "fro", "n entries, c = mu"),
    steps=(
        SMALL_POWER,
        Smt(
            "subadditive",
            "with w + z = 1, 0 <= w, z, and powers u >= w, v >= z (shares of a sum, to the power c): 1 <= u + v",
            (le(1, w + z), le(w, u), le(z, v)),
            le(1, u + v),
        ),
        MONOTONE_POWER,
        Cited(
            "jensen",
            "sum_i d_i^(2c) <= n^(1-c) (sum_i d_i^2)^c, since t -> t^c is concave; equality for equal d_i",
            "Hardy, Littlewood and Polya, Inequalities, Theorem 16",
        ),
        Identity("attained", "n equal entries: n d^(2c) = n^(1-c) (n d^2)^c", n * rho ** (2 * mu),
                 sp.powdenest(n ** (1 - mu) * (n * rho**2) ** mu, force=True)),
    ),
    source=_HERE,
)  # fmt: skip
