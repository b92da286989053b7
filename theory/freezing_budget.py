"""What freezing to float64 adds, a priori: every merged weight is rounded once, |w - fl(w)| <= u |w| + eta.

u = 2^-53, and eta = 2^-1075 pays for weights below float64's normal range. Theorem ``freeze.stage`` states what is
summed here for an entry of a product, on top of ``freeze.affine`` (a row) and ``freeze.squarer`` (what becomes of it):

1. First layer: rows ``X_1 - k`` are off by tau_1 and carriers ``relu(v + B)`` by kappa_v, through the rows that compute
   v from the layer before. Scales, offsets and most coefficients are short dyadics, so as a rule only the weights on
   that layer's last kinks are rounded (``RowMass.step`` proves it where it is so).
2. Second layer: ``X_2 - k`` is off by tau_2: it reads carriers; its own weights are integers and short dyadics.
3. Accumulators: their weights are rounded, and they read the carriers.
4. Inner zigzag weights are integers: exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

from flint import arb

from theory import symbols as S
from theory.dyadic import Dyadic
from theory.evaluate import as_ball, ball
from theory.network_plan import ProductPlan, StagePlan, carried_outputs, folded_outputs, linear_part
from theory.program import Combination
from theory.row_mass import ETA, LARGEST, SECOND_ORDER, UNIT, RowMass, Unfreezable, combined, fits, twos

__all__ = ["StageFreezing", "carrier_rounding", "margin", "stage_freezing"]


@dataclass(frozen=True)
class StageFreezing:
    """Entrywise freezing terms of a stage.

    Attributes:
        product: What the entries of every product are off by.
        carried: The same for linear parts carried by themselves.
        outputs: The rows that compute the stage's outputs from its last hidden layer.
    """

    product: Mapping[str, arb]
    carried: Mapping[str, arb]
    outputs: Mapping[str, RowMass]


@cache
def _formula(name: str) -> Any:
    """Return a formula of theorem freeze.stage, loaded on first use."""
    from theory import freezing_formulas

    return getattr(freezing_formulas, name)


def margin(size: arb) -> arb:
    """Return how far offsets keep an accumulator of this size above 0 in real arithmetic, for freezing to use."""
    return arb((1, -30)) * size


def carrier_rounding(row: RowMass, bound: Fraction) -> arb:
    """Return what rounding adds to a carrier ``relu(v + B)``: 0 if every weight of the row is a float64 already."""
    return combined([(Fraction(1), row)], bound).rounding()


def stage_freezing(plan: StagePlan, rows: Mapping[str, RowMass], n: int) -> StageFreezing:
    """Return the freezing terms of one stage (theorem freeze.stage, UPPER, max-entry norm).

    Args:
        plan: The stage.
        rows: The rows that compute the live matrices from the layer before.
        n: Size of the matrices.

    ``Unfreezable`` goes through if a weight leaves float64's range or rounding could silence an accumulator.
    """
    bounds = dict(plan.bounds)
    kappa = {name: carrier_rounding(rows[name], bounds[name].fraction) for name in plan.stage.live}
    parts = {p.product.name: _Product(plan, p, rows, kappa, n) for p in plan.products}
    return StageFreezing(
        product={name: part.freezing() for name, part in parts.items()},
        carried={name: _carried(plan, name, kappa) for name in carried_outputs(plan.stage)},
        outputs={name: _output_row(plan, name, output, parts) for name, output in plan.stage.outputs},
    )


@dataclass(frozen=True)
class _Product:
    """One product of a stage: what freezing does to an entry, and the row that computes it."""

    stage: StagePlan
    plan: ProductPlan
    rows: Mapping[str, RowMass]
    kappa: Mapping[str, arb]
    n: int

    @property
    def sides(self) -> tuple[tuple[Dyadic, Combination], ...]:
        left = (self.plan.alpha_left, self.plan.product.left)
        return (left,) if self.plan.product.is_square else (left, (self.plan.alpha_right, self.plan.product.right))

    @cached_property
    def squares(self) -> arb:
        """Sum of |d_q| over the squares behind an entry, row and column sums by half: 3 n B_L B_R, or one square."""
        return self.plan.scale_ball * (1 if self.n == 1 and self.plan.product.is_square else 3 * self.terms)

    @property
    def terms(self) -> int:
        """How many products an entry sums: n, or fewer for a part of the sum."""
        return self.plan.product.terms(self.n)

    @cached_property
    def folded(self) -> Combination | None:
        """The linear part that rides in the accumulators, per unit of the product."""
        output = folded_outputs(self.stage.stage).get(self.plan.product.name)
        if output is None or self.plan.radices.layers == 1:
            return None
        form = dict(self.stage.stage.outputs)[output]
        return linear_part(self.stage.stage, form).scaled(1 / abs(form[self.plan.product.name]))

    def freezing(self) -> arb:
        """Return what an entry of the product is off by.

        Raises:
            Unfreezable: If rounding could silence an accumulator.
        """
        radices, shift = self.plan.radices, self._form_shift()
        r1, several = radices.first, radices.layers > 1
        # Without a second layer there is no second radix; any will do, its error being 0.
        r2 = radices.second if several else 2
        tau2 = r1 * r2 * (shift / 2 + self._tau2()) if several else arb(0)
        values = {S.r1: r1, S.r2: r2, S.tau1: r1 * self._tau1(), S.tau2: tau2, S.phi: shift}
        squarers = ball(_formula("PER_SQUARE"), values)
        sums, linear = self._accumulators() if several else (arb(0), arb(0))
        total = (self.squares * squarers + sums) * SECOND_ORDER
        size = self.n * self.plan.scale_ball
        if not 2 * total < margin(size) or not total + 2 * linear < margin(size + self.folded_size):
            raise Unfreezable("rounding could silence an accumulator")
        return (total + linear * SECOND_ORDER).upper()

    @cached_property
    def folded_size(self) -> arb:
        """A bound on the entries of the folded linear part."""
        return arb(0) if self.folded is None else _weighted(self.folded, _balls(self.stage.bounds))

    @property
    def excess(self) -> arb:
        """What masses grow by since the frozen network's kinks and accumulators differ from the ideal ones' values.

        Every partial sum of a squarer moves by less than the margin allows, so every increment by twice that at most.
        """
        return self.plan.radices.layers * arb((1, -29)) * self.squares

    def _form_shift(self) -> arb:
        """Return how far the carriers move a form: by half of either side, so at most by the larger."""
        moved = arb(0)
        for alpha, factor in self.sides:
            moved = moved.max(alpha.ball * _weighted(factor, self.kappa))
        return moved

    def _tau1(self) -> arb:
        """Return tau_1 / r_1: rows ``r_1/2 (form + 1) - k``, a form half of either side, at most the larger.

        Raises:
            Unfreezable: If a weight may be outside float64's range.
        """
        r1 = self.plan.radices.first
        sides = []
        for alpha, factor in self.sides:
            row = combined([(c, self.rows[v]) for v, c in factor.terms])
            sides.append(row.scaled(alpha.ball * r1 / 2, alpha.exponent - 3))
        weight = max((side.weight for side in sides), key=lambda w: w.upper()) + 2 * r1
        steps = [side.step for side in sides]
        step = None if None in steps else min(-1, *(s for s in steps if s is not None))
        if not weight < LARGEST:
            raise Unfreezable("a weight of a first layer is outside float64's range")
        worst, tiny = arb(0), sum((ETA * side.reach for side in sides), arb(0))
        if fits(step, weight):
            for side in sides:
                worst = worst.max(side.inexact)
            return arb(0) if worst.is_zero() else (UNIT * worst + tiny) / r1
        for side in sides:
            worst = worst.max(side.mass)
        # The bias r_1/2 - k is below r_1/2 in absolute value for 0 < k < r_1.
        return (UNIT * (worst + arb(r1) / 2) + tiny) / r1

    def _tau2(self) -> arb:
        """Return tau_2 / (r_1 r_2) from rounding ``r_1 r_2/2 (form + 1) - k`` on carriers; 0 where that is exact."""
        radices, bounds = self.plan.radices, dict(self.stage.bounds)
        half, steps, weight = arb(radices.first * radices.second) / 2, [-1], arb(0)
        for alpha, factor in self.sides:
            for v, c in factor.terms:
                dyadic = twos(c)
                if dyadic is None:
                    # Carriers are at most 2 B, so their part is at most r_1 r_2, and so is the bias.
                    return 2 * UNIT + ETA * 4 * sum((b.ball for b in bounds.values()), arb(1))
                steps.append(dyadic + alpha.exponent - 3 + min(0, bounds[v].exponent))
            side = sum((abs(as_ball(c)) * (1 + bounds[v].ball) for v, c in factor.terms), arb(0))
            weight = weight.max(half * alpha.ball * side)
        if fits(min(steps), weight + half + radices.second):
            return arb(0)
        return 2 * UNIT + ETA * 4 * sum((b.ball for b in bounds.values()), arb(1))

    def _accumulators(self) -> tuple[arb, arb]:
        """Return what rounding the rows of the sums of squares adds, and what the folded linear part does.

        Raises:
            Unfreezable: If a weight may be outside float64's range.
        """
        radices, size = self.plan.radices, self.n * self.plan.scale_ball
        masses = self._kink_mass() + self._carrier_mass() + self._bias() * self.squares + self.excess
        masses += self.plan.offset.ball - self.folded_size + self.plan.row_offset.ball + self.plan.centre.ball
        weight = 16 * size * (1 + sum((alpha.ball * _total(factor) for alpha, factor in self.sides), arb(0)))
        reach = sum((8 * self.n * b.ball for _, b in self.stage.bounds), arb(1))
        reach += sum((3 * self.n * times * arb(radix) ** 2 for radix, times in radices.runs), arb(0))
        linear = arb(0)
        if self.folded is not None:
            # Carriers in [0, 2 B], their bias, and the share of the offset that keeps this part above 0.
            linear = UNIT * 4 * self.folded_size + _weighted(self.folded, self.kappa)
            weight += _total(self.folded) + self.folded_size
        if not weight + self.plan.offset.ball < LARGEST:
            raise Unfreezable("an accumulator's weight is outside float64's range")
        return UNIT * masses + 4 * ETA * reach, linear

    def _kink_mass(self) -> arb:
        """Return what kinks bring to ``U - R/2 - C/2``: those of one layer share their relative rounding error."""
        radices, size = self.plan.radices, self.terms * self.plan.scale_ball
        values = {S.r1: radices.first, S.r2: radices.last}
        if radices.layers == 2:
            return size * ball(_formula("KINKS_TWO_LAYERS"), values)
        return size * (ball(_formula("KINKS"), values) + ball(_formula("LATER_KINKS"), values))

    def _carrier_mass(self) -> arb:
        """Return what carriers bring: halved by R and C, but for the entry's own (one square has no R and C)."""
        single = self.n == 1 and self.plan.product.is_square
        return self.plan.scale_ball * (arb(4) if single else ball(_formula("CARRIERS"), {S.n: self.terms}))

    def _bias(self) -> arb:
        """Return the largest bias of a square, ``|sigma s - (sigma - 1)|``, s the form at the carriers' bounds."""
        radices, bounds, largest = self.plan.radices, _balls(self.stage.bounds), arb(0)
        sigma = 2 - 2 / radices.pieces_ball if radices.layers == 2 else arb(2)
        for alpha, factor in self.sides:
            s = alpha.ball * sum((as_ball(c) * bounds[v] for v, c in factor.terms), arb(0))
            largest = largest.max(abs(sigma * s - (sigma - 1)))
            if self.plan.product.how == "difference":  # the right factor enters with both signs
                largest = largest.max(abs(sigma * s + (sigma - 1)))
        return largest

    def row(self) -> RowMass:
        """Return the row ``U - R/2 - C/2 + last kinks`` that computes one entry from the last hidden layer."""
        radices, scale = self.plan.radices, self.plan.scale_ball
        pieces = radices.pieces_ball
        kink_weight = 32 * scale / pieces**2
        kink_sum = 3 * self.n * arb(radices.last) ** 2 / 2
        if radices.layers == 1:
            # Kinks, carriers and bias, weights that are no short dyadics: at most 9 a square (theorem freeze.stage).
            mass = (ball(_formula("ROW"), {}) * self.squares + self.plan.centre.ball + self.excess) * SECOND_ORDER
            alphas = sum((a.ball * _total(f) for a, f in self.sides), arb(0))
            weight = kink_weight + 16 * self.n * scale * (1 + alphas)
            reach = kink_sum + sum((8 * self.n * b.ball for _, b in self.stage.bounds), arb(1))
            return RowMass(mass, arb(0), weight, reach, None)
        offset, row_offset = self.plan.offset, self.plan.row_offset
        last = ball(_formula("LAST_KINKS"), {S.r: radices.last, S.P: pieces / radices.last})
        kinks = self.squares * last + self.excess
        # Partial squares are at most 1 + 1/N^2; an accumulator is that and its offset, which the bias takes off again.
        sums = self.squares * (1 + 1 / pieces**2) + self.folded_size + 2 * (offset.ball + row_offset.ball)
        return RowMass(
            mass=(sums + kinks) * SECOND_ORDER,
            inexact=kinks * SECOND_ORDER,
            weight=(1 + offset.ball + row_offset.ball).max(kink_weight),
            reach=2 * (sums + kink_sum) * SECOND_ORDER + 1,
            step=min(-1, offset.exponent, row_offset.exponent - 1),
        )


def _balls(bounds: Sequence[tuple[str, Dyadic]]) -> dict[str, arb]:
    return {name: bound.ball for name, bound in bounds}


def _weighted(combination: Combination, values: Mapping[str, arb]) -> arb:
    return sum((abs(as_ball(c)) * values[name] for name, c in combination.terms), arb(0))


def _total(combination: Combination) -> arb:
    return sum((abs(as_ball(c)) for _, c in combination.terms), arb(0))


def _shifted(bound: Dyadic) -> RowMass:
    """Return the row ``neuron - bound`` for a neuron in [0, 2 bound]: a carried matrix or linear part."""
    size = bound.ball
    return RowMass(3 * size, arb(0), size.max(arb(1)), 2 * size + 1, min(0, bound.exponent))


def _carried(plan: StagePlan, name: str, kappa: Mapping[str, arb]) -> arb:
    """Return what a linear part carried by itself is off by: its carriers, and the row of layer 2 that adds them up.

    Raises:
        Unfreezable: If rounding could silence it.
    """
    linear, bounds = linear_part(plan.stage, dict(plan.stage.outputs)[name]), dict(plan.bounds)
    total = _weighted(linear, kappa)
    if plan.layers > 1:
        offset = dict(plan.linear_offsets)[name]
        total += combined([(c, _shifted(bounds[v])) for v, c in linear.terms], offset.fraction).rounding()
        if not 2 * total < margin(offset.ball):
            raise Unfreezable("rounding could silence a carried linear part")
    return (total * SECOND_ORDER).upper()


def _output_row(plan: StagePlan, name: str, output: Combination, parts: Mapping[str, _Product]) -> RowMass:
    terms = [(c, parts[v].row()) for v, c in output.restricted(plan.stage.product_names).terms]
    offsets, bounds = dict(plan.linear_offsets), dict(plan.bounds)
    if plan.layers == 1:
        terms += [(c, _shifted(bounds[v])) for v, c in linear_part(plan.stage, output).terms]
    elif name in offsets:
        terms.append((Fraction(1), _shifted(offsets[name])))
    return combined(terms, output.identity)
