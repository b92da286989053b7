"""A planned program as one network: stages composed by name, the touching affine maps merged."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce

import numpy as np

from constructions.algebra import affine, compose
from constructions.exact import Batch, ExactMatrix
from constructions.network import Network, port_columns
from constructions.stage import stage_network
from theory.network_plan import NetworkPlan
from theory.program import Source

__all__ = ["ideal_network"]


def ideal_network(plan: NetworkPlan) -> Network:
    """Return the plan's network in exact rationals, before freezing: A flattened row by row in, the result out."""
    n = plan.problem.n
    start = _sources(plan.program.sources, n)
    network = reduce(lambda first, stage: compose(stage_network(stage, n), first), plan.stages, start)
    return compose(_output(plan), network)


def _sources(sources: tuple[Source, ...], n: int) -> Network:
    """Return the affine map from A to the matrices the program starts from."""
    size = n * n
    place = np.arange(size, dtype=np.int64)
    diagonal = np.arange(n, dtype=np.int64) * (n + 1)
    batches: list[Batch] = []
    for index, source in enumerate(sources):
        entries = (place % n) * n + place // n if source.transpose else place
        batches.append((index * size + place, entries, source.factor))
        batches.append((index * size + diagonal, np.full(n, size, dtype=np.int64), source.identity))
    matrix = ExactMatrix.from_batches((size * len(sources), size + 1), batches)
    return affine(matrix, (("A", size),), tuple((source.name, size) for source in sources))


def _output(plan: NetworkPlan) -> Network:
    n, combination = plan.problem.n, plan.program.output
    inputs = tuple((name, n * n) for name in combination.names)
    columns, place = port_columns(inputs), np.arange(n * n, dtype=np.int64)
    width = n * n * len(inputs)
    diagonal = np.arange(n, dtype=np.int64) * (n + 1)
    batches: list[Batch] = [(place, columns[name], c) for name, c in combination.terms]
    batches.append((diagonal, np.full(n, width, dtype=np.int64), Fraction(combination.identity)))
    return affine(ExactMatrix.from_batches((n * n, width + 1), batches), inputs, (("Y", n * n),))
