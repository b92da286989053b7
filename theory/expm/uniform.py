"""Horner's rule of any degree with one choice of radices for all products: counted and bounded in closed form.

Used where a program of millions of stages cannot be listed. All middle stages are alike, so counts are affine in the
degree; the error follows from theorem expm.horner (uniform form):

    D <= tail + 3/2 n^2 B_A B_H / N^2 * (e^theta - 1) / theta,   B_H = (e^theta - 1 + eps) as an entry, B_A likewise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from flint import arb, ctx

from theory.analysis import analyse
from theory.counts import Counts, count_plan
from theory.evaluate import as_ball, upper
from theory.expm.programs import horner_program
from theory.expm.truncation import least_degree, taylor_tail
from theory.layout import widest_radices
from theory.network_plan import NetworkPlan
from theory.norm_model import NormModel
from theory.plan import reference_width
from theory.problem import Problem
from theory.radices import Radices

__all__ = ["UniformRoute", "layers_for", "uniform_horner"]

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


def uniform_horner(problem: Problem) -> UniformRoute:
    """Return degree, radices, counts and the proved error (in the problem's norm) for a degree too large to list."""
    with ctx.workprec(128):
        return _uniform(problem)


def _uniform(problem: Problem) -> UniformRoute:
    model = NormModel(problem.n, problem.domain)
    eps = as_ball(problem.eps) / model.in_norm(arb(1), problem.norm)
    degree = least_degree(model, eps / 2)
    tail = model.truncation_factor * taylor_tail(model.theta, degree)
    room = eps - tail
    stage = horner_program(3).stages[1]
    widest = widest_radices(stage, problem.n, reference_width(problem.n))
    assert widest is not None, "the reference width fits base 2"
    growth = model.theta.exp()
    # Entries of A are at most theta (as an entry); those of every H_k at most e^theta - 1 + eps < e^theta + 1.
    amount = problem.n * 3 * problem.n * model.entry(model.theta) * model.entry(growth + 1) / 2 * growth / model.theta
    pieces = (amount / room).sqrt()
    radices = Radices.lean(*widest, layers_for(pieces, widest))
    error = tail + amount / radices.pieces_ball**2
    low, high = (_small(problem, model, radices, d) for d in (_LOW, _HIGH))
    extra = degree - _HIGH
    bits_low, bits_high = as_ball(low.architecture.bits), as_ball(high.architecture.bits)
    # Offsets and coefficients are at most 3 n B_A B_H plus the linear part; zigzag weights at most r_1 r_2.
    largest = 8 * problem.n * model.entry(model.theta) * model.entry(growth + 1) + widest[0] * widest[2]
    return UniformRoute(
        degree=degree,
        scalings=0,
        radices=radices,
        hidden_layers=high.architecture.hidden_layers + extra * radices.layers,
        width=high.architecture.width,
        nonzeros=high.nonzeros + extra * (high.nonzeros - low.nonzeros),
        bits=bits_high + extra * (bits_high - bits_low),
        largest_weight=largest,
        error=model.in_norm(error, problem.norm),
    )


def layers_for(pieces: arb, widest: tuple[int, int, int]) -> int:
    """Return the layers at which squarers of these radices have at least so many pieces."""
    first, middle, last = widest
    if pieces <= first:
        return 1
    rest = (pieces / (first * last)).log() / arb(middle).log()
    return 2 + max(0, math.ceil(upper(rest, 80)))


def _small(problem: Problem, model: NormModel, radices: Radices, degree: int) -> Counts:
    """Return the counts of a listed program with these radices (its own error is of no interest)."""
    program = horner_program(degree)
    analysis = analyse(program, model, [[radices]] * len(program.stages), freeze=False)
    zero = problem.eps
    return count_plan(NetworkPlan(problem, "horner", "expm.horner", (), program, analysis.stages, zero, zero))
