"""Error analysis of a planned program: ranges, errors and freezing terms, stage by stage, in balls.

For every matrix V of the program three numbers are followed, in the analysis norm (see norm_model):
``b_V`` >= the exact program's value on the domain, ``D_V`` >= the network's error in real arithmetic, and
``F_V`` >= the frozen network's error. The recursion is that of theorem ``expm.propagation``:

    D(LR) <= b_L D_R + D_L b_R + D_L D_R + n * delta,      delta = 3/2 n B_L B_R / N^2   (theorem matmul.polarised)

where B_L, B_R bound the *computed* entries of the factors, so that squarers never leave [-1, 1]; they follow from
F, which is known first, so nothing is circular.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from flint import arb, ctx

from theory import symbols as S
from theory.dyadic import Dyadic, dyadic_above, dyadic_below
from theory.evaluate import as_ball, ball
from theory.freezing_budget import UNIT, row_rounding, stage_freezing
from theory.network_plan import ProductPlan, StagePlan, carried_outputs, folded_outputs, linear_part
from theory.norm_model import NormModel
from theory.program import Combination, Product, Program, Stage
from theory.radices import Radices

__all__ = ["Analysis", "Track", "analyse", "majorants"]

#: Bits of the scales and offsets: short, so that their products with a merged weight stay exact in float64.
SCALE_BITS = 12
#: Ranges are widened by this factor before rounding: it covers the rounding of the rows that carry them, which is
#: checked to be smaller in ``_carried_bounds``.
SLACK = 1 + arb((1, -30))


@dataclass(frozen=True)
class Track:
    """What is known of one matrix: range b, real error D, frozen error F, and the mass of the row that computes it."""

    b: arb
    D: arb
    F: arb
    mass: arb
    inexact: arb


@dataclass(frozen=True)
class Analysis:
    """The stages with scales fixed, the output's errors in the analysis norm, and each product's own share of it."""

    stages: tuple[StagePlan, ...]
    error: arb
    frozen_error: arb


@cache
def _product_error_expression():  # type: ignore[no-untyped-def]  # a SymPy expression
    from theory.matmul import PRODUCT_ERROR

    return PRODUCT_ERROR


def product_error(n: int, bound_left: arb, bound_right: arb, pieces: arb) -> arb:
    """Return the centred entrywise error of a matrix product (theorem matmul.polarised, TIGHT up to centring)."""
    return ball(_product_error_expression(), {S.n: n, S.BL: bound_left, S.BR: bound_right, S.N: pieces})


def majorants(program: Program, model: NormModel) -> dict[str, arb]:
    """Return ``b_V`` for every matrix of the program: the program run on absolute values (a majorant)."""
    b: dict[str, arb] = {"A": model.theta}
    for stage in program.stages:
        live = dict(b)
        for product in stage.products:
            live[product.name] = _size(product.left, b, model) * _size(product.right, b, model)
        b = {name: _size(output, live, model) for name, output in stage.outputs}
    return b


def _size(combination: Combination, sizes: Mapping[str, arb], model: NormModel) -> arb:
    total = abs(as_ball(combination.identity)) * model.identity
    for name, coefficient in combination.terms:
        total += abs(as_ball(coefficient)) * sizes[name]
    return total


def _weighted(combination: Combination, values: Mapping[str, arb]) -> arb:
    return sum((abs(as_ball(c)) * values[name] for name, c in combination.terms), arb(0))


def analyse(
    program: Program,
    model: NormModel,
    radices: Sequence[Sequence[Radices]],
    *,
    freeze: bool = True,
    precision: int = 128,
) -> Analysis:
    """Fix every scale and bound every error of the program run with these radices.

    Args:
        program: What is computed.
        model: Norms and ranges of the domain.
        radices: One ``Radices`` per product, stage by stage.
        freeze: Whether ranges must hold for float64 weights; without it the frozen error is the real one, and ranges
            beyond float64 are no obstacle (such a network can be counted, not shipped).
        precision: Working precision of the balls, in bits.
    """
    with ctx.workprec(precision):
        tracks = {"A": Track(model.theta, arb(0), arb(0), mass=model.entry(model.theta), inexact=arb(0))}
        plans: list[StagePlan] = []
        for stage, stage_radices in zip(program.stages, radices, strict=True):
            plan, tracks = _stage(stage, tracks, model, stage_radices, freeze)
            plans.append(plan)
        error = _weighted(program.output, {name: track.D for name, track in tracks.items()})
        frozen = _weighted(program.output, {name: track.F for name, track in tracks.items()})
        # The last affine map is rounded too: entrywise u * (inexact mass of its rows).
        rounding = row_rounding(
            [(c, tracks[name]) for name, c in program.output.terms], as_ball(program.output.identity)
        )
        return Analysis(tuple(plans), error.upper(), (frozen + (model.n * rounding if freeze else 0)).upper())


def _stage(
    stage: Stage, tracks: Mapping[str, Track], model: NormModel, radices: Sequence[Radices], freeze: bool
) -> tuple[StagePlan, dict[str, Track]]:
    bounds = _carried_bounds(stage, tracks, model)
    plans = tuple(
        _product_plan(product, stage, bounds, model.n, r) for product, r in zip(stage.products, radices, strict=True)
    )
    offsets = {
        name: dyadic_above(_weighted(linear_part(stage, dict(stage.outputs)[name]), _balls(bounds)) * SLACK, SCALE_BITS)
        for name in carried_outputs(stage)
    }
    plan = StagePlan(stage, plans, tuple(bounds.items()), tuple(offsets.items()))
    freezing = stage_freezing(plan, tracks, model.n)
    if not freeze:
        freezing = replace(freezing, product=dict.fromkeys(freezing.product, arb(0)), carried={})
    tracks = dict(tracks)
    for product_plan in plans:
        product = product_plan.product
        left = {part: _weighted(product.left, {v: getattr(t, part) for v, t in tracks.items()}) for part in ("b", "D", "F")}
        right = {
            part: _weighted(product.right, {v: getattr(t, part) for v, t in tracks.items()}) for part in ("b", "D", "F")
        }
        delta = product_error(
            model.n, 1 / product_plan.alpha_left.ball, 1 / product_plan.alpha_right.ball, product_plan.radices.pieces_ball
        ) + _centre_rounding(product_plan, model.n)
        own = model.n * delta
        D = left["b"] * right["D"] + left["D"] * right["b"] + left["D"] * right["D"] + own
        F = left["b"] * right["F"] + left["F"] * right["b"] + left["F"] * right["F"] + own
        F += model.n * freezing.product[product.name]
        mass, inexact = freezing.rows[product.name]
        tracks[product.name] = Track(left["b"] * right["b"], D.upper(), F.upper(), mass, inexact)
    return plan, {name: _output(name, output, plan, tracks, freezing.carried, model) for name, output in stage.outputs}


def _output(
    name: str,
    output: Combination,
    plan: StagePlan,
    tracks: Mapping[str, Track],
    carried: Mapping[str, arb],
    model: NormModel,
) -> Track:
    part = {field: {v: getattr(t, field) for v, t in tracks.items()} for field in ("b", "D", "F", "mass", "inexact")}
    identity = abs(as_ball(output.identity))
    products = output.restricted(plan.stage.product_names)
    # The row that computes an output reads product rows and at most one carried linear part, by weight 1 from neurons
    # in [0, 2 offset] less the offset; a folded linear part is inside the product's accumulators.
    offsets = dict(plan.linear_offsets)
    linear_mass = 3 * offsets[name].ball if name in offsets else arb(0)
    frozen = _weighted(output, part["F"]) + model.n * carried.get(name, arb(0))
    return Track(
        b=_size(output, part["b"], model).upper(),
        D=_weighted(output, part["D"]).upper(),
        F=frozen.upper(),
        mass=(_weighted(products, part["mass"]) + linear_mass + identity).upper(),
        inexact=(row_rounding([(c, tracks[v]) for v, c in products.terms], as_ball(output.identity)) / UNIT).upper(),
    )


def _balls(bounds: Mapping[str, Dyadic]) -> dict[str, arb]:
    return {name: bound.ball for name, bound in bounds.items()}


def _carried_bounds(stage: Stage, tracks: Mapping[str, Track], model: NormModel) -> dict[str, Dyadic]:
    bounds = {}
    for name in stage.live:
        track = tracks[name]
        computed = model.entry(track.b) + model.entry(track.F)
        if not UNIT * track.mass < computed * arb((1, -31)):
            raise ArithmeticError(f"rounding of the row of {name} is not covered by the slack")
        bounds[name] = dyadic_above(computed if name == "A" else computed * SLACK, SCALE_BITS)
    return bounds


def _product_plan(product: Product, stage: Stage, bounds: Mapping[str, Dyadic], n: int, radices: Radices) -> ProductPlan:
    sizes = _balls(bounds)
    alpha_left = dyadic_below(1 / _weighted(product.left, sizes), SCALE_BITS)
    alpha_right = alpha_left if product.is_square else dyadic_below(1 / _weighted(product.right, sizes), SCALE_BITS)
    scale = 1 / (alpha_left.ball * alpha_right.ball)
    offset = row_offset = Dyadic(0, 0)
    if radices.layers > 1:
        # A partial sum of the squarer is within [u^2 - 4/P_1^2, u^2 + 1/N^2] (theorem square.symmetric): positive
        # coefficients sum to 2 n B_L B_R, the one negative square of theorem matmul.square has coefficient B^2.
        lowest = 8 * n * scale / radices.first**2
        if product.is_square and n > 1:
            lowest += 2 * scale
        output = folded_outputs(stage).get(product.name)
        if output is not None:
            form = dict(stage.outputs)[output]
            lowest += _weighted(linear_part(stage, form), sizes) / abs(as_ball(form[product.name]))
        offset = dyadic_above(lowest * SLACK, SCALE_BITS)
        row_offset = dyadic_above(4 * n * scale / arb(radices.first) ** 2 * SLACK, SCALE_BITS)
    # One-sided errors sum to n B_L B_R [-1, 2] / N^2: shift by the middle, -1/2.
    centre = dyadic_below(n * scale / (2 * radices.pieces_ball**2), SCALE_BITS)
    return ProductPlan(product, radices, alpha_left, alpha_right, offset, row_offset, centre)


def _centre_rounding(plan: ProductPlan, n: int) -> arb:
    """Return how far the short centre is from the exact middle of the error interval."""
    exact = n * plan.scale_ball / (2 * plan.radices.pieces_ball**2)
    return abs(exact - plan.centre.ball)
