"""A planned program as one network: stages composed by name, the touching affine maps merged."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce

import numpy as np

from constructions.algebra import affine, compose, identity
from constructions.exact import Batch, ExactMatrix
from constructions.network import Network, port_columns
from constructions.stage import stage_network
from theory.network_plan import NetworkPlan

__all__ = ["ideal_network"]


def ideal_network(plan: NetworkPlan) -> Network:
    """Return the plan's network in exact rationals, before freezing: A flattened row by row in, the result out."""
    n = plan.problem.n
    start = identity((("A", n * n),))
    network = reduce(lambda first, stage: compose(stage_network(stage, n), first), plan.stages, start)
    return compose(_output(plan), network)


def _output(plan: NetworkPlan) -> Network:
    n, combination = plan.problem.n, plan.program.output
    inputs = tuple((name, n * n) for name in combination.names)
    columns, place = port_columns(inputs), np.arange(n * n, dtype=np.int64)
    width = n * n * len(inputs)
    diagonal = np.arange(n, dtype=np.int64) * (n + 1)
    batches: list[Batch] = [(place, columns[name], c) for name, c in combination.terms]
    batches.append((diagonal, np.full(n, width, dtype=np.int64), Fraction(combination.identity)))
    return affine(ExactMatrix.from_batches((n * n, width + 1), batches), inputs, (("Y", n * n),))
