"""Scaling and squaring for domains so large that its stages cannot be listed: one choice of radices, closed forms.

Paterson-Stockmeyer with a fixed block b on X = A/2^s, ||X|| <= theta_s <= 1, then s squarings. With d the error one
product of factors of norm at most e adds, d = 3/2 n^2 mu(e)^2 / N^2 (mu: from norm to entries), and all errors below 1:

- powers: ``D_{i+j} <= D_i + D_j + D_i D_j + d`` gives ``D_i <= 2 i d``;
- each of the q/b Horner steps adds at most ``e (2 b d) + d``, so the polynomial errs by at most ``8 (q + b) d``;
- squaring j multiplies by ``2 e^{theta_j}`` and adds at most ``d e^{2 theta_j}``: the total is at most
  ``2^s e^theta (8 (q + b) d) + s 2^s e^{2 theta} d``, doubled for the second-order terms while all of it is below 1/2.
"""

from __future__ import annotations

import math
from fractions import Fraction

from flint import arb, ctx

from theory.analysis import analyse
from theory.counts import Counts, count_plan
from theory.errors import OutOfReach
from theory.evaluate import as_ball
from theory.expm.programs import squarings
from theory.expm.truncation import squared_tail
from theory.expm.uniform import UniformRoute, layers_for
from theory.layout import widest_radices
from theory.network_plan import NetworkPlan
from theory.norm_model import NormModel
from theory.plan import reference_width
from theory.polynomials import paterson_stockmeyer
from theory.problem import Problem
from theory.program import Product, Stage, combination
from theory.radices import Radices

__all__ = ["uniform_squaring"]

_BLOCK = 8


def uniform_squaring(problem: Problem) -> UniformRoute:
    """Return counts and the proved error of scaling and squaring with one choice of radices.

    Raises:
        OutOfReach: If no degree up to 10^6 meets the accuracy.
    """
    with ctx.workprec(160):
        model = NormModel(problem.n, problem.domain)
        eps = as_ball(problem.eps) / model.in_norm(arb(1), problem.norm)
        degree, scalings, tail = _degree_and_scalings(model, eps)
        general = Stage((Product("P", combination({"A": 1}), combination({"H": 1})),), (("H", combination({"P": 1})),))
        widest = widest_radices(general, problem.n, reference_width(problem.n))
        assert widest is not None, "the reference width fits base 2"
        growth = model.theta.exp()
        unit = 3 * problem.n**2 * model.entry(arb(1)) ** 2 / 2
        amount = 2 * unit * arb(2) ** scalings * growth * (8 * (degree + _BLOCK) * arb(2).exp() + scalings * growth)
        radices = Radices.lean(*widest, layers_for((amount / (eps - tail)).sqrt().max(2 * amount.sqrt()), widest))
        error = tail + amount / radices.pieces_ball**2
        return _extended(problem, model, radices, degree, scalings, model.in_norm(error, problem.norm))


def _degree_and_scalings(model: NormModel, eps: arb) -> tuple[int, int, arb]:
    """Return the fewest stages: degrees a multiple of the block, by a grid; scalings by bisection.

    Raises:
        OutOfReach: If no degree up to 10^6 meets the accuracy.
    """
    base = max(0, math.ceil(float(model.theta.log().mid()) / math.log(2)))
    best: tuple[int, int, int, arb] | None = None
    multiple = 2
    while multiple * _BLOCK < 10**6:
        degree = multiple * _BLOCK

        def tail(scalings: int, degree: int = degree) -> arb:
            return squared_tail(model.theta, degree, scalings) * model.truncation_factor

        low, high = base - 1, base + 1
        while not tail(high) < eps / 2 and high < base + 10**7:
            low, high = high, base + 2 * (high - base)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if tail(middle) < eps / 2 else (middle, high)
        stages = multiple + high
        if best is None or stages < best[0]:
            best = (stages, degree, high, tail(high))
        multiple = max(multiple + 1, multiple * 5 // 4)
    if best is None:
        raise OutOfReach("no degree up to 10^6 meets the accuracy")
    return best[1:]


def _extended(
    problem: Problem, model: NormModel, radices: Radices, degree: int, scalings: int, error: arb
) -> UniformRoute:
    """Return the counts: affine in the Horner steps and in the squarings, from three small programs."""
    steps = degree // _BLOCK
    base, more_steps, more_squarings = (_small(problem, model, radices, *sizes) for sizes in ((4, 2), (5, 2), (4, 3)))

    def extend(value: int, stepped: int, squared: int) -> int:
        return value + (steps - 4) * (stepped - value) + (scalings - 2) * (squared - value)

    parts = [base, more_steps, more_squarings]
    depths = [c.architecture.hidden_layers for c in parts]
    bits = [as_ball(c.architecture.bits) for c in parts]
    growth = model.theta.exp()
    largest = 16 * problem.n**2 * model.entry(growth) ** 2 + radices.first * radices.last + arb(2) ** scalings
    return UniformRoute(
        degree=degree,
        scalings=scalings,
        radices=radices,
        hidden_layers=extend(*depths),
        width=max(c.architecture.width for c in parts),
        nonzeros=extend(*(c.nonzeros for c in parts)),
        bits=bits[0] + (steps - 4) * (bits[1] - bits[0]) + (scalings - 2) * (bits[2] - bits[0]),
        largest_weight=largest,
        error=error,
    )


def _small(problem: Problem, model: NormModel, radices: Radices, steps: int, scalings: int) -> Counts:
    polynomial = paterson_stockmeyer([Fraction(1, 2**k) for k in range(1, steps * _BLOCK + 1)], 0, _BLOCK)
    program = squarings(polynomial, scalings)
    analysis = analyse(program, model, [[radices]] * len(program.stages), freeze=False)
    none = Fraction(0)
    return count_plan(NetworkPlan(problem, "", "expm.scaling-squaring", (), program, analysis.stages, none, none))
