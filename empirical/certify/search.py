"""Best-first branch and bound on the worst error of a network over a box of matrices.

Invariant: at every moment the error on the whole box is at most max(settled, bounds of the open nodes), because a
node leaves the frontier only together with what ``piece.examine`` proved of it, and work that never came back leaves
its node open with its old bound. So the bound may be read off after a timeout, an interrupt or a lost worker. Rounds
are cut into pieces by rules that know nothing of who works or how fast: a search that ends by closing its gap gives
the same certificate on one core and on many.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from empirical.certify.attack import SAMPLES, climb, sample, starts
from empirical.certify.certificate import Certificate
from empirical.certify.chain import Budget, ReluChain
from empirical.certify.crew import Crew, WorkersLost
from empirical.certify.expansion import Target
from empirical.certify.nodes import Nodes
from empirical.certify.norms import NORMS
from empirical.certify.piece import Findings, Problem, examine
from empirical.certify.region import Region
from empirical.certify.rounding import Floats, float_below
from empirical.certify.witness import Witness
from theory.errors import BadInput

__all__ = ["Options", "certify"]

_PIECES = 64
_FRONTIER_BYTES = 1 << 30


@dataclass(frozen=True)
class Options:
    """How long and how well to search.

    Args:
        norm: One of ``norms.NORMS``.
        gap: Stop when upper <= (1 + gap) lower; positive.
        seconds: Stop after this wall time; positive.
        seed: Seed of the samples and of the climbs' starting points.
        stop: Polled; true ends the search with the bounds so far.
        report: Called after every round with (boxes, open boxes, lower, upper).
    """

    norm: str = "max"
    gap: Fraction = Fraction(1, 50)
    seconds: float = 60.0
    seed: int = 0
    stop: Callable[[], bool] = lambda: False
    report: Callable[[int, int, float, float], None] = lambda boxes, open_boxes, lower, upper: None

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise BadInput(f"no norm {self.norm!r}; choose from {', '.join(NORMS)}")
        if self.gap <= 0 or not self.seconds > 0:
            raise BadInput("the gap and the seconds must be positive")


def certify(chain: ReluChain, target: Target, region: Region, options: Options, crew: Crew) -> Certificate:
    """Bound sup norm(N(A) - f(A)) over the region from both sides.

    Raises:
        BadInput: If the network does not map n x n matrices to n x n matrices, or its values leave float64's range.
    """
    entries = region.n**2
    for side, count in (("takes", chain.inputs), ("gives", chain.outputs)):
        if count != entries:
            raise BadInput(f"the network {side} {count} numbers, but {region.n} x {region.n} matrices have {entries}")
    search = _Search(Problem(chain, target, options.norm, Budget.of(chain, *region.outer)), region, options, crew)
    return search.run()


@dataclass
class _Search:
    problem: Problem
    region: Region
    options: Options
    crew: Crew
    started: float = field(default_factory=time.monotonic)
    boxes: int = 0
    settled: float = -np.inf

    def __post_init__(self) -> None:
        low, high = self.region.outer
        neurons = sum(self.problem.chain.hidden)
        self.nodes = Nodes.root(low, high, len(self.problem.functionals), neurons)
        self.witness = Witness(self.problem)
        self.matrix = self.region.centre.ravel()
        self.lower = self.witness.bounds(self.matrix)[0]
        self.tried = -np.inf

    @property
    def upper(self) -> float:
        """A proved bound of the error on the whole region."""
        return max(self.settled, float(self.nodes.bound.max(initial=-np.inf)), self.lower)

    @property
    def threshold(self) -> float:
        """Largest float at most (1 + gap) lower: what an upper bound must come down to."""
        return float_below((1 + self.options.gap) * Fraction(self.lower))

    def run(self) -> Certificate:
        """Search until the gap is closed, time is up, or there is nothing left to split."""
        samples, points = sample(self.problem, self.region, self.options.seed)
        self._attack(starts(self.problem, self.region, points, self.options.seed))
        # The root box, all functionals in one piece, is always examined: so there is an upper bound whatever happens.
        self._round([np.arange(len(self.nodes))], lambda: False)
        ended = self._until_closed()
        n = self.region.n
        return Certificate(
            lower=self.lower,
            upper=self.upper,
            norm=self.options.norm,
            matrix=self.matrix.reshape(n, n),
            gap=self.options.gap,
            boxes=self.boxes,
            open_boxes=len(self.nodes),
            seconds=time.monotonic() - self.started,
            sampled=samples,
            samples=SAMPLES,
            ended=ended,
        )

    def _until_closed(self) -> str:
        while True:
            self._forget()
            if self.upper <= self.threshold:
                return "closed"
            if not len(self.nodes):
                return "exhausted"
            if self.options.stop():
                return "interrupted"
            if self._late():
                return "time"
            try:
                self._round(self._choose(), self._halt)
            except WorkersLost:
                return "workers lost"
            self.options.report(self.boxes, len(self.nodes), self.lower, self.upper)

    def _late(self) -> bool:
        return time.monotonic() - self.started > self.options.seconds

    def _halt(self) -> bool:
        return self.options.stop() or self._late()

    def _choose(self) -> list[np.ndarray]:
        """Pieces of nodes to look at next: the worst, or the nearest to being settled when memory runs short."""
        crowded = len(self.nodes) * self.nodes.bytes_each > _FRONTIER_BYTES
        order = np.argsort(self.nodes.bound if crowded else -self.nodes.bound, kind="stable")
        size = self.problem.batch
        return [order[i : i + size] for i in range(0, min(len(order), _PIECES * size), size)]

    def _forget(self) -> None:
        """Settle open nodes that a lower bound found since has made harmless."""
        done = self.nodes.bound <= self.threshold
        if done.any():
            self.settled = max(self.settled, float(self.nodes.bound[done].max()))
            self.nodes = self.nodes[~done]

    def _round(self, pieces: list[np.ndarray], stop: Callable[[], bool]) -> None:
        """Examine the nodes piece by piece; those whose piece does not come back stay open as they are."""
        tasks = [(self.problem, self.nodes[piece], self.threshold) for piece in pieces]
        done: dict[int, Findings] = {}
        try:
            for index, findings in self.crew.run(examine, tasks, stop):
                done[index] = findings
        finally:
            self._merge(pieces, done)

    def _merge(self, pieces: list[np.ndarray], done: dict[int, Findings]) -> None:
        staying = np.ones(len(self.nodes), dtype=bool)
        results = [done[index] for index in sorted(done)]
        for index in done:
            staying[pieces[index]] = False
        self.boxes += sum(len(pieces[index]) for index in done)
        self.nodes = Nodes.joined([self.nodes[staying], *(r.nodes for r in results)])
        self.settled = max([self.settled, *(r.settled for r in results)])
        best = max(results, key=lambda r: r.found, default=None)
        if best is not None and best.found > max(self.lower, self.tried):
            self._attack(best.point[None])

    def _attack(self, points: Floats) -> None:
        """Climb from the points; if the best found is better, prove it and keep it."""
        found, point = climb(self.problem, self.region, points, stop=self._halt)
        self.tried = max(self.tried, found)
        if found > self.lower:
            proved = self.witness.bounds(point)[0]
            if proved > self.lower:
                self.lower, self.matrix = proved, point
