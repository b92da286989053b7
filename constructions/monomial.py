"""The monomial network: the prototype's trees copied for every index path.

The neurons of a layer stand in the prototype's order, each followed at once by its copies: path p_0, ..., p_k of a tree
of degree k is copy p_0 n^k + ... + p_k. Input i of the copy is entry (p_i, p_{i+1}), its output adds to entry
(p_0, p_k).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from constructions.algebra import affine, compose
from constructions.exact import Batch, ExactMatrix
from constructions.network import Affine, Block, Network, Ports
from constructions.stage import stage_network
from theory.expm.monomial_plan import MonomialPlan

__all__ = ["monomial_network"]

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Layer:
    """Neurons (or wires) of the prototype: to which degree each belongs, and where its copies start."""

    degrees: Index
    starts: Index
    width: int

    @classmethod
    def of(cls, degrees: Iterable[int], n: int) -> _Layer:
        """Lay out the copies of neurons of these degrees."""
        found = np.array(list(degrees), dtype=np.int64)
        ends = np.cumsum(n ** (found + 1))
        return cls(found, np.concatenate([[0], ends[:-1]]).astype(np.int64), int(ends[-1]) if len(ends) else 0)


def monomial_network(plan: MonomialPlan) -> Network:
    """Return the plan's network in exact rationals, before freezing."""
    n, trees = plan.problem.n, _prototype(plan)
    inputs = _Layer.of((_degree(name) for name, _ in trees.inputs), n)
    outputs = _Layer.of((_degree(name) for name, _ in trees.outputs), n)
    hidden = [_Layer.of(degrees, n) for degrees in _degrees(trees)]
    layers = [inputs, *hidden, outputs]
    maps = [
        Affine(_copied(affine_map.augmented, before, after, n))
        for affine_map, before, after in zip(trees.maps, layers, layers[1:], strict=False)
    ]
    size = n * n
    first, last = _reads(trees.inputs, inputs, n), _adds(plan, trees.outputs, outputs, n)
    maps[0] = maps[0].after(Affine(first))
    maps[-1] = Affine(last).after(maps[-1])
    blocks = tuple(_spread(block, hidden[block.layer]) for block in trees.blocks)
    return Network(tuple(maps), (("A", size),), (("Y", size),), blocks)


def _prototype(plan: MonomialPlan) -> Network:
    """Return the trees of one path a degree: entries in, values out."""
    inputs = tuple((source.name, 1) for source in plan.program.sources)
    size = len(inputs)
    identity = ExactMatrix.from_batches((size, size + 1), ExactMatrix.identity(size).batches())
    start = affine(identity, inputs, inputs)
    network = reduce(lambda before, stage: compose(stage_network(stage, 1), before), plan.stages, start)
    wires = tuple((f"x{k}.0", 1) for k in range(1, plan.degree + 1))
    last = ExactMatrix.from_batches((len(wires), len(wires) + 1), ExactMatrix.identity(len(wires)).batches())
    return compose(affine(last, wires, wires), network)


def _degree(name: str) -> int:
    """Return the degree in a name such as ``x3.1`` or ``P3.0``."""
    return int(name[1:].split(".")[0])


def _degrees(network: Network) -> list[list[int]]:
    """Return the degree of every hidden neuron, from the blocks."""
    found = [[0] * width for width in list(network.architecture.widths())[1:-1]]
    for block in network.blocks:
        for place in range(block.start, block.stop):
            found[block.layer][place] = _degree(block.name)
    return found


def _copied(matrix: ExactMatrix, before: _Layer, after: _Layer, n: int) -> ExactMatrix:
    """Return the map between all copies; within a copy it is the prototype's."""
    bias = matrix.shape[1] - 1
    batches: list[Batch] = []
    for rows, columns, value in matrix.batches():
        for degree in np.unique(after.degrees[rows]):
            here = after.degrees[rows] == degree
            copies = np.arange(n ** (int(degree) + 1), dtype=np.int64)
            new_rows = (after.starts[rows[here]][:, None] + copies).reshape(-1)
            is_bias = columns[here] == bias
            starts = before.starts[np.where(is_bias, 0, columns[here])]
            new_columns = np.where(is_bias[:, None], before.width, starts[:, None] + copies).reshape(-1)
            batches.append((new_rows, new_columns, value))
    return ExactMatrix.from_batches((after.width, before.width + 1), batches)


def _paths(degree: int, n: int) -> list[Index]:
    """Return p_0, ..., p_k of every copy."""
    copies = np.arange(n ** (degree + 1), dtype=np.int64)
    return [copies // n ** (degree - i) % n for i in range(degree + 1)]


def _reads(inputs: Ports, layer: _Layer, n: int) -> ExactMatrix:
    """Return the map from A to the factors of every copy."""
    batches: list[Batch] = []
    for (name, _), start in zip(inputs, layer.starts, strict=True):
        degree, i = _degree(name), int(name.split(".")[1])
        path = _paths(degree, n)
        batches.append((start + np.arange(len(path[0]), dtype=np.int64), path[i] * n + path[i + 1], Fraction(1)))
    return ExactMatrix.from_batches((layer.width, n * n + 1), batches)


def _adds(plan: MonomialPlan, outputs: Ports, layer: _Layer, n: int) -> ExactMatrix:
    """Return the map from the values of every copy to I plus their sums."""
    weights, diagonal = dict(plan.program.output.terms), np.arange(n, dtype=np.int64) * (n + 1)
    batches: list[Batch] = [(diagonal, np.full(n, layer.width, dtype=np.int64), Fraction(1))]
    for (name, _), start in zip(outputs, layer.starts, strict=True):
        path = _paths(_degree(name), n)
        columns = start + np.arange(len(path[0]), dtype=np.int64)
        batches.append((path[0] * n + path[-1], columns, weights[name]))
    return ExactMatrix.from_batches((n * n, layer.width + 1), batches)


def _spread(block: Block, layer: _Layer) -> Block:
    """Return the block with its neurons' copies."""
    stop = layer.starts[block.stop] if block.stop < len(layer.starts) else layer.width
    return replace(block, start=int(layer.starts[block.start]), stop=int(stop))
