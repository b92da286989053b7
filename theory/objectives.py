"""What to minimise, and under which limits: the planner's outer loop over squarer widths, and the Pareto frontier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from operator import le
from typing import Literal, NoReturn, get_args

from theory.counts import Counts, count_plan
from theory.errors import BadInput, OutOfReach
from theory.network_plan import NetworkPlan
from theory.plan import Limits, TooNarrow, reference_width

__all__ = ["MINIMISE", "Demand", "Minimise", "frontier", "plan_for", "size_of", "undominated"]

Minimise = Literal["hidden-layers", "nonzeros", "width"]
MINIMISE: tuple[Minimise, ...] = get_args(Minimise)
#: Neurons a squarer a layer that are tried: fine where layers are many, coarse where they are few.
_SQUARER_WIDTHS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
_UNLIMITED = 10**12
#: A squarer width of ordinary networks.
_TYPICAL = 4

PlanOnce = Callable[[Limits], NetworkPlan]


@dataclass(frozen=True)
class Demand:
    """What is asked of a plan beside its accuracy.

    Attributes:
        minimise: The quantity to make small; None for the problem's own: hidden layers, for scalar networks non-zeros.
        max_width: Largest layer allowed; None for the reference width when minimising layers, else no limit.
        max_hidden_layers: Most hidden layers allowed.
        squarer_width: Most neurons a squarer a layer.

    Raises:
        BadInput: If the objective is unknown or a limit is below 1.
    """

    minimise: Minimise | None = None
    max_width: int | None = None
    max_hidden_layers: int | None = None
    squarer_width: int | None = None

    def __post_init__(self) -> None:
        if self.minimise is not None and self.minimise not in MINIMISE:
            raise BadInput(f"minimise one of {', '.join(MINIMISE)}, not {self.minimise!r}")
        for name in ("max_width", "max_hidden_layers", "squarer_width"):
            value = getattr(self, name)
            if value is not None and value < (2 if name == "squarer_width" else 1):
                raise BadInput(
                    f"--{name.replace('_', '-')} must be at least {2 if name == 'squarer_width' else 1}, not {value}"
                )


def plan_for(plan_once: PlanOnce, n: int, demand: Demand) -> NetworkPlan:
    """Return the plan that minimises what is asked, under the limits.

    ``OutOfReach`` goes through if no network keeps the limits; it says which, and what was found without them.
    """
    if demand.minimise in (None, "hidden-layers"):
        return _shallowest(plan_once, n, demand)
    best: tuple[tuple[int, int], NetworkPlan] | None = None
    for plan, counts in _sweep(plan_once, n, demand):
        size = counts.nonzeros if demand.minimise == "nonzeros" else counts.architecture.width
        if best is None or (size, plan.hidden_layers) < best[0]:
            best = ((size, plan.hidden_layers), plan)
    if best is None:
        _refuse(plan_once, n, demand)
    return best[1]


def size_of(counts: Counts, demand: Demand) -> tuple[int, int]:
    """Return what a demand minimises, by default hidden layers; then non-zeros."""
    architecture = counts.architecture
    sizes = {"nonzeros": counts.nonzeros, "width": architecture.width}
    return sizes.get(demand.minimise or "", architecture.hidden_layers), counts.nonzeros


def _shallowest(plan_once: PlanOnce, n: int, demand: Demand) -> NetworkPlan:
    """Return the plan with the fewest hidden layers, by default within the reference width."""
    width = demand.max_width
    if width is None:
        # A squarer width of one's own asks for no more than the layers it makes.
        width = reference_width(n) if demand.squarer_width is None else _UNLIMITED
    try:
        plan = _widest_that_fits(plan_once, n, Limits(width, demand.squarer_width))
        if demand.max_hidden_layers is None or plan.hidden_layers <= demand.max_hidden_layers:
            return plan
    except TooNarrow:
        if demand.max_width is not None:
            _refuse(plan_once, n, demand)
    # The reference width is no demand: as wide as it takes to keep the others, and no wider.
    wider = sorted(_sweep(plan_once, n, demand), key=lambda point: (point[1].architecture.width, point[1].nonzeros))
    if not wider:
        _refuse(plan_once, n, demand)
    return wider[0][0]


def _refuse(plan_once: PlanOnce, n: int, demand: Demand) -> NoReturn:
    """Say which limits no network kept, and what there is without them, or why there is nothing.

    Raises:
        TooNarrow: Always, unless the planner has a reason of its own, which goes through.
    """
    points = [counts.architecture for _, counts in _sweep(plan_once, n, Demand())]
    limits = [
        f"{text} at most {value}"
        for text, value in (
            ("hidden layers", demand.max_hidden_layers),
            ("width", demand.max_width),
            ("neurons a squarer a layer", demand.squarer_width),
        )
        if value is not None
    ]
    narrow = min(points, key=lambda a: (a.width, a.hidden_layers))
    shallow = min(points, key=lambda a: (a.hidden_layers, a.width))
    raise TooNarrow(
        f"no network was found with {' and '.join(limits)}: without limits the narrowest found is {narrow.width} wide "
        f"({narrow.hidden_layers} hidden layers) and the shallowest {shallow.hidden_layers} layers deep "
        f"(width {shallow.width})"
    )


def _widest_that_fits(plan_once: PlanOnce, n: int, limits: Limits) -> NetworkPlan:
    """Return the plan within the limits, inner sums whole if they fit, else in ever smaller chunks.

    Raises:
        TooNarrow: If even one term at a time is too wide.
    """
    chunk = n
    while True:
        try:
            return plan_once(replace(limits, chunk=chunk if chunk < n else None))
        except TooNarrow:
            if chunk == 1:
                raise
            chunk //= 2


def _sweep(plan_once: PlanOnce, n: int, demand: Demand) -> Iterator[tuple[NetworkPlan, Counts]]:
    """Yield the plans within the limits, over squarer widths, chunks and outputs merged or carried."""
    _require_any(plan_once)
    widths: tuple[int, ...] = _SQUARER_WIDTHS
    if demand.squarer_width is not None:
        widths = (*(width for width in widths if width < demand.squarer_width), demand.squarer_width)
    merged = (*_narrow(n), *(Limits(_UNLIMITED, width) for width in widths))
    for limits in (*merged, *(replace(limits, carry=True) for limits in merged)):
        if demand.squarer_width is not None and (limits.squarer_width or 0) > demand.squarer_width:
            continue
        point = _counted(plan_once, replace(limits, width=demand.max_width or _UNLIMITED), demand)
        if point is not None:
            yield point


def _require_any(plan_once: PlanOnce) -> None:
    """Let the planner's own reason through where neither wide nor narrow squarers meet the accuracy."""
    try:
        plan_once(Limits(_UNLIMITED))
    except OutOfReach:
        plan_once(Limits(_UNLIMITED, _TYPICAL))


def _counted(plan_once: PlanOnce, limits: Limits, demand: Demand) -> tuple[NetworkPlan, Counts] | None:
    """Return the plan within these limits with its counts, if there is one that keeps the demand's."""
    try:
        plan = plan_once(limits)
    except OutOfReach:
        return None
    if demand.max_hidden_layers is not None and plan.hidden_layers > demand.max_hidden_layers:
        return None
    return plan, count_plan(plan)


def _narrow(n: int) -> Iterator[Limits]:
    """Yield limits that take inner sums in chunks, down to one term at a time: width O(n^2)."""
    chunk = 1
    while chunk < n:
        yield Limits(_UNLIMITED, 2, chunk)
        yield Limits(_UNLIMITED, 4, chunk)
        chunk *= 2


def frontier(
    plan_once: PlanOnce, n: int, demand: Demand, also: Iterable[tuple[NetworkPlan, Counts]] = ()
) -> list[tuple[NetworkPlan, Counts]]:
    """Return plans none of which is beaten in hidden layers, width and non-zeros at once, deep and narrow first.

    Args:
        plan_once: The planner of a route.
        n: Matrix size.
        demand: Limits.
        also: Further plans that may stand on the frontier.

    Raises:
        OutOfReach: If no network keeps the limits.
    """
    points = list(also)
    try:
        points = undominated([*points, *_sweep(plan_once, n, demand)])
    except OutOfReach:
        if not points:
            raise
    # At the widths that occur, stages may share what width there is in other ways than by one squarer width.
    for width in sorted({counts.architecture.width for _, counts in points} - {0}):
        point = _counted(plan_once, Limits(width, demand.squarer_width), demand)
        points += [] if point is None else [point]
    if not points:
        _refuse(plan_once, n, demand)
    return undominated(points)


def undominated(plans: Iterable[tuple[NetworkPlan, Counts]]) -> list[tuple[NetworkPlan, Counts]]:
    """Return plans that no other beats in hidden layers, width and non-zeros at once, deep and narrow first."""
    points = {_sizes(counts): (plan, counts) for plan, counts in plans}
    kept = [
        point
        for sizes, point in points.items()
        if not any(other != sizes and all(map(le, other, sizes)) for other in points)
    ]
    return sorted(kept, key=lambda point: (-point[1].architecture.hidden_layers, point[1].architecture.width))


def _sizes(counts: Counts) -> tuple[int, int, int]:
    return counts.architecture.hidden_layers, counts.architecture.width, counts.nonzeros
