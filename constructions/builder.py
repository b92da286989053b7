"""Plan, check that it fits, build, freeze: from a problem to a network with its bound."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flint import ctx

from constructions.catalogue import plan_problem
from theory.counts import Counts, count_plan
from theory.errors import BadInput, OutOfReach
from theory.evaluate import as_ball, upper
from theory.network_plan import NetworkPlan
from theory.norm_model import NormModel
from theory.objectives import Demand
from theory.problem import Norm, Problem
from theory.requests import DOMAIN_OPTIONS, make_problem
from theory.scalar_plan import ScalarPlan
from theory.sizes import size_text

if TYPE_CHECKING:
    from constructions.matrix_network import MatrixNetwork

__all__ = [
    "build",
    "build_plan",
    "build_problem",
    "check_fits",
    "file_bytes",
    "plan_that_fits",
    "refuse_unlisted",
    "working_bytes",
]

#: Bytes a non-zero takes while the network is put together, at the peak (measured up to 1.6e8 of them: 40 and less).
_WORKING_BYTES = 50
#: Beyond this theta + ln(1/eps) a network is counted in closed form only; it would not fit any machine.
_LISTED = 1500
#: Logarithm of the largest float64, rounded up.
_LARGEST = 710
#: Bytes of text in a file's header: fixed, for every affine map's four tensors, and for every block (measured).
_HEADER_BYTES, _MAP_BYTES, _BLOCK_BYTES = 300, 305, 128


def build(
    function: str,
    n: int | str | None = None,
    eps: str | Fraction | float | None = None,
    *,
    norm: Norm = "fro",
    route: str | None = None,
    demand: Demand | None = None,
    relative: bool = False,
    **domain: Any,
) -> MatrixNetwork:
    """Build a network for a matrix function.

    Args:
        function: ``expm``, ``inverse``, ``sign``, ``sqrt``, ``log``, ``sin``, ``cos``, or a formula in x.
        n: Matrix size; around a centre it is that of the centre.
        eps: Bound on the error, an exact rational read from its text; around a centre it may be left out.
        norm: Norm of the error.
        route: How; by default the function's first route, at n = 1 the best by what is minimised.
        demand: What to minimise (default: hidden layers, at n = 1 non-zeros), under which limits.
        relative: For expm: eps is relative to e^theta, the domain's maximum of the norm, not to each matrix's own.
        **domain: ``M``, ``radius``, ``delta``, ``rho``, ``nu``, ``center``, or ``around`` and ``half_width``, as the
            function needs.

    Returns:
        Frozen weights with the proved bound.

    Raises:
        BadInput: If the request cannot be read, or no network that fits meets it.
    """
    odd = sorted(set(domain) - set(DOMAIN_OPTIONS))
    if odd:
        raise BadInput(f"no option {odd[0]!r}; a domain is given by {', '.join(DOMAIN_OPTIONS)}")
    options = {"n": n, "eps": eps, "norm": norm, "relative": relative, **domain}
    return build_problem(make_problem(function, options, route=route), route, demand)


def build_problem(problem: Problem, route: str | None = None, demand: Demand | None = None) -> MatrixNetwork:
    """Build a network for a problem; memory is asked for only once the counts say it fits."""
    return build_plan(plan_that_fits(problem, route, demand))


def build_plan(plan: NetworkPlan) -> MatrixNetwork:
    """Build and freeze a plan."""
    from constructions.matrix_network import MatrixNetwork
    from constructions.program_network import ideal_network

    return MatrixNetwork(ideal_network(plan).freeze(), plan, fresh=True)


def plan_that_fits(problem: Problem, route: str | None = None, demand: Demand | None = None) -> NetworkPlan:
    """Return a plan whose network fits this machine.

    Raises:
        OutOfReach: If it does not; the message says how large it would be.
    """
    _refuse_giants(problem)
    refuse_unlisted(problem)
    plan = plan_problem(problem, route, demand)
    check_fits(count_plan(plan))
    return plan


def refuse_unlisted(problem: Problem) -> None:
    """Refuse demands whose program is too long to be listed, before any search for it begins.

    Raises:
        OutOfReach: If theta, or theta + ln(1/eps), is beyond float64.
    """
    if problem.function != "expm":
        return
    with ctx.workprec(64):
        theta = NormModel(problem.n, problem.domain).theta
        if theta > _LARGEST:
            raise OutOfReach(
                f"weights near e^{size_text(upper(theta, 24))} are outside float64's range (largest e^709): "
                "ask for a smaller domain; `python -m theory.bounds` counts such networks"
            )
        if theta + as_ball(1 / problem.eps).log() > _LISTED:
            raise OutOfReach(
                f"eps = {size_text(problem.eps)} is beyond what float64 weights can hold: ask for a larger eps; "
                "`python -m theory.bounds` counts such networks"
            )


def _refuse_giants(problem: Problem) -> None:
    # Even a single matrix square has n^3 squarers; its counts are an underestimate that needs no planning.
    least = 2 * problem.n**3
    if least * _WORKING_BYTES > _memory():
        raise OutOfReach(_too_large(f"more than {size_text(least)} non-zeros", least))


def check_fits(counts: Counts) -> None:
    """Check that a network with these counts can be built in this machine's memory.

    Raises:
        OutOfReach: If it cannot.
    """
    if working_bytes(counts) > _memory():
        raise OutOfReach(_too_large(f"{size_text(counts.nonzeros)} non-zeros", counts.nonzeros))


def _too_large(what: str, nonzeros: int) -> str:
    return (
        f"the network has {what} and takes about {nonzeros * _WORKING_BYTES / 2**30:.3g} GiB to build; "
        f"this machine has {_memory() / 2**30:.3g} GiB: ask for --minimise nonzeros, a smaller n or a larger eps"
    )


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 9 // 10


def working_bytes(counts: Counts) -> int:
    """Return the memory building takes at its peak, about."""
    return counts.nonzeros * _WORKING_BYTES


def file_bytes(plan: NetworkPlan, counts: Counts) -> int:
    """Return the size of the native file, about: 16 bytes a weight, 16 a neuron, 8 a map, and the header."""
    neurons = sum(width * times for width, times in counts.architecture.runs) - counts.architecture.inputs
    maps = counts.architecture.hidden_layers + 1
    # In the first layer kinks and carriers, in later ones kinks, accumulators and carried linear parts.
    blocks = sum(
        len(stage.products)
        + len(stage.bounds)
        + (stage.layers - 1) * (2 * len(stage.products) + len(stage.linear_offsets))
        for stage in plan.stages
    )
    if isinstance(plan, ScalarPlan):
        from constructions.scalar import scalar_network

        blocks = len(scalar_network(plan).blocks)  # small enough to be built for the count
    records = len(json.dumps(plan.problem.json())) + len(json.dumps(plan.recipe()))
    header = _HEADER_BYTES + records + maps * _MAP_BYTES + blocks * _BLOCK_BYTES
    return 16 * (counts.nonzeros - counts.biases) + 16 * neurons + 8 * maps + header
