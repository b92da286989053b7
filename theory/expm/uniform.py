"""Routes with one choice of radices for all products, counted and bounded in closed form.

Used where a program of millions of stages cannot be listed. All middle stages are alike, so counts are affine in their
number; the error follows from theorem expm.propagation (uniform form): whatever scheme evaluates a polynomial with
coefficients in [0, 1/k!], its products of relative error ``eta = 3/2 n^2 mu^2 / N^2`` add at most
``eta theta e^((1 + eta) theta)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from flint import arb, ctx

from theory import symbols as S
from theory.analysis import analyse
from theory.counts import Counts, count_plan
from theory.evaluate import as_ball, ball, upper
from theory.expm.formulas import PRODUCT_SHARE, UNIFORM
from theory.expm.programs import horner_program
from theory.expm.truncation import least_degree, taylor_tail
from theory.layout import widest_radices
from theory.network_plan import NetworkPlan
from theory.norm_model import NormModel
from theory.plan import reference_width
from theory.problem import Problem
from theory.program import Program, Stage
from theory.radices import Radices

__all__ = ["UniformRoute", "counts_of", "propagated", "shallowest", "uniform_horner", "widest_of"]

#: Degrees of the two small programs whose counts are extended affinely (the middle stages are all alike).
_LOW, _HIGH = 5, 6


@dataclass(frozen=True)
class UniformRoute:
    """Counts and error of a route with one choice of radices; the largest weight is a bound, not the value."""

    degree: int
    scalings: int
    radices: Radices
    hidden_layers: int
    width: int
    nonzeros: int
    bits: arb
    largest_weight: arb
    error: arb


def propagated(model: NormModel, pieces: arb) -> arb:
    """Return what products with squarers of so many pieces add to the error (theorem expm.propagation, uniform)."""
    share = ball(PRODUCT_SHARE, {S.n: model.n, S.mu: model.entry(arb(1)), S.N: pieces})
    return ball(UNIFORM, {S.eta: share, S.theta: model.theta})


def shallowest(model: NormModel, room: arb, widest: tuple[int, int, int]) -> Radices:
    """Return the shallowest radices of this width whose products add less than the room (in the analysis norm)."""

    def fits(layers: int) -> bool:
        return bool(propagated(model, Radices.lean(*widest, layers).pieces_ball) < room)

    # While eta theta <= 1/100 the error is its first order within 2 %: a start from which few steps remain.
    share = ball(PRODUCT_SHARE, {S.n: model.n, S.mu: model.entry(arb(1)), S.N: 1})
    pieces = (share * model.theta * model.theta.exp() / room).sqrt().max((100 * share * model.theta).sqrt())
    layers = _layers_for(pieces, widest)
    while not fits(layers):
        layers += 1
    while layers > 1 and fits(layers - 1):
        layers -= 1
    return Radices.lean(*widest, layers)


def _layers_for(pieces: arb, widest: tuple[int, int, int]) -> int:
    """Return the layers at which squarers of these radices have about so many pieces."""
    first, middle, last = widest
    if pieces <= first:
        return 1
    rest = (pieces / (first * last)).log() / arb(middle).log()
    return 2 + max(0, math.ceil(upper(rest, 80)))


def uniform_horner(problem: Problem) -> UniformRoute:
    """Return degree, radices, counts and the proved error (in the problem's norm) for a degree too large to list."""
    with ctx.workprec(160):
        model = NormModel(problem.n, problem.domain)
        eps = as_ball(problem.eps) / model.in_norm(arb(1), problem.norm)
        degree = least_degree(model, eps / 2)
        tail = model.truncation_factor * taylor_tail(model.theta, degree)
        radices = shallowest(model, eps - tail, widest_of(horner_program(3).stages[1], problem.n))
        low, high = (counts_of(problem, horner_program(d), radices) for d in (_LOW, _HIGH))
        extra = degree - _HIGH
        bits_low, bits_high = as_ball(low.architecture.bits), as_ball(high.architecture.bits)
        return UniformRoute(
            degree=degree,
            scalings=0,
            radices=radices,
            hidden_layers=high.architecture.hidden_layers + extra * radices.layers,
            width=high.architecture.width,
            nonzeros=high.nonzeros + extra * (high.nonzeros - low.nonzeros),
            bits=bits_high + extra * (bits_high - bits_low),
            largest_weight=_largest(model, radices, degree),
            error=model.in_norm(tail + propagated(model, radices.pieces_ball), problem.norm),
        )


def _largest(model: NormModel, radices: Radices, degree: int) -> arb:
    """Return a bound on the weights of Horner's rule.

    H_k is kept times a power of two that brings its leading coefficient into (1/2, 1]: its entries are bounded by no
    less than half those of A (so scales are at most 2.1/B_A) and no more than mu (e^theta - 1). Offsets are at most
    4 n B_A B_H and the linear part, whose coefficient is at most k + 1 per unit of the product.
    """
    entry, n = model.entry(model.theta), model.n
    product = entry * model.entry((model.theta * arb("1.01")).exp())
    return (
        64 * n * (1 + product)
        + 8 * radices.first * radices.last * (n + 2 + 3 / entry)
        + (degree + 2) * (2 + entry)
    )


def widest_of(stage: Stage, n: int) -> tuple[int, int, int]:
    """Return the largest radices of a stage within the reference width."""
    widest = widest_radices(stage, n, reference_width(n))
    assert widest is not None, "the reference width fits base 2"
    return widest


def counts_of(problem: Problem, program: Program, radices: Radices) -> Counts:
    """Return the counts of a listed program with these radices (its own error is of no interest)."""
    model = NormModel(problem.n, problem.domain)
    analysis = analyse(program, model, [[radices]] * len(program.stages), freeze=False)
    none = problem.eps
    return count_plan(NetworkPlan(problem, "", "", (), program, analysis.stages, none, none))
