"""Moments of the inverse: finite below order 1, infinite from order 1 on, and the rate near singular matrices.

sigma is the least singular value of an n x n matrix, so ||A^-1||_2 = 1/sigma; real orders k are called mu.
"""

from __future__ import annotations

import sympy as sp

from theory.lipschitz.sharp import ball_volume
from theory.steps import Cited, Identity, Induction, Smt, le, lt
from theory.symbols import M, N, P, R, a, b, delta, gap, mu, n, nu, rho, tau, u, v, w, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["FINITE", "GAUSSIAN", "GAUSSIAN_2", "RATE", "TAIL", "density_at_zero", "gaussian_density_at_zero"]

_HERE = "derived here"
_GEOMETRIC = (
    "derived here; Edelman, SIAM J. Matrix Anal. Appl. 9 (1988) 543, has the density of sigma for Gaussian matrices"
)

#: P(sigma <= t) <= this, for a density at most M on ||A||_F <= R: t is tau.
_SLOPE = 2 * n ** sp.Rational(3, 2) * M * ball_volume(n - 1) * R ** (n - 1) * ball_volume(n**2 - n) * R ** (n**2 - n)

TAIL = Theorem(
    id="inversion.moments.tail",
    title="matrices within t of a singular one have measure of order t",
    statement=(
        "A has a density at most D on ||A||_F <= R and 0 outside: P(sigma <= t) <= 2 n^(3/2) t D omega_{n-1} R^(n-1) "
        "omega_{n^2-n} R^(n^2-n), omega_d the volume of the unit ball in d dimensions (t = tau and D = M in "
        "the formula)."
    ),
    hypotheses=("density at most D, supported on ||A||_F <= R",),
    bound=Bound(_SLOPE * tau, Kind.UPPER, "measure", "||A||_F <= R"),
    steps=(
        Induction(
            "pigeonhole",
            "P squares below 1/n add to less than P/n: of a unit vector's n entries one has v_j^2 >= 1/n",
            Smt("base", "one square", (lt(x, 1 / n),), lt(x, 1 / n)),
            Smt("step", "one more", (lt(x, P / n), lt(y, 1 / n)), lt(x + y, (P + 1) / n)),
        ),
        Smt(
            "column",
            "|A v| = sigma <= t: column j is within t/|v_j| of the span of the others, and (t/v_j)^2 <= n t^2",
            (lt(0, v), le(1, n * v**2), le(u * v, tau), le(0, u)),
            le(u**2, n * tau**2),
        ),
        Smt(
            "section",
            "sections of the ball ||x|| <= R across the span have radius at most R",
            (le(0, z), le(z, R**2 - x**2)),
            le(z, R**2),
        ),
        Identity(
            "slab",
            "so, given the other columns, column j has 2 t sqrt(n) omega_{n-1} R^(n-1) of room; n columns, and Fubini",
            n
            * 2
            * (tau * sp.sqrt(n))
            * M
            * ball_volume(n - 1)
            * R ** (n - 1)
            * ball_volume(n**2 - n)
            * R ** (n**2 - n),
            _SLOPE * tau,
        ),
    ),
    source=_HERE,
)

FINITE = Theorem(
    id="inversion.moments.finite",
    title="moments of order below 1 are finite",
    statement=(
        "P(sigma <= t) <= C t for all t > 0: then E||A^-1||_2^k <= C^k/(1 - k) for 0 < k < 1, and E||g(A) - "
        "A^-1||_2^k <= "
        "G^k + C^k/(1 - k) for every g with ||g||_2 <= G. With a bounded density on a bounded set, C is given by "
        "inversion.moments.tail."
    ),
    hypotheses=("P(sigma <= t) <= C t", "0 < k < 1"),
    bound=Bound(rho**mu / (1 - mu), Kind.UPPER, "moment", "rho = C, mu = k < 1"),
    steps=(
        Identity(
            "layers",
            "E sigma^-k = int_0^infinity P(sigma^-k > u) du, P(sigma < u^(-1/k)) <= C u^(-1/k): a primitive",
            sp.diff(rho * tau ** (1 - 1 / mu) / (1 - 1 / mu), tau),
            rho * tau ** (-1 / mu),
        ),
        Smt("exponent", "1 - 1/k < 0: it vanishes at infinity", (lt(mu, 1),), lt(mu - 1, 0)),
        Identity(
            "sum",
            "C^k for u <= C^k, where the probability is at most 1, and the rest from there",
            sp.powdenest(rho**mu - rho * (rho**mu) ** (1 - 1 / mu) / (1 - 1 / mu), force=True),
            rho**mu / (1 - mu),
        ),
        Smt(
            "subadditive",
            "shares w, z of a sum with w + z = 1 and powers u >= w, v >= z: (x + y)^k <= x^k + y^k for k <= 1",
            (le(1, w + z), le(w, u), le(z, v)),
            le(1, u + v),
        ),
    ),
    source=_HERE,
    uses=("inversion.moments.tail",),
)


def gaussian_density_at_zero(size: sp.Expr) -> sp.Expr:
    """Return the limit of P(sigma < d)/d for independent standard Gaussian entries: E chi_n."""
    return sp.sqrt(2) * sp.gamma((size + 1) / 2) / sp.gamma(size / 2)


def density_at_zero(size: sp.Expr, radius: sp.Expr) -> sp.Expr:
    """Return the limit of P(sigma < d)/d for the uniform distribution on the ball ||A||_F <= radius."""
    inverse_chi = sp.gamma((size**2 - 1) / 2) / (sp.sqrt(2) * sp.gamma(size**2 / 2))
    return gaussian_density_at_zero(size) / inverse_chi * size**2 / ((size**2 - 1) * radius)


_BELL = sp.exp(-(x**2) / 2)

GAUSSIAN_2 = Theorem(
    id="inversion.moments.gaussian-2",
    title="standard Gaussian 2 x 2 matrices: P(sigma < d)/d -> sqrt(pi/2)",
    statement=(
        "A = [[a, b], [y, z]] with independent standard Gaussian entries: sigma = |p - q|/sqrt(2) for "
        "independent p, q "
        "of density r e^(-r^2/2), and P(sigma < d)/d tends to sqrt(pi/2) as d -> 0."
    ),
    hypotheses=("independent standard Gaussian entries", "n = 2"),
    bound=Bound(sp.sqrt(sp.pi / 2), Kind.TIGHT, "measure", "the limit of P(sigma < d)/d"),
    steps=(
        Identity(
            "sum",
            "||A||_F^2 + 2 det A = (a + z)^2 + (b - y)^2, which is (sigma_1 + sigma_2)^2 where det A >= 0",
            a**2 + b**2 + y**2 + z**2 + 2 * (a * z - b * y),
            (a + z) ** 2 + (b - y) ** 2,
        ),
        Identity(
            "difference",
            "||A||_F^2 - 2 det A = (a - z)^2 + (b + y)^2, the other one of (sigma_1 +- sigma_2)^2",
            a**2 + b**2 + y**2 + z**2 - 2 * (a * z - b * y),
            (a - z) ** 2 + (b + y) ** 2,
        ),
        Identity(
            "rotation",
            "(a + z, b - y, a - z, b + y)/sqrt(2) is a rotation of (a, b, y, z): again independent standard Gaussian",
            ((a + z) ** 2 + (b - y) ** 2 + (a - z) ** 2 + (b + y) ** 2) / 2,
            a**2 + b**2 + y**2 + z**2,
        ),
        Identity("rayleigh", "the norm of two has P(p > r) = e^(-r^2/2), density f", sp.diff(-_BELL, x), x * _BELL),
        Identity(
            "square",
            "int_0^infinity f^2 = sqrt(pi)/4: the primitive rises by that (erf goes from 0 to 1)",
            sp.diff(-x * sp.exp(-(x**2)) / 2 + sp.sqrt(sp.pi) * sp.erf(x) / 4, x),
            (x * _BELL) ** 2,
        ),
        Identity("slope", "f' = (1 - x^2) e^(-x^2/2)", sp.diff(x * _BELL, x), (1 - x**2) * _BELL),
        Smt(
            "continuous",
            "|f'| <= 1, since e^(-x^2/2) = u <= 1/(1 + x^2/2 + x^4/8): so int f(r) f(r + h) dr is within |h| "
            "of int f^2",
            (le(0, u), le(u * (1 + x**2 / 2 + x**4 / 8), 1)),
            le(((1 - x**2) * u) ** 2, 1),
        ),
        Identity(
            "limit",
            "P(|p - q| < sqrt(2) d)/d -> 2 sqrt(2) int f^2",
            2 * sp.sqrt(2) * sp.sqrt(sp.pi) / 4,
            sp.sqrt(sp.pi / 2),
        ),
        Identity(
            "as-stated",
            "which is sqrt(2) Gamma(3/2)/Gamma(1)",
            gaussian_density_at_zero(sp.Integer(2)),
            sp.sqrt(sp.pi / 2),
        ),
    ),
    source=_GEOMETRIC,
)

GAUSSIAN = Theorem(
    id="inversion.moments.gaussian",
    title="standard Gaussian matrices: P(sigma < d)/d tends to the mean length of a Gaussian vector",
    statement=(
        "A n x n with independent standard Gaussian entries: P(sigma < d)/d -> E chi_n = sqrt(2) "
        "Gamma((n+1)/2)/Gamma(n/2)."
    ),
    hypotheses=("independent standard Gaussian entries", "n >= 2"),
    bound=Bound(gaussian_density_at_zero(n), Kind.TIGHT, "measure", "the limit of P(sigma < d)/d"),
    steps=(
        Cited(
            "density",
            "the singular values have a joint density prop. to prod_{i<j} (s_i^2 - s_j^2) e^(-|s|^2/2), the "
            "right singular "
            "vectors are uniform and independent of them: so P(sigma < d) = p d + O(d^2) and P(sigma_{n-1} < "
            "s) = O(s^4)",
            "Muirhead, Aspects of Multivariate Statistical Theory (1982), section 3.2",
        ),
        Identity(
            "distance",
            "h, the distance of the last column to the span of the others, is |Gaussian|: density sqrt(2/pi) at 0",
            sp.diff(sp.erf(x / sp.sqrt(2)), x).subs(x, 0),
            sp.sqrt(2 / sp.pi),
        ),
        Smt(
            "inside",
            "1/h^2 = |last row of A^-1|^2 = sum v_i^2/sigma_i^2 >= v^2/sigma^2: h v <= sigma (u = 1/h, x = 1/sigma)",
            (le(0, u), le(0, x), le(0, v), le(v**2 * x**2, u**2)),
            le(v * x, u),
        ),
        Smt(
            "outside",
            "and at most v^2/sigma^2 + 1/s^2 where sigma_{n-1} >= s (y = 1/s): the rest has probability o(h) "
            "at s = h^(1/2)",
            (le(u**2, v**2 * x**2 + (1 - v**2) * y**2), le(v**2, 1)),
            le(u**2, v**2 * x**2 + y**2),
        ),
        Identity(
            "component",
            "so sqrt(2/pi) = p E|v|, and E|v| = E|Gaussian|/E chi_n (direction and length are independent)",
            sp.sqrt(2 / sp.pi) / (sp.sqrt(2 / sp.pi) / gaussian_density_at_zero(n)),
            gaussian_density_at_zero(n),
        ),
        Induction(
            "length",
            "int_0^infinity r^m e^(-r^2/2) dr = 2^((m-1)/2) Gamma((m+1)/2), by parts from m to m + 2; E "
            "chi_n is the ratio "
            "for m = n and m = n - 1",
            Identity(
                "base",
                "m = 0 and m = 1: the ratio of the two is sqrt(2/pi)",
                (2 ** sp.Integer(0) * sp.gamma(1)) / (2 ** sp.Rational(-1, 2) * sp.gamma(sp.Rational(1, 2))),
                sp.sqrt(2 / sp.pi),
            ),
            Identity(
                "step",
                "int r^(m+2) e^(-r^2/2) = (m + 1) int r^m e^(-r^2/2)",
                2 ** ((N + 1) / 2) * sp.expand_func(sp.gamma((N + 1) / 2 + 1)),
                (N + 1) * 2 ** ((N - 1) / 2) * sp.gamma((N + 1) / 2),
            ),
        ),
        Identity(
            "ratio",
            "E chi_n",
            2 ** ((n - 1) / 2) * sp.gamma((n + 1) / 2) / (2 ** ((n - 2) / 2) * sp.gamma(n / 2)),
            gaussian_density_at_zero(n),
        ),
    ),
    source=_GEOMETRIC,
)

_P0 = density_at_zero(n, R)

RATE = Theorem(
    id="inversion.moments.rate",
    title="moments of the inverse over K_delta, as delta -> 0",
    statement=(
        "A uniform on {||A||_F <= R, sigma >= delta}: with p = the limit of P(sigma < d)/d on the ball, "
        "E||A^-1||_2^k is "
        "bounded for k < 1, p log(1/delta) + O(1) for k = 1, and p delta^(1-k)/(k-1) (1 + o(1)) for k > 1 as "
        "delta -> 0."
    ),
    hypotheses=("uniform on the ball ||A||_F <= R without sigma < delta", "n >= 2"),
    bound=Bound(_P0 * sp.log(1 / delta), Kind.RATE, "moment", "k = 1, delta -> 0"),
    steps=(
        Identity(
            "inverse-length",
            "E(1/chi_m) = Gamma((m-1)/2)/(sqrt(2) Gamma(m/2)), m = n^2",
            2 ** ((n**2 - 3) / 2) * sp.gamma((n**2 - 1) / 2) / (2 ** ((n**2 - 2) / 2) * sp.gamma(n**2 / 2)),
            sp.gamma((n**2 - 1) / 2) / (sp.sqrt(2) * sp.gamma(n**2 / 2)),
        ),
        Identity(
            "radius",
            "r of density m r^(m-1)/R^m on [0, R], m = n^2: E(1/r) = m/((m-1) R), by this primitive (R = rho)",
            sp.diff(n**2 * tau ** (n**2 - 1) / ((n**2 - 1) * rho ** (n**2)), tau),
            n**2 * tau ** (n**2 - 1) / rho ** (n**2) / tau,
        ),
        Identity(
            "uniform",
            "length and direction are independent, in the Gaussian as in the ball: p = p_Gauss/E(1/chi) E(1/r)",
            gaussian_density_at_zero(n)
            * (sp.sqrt(2) * sp.gamma(n**2 / 2) / sp.gamma((n**2 - 1) / 2))
            * (n**2 / ((n**2 - 1) * R)),
            _P0,
        ),
        Identity(
            "order-1",
            "int_delta p/x dx, p near x = 0, rises like p log(1/delta)",
            sp.diff(-sp.log(delta), delta),
            -1 / delta,
        ),
        Identity(
            "above-1",
            "k = 1 + nu: int_delta p x^(-k) dx rises like p delta^-nu/nu",
            sp.diff(delta**-nu / nu, delta),
            -(delta ** (-1 - nu)),
        ),
        Smt(
            "weights",
            "where |density - p| <= gap on [0, x], the integral of weight u is off by at most gap u",
            (le(0, u), le(v, gap), le(-v, gap)),
            le(v * u, gap * u),
        ),
    ),
    source=_HERE,
    uses=("inversion.moments.gaussian", "inversion.moments.finite"),
    formulas={
        "density_at_zero": _P0,
        "order_1": _P0 * sp.log(1 / delta),
        "order_above_1": _P0 * delta ** (1 - mu) / (mu - 1),
    },
)
