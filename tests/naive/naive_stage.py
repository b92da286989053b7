"""One stage transcribed from the theorems: scaled products by ``theory.matmul``, combined as the stage says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from constructions.network import Network
from theory.matmul import multiply, square
from theory.network_plan import NetworkPlan, ProductPlan, StagePlan
from theory.program import Combination

__all__ = ["combine", "hidden_layers", "naive_network", "naive_product", "naive_stage"]

Dense = list[list[Fraction]]


def combine(form: Combination, matrices: Mapping[str, Dense], n: int) -> Dense:
    """The combination, entry by entry, the identity included."""
    return [
        [
            sum((c * matrices[v][i][j] for v, c in form.terms), form.identity if i == j else Fraction(0))
            for j in range(n)
        ]
        for i in range(n)
    ]


def naive_product(plan: ProductPlan, left: Dense, right: Dense) -> Dense:
    """A planned product (or part of its inner sum): factors scaled into [-1, 1], theory's product, scaled, centred."""
    radices = list(plan.radices)
    start, stop = plan.product.inner or (0, len(left))
    left, right = [row[start:stop] for row in left], right[start:stop]
    x = [[plan.alpha_left.fraction * entry for entry in row] for row in left]
    if plan.product.is_square:
        result, _ = square(radices, x)
    else:
        result = multiply(radices, x, [[plan.alpha_right.fraction * entry for entry in row] for row in right])
    return [[plan.scale * entry - plan.centre.fraction for entry in row] for row in result]


def naive_stage(plan: StagePlan, live: Mapping[str, Dense], n: int) -> dict[str, Dense]:
    """The stage's outputs."""
    known = dict(live)
    for product in plan.products:
        left, right = combine(product.product.left, live, n), combine(product.product.right, live, n)
        known[product.product.name] = naive_product(product, left, right)
    return {name: combine(output, known, n) for name, output in plan.stage.outputs}


def naive_network(plan: NetworkPlan, A: Dense) -> Dense:
    """The whole planned network on its sources, stage by stage."""
    n, live = len(A), {}
    for source in plan.program.sources:
        value = [list(row) for row in zip(*A, strict=True)] if source.transpose else A
        live[source.name] = [
            [source.factor * value[i][j] + (source.identity if i == j else 0) for j in range(n)] for i in range(n)
        ]
    for stage in plan.stages:
        live = naive_stage(stage, live, n)
    return combine(plan.program.output, live, n)


def hidden_layers(network: Network, x: Sequence[Fraction]) -> Iterator[list[Fraction]]:
    """The arguments of every hidden layer's ReLUs, straight off the sparse rows."""
    value = [*x, Fraction(1)]
    for affine in network.maps[:-1]:
        matrix = affine.augmented
        before = [
            sum((matrix.table[matrix.codes[p]] * value[matrix.indices[p]] for p in range(lo, hi)), Fraction(0))
            for lo, hi in zip(matrix.indptr[:-1].tolist(), matrix.indptr[1:].tolist(), strict=True)
        ]
        yield before
        value = [*(max(entry, Fraction(0)) for entry in before), Fraction(1)]
