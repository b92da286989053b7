"""Networks that are the linearised inverse: one hidden layer, affine on the box, with n^2 or 2 n^2 hidden units.

Y(A) = 2V - V A V, V near A0^-1, is affine in A, so a network need only pass A through one layer of ReLUs:

- ``shifted``: h = relu(A + beta), beta >= d - A0, is A + beta on the box: n^2 units, Y = (2V + V beta V) - V h V;
- ``two-sided``: A = relu(A) - relu(-A) for every A: 2 n^2 units, Y = 2V - V relu(A) V + V relu(-A) V.

V, beta and 2V are floats as they stand; the products V_ik V_lj and, for ``shifted``, the last bias are rounded once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from theory.architecture import Architecture
from theory.errors import OutOfReach
from theory.evaluate import upper
from theory.neighbourhood import Neighbourhood, Rows, matrix_norm, neighbourhood, times
from theory.network_plan import NetworkPlan
from theory.problem import Around, Problem
from theory.program import Program, Source, combination

__all__ = ["FORMS", "Form", "LinearizedPlan", "linearized_plan"]

Form = Literal["shifted", "two-sided"]
#: Route -> form of the hidden layer.
FORMS: dict[str, Form] = {"linearized": "shifted", "linearized-two-sided": "two-sided"}
_BITS = 64
_UNIT, _ETA = Fraction(1, 2**53), Fraction(1, 2**1075)
#: Largest weight: a little inside float64's range.
_LARGEST = Fraction(2) ** 1000


@dataclass(frozen=True)
class LinearizedPlan(NetworkPlan):
    """A plan of one hidden layer: its program is affine (no products), ``form`` says how A passes the layer."""

    form: Form = "shifted"

    @property
    def hidden_layers(self) -> int:
        """One."""
        return 1

    @property
    def around(self) -> Neighbourhood:
        """The box and V."""
        assert isinstance(self.problem.domain, Around)
        return neighbourhood(self.problem.domain)

    @property
    def units(self) -> int:
        """Hidden units: n^2, or 2 n^2."""
        return self.problem.n**2 * (1 if self.form == "shifted" else 2)

    @property
    def architecture(self) -> Architecture:
        """n^2, hidden units, n^2."""
        return Architecture.of([self.problem.n**2, self.units, self.problem.n**2])

    @cached_property
    def shift(self) -> Rows:
        """beta: the least floats at least ``d - A0``."""
        d = self.around.domain.half_width
        return tuple(tuple(_float_above(d - entry) for entry in row) for row in self.around.domain.centre)

    @cached_property
    def bias(self) -> Rows:
        """The last bias, before it is rounded: 2V, with V beta V where the inputs are shifted."""
        V = self.around.V
        twice = tuple(tuple(2 * entry for entry in row) for row in V)
        if self.form == "two-sided":
            return twice
        moved = _sandwich(V, self.shift, V)
        pairs = zip(twice, moved, strict=True)
        return tuple(tuple(a + b for a, b in zip(left, right, strict=True)) for left, right in pairs)

    def nonzeros(self) -> tuple[int, int, Fraction]:
        """Return non-zeros, the biases among them, and the largest weight (UPPER: rounding may make zeros)."""
        size = self.around.size
        entries = sum(entry != 0 for row in size for entry in row)
        biases = [abs(entry) for row in self.bias for entry in row if entry]
        if self.form == "shifted":
            biases += [abs(entry) for row in self.shift for entry in row if entry]
        top = max(max(row) for row in size)
        largest = max(Fraction(1), top * top, *biases)
        return self.units + self.units // self.problem.n**2 * entries**2 + len(biases), len(biases), largest

    def recipe(self) -> dict[str, Any]:
        """Return what plans the same network again."""
        return {"route": self.route, "parameters": dict(self.parameters), "radices": []}


def linearized_plan(problem: Problem, route: str) -> LinearizedPlan:
    """Return the plan of a linearised inverse with its proved error, whether that meets eps or not.

    Raises:
        OutOfReach: If a weight would leave float64's range.
    """
    assert isinstance(problem.domain, Around)
    around = neighbourhood(problem.domain)
    source = Source("C", factor=Fraction(-1), identity=Fraction(1), left=around.V, range=problem.n * around.largest)
    error = around.error(1, problem.norm)
    assert error is not None  # neighbourhood() has checked it
    plan = LinearizedPlan(
        problem=problem,
        route=route,
        theorem="inverse.box",
        parameters=(("order", 1),),
        program=Program((), combination({"C": 1}, 1), (source,), right=around.V),
        stages=(),
        error=error,
        freezing=Fraction(0),
        budget=(("truncation", error),),
        form=FORMS[route],
    )
    if plan.nonzeros()[2] > _LARGEST:
        raise OutOfReach("a weight of the linearised inverse is outside float64's range: scale the problem")
    return _with_freezing(plan)


def _with_freezing(plan: LinearizedPlan) -> LinearizedPlan:
    """Return the plan with what rounding each weight once adds: u (|bias| + |V| h |V|), h the hidden units' range."""
    around, d = plan.around, plan.around.domain.half_width
    if plan.form == "shifted":
        ranges = tuple(
            tuple(a + b + d for a, b in zip(left, right, strict=True))
            for left, right in zip(around.domain.centre, plan.shift, strict=True)
        )
        biases = tuple(tuple(abs(entry) for entry in row) for row in plan.bias)
    else:
        ranges = tuple(tuple(abs(entry) + d for entry in row) for row in around.domain.centre)
        biases = tuple((Fraction(0),) * plan.problem.n for _ in ranges)
    masses = _sandwich(around.size, ranges, around.size)
    tiny = _ETA * (sum(sum(row) for row in ranges) + 1)
    moved = tuple(
        tuple(_UNIT * (a + b) + tiny for a, b in zip(left, right, strict=True))
        for left, right in zip(masses, biases, strict=True)
    )
    return replace(plan, freezing=upper(matrix_norm(moved, plan.problem.norm), _BITS))


def _float_above(value: Fraction) -> Fraction:
    nearest = float(value)
    return Fraction(nearest if nearest >= value else math.nextafter(nearest, math.inf))


def _sandwich(left: Rows, middle: Rows, right: Rows) -> Rows:
    return times(times(left, middle), right)
