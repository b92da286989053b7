"""A formula's Taylor polynomial on a ball of matrices: how many terms, which rationals for them, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import sympy as sp
from flint import arb, ctx

from theory.analytic_theorems import CAUCHY_TAIL
from theory.disc import first_singularity
from theory.errors import BadInput, OutOfReach
from theory.evaluate import as_ball, ball, upper
from theory.formula import Formula
from theory.known_series import explicit_tail
from theory.larger_disc import LargerDisc, larger_disc, sizes
from theory.singularities import Singularity
from theory.symbols import M, R, q, rho
from theory.tape import shortened
from theory.taylor import STAND_IN_BITS, coefficients, stand_in

__all__ = ["MOST_DEGREE", "AnalyticSeries", "Expansion"]

MOST_DEGREE = 1000
#: The share of the target left for what comes after the last coefficient computed, and for the stand-ins.
_SHARE = Fraction(1, 2**10)
_MOST_TERMS = 6000
_MOST_BITS = 2**14


@dataclass(frozen=True)
class AnalyticSeries:
    """A polynomial T_q for f on ||A - cI|| <= R in any submultiplicative norm with ||I|| = 1.

    Attributes:
        expression: f, a formula in ``theory.symbols.X``.
        centre: c.
        radius: R.
        degree: q.
        coefficients: Rationals c_0, ..., c_q; T_q(A) = sum c_k (A - cI)^k.
        tail: A bound on ||f(A) - T_q(A)||: sum of |Taylor coefficient| R^k over q < k <= summed, Cauchy's tail after
            that (``analytic.cauchy-tail``), and sum of |c_k - Taylor coefficient| R^k. Zero for a polynomial f in full.
        radius_used: A radius r > R such that f is proved analytic on |z - c| <= r.
        maximum: A bound on |f| there.
        summed: The last Taylor coefficient used for the tail, at least q.

    Raises:
        ValueError: If the parts do not fit together.
    """

    expression: sp.Expr
    centre: Fraction
    radius: Fraction
    degree: int
    coefficients: tuple[Fraction, ...]
    tail: Fraction
    radius_used: Fraction
    maximum: Fraction
    summed: int

    def __post_init__(self) -> None:
        if len(self.coefficients) != self.degree + 1 or self.summed < self.degree:
            raise ValueError(f"{len(self.coefficients)} coefficients and {self.summed} terms for degree {self.degree}")
        if not 0 < self.radius < self.radius_used or self.tail < 0 or self.maximum < 0:
            raise ValueError("0 < R < r, tail >= 0 and maximum >= 0 are needed")

    def value(self, point: Fraction) -> Fraction:
        """Return T_q at a rational point, exactly."""
        total = Fraction(0)
        for coefficient in reversed(self.coefficients):
            total = total * (point - self.centre) + coefficient
        return total


class Expansion:
    """One formula on one ball: what is needed for a target or a degree.

    Args:
        expr: A formula in X.
        centre: c, where it is expanded.
        radius: R, of the ball ||A - cI|| <= R.

    Raises:
        BadInput: If the formula is singular on |z - c| <= R, by name and place, or is not a real function.
    """

    def __init__(self, expr: sp.Expr, centre: Fraction, radius: Fraction) -> None:
        self.radius = radius
        self.expression = expr
        self.formula, singularity = _study(expr, centre, radius)
        if singularity is not None:
            disc = "|x|" if centre == 0 else f"|x {'-' if centre > 0 else '+'} {abs(centre)}|"
            raise BadInput(f"{shortened(expr)} is not analytic on {disc} <= {radius}: {singularity}")

    def reach(self, target: Fraction) -> AnalyticSeries:
        """Return the series of least degree whose tail meets a target.

        Raises:
            OutOfReach: If that is beyond the largest degree.
        """
        disc = larger_disc(self.formula, self.radius, target * _SHARE)
        summed, rest = _last_term(disc, self.radius, target * _SHARE)
        terms = self._terms(summed, target * _SHARE)
        after = _suffix_sums(terms, self.radius)
        degree = next(k for k, tail in enumerate(after) if tail + rest <= target * (1 - _SHARE / 4) or k == summed)
        if degree > MOST_DEGREE:
            raise OutOfReach(f"degree {degree} would be needed, beyond {MOST_DEGREE}; lower radius or accuracy")
        if degree and (known := self._known(degree - 1)) is not None and known <= target * (1 - _SHARE / 4):
            degree -= 1
        return self._finish(disc, terms, degree, after[degree] + rest, target * _SHARE / 8)

    def cut(self, degree: int) -> AnalyticSeries:
        """Return the series of a given degree, its tail within a thousandth of the sum of the terms cut off."""
        samples = sizes(self.formula, self.radius, max(2 * degree, 64))
        cut_off = max(samples[degree + 1 :])
        floor = max(samples) - 400
        goal = Fraction(2) ** (round(max(cut_off, floor)) - 10)
        disc = larger_disc(self.formula, self.radius, goal)
        summed, rest = _last_term(disc, self.radius, goal, degree + 1)
        terms = self._terms(summed, goal)
        after = _suffix_sums(terms, self.radius)
        return self._finish(disc, terms, degree, after[degree] + rest, goal)

    def _terms(self, last: int, blur: Fraction) -> list[arb]:
        """Return c_0, ..., c_last so precisely that their balls' radii times R^k sum to at most ``blur``.

        Raises:
            OutOfReach: If no precision within reach is enough.
        """
        precision = 256
        while precision <= _MOST_BITS:
            terms = coefficients(self.formula, last + 1, precision)
            with ctx.workprec(64):
                reach = as_ball(self.radius)
                total = sum((arb(term.rad()) * reach**k for k, term in enumerate(terms)), arb(0))
                if total < as_ball(blur):
                    return terms
            precision *= 2
        raise OutOfReach(f"the coefficients cannot be had to {float(blur):.3g} in {_MOST_BITS} bits")

    def _known(self, degree: int) -> Fraction | None:
        return explicit_tail(self.formula.expression, self.formula.centre, self.radius, degree)

    def _finish(
        self, disc: LargerDisc, terms: list[arb], degree: int, tail: Fraction, blur: Fraction
    ) -> AnalyticSeries:
        """Round the coefficients that are kept and add up the error."""
        known = self._known(degree)
        bits = STAND_IN_BITS
        while True:
            pairs = [stand_in(term, bits) for term in terms[: degree + 1]]
            moved = _power_sum([deviation for _, deviation in pairs], self.radius)
            if moved <= blur or bits > _MOST_BITS:
                break
            bits *= 2
        return AnalyticSeries(
            expression=self.expression,
            centre=self.formula.centre,
            radius=self.radius,
            degree=degree,
            coefficients=tuple(value for value, _ in pairs),
            tail=upper((tail if known is None else min(tail, known)) + moved),
            radius_used=disc.radius,
            maximum=disc.maximum,
            summed=len(terms) - 1,
        )


def _study(expr: sp.Expr, centre: Fraction, radius: Fraction) -> tuple[Formula, Singularity | None]:
    """Return the formula and what makes it singular on the disc; 0/0 that resists is retried as a reduced fraction."""
    formula = Formula(expr, centre)
    singularity = first_singularity(formula, radius)
    if singularity is not None and singularity.kind == "undecided":
        reduced = Formula(sp.cancel(expr), centre)
        if first_singularity(reduced, radius) is None:
            return reduced, None
    return formula, singularity


def _last_term(disc: LargerDisc, radius: Fraction, goal: Fraction, least: int = 0) -> tuple[int, Fraction]:
    """Return a K of at least ``least`` at which Cauchy's tail meets a goal, and the tail.

    Raises:
        OutOfReach: If that takes too many terms.
    """
    last = max(least, disc.terms)
    while last <= _MOST_TERMS:
        with ctx.workprec(64):
            tail = upper(ball(CAUCHY_TAIL, {M: disc.maximum, R: radius, rho: disc.radius, q: last}))
        if tail <= goal:
            return last, tail
        last += 1 + last // 32
    raise OutOfReach(
        f"more than {_MOST_TERMS} terms are needed: the function is analytic only a little beyond the radius {radius}"
    )


def _suffix_sums(terms: Sequence[arb], radius: Fraction) -> list[Fraction]:
    """Return, for each k, a bound on sum_{j > k} |c_j| R^j."""
    with ctx.workprec(64):
        reach = as_ball(radius)
        sizes_ = [arb(term.abs_upper()) * reach**k for k, term in enumerate(terms)]
        sums = list(accumulate(reversed(sizes_[1:]), initial=arb(0)))
        return [upper(total) for total in reversed(sums)]


def _power_sum(values: Sequence[Fraction], radius: Fraction) -> Fraction:
    """Return a bound on sum values_k R^k."""
    with ctx.workprec(64):
        reach = as_ball(radius)
        return upper(sum((as_ball(value) * reach**k for k, value in enumerate(values)), arb(0)))
