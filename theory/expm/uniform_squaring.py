"""Scaling and squaring for domains so large that its stages cannot be listed: one choice of radices, closed forms.

Paterson-Stockmeyer with a fixed block b on X = A/2^s, ||X|| <= 1, then s squarings. Its coefficients are non-negative
and ``(T_q(x/2^s))^(2^s)`` grows no faster than e^x, so theorem expm.propagation (uniform form) bounds the error as it
does for Horner's rule: with products of relative error eta, z = 1 + eta, squaring is exact for ``W = z Y``,
``1 + W <- (1 + W)^2``.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from flint import arb, ctx

from theory.errors import OutOfReach
from theory.evaluate import as_ball
from theory.expm.programs import squarings
from theory.expm.truncation import squared_tail
from theory.expm.uniform import UniformRoute, counts_of, propagated, shallowest, widest_of
from theory.norm_model import NormModel
from theory.polynomials import paterson_stockmeyer
from theory.problem import Problem
from theory.program import Product, Program, Stage, combination
from theory.radices import Radices

__all__ = ["uniform_squaring"]

_BLOCK = 8
_HIGHEST = 10**15


def uniform_squaring(problem: Problem) -> UniformRoute:
    """Return counts and the proved error of scaling and squaring with one choice of radices.

    ``OutOfReach`` goes through if no degree up to 10^15 meets the accuracy.
    """
    with ctx.workprec(160):
        model = NormModel(problem.n, problem.domain)
        eps = as_ball(problem.eps) / model.in_norm(arb(1), problem.norm)
        degree, scalings, tail = _degree_and_scalings(model, eps)
        general = Stage((Product("P", combination({"A": 1}), combination({"H": 1})),), (("H", combination({"P": 1})),))
        radices = shallowest(model, eps - tail, widest_of(general, problem.n))
        error = model.in_norm(tail + propagated(model, radices.pieces_ball), problem.norm)
        return _extended(problem, model, radices, degree, scalings, error)


def _least_scalings(theta: arb) -> int:
    """Return the least s with theta / 2^s <= 1, by integers."""
    mantissa, exponent = theta.upper().man_exp()
    scalings = max(0, int(mantissa).bit_length() + int(exponent) - 1)
    return scalings if theta <= arb((1, scalings)) else scalings + 1


def _degree_and_scalings(model: NormModel, eps: arb) -> tuple[int, int, arb]:
    """Return the fewest stages: degrees a multiple of the block, by a grid; scalings by bisection.

    Raises:
        OutOfReach: If no degree up to 10^15 meets the accuracy.
    """
    base = _least_scalings(model.theta)
    best: tuple[int, int, int, arb] | None = None
    for multiple in _grid():
        degree = multiple * _BLOCK

        def tail(scalings: int, degree: int = degree) -> arb:
            return squared_tail(model.theta, degree, scalings) * model.truncation_factor

        low, high = base - 1, base
        while not tail(high) < eps / 2 and high < base + _HIGHEST:
            low, high = high, base + 2 * (high - base) + 1
        if high >= base + _HIGHEST:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if tail(middle) < eps / 2 else (middle, high)
        if best is None or multiple + high < best[0]:
            best = (multiple + high, degree, high, tail(high))
    if best is None:
        raise OutOfReach(f"no degree up to {_HIGHEST} meets the accuracy")
    return best[1:]


def _grid() -> Iterator[int]:
    multiple = 2
    while multiple * _BLOCK < _HIGHEST:
        yield multiple
        multiple = max(multiple + 1, multiple * 5 // 4)


def _extended(
    problem: Problem, model: NormModel, radices: Radices, degree: int, scalings: int, error: arb
) -> UniformRoute:
    """Return the counts: affine in the Horner steps and in the squarings, from four small programs."""
    steps, squared = degree // _BLOCK, min(scalings, 2)
    low_steps = min(steps, 4)
    base, more_steps = (counts_of(problem, _small(k, squared), radices) for k in (low_steps, low_steps + 1))
    more_squarings = counts_of(problem, _small(low_steps, squared + 1), radices)
    parts = [base, more_steps, more_squarings]
    depths = [c.architecture.hidden_layers for c in parts]
    nonzeros = [c.nonzeros for c in parts]
    bits = [as_ball(c.architecture.bits) for c in parts]
    times = steps - low_steps, scalings - squared
    width = max([base.architecture.width] + [c.architecture.width for c, t in zip(parts[1:], times, strict=True) if t])
    return UniformRoute(
        degree=degree,
        scalings=scalings,
        radices=radices,
        hidden_layers=_affine(depths, times),
        width=width,
        nonzeros=_affine(nonzeros, times),
        bits=bits[0] + times[0] * (bits[1] - bits[0]) + times[1] * (bits[2] - bits[0]),
        largest_weight=_largest(model, radices, degree, scalings),
        error=error,
    )


def _affine(values: list[int], times: tuple[int, int]) -> int:
    return values[0] + sum(t * (value - values[0]) for t, value in zip(times, values[1:], strict=True))


def _largest(model: NormModel, radices: Radices, degree: int, scalings: int) -> arb:
    """Return a bound on the weights.

    Powers of X are bounded by no less than ``mu xi^b``, xi = ||X||, and the partial sums H, kept times a power of two
    that brings their leading coefficient into (1/2, 1], by no less than half mu xi: scales are at most the inverse of
    that. Ranges B are at most ``mu e^(theta/2)`` before a squaring, so offsets are at most 4 n B^2 and the linear part,
    whose coefficient is at most (q + 1)^b per unit of a Horner step's product.
    """
    n, unit, entry = model.n, model.entry(arb(1)), model.entry(model.theta)
    least = unit * (model.theta / arb((1, scalings))) ** _BLOCK
    ranges = entry**2 + unit**2 * (model.theta * arb("1.01")).exp()
    scales = 8 * radices.first * radices.last * (n + 2 + 3 / least + 2 / entry)
    return 64 * n * (1 + ranges) + scales + arb(degree + 2) ** _BLOCK * (2 + _BLOCK * unit)


def _small(steps: int, scalings: int) -> Program:
    """Return a small program with stages of every kind; its coefficients only have to be positive."""
    coefficients = [Fraction(1, 2**k) for k in range(1, steps * _BLOCK + 1)]
    return squarings(paterson_stockmeyer(coefficients, 0, _BLOCK), scalings)
