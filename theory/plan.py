"""The search for parameters: floats (logarithms) propose, one exact evaluation in balls disposes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from flint import arb, ctx

from theory.analysis import Analysis, Law, analyse, majorants
from theory.errors import OutOfReach
from theory.evaluate import as_ball, upper
from theory.first_order import first_order_shares, log_of, spread_layers
from theory.layout import accumulators, carriers, stage_squarers, widest_radices
from theory.network_plan import NetworkPlan
from theory.norm_model import NormModel
from theory.problem import Problem
from theory.program import Program, Stage
from theory.radices import Radices
from theory.row_mass import Unfreezable
from theory.sizes import size_text
from theory.trimming import trimmed

__all__ = [
    "CARRIED",
    "Candidate",
    "Limits",
    "TooNarrow",
    "in_chunks",
    "plan_candidates",
    "plan_with",
    "reference_width",
    "with_carries",
]

#: The parameter ``outputs`` of a plan whose products' outputs are carried.
CARRIED = "carried"


def reference_width(n: int) -> int:
    """Return the widest layer a folded base-2 matrix product stage needs, 4(n^3 + 2n^2) + 6n^2 + 8: our yardstick."""
    return 4 * (n**3 + 2 * n**2) + 6 * n**2 + 8


class TooNarrow(OutOfReach):
    """No candidate fits the width asked for."""


@dataclass(frozen=True)
class Limits:
    """What a network may use.

    Attributes:
        width: Largest hidden layer.
        squarer_width: Neurons a squarer a layer, at most (None: as the width allows).
        chunk: Terms of an inner sum taken at once (None: all of them); the rest follows in sequence.
        carry: Whether every product's outputs are carried by a layer of their own, not merged into the next product.
    """

    width: int
    squarer_width: int | None = None
    chunk: int | None = None
    carry: bool = False


@dataclass(frozen=True)
class Candidate:
    """A program with its truncation error (in the norm errors are measured in) and what to call it."""

    route: str
    theorem: str
    parameters: tuple[tuple[str, int | str], ...]
    program: Program
    truncation: arb


def stage_radices(stage: Stage, n: int, limits: Limits) -> tuple[int, int, int] | None:
    """Return the largest radices a stage may use within the limits."""
    widest = widest_radices(stage, n, limits.width)
    if widest is None or limits.squarer_width is None:
        return widest
    w = limits.squarer_width
    first, middle, last = min(widest[0], w + 1), min(widest[1], w), min(widest[2], w + 1)
    return None if middle < 2 else (first, middle, last)


def plan_candidates(
    problem: Problem,
    candidates: Iterator[Candidate],
    limits: Limits,
    score: Callable[[int, float], tuple[float, ...]],
    *,
    freeze: bool = True,
) -> NetworkPlan:
    """Return the best plan among the candidates that a proof confirms.

    Args:
        problem: What is asked.
        candidates: Programs to consider, deterministic in order.
        limits: Width limits.
        score: (hidden layers, estimated neurons) -> sort key; smaller is better.
        freeze: Whether the bound must hold for weights rounded to float64; else only in real arithmetic.

    Raises:
        TooNarrow: If no candidate fits the width.
        OutOfReach: If float64 cannot hold the accuracy.
    """
    ranked = sorted(_ranked(problem, candidates, limits, score), key=lambda item: item[0])
    if not ranked:
        raise TooNarrow(
            f"no network was found for this problem with layers of width at most {limits.width}; allow more width"
        )
    reasons = []
    for _, candidate, radices, contributions in ranked[:12]:
        plan = _confirm(problem, candidate, radices, contributions, freeze)
        if isinstance(plan, NetworkPlan):
            return plan
        reasons.append(plan)
    eps, least = size_text(problem.eps), min(reasons)
    if least == math.inf:
        raise OutOfReach(f"eps = {eps}: weights of this network are outside float64's range; change the domain or eps")
    raise OutOfReach(
        f"eps = {eps} is below the float64 floor of this network: rounding its weights alone may move the result "
        f"by {least:.2e} ({problem.norm} norm); ask for a larger eps or a smaller domain"
    )


def in_chunks(candidate: Candidate, n: int, chunk: int | None) -> Candidate:
    """Return the candidate, for n x n matrices, with its inner sums taken in chunks."""
    side = n // candidate.program.grid
    if chunk is None or chunk >= side:
        return candidate
    parameters = (*candidate.parameters, ("chunk", chunk))
    return replace(candidate, parameters=parameters, program=candidate.program.chunked(side, chunk))


def with_carries(candidate: Candidate, *, carry: bool = True) -> Candidate:
    """Return the candidate with its outputs carried, if so asked and there is a product after another."""
    if not carry or len(candidate.program.stages) < 2:
        return candidate
    parameters = (*candidate.parameters, ("outputs", CARRIED))
    return replace(candidate, parameters=parameters, program=candidate.program.carried())


def _model(problem: Problem, program: Program) -> NormModel:
    """Return the norms of the matrices a program multiplies: those of the problem, or blocks of them."""
    return NormModel(problem.n // program.grid, problem.domain, program.grid)


def _log_eps(problem: Problem, model: NormModel) -> float:
    """Return log eps in the analysis norm."""
    with ctx.workprec(64):
        return (
            math.log(problem.eps.numerator)
            - math.log(problem.eps.denominator)
            - log_of(model.in_norm(arb(1), problem.norm))
        )


_Ranked = tuple[tuple[float, ...], Candidate, list[tuple[int, int, int]], list[float]]


def _ranked(
    problem: Problem,
    candidates: Iterator[Candidate],
    limits: Limits,
    score: Callable[[int, float], tuple[float, ...]],
) -> Iterator[_Ranked]:
    for whole in candidates:
        candidate = with_carries(in_chunks(whole, problem.n, limits.chunk), carry=limits.carry)
        model = _model(problem, candidate.program)
        log_eps, n = _log_eps(problem, model), model.n
        truncation = log_of(candidate.truncation) - log_eps
        if truncation >= 0:
            continue
        radices = [stage_radices(stage, n, limits) for stage in candidate.program.stages]
        if any(r is None for r in radices):
            continue
        fixed = [r for r in radices if r is not None]
        contributions = first_order_shares(candidate.program, model)
        layers = _layers_within(candidate, n, fixed, contributions, log_eps + math.log1p(-math.exp(truncation)))
        if layers is None:
            continue
        neurons = sum(
            m * (r[1] * stage_squarers(stage, n) + carriers(stage, n) + accumulators(stage, n))
            for m, r, stage in zip(layers, fixed, candidate.program.stages, strict=True)
        )
        yield (*score(sum(layers), float(neurons)), truncation), candidate, fixed, contributions


def _layers_within(
    candidate: Candidate,
    n: int,
    radices: Sequence[tuple[int, int, int]],
    contributions: Sequence[float],
    log_target: float,
) -> list[int] | None:
    """Return layers per stage for a target, by the program's own law if it has one; None if there are none."""
    if candidate.program.law is not None:
        found: list[int] | None = candidate.program.law.layers(n, radices, log_target)
        return found
    return spread_layers(radices, contributions, log_target) if radices else []


def _radices_within(
    candidate: Candidate,
    n: int,
    radices: Sequence[tuple[int, int, int]],
    contributions: Sequence[float],
    log_target: float,
) -> list[Radices] | None:
    """Return radices per stage for a target, no larger than needed; None if there are none."""
    if candidate.program.law is not None:
        found: list[Radices] | None = candidate.program.law.radices(n, radices, log_target)
        return found
    layers = spread_layers(radices, contributions, log_target) if radices else []
    return trimmed(radices, layers, contributions, log_target)


def _confirm(
    problem: Problem,
    candidate: Candidate,
    radices: list[tuple[int, int, int]],
    contributions: list[float],
    freeze: bool,
) -> NetworkPlan | float:
    """Return the plan whose proved bound is at most eps, or the freezing term that stands in the way."""
    model = _model(problem, candidate.program)
    log_eps = _log_eps(problem, model)
    with ctx.workprec(128):
        eps = as_ball(problem.eps)
        room = 1 - float((model.in_norm(candidate.truncation, problem.norm) / eps).upper())
        freezing = math.inf
        # The first-order estimate is a little optimistic (ranges grow by the errors): tighten until the proof closes.
        for tightening in (1.0, 0.995, 0.98, 0.95, 0.9, 0.8, 0.65, 0.5, 0.3, 0.1):
            log_target = log_eps + math.log(room * tightening) if room > 0 else -math.inf
            finest = _radices_within(candidate, model.n, radices, contributions, log_target)
            if finest is None:
                break
            chosen = [[r] * len(stage.products) for r, stage in zip(finest, candidate.program.stages, strict=True)]
            try:
                analysis = analyse(candidate.program, model, chosen, freeze=freeze)
            except Unfreezable:
                return freezing
            real = model.in_norm(analysis.error + candidate.truncation, problem.norm)
            total = model.in_norm(analysis.frozen_error + candidate.truncation, problem.norm)
            if total <= eps:
                return _finish(problem, candidate, analysis, real, total)
            freezing = min(freezing, float((total - real).upper()))
            # More pieces leave the freezing term as it is: where it takes nearly all of eps, they cannot help.
            if not radices or freezing > 0.98 * float(eps.upper()):
                break
        return freezing


def plan_with(problem: Problem, candidate: Candidate, radices: Sequence[Sequence[Radices]]) -> NetworkPlan:
    """Return the plan with these radices and the errors that are proved of it, whether they meet eps or not.

    Raises:
        OutOfReach: If nothing can be proved of its weights in float64.
    """
    with ctx.workprec(128):
        model = _model(problem, candidate.program)
        try:
            analysis = analyse(candidate.program, model, radices)
        except Unfreezable as error:
            raise OutOfReach(f"no bound holds for this network in float64: {error}") from None
        real = model.in_norm(analysis.error + candidate.truncation, problem.norm)
        total = model.in_norm(analysis.frozen_error + candidate.truncation, problem.norm)
        return _finish(problem, candidate, analysis, real, total)


def _budget(problem: Problem, candidate: Candidate, analysis: Analysis) -> tuple[tuple[str, Fraction], ...]:
    """Return each stage's share of the error, to first order, and the truncation, in the problem's norm."""
    model = _model(problem, candidate.program)
    if candidate.program.law is not None:
        return _shares(problem, candidate.program.law, analysis, model)
    shares = [("truncation", upper(model.in_norm(candidate.truncation, problem.norm), 24))]
    for place, (log_share, stage) in enumerate(
        zip(first_order_shares(candidate.program, model), analysis.stages, strict=True)
    ):
        if not stage.products:
            continue
        pieces = stage.products[0].radices.pieces_ball
        share = model.in_norm(arb(log_share).exp() / pieces**2, problem.norm)
        shares.append((f"stage {place + 1} ({stage.products[0].radices.text()})", upper(share, 24)))
    return tuple(shares)


def _shares(
    problem: Problem, law: Law, analysis: Analysis, model: NormModel
) -> tuple[tuple[str, Fraction], ...]:
    """Return, by a program's own law, how much smaller the error were if a stage's products were exact."""
    pieces = [float(stage.products[0].radices.pieces_ball.log().mid()) for stage in analysis.stages]
    whole = math.exp(law.log_error(model.n, pieces))
    shares = []
    for place, stage in enumerate(analysis.stages):
        exact = math.exp(law.log_error(model.n, [*pieces[:place], 700.0, *pieces[place + 1 :]]))
        share = model.in_norm(arb(max(whole - exact, 0.0)), problem.norm)
        shares.append((f"stage {place + 1} ({stage.products[0].radices.text()})", upper(share, 24)))
    return tuple(shares)


def _finish(problem: Problem, candidate: Candidate, analysis: Analysis, real: arb, total: arb) -> NetworkPlan:
    error, proved = upper(real, 64), upper(total, 64)
    if total <= as_ball(problem.eps):  # rounding to 64 bits must not push a proved bound past eps
        error, proved = min(error, problem.eps), min(proved, problem.eps)
    return NetworkPlan(
        problem=problem,
        route=candidate.route,
        theorem=candidate.theorem,
        parameters=candidate.parameters,
        program=candidate.program,
        stages=analysis.stages,
        error=error,
        freezing=max(proved - error, Fraction(0)),
        budget=_budget(problem, candidate, analysis),
    )


__all__ += ["majorants"]
