"""How much rounding a row of weights can move its value: its mass, less the part whose weights need no rounding.

A row is an affine functional ``sum w_i h_i + b`` of neurons ``h_i >= 0``. Rounded once to float64 it moves by at most
``u (sum |w_i| h_i + |b|) + eta (sum h_i + 1)``, u = 2^-53 (theorem freeze.affine); eta = 2^-1075 pays for results below
float64's normal range. Weights that are multiples of ``2^step`` and at most ``2^(53 + step)`` are float64 already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from theory.evaluate import as_ball

__all__ = ["ETA", "SECOND_ORDER", "UNIT", "RowMass", "Unfreezable", "combined", "fits", "twos"]

#: Half a unit in the last place of float64, relative, and half the least subnormal.
UNIT = arb((1, -53))
ETA = arb((1, -1075))
#: Masses are taken at the ideal network's values; the frozen network's exceed them by a far smaller factor.
SECOND_ORDER = 1 + arb((1, -20))
#: Largest weight: a little inside float64's range, so that no rounding overflows.
LARGEST = arb((1, 1000))
_LEAST_EXPONENT, _PRECISION = -1074, 53


class Unfreezable(ArithmeticError):
    """Raised where no bound on freezing can be given: a weight beyond float64's range, or a neuron it might silence."""


def twos(value: Fraction) -> int | None:
    """Return the largest e such that the value is a multiple of 2^e; None if it is no dyadic rational, or 0."""
    if not value or value.denominator & (value.denominator - 1):
        return None
    return (value.numerator & -value.numerator).bit_length() - value.denominator.bit_length()


def fits(step: int | None, weight: arb) -> bool:
    """Return whether every multiple of 2^step of absolute value at most ``weight`` is a float64."""
    return step is not None and step >= _LEAST_EXPONENT and bool(weight <= arb((1, step + _PRECISION)))


@dataclass(frozen=True)
class RowMass:
    """What the rounding of a row depends on. All numbers bound sums of absolute values, before any terms merge.

    Attributes:
        mass: ``sum |w_i| h_i + |b|``.
        inexact: The part of the mass on neurons that carry no weight of the others' kind: last kinks.
        weight: Any one weight, or the bias.
        reach: ``sum h_i + 1``.
        step: Weights outside the inexact part, and the bias, are multiples of 2^step; None if no such step is known.
    """

    mass: arb
    inexact: arb
    weight: arb
    reach: arb
    step: int | None

    def scaled(self, factor: arb, shift: int | None) -> RowMass:
        """Return the row times a factor that is a multiple of 2^shift (None: of no power of two)."""
        step = None if self.step is None or shift is None else self.step + shift
        return RowMass(factor * self.mass, factor * self.inexact, factor * self.weight, self.reach, step)

    def rounding(self) -> arb:
        """Return by how much rounding the row's weights once moves its value.

        Raises:
            Unfreezable: If a weight may be beyond float64's range.
        """
        if not self.weight < LARGEST:
            raise Unfreezable("a weight is outside float64's range")
        if fits(self.step, self.weight):
            return UNIT * self.inexact + (arb(0) if self.inexact.is_zero() else ETA * self.reach)
        return UNIT * self.mass + ETA * self.reach


def combined(terms: Sequence[tuple[Fraction, RowMass]], constant: Fraction = Fraction(0)) -> RowMass:
    """Return the row ``sum c_v row_v + constant``, neurons read twice merged."""
    parts = [row.scaled(as_ball(abs(c)), twos(c)) for c, row in terms if c]
    return joined(parts, as_ball(abs(constant)), twos(constant) if constant else 0, is_zero=not constant)


def joined(rows: Sequence[RowMass], constant: arb, shift: int | None, *, is_zero: bool = False) -> RowMass:
    """Return the sum of rows and a constant that is a multiple of 2^shift."""
    steps = [row.step for row in rows] + ([] if is_zero else [shift])
    known = [step for step in steps if step is not None]
    return RowMass(
        mass=sum((row.mass for row in rows), constant),
        inexact=sum((row.inexact for row in rows), arb(0)),
        weight=sum((row.weight for row in rows), constant),
        reach=sum((row.reach for row in rows), arb(1)),
        step=min(known, default=0) if len(known) == len(steps) else None,
    )


__all__ += ["joined"]
