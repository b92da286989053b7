"""One unit of work of the search: bound a batch of nodes, drop what cannot matter, split the rest; pure, picklable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from empirical.certify.branching import Scores, scores
from empirical.certify.chain import Budget, ReluChain
from empirical.certify.dual import Bounded, Row, best_bounds, kept, start_multipliers
from empirical.certify.expansion import Target
from empirical.certify.nodes import Nodes
from empirical.certify.norms import NORMS
from empirical.certify.relaxation import relax
from empirical.certify.rounding import Floats, above, below

__all__ = ["Findings", "Problem", "examine"]

# Memory of the largest array of one batch, in float64 numbers: stays within a core's cache for small networks.
_BATCH_FLOATS = 1 << 19
_FORM_FLOATS = 1 << 21
_FEWEST_STEPS, _MOST_STEPS = 2, 12


@dataclass(frozen=True)
class Problem:
    """The worst error of a chain against a target in a norm, with the rounding budget of the root box."""

    chain: ReluChain
    target: Target
    norm: str
    budget: Budget

    @cached_property
    def functionals(self) -> Floats:
        """The functionals whose largest value is the norm, (count, n^2)."""
        return NORMS[self.norm].functionals(self.target.n)

    @property
    def batch(self) -> int:
        """How many nodes to bound at once: the backward pass through hidden layers, or else the rows themselves."""
        widths = self.chain.architecture
        passes = [2 * widths[i] * max(widths[i - 1], widths[0]) for i in range(2, len(widths) - 1)]
        largest = max([*passes, *(width * widths[0] for width in self.chain.hidden), widths[0] ** 2])
        return max(1, min(1024, _BATCH_FLOATS // largest))

    @property
    def steps(self) -> int:
        """Subgradient steps: the more inputs, the more a better bound saves, until their forms cost more than that."""
        inputs = self.chain.inputs
        return max(_FEWEST_STEPS, min(_MOST_STEPS, inputs, 1024 // inputs))

    def errors(self, points: Floats) -> Floats:
        """N - f in plain float64 at (batch, n^2) points, as a stack (batch, n, n)."""
        n = self.target.n
        return (self.chain.values(points) - self.target.values(points)).reshape(len(points), n, n)


@dataclass(frozen=True)
class Findings:
    """What became of a batch of nodes.

    Args:
        nodes: Those still open, split.
        settled: A proved upper bound of the error on everything else in the batch (-inf if there is nothing else).
        found: Largest float error met.
        point: Where, (n^2,).
    """

    nodes: Nodes
    settled: float
    found: float
    point: Floats


def examine(problem: Problem, nodes: Nodes, threshold: float) -> Findings:
    """Bound the error on the nodes; keep and split the parts where it may exceed ``threshold``."""
    nodes = _tightened(problem, nodes)
    if not len(nodes):
        return Findings(nodes, -np.inf, -np.inf, problem.budget.magnitudes[0])
    # Nodes that share one box, as all functionals do at first, share its relaxation.
    alone = len(nodes) > 1 and bool((nodes.low == nodes.low[0]).all() and (nodes.high == nodes.high[0]).all())
    alone = alone and not nodes.decided.any()
    centre = nodes.low + (nodes.high - nodes.low) / 2
    # Rounded up, so the boxes centre +- radius hold [low, high].
    radius = above(np.maximum(nodes.high - centre, centre - nodes.low))
    some = slice(0, 1) if alone else slice(None)
    relaxation = relax(problem.chain, problem.budget, centre[some], radius[some], nodes.decided[some])
    if alone:
        relaxation = relaxation.taken(np.zeros(len(nodes), dtype=np.intp))
    functionals = problem.functionals[nodes.functional]
    expansion = problem.target.expand(centre, radius, functionals)
    row = Row(problem.chain, problem.budget, relaxation, expansion, functionals, nodes.decided, radius)
    found = _bounded(problem, row, nodes, threshold)
    bound = np.where(relaxation.empty, -np.inf, np.minimum(found.bound, nodes.bound))
    error, point = _best_point(problem, nodes, centre, radius, found)
    open_ = np.flatnonzero(bound > threshold)
    settled = float(np.delete(bound, open_).max(initial=-np.inf))
    if not len(open_):
        return Findings(nodes[open_], settled, error, point)
    found = found.taken(open_)
    split_scores = scores(row.taken(open_), found)
    low, high = kept(found.bound, found.slope, radius[open_], threshold)
    low = np.maximum(nodes.low[open_], below(centre[open_] + low))
    high = np.minimum(nodes.high[open_], above(centre[open_] + high))
    low = np.minimum(low, high)
    if ((low > nodes.low[open_]) | (high < nodes.high[open_])).any():
        settled = max(settled, threshold)
    smaller = Nodes(
        low, high, nodes.functional[open_], nodes.decided[open_], found.multiplier.astype(np.float32), bound[open_]
    )
    width = nodes.high[open_] - nodes.low[open_]
    shrunk = np.divide(high - low, width, out=np.ones_like(width), where=width > 0)
    children, stuck = _split(smaller, Scores(split_scores.inputs * shrunk, split_scores.neurons))
    return Findings(children, max(settled, stuck), error, point)


def _bounded(problem: Problem, row: Row, nodes: Nodes, threshold: float) -> Bounded:
    """First the published bound, cheaply; then, where that is not enough, curvature and better multipliers."""
    plain = start_multipliers(row)
    first = best_bounds(row, plain, threshold, 0, curved=False)
    loose = np.flatnonzero((first.bound > threshold) & ~row.relaxation.empty)
    result = [part.copy() for part in (first.bound, first.slope, first.bend, first.multiplier, first.middle)]
    block = max(1, _FORM_FLOATS // row.radius.shape[1] ** 2)
    for start in range(0, len(loose), block):
        chosen = loose[start : start + block]
        known = nodes.multiplier[chosen].astype(np.float64)
        begin = np.where(np.isnan(known), plain[chosen], known)
        # A neuron that became open keeps its slope; one that was open and is stable now has none to keep.
        better = best_bounds(row.taken(chosen), begin, threshold, problem.steps, curved=True)
        lower = better.bound < first.bound[chosen]
        for old, new in zip(result[:4], (better.bound, better.slope, better.bend, better.multiplier), strict=True):
            old[chosen[lower]] = new[lower]
        result[2][chosen], result[4][chosen] = better.bend, better.middle
    return Bounded(*result)


def _tightened(problem: Problem, nodes: Nodes) -> Nodes:
    """Shrink boxes to where the first layer's decided neurons can have their signs; drop those without such a part.

    There y = W_1 d + (W_1 C + b_1) is exact, so sigma y + slack < 0 is impossible on the node.
    """
    weight, bias = problem.chain.weights[0], problem.chain.biases[0]
    constrained = nodes.decided[:, : len(bias)].any(axis=1)
    if not problem.chain.hidden or not constrained.any():
        return nodes
    if not constrained.all():
        return Nodes.joined([nodes[~constrained], _tightened(problem, nodes[constrained])])
    signs = nodes.decided[:, : len(bias)].astype(np.float64)
    centre = nodes.low + (nodes.high - nodes.low) / 2
    radius = above(np.maximum(nodes.high - centre, centre - nodes.low))
    slope = signs[:, :, None] * weight
    largest = signs * (centre @ weight.T + bias) + np.abs(signs) * (radius @ np.abs(weight).T + problem.budget.slack(0))
    possible = (largest >= 0).all(axis=1)
    low, high = kept(largest, slope, radius[:, None, :], 0.0)
    low = np.maximum(nodes.low, below(centre + low.max(axis=1)))
    high = np.minimum(nodes.high, above(centre + high.min(axis=1)))
    possible &= (low <= high).all(axis=1)
    tight = Nodes(low, high, nodes.functional, nodes.decided, nodes.multiplier, nodes.bound)
    return tight[possible]


def _best_point(problem: Problem, nodes: Nodes, centre: Floats, radius: Floats, found: Bounded) -> tuple[float, Floats]:
    """The largest float error where the bounds peak, and at the averages of such peaks."""
    peaks = np.where(found.slope > 0, nodes.high, nodes.low)
    points = np.concatenate([peaks, np.clip(centre + found.middle, nodes.low, nodes.high)])
    errors = NORMS[problem.norm].of(problem.errors(points))
    errors = np.where(np.isfinite(errors), errors, -np.inf)
    best = int(errors.argmax())
    return float(errors[best]), points[best]


def _split(nodes: Nodes, split_scores: Scores) -> tuple[Nodes, float]:
    """Halve every node at its best input or neuron; return the halves, and the bound of what cannot be split."""
    middle = nodes.low + (nodes.high - nodes.low) / 2
    divisible = (middle > nodes.low) & (middle < nodes.high)
    # Nothing proved yet, or nothing to blame: the widest input.
    blamed = np.where(divisible, split_scores.inputs, -np.inf)
    usable = np.isfinite(nodes.bound) & np.isfinite(split_scores.inputs).all(axis=1)
    fallback = ~usable | (np.maximum(blamed.max(axis=1), split_scores.neurons.max(axis=1, initial=0)) <= 0)
    blamed = np.where(fallback[:, None], np.where(divisible, nodes.high - nodes.low, -np.inf), blamed)
    by_neuron = ~fallback & (split_scores.neurons.max(axis=1, initial=-np.inf) > blamed.max(axis=1))
    stuck = ~by_neuron & ~divisible.any(axis=1)
    settled = float(nodes.bound[stuck].max(initial=-np.inf))
    across = np.flatnonzero(~by_neuron & ~stuck)
    axis = blamed[across].argmax(axis=1) if len(across) else across
    signed = np.flatnonzero(by_neuron)
    neuron = split_scores.neurons[signed].argmax(axis=1) if len(signed) else signed
    halves = []
    for side in (-1, 1):
        low, high = nodes.low.copy(), nodes.high.copy()
        decided, multiplier = nodes.decided.copy(), nodes.multiplier.copy()
        (high if side < 0 else low)[across, axis] = middle[across, axis]
        decided[signed, neuron] = side
        multiplier[signed, neuron] = 0
        half = Nodes(low, high, nodes.functional, decided, multiplier, nodes.bound)
        halves.append(half[~stuck])
    return Nodes.joined(halves), settled
