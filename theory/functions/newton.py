"""The inverse on K_delta by the iteration of Newton and Schulz, which corrects its own errors.

From X_0 = c A^T:  E_k = I - A X_k,  X_{k+1} = X_k + X_k E_k, two products deep a step. If the products err by D1 (in E)
and D2 (in X), the residual R_k = I - A X_k of the *computed* X_k obeys (theorem inverse.newton-schulz)

    R_{k+1} = R_k^2 - (I - R_k) D1 - A D2,

so errors made early are squared away: early products may be coarse while ||R|| stays below 1, late ones are fine, and
the last error is ||A^-1 R_K||. Programs are analysed by that law, not by forward errors, which would grow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from flint import arb

from theory.analysis import Track
from theory.errors import OutOfReach
from theory.evaluate import as_ball
from theory.first_order import layered_pieces
from theory.functions.inverse import coupled_start
from theory.plan import Candidate
from theory.problem import KDelta, Problem
from theory.program import Product, Program, Source, Stage, combination
from theory.radices import Radices
from theory.trimming import log_pieces, smallest

__all__ = ["NewtonLaw", "Residual", "newton_candidates"]

_MOST_STEPS = 64
#: Candidates beyond the fewest steps that fit.
_BEYOND = 2
#: Where the search for layers begins: every product's error this far below the residual it adds to.
_NEGLIGIBLE = 1e-3
_HALVINGS = 30
#: Least 1 - ||R_0||: frozen weights move residuals by some 1e-16 times X, which is at most 1/delta.
_LEAST_GAP = Fraction(1, 2**29)
#: What a product errs by, over n^2 B_L B_R / N^2: 3/2, and what scales of 12 bits add to B_L and B_R.
_SHARE = 1.5 * (1 + 2**-8)


@dataclass(frozen=True)
class Residual:
    """Bounds on ||I - A X|| for the computed X, in the 2-norm and in the Frobenius norm."""

    two: arb
    fro: arb

    def step(self, noise: arb) -> Residual:
        """Return the bounds after a step: R^2 and what products add, measured in the Frobenius norm."""
        return Residual((self.two**2 + noise).upper(), (self.two * self.fro + noise).upper())


@dataclass(frozen=True)
class NewtonLaw:
    """How errors go through the program: what the analysis and the search for layers ask (a ``theory.program.Law``).

    Attributes:
        domain: K_delta.
        rho: Bound on ||I - c A A^T||_2.
    """

    domain: KDelta
    rho: Fraction

    def start(self, n: int) -> tuple[Residual, Residual]:
        """Return the residual of X_0, in real arithmetic and frozen."""
        rho = as_ball(self.rho)
        return (Residual(rho, rho * arb(n).sqrt()),) * 2

    def after(
        self,
        place: int,
        state: tuple[Residual, Residual],
        before: Mapping[str, Track],
        tracks: Mapping[str, Track],
    ) -> tuple[tuple[Residual, Residual], dict[str, Track]]:
        """Return state and tracks after a stage; tracks measure errors from what the step before has computed.

        After a product A X, E is I - A X but for its own error, of norm at most ||R||. After a product X E, the error
        of X, less the share X D1 of E's error, is D2; the new X is what the next step starts from, with no error.
        """
        changed = dict(tracks)
        if place % 2 == 0:
            E = tracks["E"]
            changed["E"] = replace(E, b=E.b.min(state[1].two))
            return state, changed
        radius, X = as_ball(self.domain.radius), tracks["X"]
        grown = []
        for residual, part in zip(state, ("D", "F"), strict=True):
            wrong = getattr(before["E"], part)
            rest = (getattr(X, part) - before["X"].b * wrong).max(arb(0))
            grown.append(residual.step((1 + residual.two) * wrong + radius * rest))
        real, frozen = grown
        size = ((1 + frozen.two) / as_ball(self.domain.delta)).min(X.b + X.F)
        changed["X"] = Track(size.upper(), arb(0), arb(0), X.row)
        return (real, frozen), changed

    def errors(self, state: tuple[Residual, Residual]) -> tuple[arb, arb]:
        """Return ||A^-1 R||_F <= ||R||_F / delta, in real arithmetic and frozen."""
        delta = as_ball(self.domain.delta)
        return state[0].fro / delta, state[1].fro / delta

    def log_error(self, n: int, log_pieces: Sequence[float]) -> float:
        """Return log of the error to be expected with these pieces a stage, in floats; infinity if it diverges."""
        rho, radius, delta = float(self.rho), float(self.domain.radius), float(self.domain.delta)
        fro, size = rho * math.sqrt(n), float(self.domain.radius) * (1 + rho) / radius**2
        for place in range(0, len(log_pieces), 2):
            if not rho < 1:
                return math.inf
            first = _SHARE * n * n * radius * size * math.exp(-2 * log_pieces[place])
            reach = rho + first
            second = _SHARE * n * n * size * reach * math.exp(-2 * log_pieces[place + 1])
            noise = (1 + rho) * first + radius * second
            size = min((1 + rho**2 + noise) / delta, size * (1 + reach) + second)
            rho, fro = rho * rho + noise, rho * fro + noise
        return math.log(fro / delta) if fro > 0 else -math.inf

    def layers(self, n: int, radices: Sequence[tuple[int, int, int]], log_target: float) -> list[int] | None:
        """Return layers per stage that meet the target, as few as a greedy search finds; None if no number does."""

        def error(layers: Sequence[int]) -> float:
            return self.log_error(n, [layered_pieces(r, m) for r, m in zip(radices, layers, strict=True)])

        layers = self._generous(n, radices, log_target)
        if not error(layers) <= log_target:
            return None
        while True:
            tried = []
            for place, count in enumerate(layers):
                if count > 1:
                    fewer = [*layers[:place], count - 1, *layers[place + 1 :]]
                    tried.append((error(fewer), place))
            least = min(tried, default=(math.inf, 0))
            if not least[0] <= log_target:
                return layers
            layers[least[1]] -= 1

    def radices(self, n: int, caps: Sequence[tuple[int, int, int]], log_target: float) -> list[Radices] | None:
        """Return radices of every stage: those of the layers, all made smaller alike as far as the target allows."""
        layers = self.layers(n, caps, log_target)
        if layers is None:
            return None
        most = [Radices.lean(*cap, count) for cap, count in zip(caps, layers, strict=True)]
        low, high = -math.log(4.0) * max(layers), 0.0
        found = most
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            tried = [smallest(r, log_pieces(r) + middle) for r in most]
            fits = self.log_error(n, [log_pieces(r) for r in tried]) <= log_target
            low, high, found = (low, middle, tried) if fits else (middle, high, found)
        return found

    def _generous(self, n: int, radices: Sequence[tuple[int, int, int]], log_target: float) -> list[int]:
        """Return layers that make every product's error negligible beside the residual it adds to."""
        radius, delta, rho = float(self.domain.radius), float(self.domain.delta), float(self.rho)
        least = math.exp(max(log_target, -700.0)) * delta
        layers = []
        for place, stage in enumerate(radices):
            if place % 2 == 0:
                # Beside what the residual is, or, near 1, beside what is left to 1.
                target = _NEGLIGIBLE * max(rho * rho * (1 - rho), least)
                scale = 1.5 * n * n * 2 * radius * 2 / delta
            else:
                scale, rho = 1.5 * n * n * 2 / delta * max(rho, least) * radius, rho * rho
            count = 1
            while layered_pieces(stage, count) < math.log(scale / target) / 2:
                count += 1
            layers.append(count)
        return layers


def _program(domain: KDelta, steps: int) -> Program:
    """Return the program with ``steps`` steps.

    It claims no ranges: those of the exact iteration do not hold for X as computed, the law says what does.
    """
    c, rho = coupled_start(domain.delta, domain.radius)
    A, X, E = (combination({name: 1}) for name in ("A", "X", "E"))
    stages: list[Stage] = []
    for step in range(steps):
        factor, kept = X if step else combination({"At": c}), (("A", A),) if step < steps - 1 else ()
        residual = ("E", combination({"P": -1}, 1))
        stages.append(Stage((Product("P", A, factor),), (*kept, residual, ("X", factor))))
        stages.append(Stage((Product("P", X, E),), (*kept, ("X", combination({"P": 1, "X": 1})))))
    return Program(tuple(stages), X, (Source("A"), Source("At", transpose=True)), law=NewtonLaw(domain, rho))


def newton_candidates(problem: Problem) -> Iterator[Candidate]:
    """Yield the iteration with the fewest steps whose exact residual fits, and a few more.

    Raises:
        OutOfReach: If the residual starts so near 1 that rounding weights to float64 may keep it there.
    """
    assert isinstance(problem.domain, KDelta)
    domain, found = problem.domain, 0
    _, rho = coupled_start(domain.delta, domain.radius)
    if 1 - rho < _LEAST_GAP:
        raise OutOfReach(
            f"sigma_min >= {domain.delta} is too near 0: the residual starts {float(1 - rho):.2e} below 1, which "
            "weights in float64 do not resolve; ask for a larger delta or a smaller radius"
        )
    target = float(problem.eps * domain.delta) / math.sqrt(problem.n)
    for steps in range(1, _MOST_STEPS):
        if 2**steps * math.log(rho) < math.log(target):
            yield Candidate(
                "newton-schulz", "inverse.newton-schulz", (("steps", steps),), _program(domain, steps), arb(0)
            )
            found += 1
        if found > _BEYOND:
            return
