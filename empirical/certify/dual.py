"""Upper bounds of one functional of N - f on each node, improved over the multipliers that the relaxation leaves free.

For the functional F of a node, F . (N - f)(C + d) <= constant + a.d + (remainder), where a is the difference of the
network's relaxed slope and the target's: what both share cancels before absolute values are taken. The maximum over
the box is constant + sum |a_i| radius_i + remainder, and on all of the node
    F . (N - f)(C + d)  <=  bound - sum |a_i| (radius_i - sign(a_i) d_i),
so the part of the box where the right side is below a threshold needs no further look (``kept``).

The lower lines' slopes in [0, 1] and the constraints' weights >= 0 are free: every choice gives a valid bound, and
for one hidden layer the bound is convex in them. They are moved by projected subgradient steps, starting where the
parent's bound was best, of Polyak's length towards a level: the threshold (a bound below it is as good as any), or
nearer by after steps that did not help, as the threshold may be out of reach. The corners d where the bounds peak
along the way, averaged, approach a solution of the relaxed problem: where the relaxation is loose there, splitting
helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from empirical.certify.chain import Budget, ReluChain
from empirical.certify.expansion import Expansion
from empirical.certify.relaxation import Relaxation
from empirical.certify.rounding import Floats, above
from empirical.certify.tilt import tilted

__all__ = ["Bounded", "Row", "best_bounds", "kept", "path", "start_multipliers"]

_MOMENTUM = 0.5
_PATIENCE = 0.7


@dataclass(frozen=True)
class Row:
    """What the bound of one functional needs, over a batch of boxes.

    Args:
        chain: The network.
        budget: Its rounding budget.
        relaxation: Its relaxation on the boxes.
        expansion: The functional's Taylor model there.
        functionals: F, (batch, outputs).
        decided: Signs of decided neurons, (batch, neurons).
        radius: (batch, inputs).
    """

    chain: ReluChain
    budget: Budget
    relaxation: Relaxation
    expansion: Expansion
    functionals: Floats
    decided: npt.NDArray[np.int8]
    radius: Floats

    def taken(self, chosen: npt.NDArray[np.intp]) -> Row:
        """The same for some of the boxes."""
        known = self.expansion
        curvature = known.curvature
        part = Expansion(
            known.value[chosen],
            known.slope[chosen],
            known.wide[chosen],
            known.tail[chosen],
            None if curvature is None else lambda boxes: curvature(chosen[boxes]),
        )
        relaxation = self.relaxation.taken(chosen)
        rest = (self.functionals[chosen], self.decided[chosen], self.radius[chosen])
        return Row(self.chain, self.budget, relaxation, part, *rest)

    def layers(self, neurons: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Cut an array over all hidden neurons (batch, neurons) into its layers."""
        return np.split(neurons, np.cumsum(self.chain.hidden)[:-1], axis=1) if self.chain.hidden else []


@dataclass(frozen=True)
class Bounded:
    """The best bound found for every box.

    Args:
        bound: (batch,).
        slope: Its slopes a, (batch, inputs).
        bend: The quadratic part's looseness by input, (batch, inputs).
        multiplier: Where it was found, (batch, neurons).
        middle: Average of the peaks d met on the way, (batch, inputs).
    """

    bound: Floats
    slope: Floats
    bend: Floats
    multiplier: Floats
    middle: Floats

    def taken(self, chosen: npt.NDArray[np.intp]) -> Bounded:
        """The bounds of some of the boxes."""
        parts = (self.bound, self.slope, self.bend, self.multiplier, self.middle)
        return Bounded(*(part[chosen] for part in parts))


@dataclass(frozen=True)
class _Pass:
    """One backward pass: constant (batch,), slope (batch, inputs), each layer's row on its post-activations."""

    constant: Floats
    slope: Floats
    rows: list[Floats]


def start_multipliers(row: Row) -> Floats:
    """The published choice: the adaptive lower slope where undecided, no weight on constraints, (batch, neurons)."""
    if not row.relaxation.lines:
        return np.zeros(row.decided.shape)
    return np.concatenate([line.lower * line.open for line in row.relaxation.lines], axis=1)


def path(row: Row, multiplier: Floats) -> _Pass:
    """Substitute backwards from the functional to the inputs with these multipliers; rounding as in ``relaxation``."""
    chain, lines = row.chain, row.relaxation.lines
    current = row.functionals @ chain.weights[-1]
    if not lines:
        # The only layer's W_1 C + b_1 is the output at the centre.
        output = (row.functionals * row.relaxation.offset).sum(axis=1)
        return _Pass(output - row.expansion.value, current - row.expansion.slope, [])
    constant = row.functionals @ chain.biases[-1] - row.expansion.value
    rows: list[Floats] = []
    cut = list(zip(lines, row.layers(multiplier), row.layers(row.decided), strict=True))
    for layer in reversed(range(len(lines))):
        line, free, sign = cut[layer]
        rows.insert(0, current)
        positive = np.maximum(current, 0)
        constant = constant + (positive * line.shift).sum(axis=1)
        lower = np.where(line.open, free, line.lower)
        current = positive * line.upper + (current - positive) * lower + np.where(sign != 0, free * sign, 0.0)
        constant = constant + (current * (row.relaxation.offset if layer == 0 else chain.biases[layer])).sum(axis=1)
        current = current @ chain.weights[layer]
    return _Pass(constant, current - row.expansion.slope, rows)


def _proved(row: Row, multiplier: Floats, *, curved: bool) -> tuple[_Pass, Floats, Floats, Floats]:
    """The pass at these multipliers, its proved bounds (batch,), slopes and bend (batch, inputs)."""
    walk, model = path(row, multiplier), row.expansion
    weights = [np.where(s != 0, m, 0.0) for s, m in zip(row.layers(row.decided), row.layers(multiplier), strict=True)]
    reach = np.abs(model.value) + (np.abs(model.slope) * row.radius).sum(axis=1)
    # The relaxation's theorem covers the chain; value and slope join by sums no longer than the chain's own.
    slack = row.budget.functional_slack(row.functionals, weights) + row.budget.factor * reach
    linear = walk.constant + (np.abs(walk.slope) * row.radius).sum(axis=1) + slack
    slope, bend = walk.slope, np.zeros_like(walk.slope)
    bound = above(linear + model.wide)
    if curved and model.curvature is not None:
        change, new, bend = tilted(-model.curvature(np.arange(len(bound))), slope, row.radius)
        tight = above(above(linear + change) + model.tail)
        better = tight < bound
        bound, slope = np.where(better, tight, bound), np.where(better[:, None], new, slope)
    return walk, np.where(np.isnan(bound), np.inf, bound), slope, bend


def _subgradient(row: Row, walk: _Pass, multiplier: Floats, peak: Floats) -> Floats:
    """Derivative of the bound in every multiplier: what the relaxed network passes to each neuron at the peak d."""
    gradient: list[Floats] = []
    chain = row.chain
    value = row.relaxation.offset + peak @ chain.weights[0].T
    cut = zip(row.relaxation.lines, row.layers(multiplier), row.layers(row.decided), walk.rows, strict=True)
    for layer, (line, free, sign, weight) in enumerate(cut):
        gradient.append(np.where(line.open, np.minimum(weight, 0), sign) * value)
        if layer + 1 < len(row.relaxation.lines):
            lower = np.where(line.open, free, line.lower)
            passed = np.where(weight > 0, line.upper * value + line.shift, lower * value)
            value = passed @ chain.weights[layer + 1].T + chain.biases[layer + 1]
    return np.concatenate(gradient, axis=1)


def _feasible(row: Row, multiplier: Floats) -> Floats:
    # 1e30: nodes keep multipliers in float32.
    return np.clip(multiplier, 0.0, np.where(row.decided != 0, 1e30, 1.0))


def best_bounds(row: Row, multiplier: Floats, threshold: float, steps: int, *, curved: bool) -> Bounded:
    """Bound every box's functional from above; stop with those that fall to the threshold.

    Args:
        row: The boxes and their functionals.
        multiplier: Where to start, feasible, (batch, neurons).
        threshold: Good enough.
        steps: Subgradient steps to take.
        curved: Whether to use the target's quadratic form.
    """
    batch = len(row.radius)
    alive, part, speed = np.arange(batch), row, np.zeros_like(multiplier)
    bounds, kept_multiplier = np.full(batch, np.inf), multiplier.copy()
    reach = np.ones(batch)
    slopes, bends, middles = (np.zeros_like(row.radius) for _ in range(3))
    for step in range(steps + 1):
        walk, bound, slope, bend = _proved(part, multiplier, curved=curved)
        peak = part.radius * np.sign(slope)
        # Later peaks weigh more: weights 1, 2, 3, ...
        middles[alive] += (peak - middles[alive]) * (2 / (step + 2))
        better = (bound < bounds[alive]) | (step == 0)
        reach[alive] *= np.where(better, 1.0, _PATIENCE)
        chosen = alive[better]
        bounds[chosen], slopes[chosen], bends[chosen] = bound[better], slope[better], bend[better]
        kept_multiplier[chosen] = multiplier[better]
        going = (bounds[alive] > threshold) & np.isfinite(bound)
        if step == steps or not going.any() or not row.relaxation.lines:
            break
        if not going.all():
            keep = np.flatnonzero(going)
            alive, part, multiplier, speed = alive[keep], part.taken(keep), multiplier[keep], speed[keep]
            walk = _Pass(walk.constant[keep], walk.slope[keep], [rows[keep] for rows in walk.rows])
            bound, peak = bound[keep], peak[keep]
        gradient = _subgradient(part, walk, multiplier, peak)
        level = np.maximum(threshold, bounds[alive] - reach[alive] * np.abs(bounds[alive]))
        # 1e-100: a gradient of nothing gets a step that _feasible keeps in range.
        length = np.maximum(bound - level, 0) / np.maximum((gradient * gradient).sum(axis=1), 1e-100)
        speed = _MOMENTUM * speed - length[:, None] * gradient
        multiplier = _feasible(part, multiplier + speed)
    return Bounded(bounds, slopes, bends, kept_multiplier, middles)


def kept(bound: Floats, slope: Floats, radius: Floats, threshold: float) -> tuple[Floats, Floats]:
    """Lowest and highest d outside of which bound - sum |a_i| (r_i - sign(a_i) d_i) is at most the threshold.

    Args:
        bound: Maxima over the boxes, above the threshold, (batch, ...).
        slope: a, (batch, ..., inputs).
        radius: r, broadcastable to the slope's shape.
        threshold: The level cut at.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Two roundings, so three steps up.
        depth = above(above(above((bound[..., None] - threshold) / np.abs(slope))))
        depth = np.where(np.isfinite(depth), np.maximum(depth, 0.0), np.inf)
        low = np.where(slope > 0, np.maximum(-radius, -above(depth - radius)), -radius)
        high = np.where(slope < 0, np.minimum(radius, above(depth - radius)), radius)
    return low, high
