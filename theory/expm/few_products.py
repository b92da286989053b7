"""Taylor polynomials of degree 12 in four products and of degree 18 in five.

With X = 2^-s A, F and D free of the identity and D, B in the powers at hand,

    T_q(X) - I = B + alpha F + (F + D) F,      F of degree q / 2,

so one product doubles the degree of F. In degree 12 F = E + (f1 X + f2 X^2 + f3 X^3)^2, with X, X^2, X^3 at hand; in
degree 18 F = E + P Q with P in X, X^2, X^3, Q in X, X^2, X^6, and X, X^2, X^3, X^6 = (X^3)^2 at hand. With S = F + D/2
the right-hand side is B + S^2 - D^2/4 + alpha (S - D/2): its coefficients give S from the top degree down, one equation
each, and then D. Degree 12 leaves one number free, the coefficient d3 of X^3 in D; degree 18 leaves none and ends in
two equations for d6 and alpha, solved by Newton's method (``newton_eighteen``). The shape is that of Bader, Blanes and
Casas, Mathematics 7 (2019) 1174; the numbers are derived here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import factorial, isqrt

from flint import arb, ctx

from theory.evaluate import as_ball, upper
from theory.polynomials import PolynomialProgram, evaluated
from theory.program import Combination, Product, Stage, combination

__all__ = [
    "BITS",
    "D3",
    "ROOT_EIGHTEEN",
    "FewProducts",
    "few_products",
    "newton_eighteen",
    "remainder_eighteen",
    "solution",
]

#: Bits behind the point of what is irrational, and of every quotient.
BITS = 128
#: d3 of degree 12: near it the numbers of ``few_products`` are nearly all positive, so that majorants stay small.
D3 = Fraction(1, 64)
#: d6 and alpha of degree 18, times 2^128: of the six real solutions the one with the smallest ranges.
ROOT_EIGHTEEN = (11398609167342988595402974541532139, -3793638978860498484436062436019899810522)

Numbers = Mapping[int, Fraction]


@dataclass(frozen=True)
class FewProducts:
    """The numbers of a scheme, by powers of X.

    Attributes:
        factors: What F is made of beside E: (f, f) for degree 12, (p, q) for degree 18.
        rest: E.
        shift: D.
        linear: B.
        alpha: The multiple of F.
    """

    factors: tuple[Numbers, Numbers]
    rest: Numbers
    shift: Numbers
    linear: Numbers
    alpha: Fraction


def _short(value: Fraction) -> Fraction:
    """Return the value with so many bits behind the point: what that changes is in ``coefficients_of``."""
    return Fraction(round(value * (1 << BITS)), 1 << BITS)


def _root(value: Fraction) -> Fraction:
    return Fraction(isqrt((value.numerator << (2 * BITS)) // value.denominator), 1 << BITS)


def _c(degree: int) -> Fraction:
    return Fraction(1, factorial(degree))


def _square(s: Numbers, degree: int) -> Fraction:
    """Return the coefficient of a degree in S^2."""
    return sum((s[i] * s[degree - i] for i in s if degree - i in s), Fraction(0))


def _without(s: Numbers, degree: int, *unknown: int) -> Fraction:
    """Return the same without the terms that hold the unknown coefficients."""
    return _square({i: value for i, value in s.items() if i not in unknown}, degree)


@cache
def solution(degree: int, d3: Fraction = D3, root: tuple[int, int] | None = None) -> FewProducts:
    """Return the numbers of the scheme of degree 12 or 18, rounded to 128 bits behind the point.

    Args:
        degree: 12 or 18.
        d3: Degree 12's free number.
        root: Degree 18's d6 and alpha, times 2^128.
    """
    return _twelve(d3) if degree == 12 else _eighteen(root or ROOT_EIGHTEEN)


def _twelve(d3: Fraction) -> FewProducts:
    top = _root(_c(12))
    f = {3: _root(top)}
    s: dict[int, Fraction] = {6: top}
    for k in (5, 4, 3, 2, 1):
        s[k] = _short((_c(6 + k) - _without(s, 6 + k)) / (2 * top))
        if k > 3:  # F = E + f^2 is f^2 alone from degree 4 on
            f[k - 3] = _short((s[k] - (f[2] ** 2 if k == 4 else 0)) / (2 * f[3]))
    alpha = _short((_c(6) - _square(s, 6) + d3**2 / 4) / top)
    d2 = _short(2 * (_square(s, 5) + alpha * s[5] - _c(5)) / d3)
    d1 = _short(2 * (_square(s, 4) - d2**2 / 4 + alpha * s[4] - _c(4)) / d3)
    shift = {1: d1, 2: d2, 3: d3}
    whole = {k: s[k] - shift.get(k, Fraction(0)) / 2 for k in s}
    rest = {3: whole[3] - 2 * f[1] * f[2], 2: whole[2] - f[1] ** 2, 1: whole[1]}
    return FewProducts((f, f), rest, shift, _linear(whole, shift, alpha, (1, 2, 3)), alpha)


def _linear(whole: Numbers, shift: Numbers, alpha: Fraction, powers: tuple[int, ...]) -> dict[int, Fraction]:
    """Return B = T - alpha F - (F + D) F in the powers at hand."""
    sum_ = {k: whole.get(k, Fraction(0)) + shift.get(k, Fraction(0)) for k in {*whole, *shift}}
    linear = {}
    for k in powers:
        product = sum((sum_[i] * whole[k - i] for i in sum_ if k - i in whole), Fraction(0))
        linear[k] = _short(_c(k) - alpha * whole.get(k, Fraction(0)) - product)
    return linear


def _top_eighteen(d6: Fraction, alpha: Fraction) -> tuple[dict[int, Fraction], dict[int, Fraction]]:
    """Return S and D from all equations but those of degrees 5 and 4."""
    top = _root(_c(18))
    s: dict[int, Fraction] = {9: top}
    for k in (8, 7, 6, 5, 4, 3, 2, 1):
        own = d6**2 / 4 if k == 3 else Fraction(0)
        s[k] = _short((_c(9 + k) + own - _without(s, 9 + k)) / (2 * top))
    d = {6: d6}
    for k in (3, 2, 1):
        d[k] = _short(2 * (_square(s, 6 + k) + alpha * s[6 + k] - _c(6 + k)) / d6)
    return s, d


def remainder_eighteen(d6: Fraction, alpha: Fraction) -> tuple[Fraction, Fraction]:
    """Return what the equations of degrees 5 and 4 miss, the others solved."""
    s, d = _top_eighteen(d6, alpha)
    five = _square(s, 5) - d[2] * d[3] / 2 + alpha * s[5] - _c(5)
    four = _square(s, 4) - d[2] ** 2 / 4 - d[1] * d[3] / 2 + alpha * s[4] - _c(4)
    return five, four


def newton_eighteen(d6: Fraction, alpha: Fraction, steps: int = 12) -> tuple[int, int]:
    """Return d6 and alpha times 2^128 by Newton's method with difference quotients, from a rough start."""
    small = Fraction(1, 1 << 90)
    for _ in range(steps):
        a, b = remainder_eighteen(d6, alpha)
        right, up = remainder_eighteen(d6 + small, alpha), remainder_eighteen(d6, alpha + small)
        a1, b1, a2, b2 = (right[0] - a) / small, (right[1] - b) / small, (up[0] - a) / small, (up[1] - b) / small
        determinant = a1 * b2 - a2 * b1
        d6 = _short(d6 - (a * b2 - b * a2) / determinant)
        alpha = _short(alpha - (b * a1 - a * b1) / determinant)
    return int(d6 * (1 << BITS)), int(alpha * (1 << BITS))


def _eighteen(root: tuple[int, int]) -> FewProducts:
    d6, alpha = (Fraction(number, 1 << BITS) for number in root)
    s, d = _top_eighteen(d6, alpha)
    whole = {k: s[k] - d.get(k, Fraction(0)) / 2 for k in s}
    # P Q is F from degree 7 on, where Q's X^6 alone reaches, and its degrees 5 and 4 with Q's X^2 and X.
    p = {3: Fraction(1), 2: _short(whole[8] / whole[9]), 1: _short(whole[7] / whole[9])}
    q = {6: whole[9], 2: whole[5]}
    q[1] = whole[4] - p[2] * q[2]
    rest = {6: whole[6], 3: whole[3] - p[2] * q[1] - p[1] * q[2], 2: whole[2] - p[1] * q[1], 1: whole[1]}
    return FewProducts((p, q), rest, d, _linear(whole, d, alpha, (1, 2, 3, 6)), alpha)


def few_products(degree: int, scalings: int = 0, theta: Fraction | None = None) -> PolynomialProgram:
    """Return e^X - I to degree 12 in four products or 18 in five, X = 2^-s A.

    Args:
        degree: 12 or 18.
        scalings: s.
        theta: Bound on A in the analysis norm. With it every matrix is claimed to be within its own polynomial's
            majorant, sum |c_k| (theta / 2^s)^k, which signs that cancel leave far below the sum of its parts.

    Raises:
        ValueError: If the degree is neither.
    """
    if degree not in (12, 18):
        raise ValueError(f"no such scheme of degree {degree}")
    numbers, x = solution(degree), Fraction(1, 1 << scalings)
    A, X1, X2 = (combination({name: 1}) for name in ("A", "X1", "X2"))
    powers = (1, 2, 3) if degree == 12 else (1, 2, 3, 6)
    kept = [(f"X{k}", combination({f"X{k}": 1})) for k in powers]
    stages = [
        Stage((Product("P", A, A),), (("X1", A.scaled(x)), ("X2", combination({"P": x * x})))),
        Stage((Product("P", X2, X1),), (*kept[:2], ("X3", combination({"P": 1})))),
    ]
    if degree == 18:
        X3 = combination({"X3": 1})
        stages.append(Stage((Product("P", X3, X3),), (*kept[:3], ("X6", combination({"P": 1})))))
    left, right = (_form(factor) for factor in numbers.factors)
    F = _form(numbers.rest).plus(combination({"P": 1}))
    G = F.plus(_form(numbers.shift))
    W = _form(numbers.linear).plus(F.scaled(numbers.alpha))
    stages.append(Stage((Product("P", left, right),), (("F", F), ("G", G), ("W", W))))
    last = (Product("P", combination({"G": 1}), combination({"F": 1})),)
    stages.append(Stage(last, (("H", combination({"W": 1, "P": 1})),)))
    program = PolynomialProgram(tuple(stages), combination({"H": 1}))
    return program if theta is None else _claiming(program, degree, theta * x)


def _form(numbers: Numbers) -> Combination:
    return combination({f"X{k}": value for k, value in numbers.items()})


@cache
def _polynomials(degree: int) -> tuple[dict[str, list[Fraction]], ...]:
    """Return what every stage's outputs are, as polynomials in X: scaling changes A, not these."""
    return tuple(evaluated(few_products(degree)))


def _claiming(program: PolynomialProgram, degree: int, theta: Fraction) -> PolynomialProgram:
    """Return the program with every output claimed to be within the majorant of its polynomial in X, ||X|| <= theta."""
    stages = []
    for stage, outputs in zip(program.stages, _polynomials(degree), strict=True):
        claims = tuple((name, _majorant(values, theta)) for name, values in outputs.items())
        stages.append(Stage(stage.products, stage.outputs, claims))
    return PolynomialProgram(tuple(stages), program.result)


def _majorant(values: Sequence[Fraction], theta: Fraction) -> Fraction:
    with ctx.workprec(96):
        total, size = arb(0), as_ball(theta)
        for value in reversed(values):
            total = total * size + abs(as_ball(value))
        return upper(total, 64)
