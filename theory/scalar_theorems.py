"""Theorems on scalar networks: chords moved by half their gap, integer squarers, odd functions, shared branches."""

from __future__ import annotations

import sympy as sp

from theory.steps import Identity, Induction, Smt, eq, le
from theory.symbols import M, N, P, a, b, gap, h, lam, m, mu, p, q, r, s, t, u, v, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = ["INTERPOLANT", "ODD", "PRODUCT", "SQUARE", "TOWER"]

_QUARTER = sp.Rational(1, 4)

INTERPOLANT = Theorem(
    id="scalar.interpolant",
    title="the best line on a piece, and the best piecewise linear function",
    statement=(
        "Where f'' has one sign on a piece and the chord's largest distance from f is d, the chord moved by d/2 "
        "towards f has error d/2 and no line has less. Pieces of equal d therefore join continuously at f - d/2 (f "
        "convex) and make the best continuous piecewise linear function with their number of pieces; a hinge takes a "
        "weight, a bias and an output weight."
    ),
    hypotheses=("f has a second derivative of one sign on the piece", "d > 0"),
    bound=Bound(gap / 2, Kind.TIGHT, "abs", "a piece whose chord is at most d from f, d attained"),
    steps=(
        Smt(
            "moved",
            "0 <= chord - f <= d leaves |chord - d/2 - f| <= d/2",
            (le(0, x - y), le(x - y, gap)),
            le((x - gap / 2 - y) ** 2, gap**2 / 4),
        ),
        Identity("ends", "at a knot the error is -d/2, from both sides", (x - gap / 2) - x, -gap / 2),
        Identity("inside", "where the chord is d above f it is d/2: attained", (y + gap) - gap / 2 - y, gap / 2),
        Smt(
            "best",
            "a line a t + b within u of x, y, z at the ends and at share t, where the chord is d above y: d <= 2u",
            (
                le(b - x, u), le(x - b, u), le(a + b - z, u), le(z - a - b, u),
                le(a * t + b - y, u), le(y - a * t - b, u), le(0, t), le(t, 1), eq((1 - t) * x + t * z, y + gap),
            ),
            le(gap, 2 * u),
        ),
        Smt(
            "tangent",
            "f = f(m) + f'(m) (x - m) + f''(xi) (x - m)^2/2 with f'' >= 0 lies above its tangent",
            (le(0, z),),
            le(x + y * t, x + y * t + z * t**2 / 2),
        ),
        Identity(
            "parabola",
            "x^2 over [a, b]: the chord's gap is largest in the middle, (b - a)^2/4",
            (a**2 + b**2) / 2 - ((a + b) / 2) ** 2,
            (b - a) ** 2 / 4,
        ),
        Identity("hinges", "P pieces, P - 1 hinges of 3 non-zeros and one line of 3", 3 * (P - 1) + 3, 3 * P),
    ),
    source="classical (Chebyshev alternation on a piece); the count and the balls: derived here",
    uses=("scalar.pieces",),
    formulas={"non-zeros, no kink at 0": 3 * P},
)  # fmt: skip

_KINKS = Induction(
    "odd-kinks",
    "sum_{k = 1, 3, ..., 2h-1} (t - k P) = h t - h^2 P",
    Identity("base", "h = 0", sp.Integer(0), (h * t - h**2 * P).subs(h, 0)),
    Identity("step", "h -> h + 1", h * t - h**2 * P + t - (2 * h + 1) * P, (h + 1) * t - (h + 1) ** 2 * P),
)

SQUARE = Theorem(
    id="scalar.square",
    title="x^2 by integer zigzags on |x|, and what each layer weighs",
    statement=(
        "With t = w|x|, w = N/M, N = r_1 ... r_m and N_j = N/(r_1 ... r_j), a layer turns t in [0, N_{j-1}] into t' "
        "= z_0 - 2 z_1 + 2 z_2 - ... in [0, N_j], z_k = relu(t - k N_j), and t^2 - t'^2 = 4 N_j (z_1 + z_3 + ...). "
        "The last layer, N_m = 1, ends with t + 2 (z_1 + ... + z_{r-1}), t^2 at the integers. So x^2 = (M^2/N^2) (G - "
        "1/8) within M^2/(8 N^2) on [-M, M], attained, by integer weights but for w and two output numbers. A layer "
        "whose t is spread over q wires and whose sum over s takes q + (r-1)(q+1) + s non-zeros; one that gathers "
        "both takes q + s; the last (r-1)(q+1) and the row of S + t."
    ),
    hypotheses=("|x| <= M", "r_j >= 2 integers", "exact real arithmetic"),
    bound=Bound(M**2 / (8 * N**2), Kind.TIGHT, "abs", "|x| <= M"),
    steps=(
        _KINKS,
        Identity(
            "split",
            "t' = +-(t - 2h P), P = N_j: t^2 - t'^2 = 4 P (h t - h^2 P)",
            t**2 - (t - 2 * h * P) ** 2,
            4 * P * (h * t - h**2 * P),
        ),
        Induction(
            "last-kinks",
            "t + 2 sum_{k=1}^{p} (t - k) = (2p + 1) t - p (p + 1)",
            Identity("base", "p = 0", t, ((2 * p + 1) * t - p * (p + 1)).subs(p, 0)),
            Identity(
                "step",
                "p -> p + 1",
                (2 * p + 1) * t - p * (p + 1) + 2 * (t - (p + 1)),
                (2 * p + 3) * t - (p + 1) * (p + 2),
            ),
        ),
        Identity("error", "G - t^2 on [p, p+1]", (2 * p + 1) * t - p * (p + 1) - t**2, (t - p) * (p + 1 - t)),
        Smt(
            "range",
            "0 <= (t - p)(p + 1 - t) <= 1/4",
            (le(p, t), le(t, p + 1)),
            le(0, ((t - p) * (p + 1 - t)) * (_QUARTER - (t - p) * (p + 1 - t))),
        ),
        Identity(
            "attained", "1/4 halfway, 0 at x = 0", ((t - p) * (p + 1 - t)).subs(t, p + sp.Rational(1, 2)), _QUARTER
        ),
        Identity("scale", "t = N|x|/M: (M^2/N^2) t^2 = x^2", (M**2 / N**2) * (N * x / M) ** 2, x**2),
        Identity("centred", "[0, 1/4] less 1/8", (M**2 / N**2) * (_QUARTER - _QUARTER / 2), M**2 / (8 * N**2)),
        Identity(
            "layer", "one row of t, r - 1 kinks of t with a bias, one row of the sum", q + (r - 1) * (q + 1) + s,
            q * r + r - 1 + s,
        ),
    ),
    source="derived here",
    uses=("square.interpolant",),
    formulas={"middle layer": q + (r - 1) * (q + 1) + s, "gathering layer": q + s, "last kinks": (r - 1) * (q + 1)},
)  # fmt: skip

PRODUCT = Theorem(
    id="scalar.product",
    title="x y by two integer squarers",
    statement=(
        "With w = N/(2M), x y = (M^2/N^2) (G(w|x + y|) - G(w|x - y|)) within M^2/(4 N^2) on |x|, |y| <= M, both ends "
        "attained (N >= 2), exactly 0 where x = 0 or y = 0, with no bias at the output."
    ),
    hypotheses=("|x|, |y| <= M", "N >= 2"),
    bound=Bound(M**2 / (4 * N**2), Kind.TIGHT, "abs", "|x|, |y| <= M"),
    steps=(
        Identity(
            "identity",
            "(M^2/N^2) ((w (x+y))^2 - (w (x-y))^2) = x y",
            (M**2 / N**2) * ((N * (x + y) / (2 * M)) ** 2 - (N * (x - y) / (2 * M)) ** 2),
            x * y,
        ),
        Smt("domain", "|x|, |y| <= 1 keep |x + y| <= 2", (le(x**2, 1), le(y**2, 1)), le((x + y) ** 2, 4)),
        Smt(
            "range",
            "two errors in [0, 1/4] differ by at most 1/4",
            (le(0, x), le(x, _QUARTER), le(0, y), le(y, _QUARTER)),
            le((x - y) ** 2, _QUARTER**2),
        ),
        Identity("scale", "(M^2/N^2) / 4", (M**2 / N**2) * _QUARTER, M**2 / (4 * N**2)),
        Identity(
            "attained",
            "x = y = M/(2N): w|x + y| = 1/2, an error of 1/4, and w|x - y| = 0 has none; the other end at y = -x",
            (N / (2 * M)) * (M / (2 * N) + M / (2 * N)),
            sp.Rational(1, 2),
        ),
        Identity("zero", "x = 0 or y = 0 gives |x + y| = |x - y|", (0 + y) ** 2 - (0 - y) ** 2, sp.Integer(0)),
    ),
    source="derived here",
    uses=("scalar.square",),
)

ODD = Theorem(
    id="scalar.odd",
    title="an odd function from its positive half",
    statement=(
        "If 0 <= g(y) <= mu y for y >= 0, then sgn(x) g(|x|) = g(|x|) - 2 relu(g(|x|) - mu relu(x)): two neurons and "
        "one carried wire make a network for g on [0, M] one for the odd function on [-M, M], with the error it has."
    ),
    hypotheses=("0 <= g(y) <= mu y on [0, M]", "f odd"),
    bound=Bound(u, Kind.TIGHT, "abs", "|x| <= M, u the error of g on [0, M]"),
    steps=(
        Smt(
            "right",
            "x >= 0: g <= mu x makes relu(g - mu x) vanish, g is left",
            (le(0, x), le(y, mu * x)),
            le(y - mu * x, 0),
        ),
        Smt("left", "x < 0: relu(x) = 0, g >= 0 passes", (le(x, 0), le(0, y)), le(0, y - mu * 0)),
        Identity("sign", "g - 2 g = -g", y - 2 * y, -y),
        Identity("error", "-g(|x|) misses -f(|x|) by minus what g misses f", -y - (-z), -(y - z)),
    ),
    source="derived here",
)

TOWER = Theorem(
    id="scalar.tower",
    title="one squarer for every branch of a zigzag",
    statement=(
        "Let S >= 0 and T in [0, N] be sums of hinges and |S + lambda T^2 - f| <= u. Then S + lambda (G(T) - 1/8) is "
        "within u + lambda/8 of f. Where T vanishes at a valley T^2 has no kink, so S needs hinges at peaks only."
    ),
    hypotheses=("0 <= T <= N, S >= 0", "G as in scalar.square"),
    bound=Bound(u + lam / 8, Kind.UPPER, "abs", "the interval on which S and T are planned"),
    steps=(
        Smt(
            "sum",
            "|x| <= u (smooth part, centred) and 0 <= y <= 1/4 (squarer): |x + lambda (y - 1/8)| <= u + lambda/8",
            (le(x, u), le(-x, u), le(0, y), le(y, _QUARTER)),
            le((x + lam * (y - sp.Rational(1, 8))) ** 2, (u + lam / 8) ** 2),
        ),
        Identity(
            "valley",
            "d/dx (v |x|)^2 = 2 v^2 x tends to 0 at a valley, for any slopes v to both sides",
            sp.diff((v * x) ** 2, x).subs(x, 0),
            sp.Integer(0),
        ),
        Identity(
            "branches",
            "m bumps take 2m hinges of a weight, a bias and one weight in T, and a weight in S for each peak",
            3 * (2 * m) + m,
            7 * m,
        ),
    ),
    source="derived here",
    uses=("scalar.square",),
)  # fmt: skip
