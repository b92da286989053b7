"""Matrix products from squares: shared entry squares, a matrix square from n^3 squarers, Strassen's seven products.

A squarer returns u^2 + e(u), 0 <= e(u) <= e = 1/N^2 on [-1, 1] (square.symmetric). Entries are bounded by B_L, B_R
(B for a square); entries and pairs are scaled into [-1, 1]. Entry squares are needed only as row and column sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import sympy as sp

from theory.errors import BadInput
from theory.product_error import PRODUCT_ERROR
from theory.squaring import interpolate_symmetric
from theory.steps import Identity, Induction, Smt, le
from theory.symbols import A_BLOCKS, B_BLOCKS, BL, BR, N, a, b, h, k, m, n, r, s, u, v, x, y, z
from theory.theorem import Bound, Kind, Theorem

__all__ = [
    "POLARISED",
    "PRODUCT_ERROR",
    "SQUARE",
    "STRASSEN",
    "multiply",
    "square",
    "strassen_error_factor",
    "strassen_squarers",
]

Matrix = Sequence[Sequence[Fraction]]


def multiply(radices: Sequence[int], left: Matrix, right: Matrix) -> list[list[Fraction]]:
    """Return the polarised product of two matrices with entries in [-1, 1], one squarer an entry and a pair."""

    def g(argument: Fraction) -> Fraction:
        return interpolate_symmetric(radices, argument)

    inner, columns = range(len(right)), range(len(right[0]))
    rows = [_total(g(entry) for entry in row) / 2 for row in left]
    sums = [_total(g(right[i][c]) for i in inner) / 2 for c in columns]
    return [
        [2 * _total(g((row[i] + right[i][c]) / 2) for i in inner) - rows[index] - sums[c] for c in columns]
        for index, row in enumerate(left)
    ]


def square(radices: Sequence[int], matrix: Matrix) -> tuple[list[list[Fraction]], int]:
    """Return X^2 for entries in [-1, 1] as theorem matmul.square computes it, and the number of squarers used."""
    size = range(len(matrix))
    used: dict[tuple[str, int, int, int], Fraction] = {}

    def g(name: str, i: int, c: int, inner: int, argument: Fraction) -> Fraction:
        return used.setdefault((name, i, c, inner), interpolate_symmetric(radices, argument))

    def entry(i: int, c: int) -> Fraction:
        return g("entry", i, c, 0, matrix[i][c])

    def pair(i: int, c: int) -> Fraction:
        low, high = sorted((i, c))
        return g("pair", low, high, 0, (matrix[low][high] + matrix[high][low]) / 2)

    def trace(i: int, c: int) -> Fraction:
        low, high = sorted((i, c))
        return g("trace", low, high, 0, (matrix[low][low] + matrix[high][high]) / 2)

    def off_diagonal(i: int, c: int) -> Fraction:
        merged = g("merged", i, c, 0, matrix[i][c] / 2 + (matrix[i][i] + matrix[c][c]) / 4)
        rest = (g("inner", i, c, q, (matrix[i][q] + matrix[q][c]) / 2) for q in size if q not in (i, c))
        return 4 * merged - trace(i, c) + 2 * _total(rest)

    rows = [_total(entry(i, q) for q in size if q != i) / 2 for i in size]
    sums = [_total(entry(q, c) for q in size if q != c) / 2 for c in size]
    diagonal = [entry(i, i) + 2 * _total(pair(i, q) for q in size if q != i) for i in size]
    result = [[(diagonal[i] if i == c else off_diagonal(i, c)) - rows[i] - sums[c] for c in size] for i in size]
    return result, len(used)


def _total(terms: Iterable[Fraction]) -> Fraction:
    return sum(terms, Fraction(0))


def strassen_squarers(size: int, levels: int) -> int:
    """Return the squarers of Strassen's product of size x size matrices: 7^levels leaves, each by its cheaper product.

    Leaves of side b take b^3 + 2 b^2 squarers polarised or 2 b^3 by differences.

    Raises:
        BadInput: If the size cannot be halved that often.
    """
    if levels < 0 or size < 1 or size % 2**levels:
        raise BadInput(f"Strassen needs a size divisible by 2^levels: {size} is not divisible by 2^{levels}")
    side = size // 2**levels
    return 7**levels * min(side**3 + 2 * side**2, 2 * side**3)


def strassen_error_factor(levels: int) -> int:
    """Return by what factor the max-entry error bound grows over the plain product's: 6 a level."""
    return 6**levels


POLARISED = Theorem(
    id="matmul.polarised",
    title="an n x k by k x m product with shared entry squares",
    statement=(
        "With one squarer for each entry and each pair of factors, n k m + n k + k m in all, every entry of the "
        "product has an error in k B_L B_R/N^2 [-1, 2], so +-(3/2) k B_L B_R/N^2 centred; both ends are attained, "
        "in all entries at once (N >= 2). The squares of entries enter as row and column sums only."
    ),
    hypotheses=("|l_ij| <= B_L, |r_ij| <= B_R", "N >= 2 for the ends to be attained"),
    bound=Bound(PRODUCT_ERROR.subs(n, k), Kind.TIGHT, "max", "n x k by k x m, |l_ij| <= B_L, |r_ij| <= B_R, centred"),
    steps=(
        Identity(
            "term",
            "a term l r = B_L B_R (2 u^2 - (l/B_L)^2/2 - (r/B_R)^2/2)",
            BL * BR * (2 * ((x / BL + y / BR) / 2) ** 2 - (x / BL) ** 2 / 2 - (y / BR) ** 2 / 2),
            x * y,
        ),
        Induction(
            "sum",
            "errors in [-1, 2] add over k terms to [-k, 2k]",
            Smt("base", "one term", (le(-1, a), le(a, 2)), le(0, (a + 1) * (2 - a))),
            Smt(
                "step",
                "one more",
                (le(-k, a), le(a, 2 * k), le(-1, b), le(b, 2)),
                le(0, (a + b + k + 1) * (2 * k + 2 - a - b)),
            ),
        ),
        Identity(
            "shared",
            "row and column sums: sum of (2p - x/2 - y/2) over two terms is 2 sum p - row/2 - column/2",
            (2 * u - x / 2 - y / 2) + (2 * v - a / 2 - b / 2),
            2 * (u + v) - (x + a) / 2 - (y + b) / 2,
        ),
        Identity(
            "everywhere",
            "all l/B_L at one knot, all r/B_R at the next: u halfway, every upper end; half a cell on, every lower end",
            ((-1 + 2 * s / N) + (-1 + 2 * (s + 1) / N)) / 2,
            -1 + 2 * (s + sp.Rational(1, 2)) / N,
        ),
        Identity("centred", "[-k, 2k] less k/2 is +-3k/2", 2 * k - k / 2, -(-k - k / 2)),
        Identity("count", "pairs and entries", n * k * m + n * k + k * m, k * (n * m + n + m)),
    ),
    source="derived here",
    uses=("product.polarised",),
    formulas={"squarers": n * k * m + n * k + k * m, "one-sided": 2 * k * BL * BR / N**2},
)

_COUNTS = {
    "entries": n**2,
    "pairs {x_ik, x_ki}": n * (n - 1) / 2,
    "pairs x_ik, x_kj": n * (n - 1) * (n - 2),
    "merged": n * (n - 1),
    "diagonal pairs": n * (n - 1) / 2,
}

SQUARE = Theorem(
    id="matmul.square",
    title="the square of an n x n matrix from n^3 squarers",
    statement=(
        "With entry squares and the pairs {x_ik, x_ki} shared, and x_ij (x_ii + x_jj) = 4B^2 u_m^2 - x_ij^2 - "
        "w^2/4 merged (w = x_ii + x_jj, u_m = (x_ij + w/2)/(2B)), n^3 squarers give every entry of X^2 with an "
        "error in n B^2/N^2 [-1, 2], +-(3/2) n B^2/N^2 centred; attained in an entry off the diagonal for n, N >= "
        "2."
    ),
    hypotheses=("|x_ij| <= B = B_L = B_R", "n, N >= 2 for the ends to be attained"),
    bound=Bound(PRODUCT_ERROR.subs(BR, BL), Kind.TIGHT, "max", "|x_ij| <= B_L, centred"),
    steps=(
        Identity("merged", "x w = (x + w/2)^2 - x^2 - w^2/4", (x + y / 2) ** 2 - x**2 - y**2 / 4, x * y),
        Smt(
            "domain",
            "|x|, |x_ii|, |x_jj| <= 1 keep |u_m| <= 1",
            (le(x**2, 1), le(a**2, 1), le(b**2, 1)),
            le((x / 2 + (a + b) / 4) ** 2, 1),
        ),
        Identity("pair", "x y = 2 ((x + y)/2)^2 - x^2/2 - y^2/2", 2 * ((x + y) / 2) ** 2 - x**2 / 2 - y**2 / 2, x * y),
        Identity(
            "row-and-column",
            "x_ij^2 of the merged term completes the sums over k != i and k != j",
            u - z - v - x / 2 - y / 2,
            u - v - (x + z) / 2 - (y + z) / 2,
        ),
        Smt(
            "merged-error",
            "errors x, y, z in [0, 1]: -2 <= 4x - y - z <= 4",
            (le(0, x), le(x, 1), le(0, y), le(y, 1), le(0, z), le(z, 1)),
            le(0, (4 * x - y - z + 2) * (4 - (4 * x - y - z))),
        ),
        Identity("upper-end", "off the diagonal: merged 4, n - 2 pairs 2 each", 4 + 2 * (n - 2), 2 * n),
        Identity("lower-end", "merged -2, n - 2 pairs -1 each", -2 - (n - 2), -n),
        Smt(
            "diagonal",
            "on it [0, 1] and n - 1 pairs in [-1, 2] stay within [-n, 2n]",
            (le(0, a), le(a, 1), le(-(n - 1), b), le(b, 2 * (n - 1))),
            le(0, (a + b + n) * (2 * n - a - b)),
        ),
        Identity(
            "attained-merged",
            "x_ij at the knot 2s, x_ii = x_jj at the knot 2h + 1: u_m = their mean, halfway between knots",
            ((-1 + 4 * s / N) + (-1 + 2 * (2 * h + 1) / N)) / 2,
            -1 + 2 * (s + h + sp.Rational(1, 2)) / N,
        ),
        Identity(
            "count",
            "n^2 + n(n-1)/2 + n(n-1)(n-2) + n(n-1) + n(n-1)/2 = n^3",
            n**2 + n * (n - 1) / 2 + n * (n - 1) * (n - 2) + n * (n - 1) + n * (n - 1) / 2,
            n**3,
        ),
    ),
    source="derived here",
    uses=("product.polarised",),
    formulas={"squarers": n**3, **_COUNTS, "one-sided": 2 * n * BL**2 / N**2},
)


def _strassen_blocks() -> tuple[tuple[str, sp.Expr, sp.Expr], ...]:
    """The four blocks of A B: from the seven products, and as they are."""
    a11, a12, a21, a22 = A_BLOCKS
    b11, b12, b21, b22 = B_BLOCKS
    m1, m2, m3 = (a11 + a22) * (b11 + b22), (a21 + a22) * b11, a11 * (b12 - b22)
    m4, m5 = a22 * (b21 - b11), (a11 + a12) * b22
    m6, m7 = (a21 - a11) * (b11 + b12), (a12 - a22) * (b21 + b22)
    return (
        ("block-11", m1 + m4 - m5 + m7, a11 * b11 + a12 * b21),
        ("block-12", m3 + m5, a11 * b12 + a12 * b22),
        ("block-21", m2 + m4, a21 * b11 + a22 * b21),
        ("block-22", m1 - m2 + m3 + m6, a21 * b12 + a22 * b22),
    )


_LEAF = (n / 2**s) ** 3 + 2 * (n / 2**s) ** 2

STRASSEN = Theorem(
    id="matmul.strassen",
    title="Strassen's product saves squarers and loses accuracy",
    statement=(
        "With s levels of Strassen's seven products over polarised leaves of side n/2^s, 7^s ((n/2^s)^3 + 2 "
        "(n/2^s)^2) squarers suffice (2 a leaf at side 1: 4802 against 4608 at n = 16, 33614 against 34816 at n = "
        "32), and the centred max-entry error bound is 6^s (3/2) n B_L B_R/N^2: factor 6 a level, since a "
        "diagonal block adds two products of range 2B_L 2B_R and two of range 2 B_L B_R, each of half the inner "
        "length."
    ),
    hypotheses=("2^s divides n", "|l_ij| <= B_L, |r_ij| <= B_R"),
    bound=Bound(7**s * _LEAF, Kind.UPPER, "squarers", "n x n by n x n, s levels"),
    steps=(
        *(
            Identity(name, "from seven products, blocks do not commute", left, right)
            for name, left, right in _strassen_blocks()
        ),
        Identity(
            "range",
            "(4 + 4 + 2 + 2) times the error at half the size",
            12 * PRODUCT_ERROR.subs(n, r),
            6 * PRODUCT_ERROR.subs(n, 2 * r),
        ),
        Identity(
            "off-diagonal",
            "and (2 + 2) off the diagonal blocks, which is less",
            4 * PRODUCT_ERROR.subs(n, r),
            2 * PRODUCT_ERROR.subs(n, 2 * r),
        ),
        Induction(
            "levels",
            "error 6^s (3/2) n B_L B_R/N^2 after s levels",
            Identity("base", "s = 0", 6**0 * PRODUCT_ERROR, PRODUCT_ERROR),
            Identity(
                "step", "s -> s + 1", 12 * 6**s * PRODUCT_ERROR.subs(n, r), 6 ** (s + 1) * PRODUCT_ERROR.subs(n, 2 * r)
            ),
        ),
        Induction(
            "leaves",
            "7^s leaves of side n/2^s",
            Identity("base", "s = 0", sp.Integer(1) * n**3, n**3 * 7**0),
            Identity("step", "seven halves a level", 7 * 7**s, sp.Integer(7) ** (s + 1)),
        ),
        Identity("sixteen", "four levels, 2 squarers a leaf", sp.Integer(2 * 7**4), sp.Integer(4802)),
    ),
    source="Strassen, Numer. Math. 13 (1969) 354; the error factor is derived here",
    uses=("matmul.polarised",),
    formulas={"error": 6**s * PRODUCT_ERROR, "plain": n**3 + 2 * n**2},
)
