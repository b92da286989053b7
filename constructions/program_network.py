"""A planned program as one network: stages composed by name, the touching affine maps merged."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from constructions.algebra import affine, compose
from constructions.exact import Batch, ExactMatrix
from constructions.linearized import left_product, linearized_network, right_product
from constructions.network import Network, Ports, port_columns
from constructions.stage import stage_network
from theory.expm.monomial_plan import MonomialPlan
from theory.linearized_plan import LinearizedPlan
from theory.network_plan import NetworkPlan
from theory.problem import Problem
from theory.scalar_plan import ScalarPlan

__all__ = ["OUTPUT", "ideal_network", "input_ports"]

#: The wire of the result.
OUTPUT = "Y"
Index = NDArray[np.int64]


def ideal_network(plan: NetworkPlan) -> Network:
    """Return the plan's network in exact rationals, before freezing: A flattened row by row in, the result out."""
    if isinstance(plan, LinearizedPlan):
        return linearized_network(plan)
    if isinstance(plan, ScalarPlan):
        from constructions.scalar import scalar_network

        return scalar_network(plan)
    if isinstance(plan, MonomialPlan):
        from constructions.monomial import monomial_network

        return monomial_network(plan)
    network = reduce(lambda first, stage: compose(stage_network(stage, plan.side), first), plan.stages, _sources(plan))
    return compose(_output(plan), network)


def input_ports(problem: Problem) -> Ports:
    """Return the wires a problem's networks take: every input matrix, flattened row by row."""
    return tuple((name, problem.n**2) for name in problem.inputs)


def _entries(plan: NetworkPlan, block: tuple[int, int], *, transpose: bool = False) -> Index:
    """Return where the entries of a block, row by row (or column by column), are in the whole matrix."""
    n, side = plan.problem.n, plan.side
    rows, columns = np.divmod(np.arange(side * side, dtype=np.int64), side)
    if transpose:
        rows, columns = columns, rows
    return (block[0] * side + rows) * n + block[1] * side + columns


def _sources(plan: NetworkPlan) -> Network:
    """Return the affine map from the inputs to the matrices the program starts from."""
    sources, size, inputs = plan.program.sources, plan.side**2, input_ports(plan.problem)
    starts, width = port_columns(inputs), sum(entries for _, entries in inputs)
    place = np.arange(size, dtype=np.int64)
    diagonal = np.arange(plan.side, dtype=np.int64) * (plan.side + 1)
    batches: list[Batch] = []
    for index, source in enumerate(sources):
        if source.left is None:
            entries = starts[source.of][_entries(plan, source.block, transpose=source.transpose)]
            batches.append((index * size + place, entries, source.factor))
        else:  # (left A)_ij = sum_k left_ik A_kj
            batches += left_product(source.left).scaled(source.factor).batches(row_shift=index * size)
        batches.append((index * size + diagonal, np.full(plan.side, width, dtype=np.int64), source.identity))
    matrix = ExactMatrix.from_batches((size * len(sources), width + 1), batches)
    return affine(matrix, inputs, tuple((source.name, size) for source in sources))


def _output(plan: NetworkPlan) -> Network:
    """Return the affine map from the matrices the program ends with to the result, block by block."""
    size, results = plan.side**2, plan.program.results
    names = sorted({name for result in results for name in result.names})
    inputs = tuple((name, size) for name in names)
    columns, diagonal = port_columns(inputs), np.arange(plan.side, dtype=np.int64) * (plan.side + 1)
    width, total = size * len(inputs), plan.problem.n**2
    batches: list[Batch] = []
    for index, result in enumerate(results):
        rows = _entries(plan, divmod(index, plan.program.grid))
        batches += [(rows, columns[name], c) for name, c in result.terms]
        batches.append((rows[diagonal], np.full(plan.side, width, dtype=np.int64), Fraction(result.identity)))
    matrix = ExactMatrix.from_batches((total, width + 1), batches)
    if plan.program.right is not None:
        matrix = right_product(plan.program.right) @ matrix
    return affine(matrix, inputs, ((OUTPUT, total),))
