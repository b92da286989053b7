"""The error at one given matrix, proved: network and function evaluated in balls, the lower end rounded down."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from empirical.certify.norms import NORMS
from empirical.certify.piece import Problem
from empirical.certify.rounding import Floats, float_above, float_below
from theory.errors import BadInput

__all__ = ["Witness", "determinant_sign"]

_PRECISION = 256


@dataclass(frozen=True)
class Witness:
    """Evaluates norm(N(A) - f(A)) in flint balls at 256 bits."""

    problem: Problem

    @cached_property
    def _layers(self) -> list[tuple[Any, Any]]:
        flint = _flint()
        layers = []
        for weight, bias in zip(self.problem.chain.weights, self.problem.chain.biases, strict=True):
            entries = [flint.arb(float(entry)) for entry in weight.ravel()]
            column = [flint.arb(float(entry)) for entry in bias]
            layers.append((flint.arb_mat(*weight.shape, entries), flint.arb_mat(len(bias), 1, column)))
        return layers

    def bounds(self, point: Floats) -> tuple[float, float]:
        """Return floats below and above the exact error at a matrix (n^2,); (0, inf) where f is not enclosed."""
        flint = _flint()
        n = self.problem.target.n
        with flint.ctx.workprec(_PRECISION):
            column = [flint.arb(float(entry)) for entry in point]
            try:
                image = self.problem.target.ball(flint.arb_mat(n, n, column))
            except ZeroDivisionError:
                return 0.0, float("inf")
            value = NORMS[self.problem.norm].ball(flint.arb_mat(n, n, self._network(column)) - image)
            if not value.is_finite():
                return 0.0, float("inf")
            return max(0.0, float_below(_exact(value.lower()))), float_above(_exact(value.upper()))

    def _network(self, column: list[Any]) -> list[Any]:
        flint = _flint()
        zero = flint.arb(0)
        for index, (weight, bias) in enumerate(self._layers):
            if index:
                column = [zero.max(entry) for entry in column]
            column = (weight * flint.arb_mat(len(column), 1, column) + bias).entries()
        return column


def _flint() -> Any:
    try:
        import flint
    except ImportError:
        raise BadInput("certifying needs python-flint; install it with: pip install python-flint") from None
    return flint


def _exact(point: Any) -> Fraction:
    """An exact ball as a Fraction."""
    mantissa, exponent = point.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def determinant_sign(matrix: Floats) -> int:
    """Return the sign of the exact determinant of a float matrix (n, n)."""
    flint = _flint()
    rationals = [flint.fmpq(*float(entry).as_integer_ratio()) for entry in np.ravel(matrix)]
    determinant = flint.fmpq_mat(*matrix.shape, rationals).det()
    return (determinant > 0) - (determinant < 0)
