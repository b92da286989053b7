"""The product of two numbers by two integer squarers side by side (theorem scalar.product)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

from theory.architecture import Architecture
from theory.dyadic import fits_float64
from theory.evaluate import lower
from theory.schedule import Schedule, Wires, cheapest
from theory.smooth import as_fraction

__all__ = ["ProductShape", "product_shape", "root_above"]


@dataclass(frozen=True)
class ProductShape:
    """x y = scale (G(w |x + y|) - G(w |x - y|)) on |x|, |y| <= radius, G(t) = t^2 at the integers 0, ..., N.

    Attributes:
        radius: The range of both factors.
        weight: w, with 2 w radius <= N.
        scale: 1 / (4 w^2), exactly or nearly.
        schedule: The layers of both squarers.

    Raises:
        ValueError: If the squarers would leave [0, N], or a weight is no float64.
    """

    radius: Fraction
    weight: Fraction
    scale: Fraction
    schedule: Schedule

    def __post_init__(self) -> None:
        if not 0 < 2 * self.weight * self.radius <= self.schedule.pieces:
            raise ValueError("both squarers stay in [0, N]")
        if not fits_float64(self.weight) or not fits_float64(self.scale):
            raise ValueError("every weight is a float64")

    @property
    def slant(self) -> Fraction:
        """What a scale that is not exactly 1/(4 w^2) adds to the error, at most: |4 w^2 scale - 1| radius^2."""
        return abs(4 * self.weight**2 * self.scale - 1) * self.radius**2

    @property
    def error(self) -> Fraction:
        """Bound on the error: scale/4 exactly where the slant is 0."""
        return self.scale / 4 + self.slant

    @property
    def attained(self) -> Fraction:
        """An error that is reached, at x = y = 1/(4 w)."""
        return self.scale / 4 - self.slant

    @property
    def nonzeros(self) -> int:
        """Non-zeros of a network of this shape: eight for |x + y| and |x - y|, then two squarers."""
        return 8 + 2 * self.schedule.nonzeros(Wires(2))

    @property
    def biases(self) -> int:
        """How many of the non-zeros are biases."""
        return 2 * self.schedule.biases(Wires(2))

    @property
    def architecture(self) -> Architecture:
        """Layer widths."""
        return Architecture.of([2, 4, *(2 * width for width in self.schedule.widths(Wires(2))), 1])

    @property
    def largest_weight(self) -> Fraction:
        """Largest weight or bias in absolute value."""
        return max(*map(abs, self.schedule.weights([self.weight] * 2, [], Fraction(0), self.scale)), Fraction(1))

    @property
    def parameters(self) -> tuple[tuple[str, int | str], ...]:
        """What tells this network from others of its route, for people."""
        return (("radices", self.schedule.text()),)

    def json(self) -> dict[str, Any]:
        """Return the shape as it stands in files."""
        return {
            "radius": str(self.radius),
            "weight": str(self.weight),
            "scale": str(self.scale),
            "radices": list(self.schedule.items),
        }


def product_shape(radius: Fraction, eps: Fraction) -> ProductShape:
    """Return the product on |x|, |y| <= radius within eps with the fewest non-zeros: error radius^2/(4 N^2)."""
    least = max(2, root_above(radius**2 / (4 * eps)))
    while True:
        schedule = cheapest(Wires(2), least)
        weight = lower(schedule.pieces / (2 * radius))
        shape = ProductShape(radius, weight, as_fraction(float(1 / (4 * weight**2))), schedule)
        if shape.error <= eps:  # else the rounded scale took it past eps: one more piece is far more than enough
            return shape
        least = schedule.pieces + 1


def root_above(value: Fraction) -> int:
    """Return the smallest integer whose square is at least a positive value."""
    root = isqrt(value.numerator // value.denominator)
    return root if root * root >= value else root + 1
