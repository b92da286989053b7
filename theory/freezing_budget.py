"""What freezing to float64 adds, a priori: every merged weight is rounded once, relative error at most u = 2^-53.

Where the roundings act (theorems freeze.affine and freeze.squarer):

1. A first-layer row ``r_1/2 (alpha sum c_v v + 1) - k`` merged with the rows that computed v from the previous layer.
   Scales and offsets are short dyadics, so only weights on the last kinks of the previous stage, and coefficients
   that are no short dyadics, are inexact; ``inexact`` is their mass, sum |w| |h|.
2. The accumulators' weights (4/P_j)^2 B_L B_R and the linear parts: mass at most about 9 times the squares' sum.
3. Inner zigzag weights are integers: exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from flint import arb

from theory.dyadic import Dyadic, fits_float64
from theory.evaluate import as_ball
from theory.network_plan import ProductPlan, StagePlan, carried_outputs, folded_outputs, linear_part
from theory.program import Combination

__all__ = ["UNIT", "StageFreezing", "row_rounding", "stage_freezing"]

#: Half a unit in the last place of float64, relative.
UNIT = arb((1, -53))
#: Output change of a squarer per unit of first- and second-layer perturbation (theorem freeze.squarer):
#: 24 tau_1 / r_1 and 24 tau_2 / (r_2 r_1^2), in units of u^2 on [-1, 1].
C1 = C2 = 24
_SHORT_BITS = 26


class Row(Protocol):
    """What the rounding of a row needs to know of the matrix it reads."""

    @property
    def mass(self) -> arb:
        """sum |w| |h| of the row that computes one entry."""
        ...

    @property
    def inexact(self) -> arb:
        """The part of the mass whose weights are not exact in float64."""
        ...


@dataclass(frozen=True)
class StageFreezing:
    """Entrywise freezing terms: of each product, of each carried linear part, and each product row's masses."""

    product: Mapping[str, arb]
    carried: Mapping[str, arb]
    rows: Mapping[str, tuple[arb, arb]]


def is_short(value: Fraction) -> bool:
    """Return whether the rational is a dyadic of at most 26 bits, so that its product with a scale is exact."""
    return value.denominator & (value.denominator - 1) == 0 and abs(value.numerator).bit_length() <= _SHORT_BITS


def row_rounding(terms: Sequence[tuple[Fraction, Row]], constant: arb) -> arb:
    """Return u times the inexact mass of a row that combines computed entries with these coefficients."""
    total = arb(0)
    for coefficient, row in terms:
        total += abs(as_ball(coefficient)) * (row.inexact if is_short(coefficient) else row.mass)
    if all(is_short(coefficient) for coefficient, _ in terms):
        return UNIT * total
    return UNIT * (total + abs(constant))


def stage_freezing(plan: StagePlan, tracks: Mapping[str, Row], n: int) -> StageFreezing:
    """Return the freezing terms of one stage, entrywise."""
    bounds = dict(plan.bounds)
    carrier = {name: row_rounding([(Fraction(1), tracks[name])], arb(0)) for name in plan.stage.live}
    products, rows = {}, {}
    for product_plan in plan.products:
        folded = _folded_linear(plan, product_plan)
        products[product_plan.product.name] = _product_freezing(product_plan, folded, bounds, tracks, carrier, n)
        rows[product_plan.product.name] = _product_row(product_plan, folded, bounds, n)
    carried = {}
    for name in carried_outputs(plan.stage):
        linear = linear_part(plan.stage, dict(plan.stage.outputs)[name])
        term = arb(0)
        for v, c in linear.terms:
            # One row of weights c on carriers relu(v + bound) in [0, 2 bound]; identity rows after it are exact.
            term += abs(as_ball(c)) * (carrier[v] + (0 if is_short(c) else UNIT * 2 * bounds[v].ball))
        carried[name] = term + (0 if all(is_short(c) for _, c in linear.terms) else UNIT * 4 * dict(plan.linear_offsets)[name].ball)
    return StageFreezing(products, carried, rows)


def _folded_linear(plan: StagePlan, product_plan: ProductPlan) -> Combination | None:
    output = folded_outputs(plan.stage).get(product_plan.product.name)
    if output is None:
        return None
    form = dict(plan.stage.outputs)[output]
    return linear_part(plan.stage, form).scaled(1 / abs(form[product_plan.product.name]))


def _product_freezing(
    plan: ProductPlan,
    folded: Combination | None,
    bounds: Mapping[str, Dyadic],
    tracks: Mapping[str, Row],
    carrier: Mapping[str, arb],
    n: int,
) -> arb:
    r1 = plan.radices.first
    squares = 3 * n * plan.scale_ball  # sum of |d_q| over the squarers of one entry (theorem matmul.polarised)
    # tau_1 / r_1 and tau_2 / (r_1 r_2), through the scaled factors; the larger of the two sides bounds each form.
    tau1, tau2 = arb(0), arb(0)
    for alpha, factor in ((plan.alpha_left, plan.product.left), (plan.alpha_right, plan.product.right)):
        rounding = alpha.ball * row_rounding([(c, tracks[v]) for v, c in factor.terms], arb(0)) / 2
        shift = UNIT * 3 if any(not is_short(c) for _, c in factor.terms) else arb(0)
        carried = alpha.ball * sum((abs(as_ball(c)) * carrier[v] for v, c in factor.terms), arb(0)) / 2
        tau1 = tau1.max(rounding + shift)
        tau2 = tau2.max(carried + shift)
    squarers = squares * (C1 * tau1 + C2 * tau2 / r1)
    # Accumulator rows. First: 4 (kinks) + 4 (linear part on carriers) + 1 (bias) a square, the folded linear part on
    # carriers in [0, 2 bound] with its bias, the offsets; later: weights 16/P_j^2 on odd kinks, at most 8/P_{j-1}^2.
    accumulators = squares * (9 + 16 / arb(r1) ** 2) + 2 * (plan.offset.ball + plan.row_offset.ball)
    propagated = arb(0)
    for alpha, factor in ((plan.alpha_left, plan.product.left), (plan.alpha_right, plan.product.right)):
        propagated += 2 * squares * alpha.ball * sum((abs(as_ball(c)) * carrier[v] for v, c in factor.terms), arb(0))
    if folded is not None:
        for v, c in folded.terms:
            accumulators += 3 * abs(as_ball(c)) * bounds[v].ball
            propagated += abs(as_ball(c)) * carrier[v]
    return (squarers + UNIT * accumulators + propagated).upper()


def _product_row(plan: ProductPlan, folded: Combination | None, bounds: Mapping[str, Dyadic], n: int) -> tuple[arb, arb]:
    """Return mass and inexact mass of the row ``U - R/2 - C/2 + kinks`` that computes one entry of the product."""
    squares = 3 * n * plan.scale_ball
    last = plan.radices.last
    before = plan.radices.pieces_ball / last
    kinks = 4 * squares * (last - 1) / last / before**2
    linear = arb(0)
    if folded is not None:
        linear = sum((abs(as_ball(c)) * bounds[v].ball for v, c in folded.terms), arb(0))
    if plan.radices.layers == 1:
        # No accumulators: the row reads carriers and kinks directly, and no weight is short.
        mass = squares * 9 + 3 * linear
        return mass.upper(), mass.upper()
    mass = squares * (1 + 8 / arb(plan.radices.first) ** 2) + kinks + linear + 2 * (plan.offset.ball + 2 * plan.row_offset.ball)
    return mass.upper(), kinks.upper()
