"""A network plan: a matrix program with every product's radices, scales and offsets fixed, and the error it promises.

The plan is the contract between theory (which bounds and counts it) and constructions (which builds it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb

from theory.dyadic import Dyadic
from theory.problem import Problem
from theory.program import Combination, Product, Program, Stage
from theory.radices import Radices

__all__ = ["NetworkPlan", "ProductPlan", "StagePlan"]


@dataclass(frozen=True)
class ProductPlan:
    """One matrix product: how fine its squarers are, and the scales that bring its factors into [-1, 1].

    Attributes:
        product: The factors.
        radices: Of every squarer of the product.
        alpha_left: Scale of the left factor; its entries are at most ``1 / alpha_left``.
        alpha_right: Scale of the right factor (equal to the left one for a square).
        offset: Carried accumulators are at least ``-offset`` (0 with one layer, which has none).
        row_offset: The same for the row and column sums of squares.
        centre: Added to every entry: half the width of the error interval, rounded to a short dyadic.
    """

    product: Product
    radices: Radices
    alpha_left: Dyadic
    alpha_right: Dyadic
    offset: Dyadic
    row_offset: Dyadic
    centre: Dyadic

    @property
    def scale(self) -> Fraction:
        """``B_L B_R = 1 / (alpha_left alpha_right)``: what the squarers' sum is multiplied by."""
        return 1 / (self.alpha_left.fraction * self.alpha_right.fraction)

    @property
    def scale_ball(self) -> arb:
        """The same as a ball, for exponents beyond reason."""
        return 1 / (self.alpha_left.ball * self.alpha_right.ball)


@dataclass(frozen=True)
class StagePlan:
    """One stage: its products in parallel, all of one depth, and the ranges of the matrices it carries.

    Attributes:
        stage: What is computed.
        products: In the order of ``stage.products``.
        bounds: For every live matrix a bound on its computed entries.
        linear_offsets: For every output whose linear part is carried by itself, a bound on that part's entries.

    Raises:
        ValueError: If the products differ in depth or order, or a live matrix has no bound.
    """

    stage: Stage
    products: tuple[ProductPlan, ...]
    bounds: tuple[tuple[str, Dyadic], ...]
    linear_offsets: tuple[tuple[str, Dyadic], ...]

    def __post_init__(self) -> None:
        if tuple(plan.product for plan in self.products) != self.stage.products:
            raise ValueError("plans and products must stand in the same order")
        if len({plan.radices.layers for plan in self.products}) > 1:
            raise ValueError("the products of a stage have equal depth")
        if tuple(name for name, _ in self.bounds) != self.stage.live:
            raise ValueError("every live matrix needs its bound")

    @property
    def layers(self) -> int:
        """Hidden layers of the stage."""
        return self.products[0].radices.layers if self.products else 1

    @property
    def folded(self) -> Mapping[str, str]:
        """Product -> the one output whose linear part rides in the product's accumulators."""
        return folded_outputs(self.stage)

    @property
    def carried_outputs(self) -> tuple[str, ...]:
        """Outputs whose (non-zero) linear part is carried by n^2 neurons of its own."""
        return carried_outputs(self.stage)


def folded_outputs(stage: Stage) -> Mapping[str, str]:
    """Return product -> output for products that a single output uses; each output folds into at most one product."""
    return stage.folded


def linear_part(stage: Stage, output: Combination) -> Combination:
    """Return the part of an output in the live matrices, without products and identity."""
    return output.restricted(frozenset(output.names) - stage.product_names)


def carried_outputs(stage: Stage) -> tuple[str, ...]:
    """Return the outputs whose linear part is not empty and not folded into a product."""
    return stage.carried


@dataclass(frozen=True)
class NetworkPlan:
    """A planned network with what it promises.

    Attributes:
        problem: What was asked.
        route: The name of the route (``scaling-and-squaring``).
        theorem: Id of the theorem that proves the error.
        parameters: The route's own parameters (degree, scalings), for people.
        program: What is computed, exactly.
        stages: How.
        error: Proved bound on the error in real arithmetic, in the problem's norm (short rational, rounded up).
        freezing: What rounding every merged weight once to float64 can add to it.
        budget: Share of each product in the error: ``(stage, product, bound in the problem's norm)``.
    """

    problem: Problem
    route: str
    theorem: str
    parameters: tuple[tuple[str, int | str], ...]
    program: Program
    stages: tuple[StagePlan, ...]
    error: Fraction
    freezing: Fraction
    budget: tuple[tuple[str, Fraction], ...] = ()

    @property
    def proved(self) -> Fraction:
        """The bound that holds for the frozen network: error in real arithmetic plus freezing."""
        return self.error + self.freezing

    @property
    def side(self) -> int:
        """Size of the matrices the program multiplies: n, or that of a block."""
        return self.problem.n // self.program.grid

    @property
    def hidden_layers(self) -> int:
        """Hidden layers of the whole network."""
        return sum(stage.layers for stage in self.stages)

    def recipe(self) -> dict[str, Any]:
        """Return what a stranger needs to plan the same network again: route, parameters and radices."""
        return {
            "route": self.route,
            "parameters": dict(self.parameters),
            "radices": [[plan.radices.text() for plan in stage.products] for stage in self.stages],
        }
