"""Taylor coefficients of a formula as balls, and short rationals that stand in for them."""

from __future__ import annotations

from fractions import Fraction

from flint import arb, ctx

from theory.errors import BadInput
from theory.evaluate import fraction, upper
from theory.formula import Formula
from theory.series import Obstruction, as_complex

__all__ = ["STAND_IN_BITS", "coefficients", "stand_in"]

#: Significant bits of a stand-in that is not a short fraction anyway.
STAND_IN_BITS = 96
#: Numbers beyond this power of two are refused, below the other taken for zero up to that: fractions fill the memory.
_MOST_BITS = 20_000
_LEAST_BITS = -200_000


def coefficients(formula: Formula, count: int, precision: int) -> list[arb]:
    """Return balls around c_0, ..., c_{count-1} at the centre.

    Args:
        formula: A formula already proved analytic near its centre, so that removable zeros are known.
        count: How many.
        precision: Working precision in bits.

    Raises:
        BadInput: If the formula is not analytic at its centre, has no finite value there, or is not real.
    """
    with ctx.workprec(precision):
        centre = as_complex(formula.centre)
    try:
        series = formula.over(centre, count, precision=precision)[formula.tape.root]
    except Obstruction:
        raise BadInput(f"the formula is not analytic at x = {formula.centre}") from None
    values = [series[k] for k in range(count)]
    if not all(value.imag.contains(0) for value in values):
        raise BadInput("the formula is not real on the real axis")
    return [_in_range(value.real, formula.centre) for value in values]


def _in_range(value: arb, centre: Fraction) -> arb:
    """Return a ball whose exact ends fit in memory.

    Raises:
        BadInput: If there is none.
    """
    size = value.abs_upper()
    if not size < arb(2) ** _MOST_BITS:
        raise BadInput(f"the formula's Taylor coefficients at x = {centre} are not finite, or beyond 2^{_MOST_BITS}")
    if size < arb(2) ** _LEAST_BITS:
        return arb(0, arb(2) ** _LEAST_BITS)
    return value


def stand_in(coefficient: arb, bits: int = STAND_IN_BITS) -> tuple[Fraction, Fraction]:
    """Return a short rational and a bound on its distance from the coefficient.

    A fraction of small denominator in the ball is taken where there is one: it is the coefficient itself when that is
    rational, which is not claimed. Otherwise the middle is rounded to the given bits.
    """
    middle, blur = fraction(coefficient.mid()), fraction(arb(coefficient.rad()).upper())
    if abs(middle) <= blur:
        return Fraction(0), upper(abs(middle) + blur, 30)
    short = middle.limit_denominator(2**bits)
    if abs(short - middle) > blur:
        shift = bits - (abs(middle.numerator).bit_length() - middle.denominator.bit_length())
        short = Fraction(round(middle * Fraction(2) ** shift)) / Fraction(2) ** shift
    return short, upper(abs(short - middle) + blur, 30)
