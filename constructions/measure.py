"""What a network is, read off its matrices alone."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from constructions.network import Network
from theory.architecture import Architecture

__all__ = ["Measurement", "measure"]


@dataclass(frozen=True)
class Measurement:
    """Architecture, non-zero weights and biases, and the largest of them in absolute value."""

    architecture: Architecture
    nonzeros: int
    largest_weight: Fraction


def measure(network: Network) -> Measurement:
    """Measure a network; nothing is taken from any plan."""
    matrices = [affine.augmented for affine in network.maps]
    return Measurement(
        architecture=network.architecture,
        nonzeros=sum(matrix.nnz for matrix in matrices),
        largest_weight=max((abs(value) for matrix in matrices for value in matrix.table), default=Fraction(0)),
    )
