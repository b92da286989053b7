"""The plan of a scalar network (n = 1): a shape with exact weights instead of a matrix program.

It stands apart from the planning in ``theory.scalar`` so that whoever counts plans need not load that.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.network_plan import NetworkPlan
from theory.program import Program, combination

if TYPE_CHECKING:
    from theory.architecture import Architecture
    from theory.problem import Problem
    from theory.scalar_product import ProductShape
    from theory.shapes import Shape

__all__ = ["SCALAR_ROUTES", "ScalarPlan", "plan_of_shape"]

#: Route -> the theorem behind its error.
SCALAR_ROUTES = {
    "hinges": "scalar.interpolant",
    "tower": "scalar.tower",
    "squarer": "scalar.square",
    "squarers": "scalar.product",
}
#: A plan carries a program; a shape takes its input as it is.
_PROGRAM = Program((), combination({"A": 1}))


@dataclass(frozen=True)
class ScalarPlan(NetworkPlan):
    """A scalar network. Every weight is a float64 already, so ``freezing`` is 0 and ``error`` is that of what ships.

    Attributes:
        shape: What to build.
        attained: An error that is reached somewhere: a lower bound of the largest.
    """

    shape: Shape | ProductShape | None = None
    attained: Fraction = Fraction(0)

    @property
    def built(self) -> Shape | ProductShape:
        """The shape; every plan of ``plan_of_shape`` has one.

        Raises:
            ValueError: If there is none.
        """
        if self.shape is None:
            raise ValueError("a scalar plan has a shape")
        return self.shape

    @property
    def hidden_layers(self) -> int:
        """Hidden layers of the network."""
        return self.architecture.hidden_layers

    @property
    def architecture(self) -> Architecture:
        """Layer widths."""
        return self.built.architecture

    @property
    def nonzeros(self) -> int:
        """Non-zero weights and biases."""
        return self.built.nonzeros

    @property
    def biases(self) -> int:
        """How many of the non-zeros are biases."""
        return self.built.biases

    @property
    def largest_weight(self) -> Fraction:
        """Largest weight or bias in absolute value."""
        return self.built.largest_weight

    def recipe(self) -> dict[str, Any]:
        """Return the shape itself, in rationals: the search that found it need not be repeated."""
        return {"route": self.route, "parameters": dict(self.parameters), "shape": self.built.json()}


def plan_of_shape(
    problem: Problem, route: str, shape: Shape | ProductShape, error: Fraction, attained: Fraction
) -> ScalarPlan:
    """Return the plan of a shape whose error is proved."""
    return ScalarPlan(
        problem=problem,
        route=route,
        theorem=SCALAR_ROUTES[route],
        parameters=shape.parameters,
        program=_PROGRAM,
        stages=(),
        error=error,
        freezing=Fraction(0),
        budget=(("piecewise linear", error),),
        shape=shape,
        attained=attained,
    )
