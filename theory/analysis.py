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
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Any, Protocol

from flint import arb, ctx

from theory import symbols as S
from theory.dyadic import Dyadic, dyadic_above, dyadic_below
from theory.evaluate import as_ball, ball
from theory.freezing_budget import StageFreezing, carrier_rounding, margin, stage_freezing
from theory.network_plan import ProductPlan, StagePlan, carried_outputs, folded_outputs, linear_part
from theory.norm_model import NormModel
from theory.program import Combination, Product, Program, Source, Stage
from theory.radices import Radices
from theory.row_mass import RowMass, Unfreezable, combined

__all__ = ["Analysis", "Law", "Track", "analyse", "majorants"]

#: Bits of the scales and offsets: short, so that their products with a merged weight stay exact in float64.
SCALE_BITS = 12
#: Where rows are rounded, ranges are widened by this factor: ``_carried_bounds`` checks that it covers the rounding.
SLACK = 1 + arb((1, -30))


@dataclass(frozen=True)
class Track:
    """What is known of one matrix: range b, real error D, frozen error F, and the row that computes an entry."""

    b: arb
    D: arb
    F: arb
    row: RowMass


@dataclass(frozen=True)
class Analysis:
    """The stages with scales fixed, the output's errors in the analysis norm, what is known of the last matrices."""

    stages: tuple[StagePlan, ...]
    error: arb
    frozen_error: arb
    tracks: Mapping[str, Track] = field(default_factory=dict)


class Law(Protocol):
    """A law by which a program's errors go through its stages, where forward errors would not see that it corrects."""

    def start(self, n: int) -> Any:
        """Return what is known before the first stage."""
        ...

    def after(
        self, place: int, state: Any, before: Mapping[str, Track], tracks: Mapping[str, Track]
    ) -> tuple[Any, dict[str, Track]]:
        """Return what is known after a stage, and the tracks the next one starts from."""
        ...

    def errors(self, state: Any) -> tuple[arb, arb]:
        """Return the errors of the result, in real arithmetic and frozen."""
        ...

    def log_error(self, n: int, log_pieces: Sequence[float]) -> float:
        """Return log of the error to be expected, in floats, from log pieces a stage."""
        ...

    def layers(self, n: int, radices: Sequence[tuple[int, int, int]], log_target: float) -> list[int] | None:
        """Return layers per stage that should meet a target; None if there are none."""
        ...

    def radices(self, n: int, caps: Sequence[tuple[int, int, int]], log_target: float) -> list[Radices] | None:
        """Return radices per stage that should meet a target, no larger than needed; None if there are none."""
        ...


@cache
def _product_error_expression():  # type: ignore[no-untyped-def]  # a SymPy expression
    from theory.product_error import PRODUCT_ERROR

    return PRODUCT_ERROR


def product_error(n: int, bound_left: arb, bound_right: arb, pieces: arb) -> arb:
    """Return the centred entrywise error of a matrix product (theorem matmul.polarised, TIGHT up to centring)."""
    return ball(_product_error_expression(), {S.n: n, S.BL: bound_left, S.BR: bound_right, S.N: pieces})


def majorants(program: Program, model: NormModel) -> dict[str, arb]:
    """Return ``b_V`` for every matrix of the program: the program run on absolute values (a majorant)."""
    b = {source.name: source_range(source, model) for source in program.sources}
    for stage in program.stages:
        live = dict(b)
        for product in stage.products:
            sizes = _size(product.left, b, model) * _size(product.right, b, model)
            live[product.name] = model.partial(product.terms(model.n)) * sizes
        b = {name: _claimed(stage, name, _size(output, live, model)) for name, output in stage.outputs}
    return b


def source_range(source: Source, model: NormModel) -> arb:
    """Return the bound on a source in the analysis norm."""
    return model.theta if source.range is None else as_ball(source.range)


def _claimed(stage: Stage, name: str, size: arb) -> arb:
    claim = dict(stage.claims).get(name)
    return size if claim is None else size.min(as_ball(claim))


def _source_track(source: Source, model: NormModel) -> Track:
    """Return what is known of a source: exact, but for the rounding of the rows that read it."""
    size = model.input_entry
    entry = RowMass(size, arb(0), arb(1), size + 1, 0)
    if source.left is None:
        row = combined([(source.factor, entry)], source.identity)
    else:
        row = _worst([combined([(source.factor * c, entry) for c in line], source.identity) for line in source.left])
    return Track(source_range(source, model), arb(0), arb(0), row)


def _worst(rows: Sequence[RowMass]) -> RowMass:
    """Return a row that no given one exceeds in any respect."""
    first, *rest = rows
    steps = [row.step for row in rows]
    for row in rest:
        first = RowMass(
            first.mass.max(row.mass),
            first.inexact.max(row.inexact),
            first.weight.max(row.weight),
            first.reach.max(row.reach),
            None,
        )
    known = [step for step in steps if step is not None]
    return replace(first, step=min(known) if len(known) == len(steps) else None)


def right_growth(program: Program) -> arb:
    """Return what the largest entry, or the analysis norm, grows by when the constant on the right multiplies it."""
    if program.right is None:
        return arb(1)
    columns = zip(*program.right, strict=True)
    return as_ball(max(sum((abs(entry) for entry in column), Fraction(0)) for column in columns))


def _last_row(program: Program, tracks: Mapping[str, Track]) -> RowMass:
    """Return the row that computes an entry of the result."""
    rows = [combined([(c, tracks[name].row) for name, c in r.terms], r.identity) for r in program.results]
    if program.right is None:
        return _worst(rows)
    row = rows[0]
    return _worst([combined([(c, row) for c in column]) for column in zip(*program.right, strict=True)])


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

    ``Unfreezable`` goes through if ``freeze`` and no bound can be given (a weight beyond float64's range).
    """
    with ctx.workprec(precision):
        tracks = {source.name: _source_track(source, model) for source in program.sources}
        plans: list[StagePlan] = []
        law: Law | None = program.law
        state = None if law is None else law.start(model.n)
        for place, (stage, stage_radices) in enumerate(zip(program.stages, radices, strict=True)):
            plan, following = _stage(stage, tracks, model, stage_radices, freeze)
            plans.append(plan)
            if law is not None:
                state, following = law.after(place, state, tracks, following)
            tracks = following
        error, frozen = arb(0), arb(0)
        for result in program.results:
            error = error.max(_weighted(result, {name: track.D for name, track in tracks.items()}))
            frozen = frozen.max(_weighted(result, {name: track.F for name, track in tracks.items()}))
        if law is not None:
            error, frozen = law.errors(state)
        growth = right_growth(program)
        error, frozen = error * growth, frozen * growth
        if freeze:  # the last affine map is rounded too
            frozen += model.n * _last_row(program, tracks).rounding()
        return Analysis(tuple(plans), error.upper(), frozen.upper(), tracks)


def _stage(
    stage: Stage, tracks: Mapping[str, Track], model: NormModel, radices: Sequence[Radices], freeze: bool
) -> tuple[StagePlan, dict[str, Track]]:
    bounds = _carried_bounds(stage, tracks, model, freeze)
    plans = tuple(
        _product_plan(product, stage, bounds, model.n, r) for product, r in zip(stage.products, radices, strict=True)
    )
    offsets = {
        name: dyadic_above(_weighted(linear_part(stage, dict(stage.outputs)[name]), _balls(bounds)) * SLACK, SCALE_BITS)
        for name in carried_outputs(stage)
    }
    plan = StagePlan(stage, plans, tuple(bounds.items()), tuple(offsets.items()))
    freezing = stage_freezing(plan, {name: track.row for name, track in tracks.items()}, model.n) if freeze else None
    tracks = dict(tracks)
    for product_plan in plans:
        name = product_plan.product.name
        own = model.n * (0 if freezing is None else freezing.product[name])
        tracks[name] = _product_track(product_plan, tracks, model, own)
    return plan, {name: _output(name, output, stage, tracks, freezing, model) for name, output in stage.outputs}


def _product_track(plan: ProductPlan, tracks: Mapping[str, Track], model: NormModel, frozen: arb) -> Track:
    """Return range and errors of a product (theorem expm.propagation); ``frozen``: what freezing adds, in the norm."""
    n, product = model.n, plan.product
    terms = product.terms(n)
    share = model.partial(terms)
    left, right = (
        {part: _weighted(factor, {v: getattr(tracks[v], part) for v in factor.names}) for part in ("b", "D", "F")}
        for factor in (product.left, product.right)
    )
    delta = product_error(terms, 1 / plan.alpha_left.ball, 1 / plan.alpha_right.ball, plan.radices.pieces_ball)
    if product.how == "difference":
        delta *= arb(2) / 3  # theorem product.difference: 1 a term, not 3/2
    own = n * (delta + _centre_rounding(plan, n))
    errors = [
        share * (left["b"] * right[part] + left[part] * right["b"] + left[part] * right[part]) + own
        for part in ("D", "F")
    ]
    return Track(share * left["b"] * right["b"], errors[0].upper(), (errors[1] + frozen).upper(), _NO_ROW)


#: The row of a matrix whose rounding nobody asks for: a product, which only outputs read, or any of a plan not frozen.
_NO_ROW = RowMass(arb(0), arb(0), arb(0), arb(0), None)


def _output(
    name: str,
    output: Combination,
    stage: Stage,
    tracks: Mapping[str, Track],
    freezing: StageFreezing | None,
    model: NormModel,
) -> Track:
    part = {kind: {v: getattr(tracks[v], kind) for v in output.names} for kind in ("b", "D", "F")}
    # A folded linear part is inside the product's accumulators; one carried by itself is rounded on its own.
    own = arb(0) if freezing is None else model.n * freezing.carried.get(name, arb(0))
    return Track(
        b=_claimed(stage, name, _size(output, part["b"], model)).upper(),
        D=_weighted(output, part["D"]).upper(),
        F=(_weighted(output, part["F"]) + own).upper(),
        row=_NO_ROW if freezing is None else freezing.outputs[name],
    )


def _balls(bounds: Mapping[str, Dyadic]) -> dict[str, arb]:
    return {name: bound.ball for name, bound in bounds.items()}


def _carried_bounds(stage: Stage, tracks: Mapping[str, Track], model: NormModel, freeze: bool) -> dict[str, Dyadic]:
    """Return bounds on the computed entries of the live matrices, wide enough that rounding silences no carrier.

    Raises:
        Unfreezable: If it might.
    """
    bounds = {}
    for name in stage.live:
        track = tracks[name]
        computed = model.entry(track.b) + model.entry(track.F)
        bounds[name] = dyadic_above(computed, SCALE_BITS)
        if freeze and not carrier_rounding(track.row, bounds[name].fraction).is_zero():
            bounds[name] = dyadic_above(computed * SLACK, SCALE_BITS)
            if not carrier_rounding(track.row, bounds[name].fraction) < computed * (SLACK - 1):
                raise Unfreezable(f"rounding the row of {name} is not covered by the slack")
    return bounds


def _product_plan(
    product: Product, stage: Stage, bounds: Mapping[str, Dyadic], n: int, radices: Radices
) -> ProductPlan:
    sizes = _balls(bounds)
    alpha_left = dyadic_below(1 / _weighted(product.left, sizes), SCALE_BITS)
    alpha_right = alpha_left if product.is_square else dyadic_below(1 / _weighted(product.right, sizes), SCALE_BITS)
    scale = 1 / (alpha_left.ball * alpha_right.ball)
    # One-sided errors sum to n B_L B_R [-1, 2] / N^2: shift by the middle, -1/2. Differences err to both sides alike.
    centre = Dyadic(0, 0)
    if product.how != "difference":
        centre = dyadic_below(product.terms(n) * scale / (2 * radices.pieces_ball**2), SCALE_BITS)
    offset = row_offset = Dyadic(0, 0)
    if radices.layers > 1:
        # A partial sum of the squarer is within [u^2 - 4/P_1^2, u^2 + 1/N^2] (theorem square.symmetric): positive
        # coefficients sum to 2 n B_L B_R, the one negative square of theorem matmul.square has coefficient B^2.
        # Without shared sums an entry's negative squares stand beside its positive ones: n B_L B_R of them.
        squares = 8 * n * scale / arb(radices.first) ** 2
        if product.is_square and n > 1:
            squares += (1 + 1 / radices.pieces_ball**2) * scale
        if product.how != "polarised":
            squares += n * (1 + 1 / radices.pieces_ball**2) * scale
        linear, output = arb(0), folded_outputs(stage).get(product.name)
        if output is not None:
            form = dict(stage.outputs)[output]
            linear = _weighted(linear_part(stage, form), sizes) / abs(as_ball(form[product.name]))
        spare = margin(n * scale)
        offset = dyadic_above(squares + centre.ball + linear + spare + margin(linear), SCALE_BITS)
        row_offset = dyadic_above(4 * n * scale / arb(radices.first) ** 2 + spare, SCALE_BITS)
    return ProductPlan(product, radices, alpha_left, alpha_right, offset, row_offset, centre)


def _centre_rounding(plan: ProductPlan, n: int) -> arb:
    """Return how far the short centre is from the exact middle of the error interval."""
    if plan.product.how == "difference":
        return arb(0)
    exact = plan.product.terms(n) * plan.scale_ball / (2 * plan.radices.pieces_ball**2)
    return abs(exact - plan.centre.ball)
