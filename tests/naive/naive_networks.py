"""Networks by their definition, on dense lists of Fractions: nothing here stores or multiplies as the library does."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from random import Random

import numpy as np
from hypothesis import strategies as st

from constructions.exact import ExactMatrix
from constructions.network import Affine, Network, Ports

__all__ = ["affine_map", "dense", "from_dense", "multiply", "networks", "points", "random_network", "realise"]

Dense = list[list[Fraction]]


def dense(matrix: ExactMatrix) -> Dense:
    """Every entry of a stored matrix, one by one."""
    rows = [[Fraction(0)] * matrix.shape[1] for _ in range(matrix.shape[0])]
    for i in range(matrix.shape[0]):
        for place in range(matrix.indptr[i], matrix.indptr[i + 1]):
            rows[i][matrix.indices[place]] += matrix.table[matrix.codes[place]]
    return rows


def from_dense(rows: Sequence[Sequence[Fraction]], columns: int) -> ExactMatrix:
    """A stored matrix, entry by entry."""
    batches = [
        (np.array([i]), np.array([j]), Fraction(value)) for i, row in enumerate(rows) for j, value in enumerate(row)
    ]
    return ExactMatrix.from_batches((len(rows), columns), batches)


def multiply(left: Dense, right: Dense) -> Dense:
    """The product by its definition."""
    columns = list(zip(*right, strict=True))
    return [[sum((a * b for a, b in zip(row, c, strict=True)), Fraction(0)) for c in columns] for row in left]


def affine_map(matrix: Dense, x: Sequence[Fraction]) -> list[Fraction]:
    """W x + b from [W | b]."""
    return [sum((w * v for w, v in zip(row[:-1], x, strict=True)), row[-1]) for row in matrix]


def realise(network: Network, x: Sequence[Fraction]) -> list[list[Fraction]]:
    """Values of every layer: hidden layers after ReLU, then the output."""
    layers, value = [], list(x)
    for position, affine in enumerate(network.maps):
        value = affine_map(dense(affine.augmented), value)
        if position < len(network.maps) - 1:
            value = [max(entry, Fraction(0)) for entry in value]
        layers.append(value)
    return layers


def random_network(random: Random, widths: Sequence[int], inputs: Ports, outputs: Ports) -> Network:
    """A network of these layer widths with sparse small rational weights (thirds, so no float holds them)."""

    def entry() -> Fraction:
        return Fraction(random.randint(-6, 6), random.choice((1, 2, 3))) if random.random() < 0.6 else Fraction(0)

    maps = []
    for before, after in pairwise(widths):
        maps.append(Affine(from_dense([[entry() for _ in range(before + 1)] for _ in range(after)], before + 1)))
    return Network(tuple(maps), inputs, outputs)


@st.composite
def networks(draw: st.DrawFn, inputs: Ports, outputs: Ports, hidden: int | None = None) -> Network:
    """Random networks on given wires with 0 to 3 hidden layers of up to 4 neurons."""
    depth = draw(st.integers(0, 3)) if hidden is None else hidden
    widths = [sum(w for _, w in inputs), *draw(st.lists(st.integers(1, 4), min_size=depth, max_size=depth))]
    widths.append(sum(w for _, w in outputs))
    return random_network(Random(draw(st.integers(0, 2**32))), widths, inputs, outputs)


def points(size: int) -> st.SearchStrategy[list[Fraction]]:
    """Rational points."""
    return st.lists(st.fractions(-3, 3, max_denominator=12), min_size=size, max_size=size)
