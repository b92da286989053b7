"""The monomial route as a network to build: one prototype tree a degree, copied for every index path.

All n^(k+1) trees of degree k are alike, so one is planned, bounded and counted: a program of 1 x 1 matrices that
multiplies k entries by differences of squares. The copies differ in the entries they read, and in where two factors of
the first level are the same entry (path i, i, i): then the half sum reads one entry, the half difference none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from math import factorial
from typing import Any

from flint import arb, ctx

from theory.analysis import Analysis, analyse
from theory.architecture import Architecture
from theory.errors import BadInput, OutOfReach
from theory.evaluate import as_ball, upper
from theory.expm.monomial import monomial_route, tree_copies
from theory.expm.truncation import taylor_tail
from theory.network_plan import NetworkPlan, StagePlan
from theory.norm_model import NormModel
from theory.problem import Ball, Box, Problem
from theory.program import Combination, Product, Program, Source, Stage, combination
from theory.radices import Radices
from theory.requests import check_domain
from theory.row_mass import ETA, LARGEST, UNIT, Unfreezable
from theory.sizes import size_text

__all__ = ["MonomialPlan", "part_of", "plan_monomial", "prototype", "replan_monomial"]

#: Trees of all degrees that are copied at most.
MOST_TREES = 10**7
#: How many layers beyond the closed form's are tried: ranges with their errors are a little wider than it has them.
_SPARE_LAYERS = 4


@dataclass(frozen=True)
class MonomialPlan(NetworkPlan):
    """A plan whose program is the prototype: one tree for every degree, all levels side by side."""

    @property
    def degree(self) -> int:
        """The largest degree."""
        return int(dict(self.parameters)["degree"])

    @cached_property
    def copies(self) -> tuple[int, ...]:
        """How often the tree of degree 1, 2, ... occurs: n^(k+1)."""
        return tuple(tree_copies(self.problem.n, k) for k in range(1, self.degree + 1))

    @cached_property
    def parts(self) -> tuple[tuple[Part, ...], ...]:
        """For every degree its parts of the stages."""
        return tuple(tuple(part_of(stage, k) for stage in self.stages) for k in range(1, self.degree + 1))

    @cached_property
    def architecture(self) -> Architecture:
        """Layer widths: of every degree its prototype's, times its copies."""
        size = self.problem.n**2
        runs = [(size, 1)]
        for place, stage in enumerate(self.stages):
            radices = stage.products[0].radices
            for layer, radix in enumerate(radices):
                kinks = radix - (layer in (0, radices.layers - 1))
                widths = [_width(parts[place], kinks, first=layer == 0) for parts in self.parts]
                runs.append((sum(w * copies for w, copies in zip(widths, self.copies, strict=True)), 1))
        return Architecture.of_runs([*runs, (size, 1)])

    def recipe(self) -> dict[str, Any]:
        """Return route, degree and one radix list for every level."""
        levels = [stage.products[0].radices.text() for stage in self.stages]
        return {"route": self.route, "parameters": dict(self.parameters), "radices": [[text] for text in levels]}


@dataclass(frozen=True)
class Part(StagePlan):
    """What one degree's tree has of a stage: with no product left it is only carried, through as many layers."""

    depth: int = 1

    @property
    def layers(self) -> int:
        """Hidden layers of the stage it is part of."""
        return self.depth


def _width(part: Part, kinks: int, *, first: bool) -> int:
    """Return one tree's neurons in a layer: two squarers a product, then what goes in (first) or comes out (later)."""
    return 2 * kinks * len(part.products) + len(part.bounds if first else part.stage.outputs)


def part_of(plan: StagePlan, degree: int) -> Part:
    """Return the part of a stage that belongs to the tree of one degree."""
    mark = f"x{degree}."
    products = tuple(p for p in plan.products if p.product.name.startswith(f"P{degree}."))
    outputs = tuple((name, form) for name, form in plan.stage.outputs if name.startswith(mark))
    return Part(
        stage=Stage(tuple(p.product for p in products), outputs),
        products=products,
        bounds=tuple(item for item in plan.bounds if item[0].startswith(mark)),
        linear_offsets=tuple(item for item in plan.linear_offsets if item[0].startswith(mark)),
        depth=plan.layers,
    )


def prototype(degree: int) -> Program:
    """Return the program of one tree for each degree 1 to ``degree``: 1 x 1 matrices, output sum of the trees / k!."""
    values = {k: [f"x{k}.{i}" for i in range(k)] for k in range(1, degree + 1)}
    sources = tuple(Source(name, of=name) for names in values.values() for name in names)
    stages: list[Stage] = []
    while any(len(names) > 1 for names in values.values()):
        products: list[Product] = []
        outputs: list[tuple[str, Combination]] = []
        for k, names in values.items():
            following = []
            for j in range(0, len(names), 2):
                made = f"x{k}.{j // 2}"
                if j + 1 < len(names):
                    name = f"P{k}.{j // 2}"
                    left, right = (combination({factor: 1}) for factor in names[j : j + 2])
                    products.append(Product(name, left, right, how="difference"))
                    outputs.append((made, combination({name: 1})))
                else:
                    outputs.append((made, combination({names[j]: 1})))
                following.append(made)
            values[k] = following
        stages.append(Stage(tuple(products), tuple(outputs)))
    weights = {names[0]: Fraction(1, factorial(k)) for k, names in values.items()}
    return Program(tuple(stages), combination(weights), sources)


@lru_cache(maxsize=8)
def plan_monomial(problem: Problem) -> MonomialPlan:
    """Return the network of all trees that meets a problem: radices of at most 2 neurons a squarer a layer.

    Raises:
        OutOfReach: If there are too many trees to copy, or float64 cannot hold the accuracy.
    """
    check_domain(problem)
    counted = monomial_route(problem)
    trees = sum(tree_copies(problem.n, k) for k in range(1, min(counted.degree, 64) + 1))
    if trees > MOST_TREES or counted.degree > 64:
        raise OutOfReach(
            f"route monomial takes {size_text(trees)} trees of products or more, of degrees up to {counted.degree}; up "
            f"to {size_text(MOST_TREES)} are built: ask for a smaller n or domain, or a larger eps; `python -m "
            "theory.bounds` counts it"
        )
    with ctx.workprec(128):
        freezing: arb | None = None
        for more in range(_SPARE_LAYERS):
            radices = Radices.lean(counted.radices.first, 2, 3, counted.radices.layers + more)
            plan = _planned(problem, counted.degree, radices)
            if plan.proved <= problem.eps:
                return plan
            freezing = as_ball(plan.freezing)
            if plan.freezing * 50 > 49 * problem.eps:
                break  # more pieces leave it as it is
        raise OutOfReach(
            f"eps = {size_text(problem.eps)} is below the float64 floor of the monomial network: rounding its weights "
            f"alone may move the result by {float((freezing or arb(0)).upper()):.2e}; ask for a larger eps"
        )


def replan_monomial(problem: Problem, recipe: Mapping[str, Any]) -> MonomialPlan:
    """Return the plan a recipe describes, its error proved afresh.

    Raises:
        BadInput: If the recipe makes no sense.
    """
    check_domain(problem)
    try:
        degree = int(recipe["parameters"]["degree"])
        texts = {str(text) for level in recipe["radices"] for text in level}
        radices = Radices.from_text(texts.pop()) if texts else Radices.lean(3, 2, 3, 1)
        levels = len(recipe["radices"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"the recipe cannot be read: {error}") from None
    if texts or not 1 <= degree <= 64 or levels != (degree - 1).bit_length():
        raise BadInput("the recipe is not of the monomial route")
    if sum(tree_copies(problem.n, k) for k in range(1, degree + 1)) > MOST_TREES:
        raise BadInput("the recipe asks for more trees than are built")
    with ctx.workprec(128):
        plan = _planned(problem, degree, radices)
    if dict(recipe["parameters"]) != dict(plan.parameters):
        raise BadInput("the recipe is not of the monomial route")
    return plan


def _planned(problem: Problem, degree: int, radices: Radices) -> MonomialPlan:
    """Return the plan with these radices on every level, and the error proved of it.

    An entry is the sum of n^(k-1) trees of degree k over k!, so its error is that sum of the trees' errors; n of these
    bound the Frobenius norm, and the analysis norm of the box. The last affine map's rows are charged by their mass.

    Raises:
        OutOfReach: If nothing can be proved of its weights in float64.
    """
    n, domain = problem.n, problem.domain
    assert isinstance(domain, Box | Ball)
    model, program = NormModel(n, domain), prototype(degree)
    small = Box(domain.M if isinstance(domain, Box) else domain.radius)
    try:
        analysis = analyse(program, NormModel(1, small), [[radices] * len(s.products) for s in program.stages])
        real, frozen = _entry_errors(analysis, program, n)
    except Unfreezable as error:
        raise OutOfReach(f"no bound holds for the monomial network in float64: {error}") from None
    tail = model.truncation_factor * taylor_tail(model.theta, degree)
    errors = [upper(model.in_norm(tail + n * error, problem.norm), 64) for error in (real, frozen)]
    levels = (degree - 1).bit_length()
    return MonomialPlan(
        problem=problem,
        route="monomial",
        theorem="expm.monomial",
        parameters=(("degree", degree), ("levels", levels), ("radices", radices.text())),
        program=replace(program, further=()),
        stages=analysis.stages,
        error=errors[0],
        freezing=max(errors[1] - errors[0], Fraction(0)),
        budget=(("truncation", upper(model.in_norm(tail, problem.norm), 24)),),
    )


def _entry_errors(analysis: Analysis, program: Program, n: int) -> tuple[arb, arb]:
    """Return what an entry of the result is off by, in real arithmetic and frozen.

    Raises:
        Unfreezable: If a weight may be beyond float64's range.
    """
    real, frozen, mass, reach = arb(0), arb(0), arb(1), arb(1)
    for name, c in program.output.terms:
        track, degree = analysis.tracks[name], int(name[1:].split(".")[0])
        share, copies = as_ball(c * n ** (degree - 1)), n ** (degree - 1)
        real += share * track.D
        frozen += share * track.F
        mass += share * track.row.mass
        reach += copies * track.row.reach
        if not track.row.weight < LARGEST:
            raise Unfreezable("a weight of the last map is outside float64's range")
    return real, frozen + UNIT * mass + ETA * reach
