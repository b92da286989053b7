"""Zeros of functions: found by Newton's iteration, recognised as exact constants, shown as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import sympy as sp
from flint import acb, arb, ctx

from theory.evaluate import fraction

__all__ = ["Local", "identify", "locate", "show"]

#: Taylor coefficients 0, 1, 2 of a function at a point.
Local = Callable[[acb], tuple[acb, acb, acb]]
_PRECISION = 256
_STEPS = 40
#: Newton's iterates settle to 2^-100 and better; agreement to 2^-70 with a short constant is no accident.
_SETTLED = arb(2) ** -100
_CLOSE = Fraction(1, 2**70)


def locate(local: Local, start: acb, within: arb) -> acb | None:
    """Return a point close to a zero of a function, of any order, or None; what it is remains to be proved.

    Newton's iteration for v/v', whose zeros are simple: z - v v'/(v'^2 - v v'').

    Args:
        local: The function's first three Taylor coefficients at a point; may raise ArithmeticError off its domain.
        start: Where to start.
        within: Give up further than this from the start.
    """
    point = start.mid()
    with ctx.workprec(_PRECISION):
        for _ in range(_STEPS):
            try:
                value, slope, curvature = local(point)
            except ArithmeticError:
                return None
            bottom = slope * slope - 2 * value * curvature
            if bottom.contains(0):
                # At a multiple zero everything drowns in rounding together: the point is as good as it gets.
                return point if value.abs_upper() < _SETTLED else None
            step = (value * slope / bottom).mid()
            point = (point - step).mid()
            if not (point - start).abs_upper() < within:
                return None
            if step.abs_upper() < _SETTLED:
                return point
    return None


def identify(point: acb, *known: Fraction) -> Iterator[sp.Expr]:
    """Yield exact constants a point may be, simplest kind first; each is a guess to be verified.

    Args:
        point: A point accurate to about 2^-100.
        known: Real numbers to try first.
    """
    with ctx.workprec(_PRECISION):
        for real in _recognise(point.real, known):
            for imaginary in _recognise(point.imag, ()):
                yield real + sp.I * imaginary


def _recognise(value: arb, known: tuple[Fraction, ...]) -> Iterator[sp.Expr]:
    pi = arb.pi()
    for guess in (*known, *_short(value, 10**8)):
        if abs(fraction(value.mid()) - guess) < _CLOSE:
            yield sp.Rational(guess.numerator, guess.denominator)
            return
    for power in (1, 2):
        for guess in _short(value / pi**power, 1000):
            yield sp.Rational(guess.numerator, guess.denominator) * sp.pi**power
    for guess in _short(value * value, 1000):
        root = sp.sqrt(sp.Rational(guess.numerator, guess.denominator))
        yield root if value > 0 else -root
    if abs(value) < 50:
        for guess in _short(value.exp(), 1000):
            yield sp.log(sp.Rational(guess.numerator, guess.denominator))


def _short(value: arb, denominator: int) -> Iterator[Fraction]:
    """Yield the fraction of a short denominator a value agrees with, if there is one."""
    exact = fraction(value.mid())
    guess = exact.limit_denominator(denominator)
    if abs(exact - guess) < _CLOSE * max(Fraction(1), abs(guess)):
        yield guess


def show(point: acb, digits: int = 6) -> str:
    """Return a point in decimals; a part no larger than the ball itself counts as zero."""
    blur = 2 * float(max(point.real.rad(), point.imag.rad()).upper()) + 1e-15 * float(point.abs_upper())
    parts = [float(part.mid()) for part in (point.real, point.imag)]
    real, imaginary = (0.0 if abs(part) <= blur else part for part in parts)
    if not imaginary:
        return f"{real:.{digits}g}"
    head = f"{real:.{digits}g} {'-' if imaginary < 0 else '+'} " if real else "-" * (imaginary < 0)
    return f"{head}{abs(imaginary):.{digits}g}*I"
