"""Plan, check that it fits, build, freeze: from a problem to a network with its bound."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from constructions.catalogue import plan_problem
from theory.counts import Counts, count_plan
from theory.errors import BadInput, OutOfReach
from theory.network_plan import NetworkPlan
from theory.objectives import Demand
from theory.problem import Norm, Problem
from theory.requests import DOMAIN_OPTIONS, make_problem
from theory.sizes import size_text

if TYPE_CHECKING:
    from constructions.matrix_network import MatrixNetwork

__all__ = ["build", "build_plan", "build_problem", "check_fits", "file_bytes", "plan_that_fits", "working_bytes"]

#: Bytes a non-zero takes while the network is put together, at the peak (measured; mostly sparse products).
_WORKING_BYTES = 130
#: Beyond this theta + ln(1/eps) a network is counted in closed form only; it would not fit any machine.
_LISTED = 1500.0


def build(
    function: str,
    n: int | str,
    eps: str | Fraction | float,
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
        n: Matrix size.
        eps: Bound on the error, an exact rational read from its text.
        norm: Norm of the error.
        route: How; the default has the fewest layers.
        demand: What to minimise, under which limits.
        relative: For expm: eps is relative to e^theta, the domain's maximum of the norm, not to each matrix's own.
        **domain: ``M``, ``radius``, ``delta``, ``rho``, ``nu`` or ``center``, as the function needs.

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

    return MatrixNetwork(ideal_network(plan).freeze(), plan)


def plan_that_fits(problem: Problem, route: str | None = None, demand: Demand | None = None) -> NetworkPlan:
    """Return a plan whose network fits this machine.

    Raises:
        OutOfReach: If it does not; the message says how large it would be.
    """
    _refuse_giants(problem)
    plan = plan_problem(problem, route, demand)
    check_fits(count_plan(plan))
    return plan


def _refuse_giants(problem: Problem) -> None:
    from theory.norm_model import NormModel

    model = NormModel(problem.n, problem.domain)
    demand = float(model.theta) + math.log(problem.eps.denominator) - math.log(problem.eps.numerator)
    # Even a single matrix square has n^3 squarers; its counts are an underestimate that needs no planning.
    least = 2 * problem.n**3
    if least * _WORKING_BYTES > _memory():
        raise OutOfReach(_too_large(f"more than {size_text(least)} non-zeros", least))
    if problem.function == "expm" and demand > _LISTED:
        raise OutOfReach(
            f"weights near e^{float(model.theta):.4g} are outside float64's range (largest e^709): "
            "ask for a smaller domain; `python -m theory.bounds` counts such networks"
        )


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
        f"this machine has {_memory() / 2**30:.3g} GiB: ask for a smaller n or a larger eps"
    )


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 9 // 10


def working_bytes(counts: Counts) -> int:
    """Return the memory building takes at its peak, about."""
    return counts.nonzeros * _WORKING_BYTES


def file_bytes(counts: Counts) -> int:
    """Return the size of the native file: 16 bytes a non-zero, 16 a neuron."""
    neurons = sum(width * times for width, times in counts.architecture.runs)
    return 16 * counts.nonzeros + 16 * neurons
