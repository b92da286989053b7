"""Ji, Wu and Xi, "Rethinking Neural-based Matrix Inversion" (arXiv 2506.00642), section 3 and appendix A, by number.

Each object states the paper's claim in the paper's generality and proves it by the rules of this package. Where more is
true, ``theory.lipschitz.sharp`` and ``theory.lipschitz.moments`` have it beside, with ids that end in ``.sharp``.
"""

from __future__ import annotations

import sympy as sp

from theory.lipschitz.common_steps import LARGE_POWER
from theory.lipschitz.rule_theorems import BOUNDED, COMPOSITION, CONCATENATION, JACOBIAN
from theory.steps import Cited, Identity, Induction, Smt, le, lt
from theory.symbols import Gg, Pf, Pg, b, beta, delta, g0, gap, lam, mu, n, nu, rho, tau, u, v, x, xi, y, z, zeta
from theory.theorem import Bound, Kind, Step, Theorem

__all__ = [
    "LEMMA_31",
    "LEMMA_32",
    "LEMMA_33",
    "LEMMA_34",
    "LEMMA_35",
    "LEMMA_36",
    "THEOREM_37",
    "THEOREM_38",
    "THEOREM_39",
    "THEOREM_A6",
]

_PAPER = "Ji, Wu and Xi, arXiv 2506.00642, "
_NORMS = "1, 2 or inf"

#: The paper's norms are the vector norms 1, 2 and inf; a certificate in one is a certificate in each.
_EQUIVALENT: tuple[Step, ...] = (
    Smt(
        "norms-12", "||x||_2^2 <= ||x||_1^2, two parts of the sum", (le(0, x), le(0, y)), le(x**2 + y**2, (x + y) ** 2)
    ),
    Smt("norms-2-inf", "||x||_inf <= ||x||_2, the largest entry u", (le(0, x), le(u**2, x)), le(u**2, x + y**2)),
    Smt("norms-1-inf", "||x||_1 <= n ||x||_inf, one entry more", (le(x, n * u), le(y, u)), le(x + y, (n + 1) * u)),
    Smt(
        "norms-change",
        "norms within factors lambda of each other: the modulus is multiplied by lambda (and by lambda^c <= "
        "1 + lambda)",
        (le(x, lam * y), le(y, Pg * z), le(z, lam * gap)),
        le(x, lam * Pg * lam * gap),
    ),
)

LEMMA_31 = Theorem(
    id="inversion.lemma-3.1",
    title="compositions of polynomially Lipschitz functions are polynomially Lipschitz",
    statement="f and g polynomially Lipschitz in the 1-, 2- or inf-norm: then so is f(g).",
    hypotheses=("f, g polynomially Lipschitz: ||f(x) - f(y)|| <= P(||x||, ||y||) ||x - y||^c, 0 < c <= 1",),
    bound=Bound(Pf * (1 + Pg), Kind.UPPER, _NORMS, "P_f at the growth of g, P_g at the points"),
    steps=(*COMPOSITION.steps, *_EQUIVALENT),
    source=_PAPER + "Lemma 3.1 (A.1); the constants are ours",
    uses=("lipschitz.growth", "lipschitz.composition"),
)

LEMMA_32 = Theorem(
    id="inversion.lemma-3.2",
    title="concatenations of polynomially Lipschitz functions are polynomially Lipschitz",
    statement="f and g polynomially Lipschitz in the 1-, 2- or inf-norm: then so is x -> (f(x), g(x)).",
    hypotheses=("f, g polynomially Lipschitz",),
    bound=Bound((Pf + Pg) * (1 + xi + zeta), Kind.UPPER, _NORMS, "exponents made equal by lipschitz.lowering"),
    steps=(*CONCATENATION.steps, *_EQUIVALENT),
    source=_PAPER + "Lemma 3.2 (A.2); the constants are ours",
    uses=("lipschitz.lowering", "lipschitz.concatenation"),
)

LEMMA_33 = Theorem(
    id="inversion.lemma-3.3",
    title="a Jacobian bounded by polynomials makes a function polynomially Lipschitz",
    statement=(
        "f has a Jacobian everywhere and its entries are bounded by polynomials in ||x||: f is polynomially Lipschitz."
    ),
    hypotheses=("the Jacobian exists everywhere (almost everywhere is not enough)",),
    bound=Bound(Pf, Kind.UPPER, _NORMS, "P_f = a_0 + sum a_k (xi^k + zeta^k), c = 1"),
    steps=(*JACOBIAN.steps, *_EQUIVALENT),
    source=_PAPER + "Lemma 3.3 (A.3); relu layers need the locally Lipschitz form, which is ours",
    uses=("lipschitz.jacobian",),
)

LEMMA_34 = Theorem(
    id="inversion.lemma-3.4",
    title="polynomially Lipschitz functions are bounded on bounded sets",
    statement="f polynomially Lipschitz and S bounded: f is bounded on S.",
    hypotheses=("||x|| <= rho on S",),
    bound=Bound(g0 + Pg * rho**mu, Kind.UPPER, _NORMS, "||x|| <= rho, P_g = P(rho, 0), c = mu"),
    steps=BOUNDED.steps,
    source=_PAPER + "Lemma 3.4; the number is ours",
    uses=("lipschitz.growth", "lipschitz.bounded"),
)

LEMMA_35 = Theorem(
    id="inversion.lemma-3.5",
    title="the layers in use are polynomially Lipschitz",
    statement=(
        "Dense and convolutional layers, relu, sigmoid, tanh, GELU, splines, layer norm (eps > 0), softmax, residual "
        "paths, RNN and LSTM cells over a fixed length, dot-product attention and transformer layers are "
        "polynomially "
        "Lipschitz, and so is every network composed of them."
    ),
    hypotheses=("lengths of sequences fixed", "eps > 0 in layer norms"),
    bound=Bound(Pf * (1 + Pg), Kind.UPPER, "fro", "the certificate that the rules compose"),
    steps=(
        Induction(
            "network",
            "a chain of certified layers is certified (u = ||g(x) - g(y)||, one layer more)",
            Smt("base", "one layer", (le(x, Pg * gap),), le(x, Pg * gap)),
            Smt("step", "one layer more", (le(0, u), le(y, Pf * u), le(u, Pg * gap)), le(y, Pf * Pg * gap)),
        ),
    ),
    source=_PAPER + "Lemma 3.5 (A.4); the constants are ours",
    uses=(
        "lipschitz.composition",
        "lipschitz.concatenation",
        "lipschitz.sum",
        "lipschitz.product",
        "lipschitz.affine",
        "lipschitz.convolution",
        "lipschitz.relu",
        "lipschitz.sigmoid",
        "lipschitz.tanh",
        "lipschitz.gelu",
        "lipschitz.spline",
        "lipschitz.layer-norm",
        "lipschitz.softmax",
        "lipschitz.attention",
        "lipschitz.rnn",
        "lipschitz.lstm",
        "lipschitz.transformer-layer",
    ),
)

LEMMA_36 = Theorem(
    id="inversion.lemma-3.6",
    title="the inverse blows up near a singular matrix of rank n - 1",
    statement=(
        "S singular of rank n - 1: there are delta > 0 and C > 0, depending on S, with ||A^-1|| >= C/||A - S|| for "
        "every invertible A with ||A - S|| <= delta."
    ),
    hypotheses=("rank S = n - 1", "A invertible, ||A - S|| <= delta"),
    bound=Bound(
        beta / (2 * lam * gap), Kind.LOWER, _NORMS, "beta = ||adj S||, lambda a Lipschitz constant of det near S"
    ),
    steps=(
        Cited("cramer", "A adj(A) = det(A) I", "Horn and Johnson, Matrix Analysis, 2nd ed., section 0.8.2"),
        Cited(
            "minors",
            "rank n - 1 means that some minor of order n - 1 is not 0: adj S is not 0",
            "Horn and Johnson, Matrix Analysis, 2nd ed., section 0.4",
        ),
        Smt(
            "determinant",
            "det is a polynomial and det S = 0: x = |det A| = |det A - det S| <= lambda d near S",
            (le(-lam * gap, y), le(y, lam * gap), le((x - y) * (x + y), 0)),
            le(x, lam * gap),
        ),
        Smt(
            "adjugate",
            "y = ||adj A|| >= ||adj S|| - ||adj A - adj S|| >= ||adj S||/2 once the second is at most half the first",
            (le(beta - z, y), le(2 * z, beta)),
            le(beta, 2 * y),
        ),
        Smt(
            "quotient",
            "z = ||A^-1|| = y/x",
            (lt(0, x), lt(0, gap), lt(0, lam), le(x, lam * gap), le(beta, 2 * y), le(y, z * x)),
            le(beta / (2 * lam * gap), z),
        ),
    ),
    source=_PAPER + "Lemma 3.6 (A.5)",
)

THEOREM_37 = Theorem(
    id="inversion.theorem-3.7",
    title="no polynomially Lipschitz function approximates the inverse pointwise",
    statement=(
        "For every polynomially Lipschitz g, every ball that contains a singular matrix of rank n - 1 in its "
        "interior and "
        "every E there is an invertible A in the ball with ||g(A) - A^-1|| > E."
    ),
    hypotheses=("g polynomially Lipschitz", "the ball holds a singular matrix in its interior"),
    bound=Bound(
        beta / gap - Gg, Kind.LOWER, _NORMS, "distance d from S; beta = C of Lemma 3.6, ||g|| <= G_g on the ball"
    ),
    steps=(
        Smt(
            "triangle",
            "||g(A) - A^-1|| >= ||A^-1|| - ||g(A)||",
            (le(y, z + x), le(beta / gap, y), le(x, Gg)),
            le(beta / gap - Gg, z),
        ),
        Smt(
            "exceeds",
            "closer than C/(E + G) it exceeds E = rho",
            (lt(0, gap), lt(0, beta), lt(gap * (rho + Gg), beta)),
            lt(rho, beta / gap - Gg),
        ),
    ),
    source=_PAPER + "Theorem 3.7",
    uses=("inversion.lemma-3.4", "inversion.lemma-3.6"),
)

THEOREM_38 = Theorem(
    id="inversion.theorem-3.8",
    title="on a subset of positive measure the error is as large as one likes",
    statement=(
        "For every polynomially Lipschitz g, every set that contains a ball with a singular matrix of rank n "
        "- 1 inside, "
        "and every E there is a subset of positive measure on which ||g(A) - A^-1|| > E, so that its k-th "
        "moment there "
        "exceeds E^k for every k > 0."
    ),
    hypotheses=("g polynomially Lipschitz", "a ball around a singular matrix of rank n - 1 lies in the set"),
    bound=Bound(beta / tau - Gg, Kind.LOWER, _NORMS, "all invertible A with ||A - S|| <= tau; beta = C of Lemma 3.6"),
    steps=(
        Smt(
            "everywhere",
            "C/d - G >= C/tau - G for all d <= tau",
            (lt(0, gap), le(gap, tau), lt(0, beta)),
            le(beta / tau - Gg, beta / gap - Gg),
        ),
        Smt(
            "exceeds",
            "tau < C/(E + G) with E = rho makes it exceed E",
            (lt(0, beta), lt(tau * (rho + Gg), beta)),
            lt(rho, beta / tau - Gg),
        ),
        Cited(
            "null-set",
            "the singular matrices, zeros of the polynomial det, have measure 0: the ball without them has "
            "positive measure",
            "Caron and Traynor, The zero set of a polynomial, University of Windsor report 05-02 (2005)",
        ),
    ),
    source=_PAPER + "Theorem 3.8",
    uses=("inversion.theorem-3.7",),
)

_RADIAL: tuple[Step, ...] = (
    Smt(
        "half",
        "C/d - G >= C/(2d) for d <= C/(2G)",
        (lt(0, gap), lt(0, beta), le(2 * Gg * gap, beta)),
        le(beta / (2 * gap), beta / gap - Gg),
    ),
    Identity(
        "sphere",
        "in polar coordinates around S the integrand is a constant times r^(n^2 - 1) r^-k; k = n^2: its "
        "primitive is log r",
        sp.diff(sp.log(tau), tau),
        tau ** (n**2 - 1) * tau ** (-(n**2)),
    ),
    Identity(
        "sphere-steep",
        "k = n^2 + nu > n^2: its primitive is -r^-nu/nu, unbounded as r -> 0",
        sp.diff(-(tau**-nu) / nu, tau),
        tau ** (n**2 - 1) * tau ** (-(n**2) - nu),
    ),
    Identity("unbounded", "log(delta/r) is any number b at r = delta e^-b", sp.log(delta / (delta * sp.exp(-b))), b),
    LARGE_POWER,
)

THEOREM_39 = Theorem(
    id="inversion.theorem-3.9",
    title="the expected error is infinite (order k >= n^2)",
    statement=(
        "Under the assumptions of Theorem 3.8 and a density that is bounded below near S, E||g(A) - A^-1||^k "
        "= infinity "
        "for k >= n^2: what integrating around the one matrix S gives."
    ),
    hypotheses=("g polynomially Lipschitz", "density bounded below near a singular S of rank n - 1", "k >= n^2"),
    bound=Bound(
        sp.log(delta / tau), Kind.LOWER, "moment", "k = n^2, tau <= ||A - S|| <= delta, times a positive constant"
    ),
    steps=_RADIAL,
    source=_PAPER + "Theorem 3.9; the threshold in k is sharpened to k >= 1 in inversion.theorem-3.9.sharp",
    uses=("inversion.lemma-3.4", "inversion.lemma-3.6"),
)

THEOREM_A6 = Theorem(
    id="inversion.theorem-a.6",
    title="the expected error under Lebesgue measure is infinite (order k >= n^2)",
    statement=(
        "A set that contains a large enough ball around one of its points, data uniform on it, g "
        "polynomially Lipschitz: "
        "the expected k-th power of ||g(A) - A^-1|| is infinite for k >= n^2, in the 1-, 2- and inf-norm."
    ),
    hypotheses=("uniform distribution on a bounded set", "the ball holds a singular matrix of rank n - 1", "k >= n^2"),
    bound=Bound(
        sp.log(delta / tau), Kind.LOWER, "moment", "k = n^2, tau <= ||A - S|| <= delta, times a positive constant"
    ),
    steps=(
        *_RADIAL,
        Smt(
            "part",
            "the integral over the set is at least the one over the small ball, over the measure v of the set",
            (le(0, u), le(u, z), lt(0, v), le(z, x * v)),
            le(u, x * v),
        ),
    ),
    source=_PAPER + "Theorem A.6; the threshold in k is sharpened to k >= 1 in inversion.theorem-3.9.sharp",
    uses=("inversion.theorem-3.9",),
)
