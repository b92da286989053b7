"""Networks: alternating exact affine maps and ReLU, with named inputs and outputs and recorded blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from constructions.exact import ExactMatrix, vstack
from theory.architecture import Architecture
from theory.dyadic import fits_float64

__all__ = ["Affine", "Block", "Network", "Ports"]

#: Named wires: (name, number of entries), in order.
Ports = tuple[tuple[str, int], ...]


@dataclass(frozen=True, eq=False)
class Affine:
    """An affine map x -> W x + b, held as the one matrix [W | b].

    Attributes:
        augmented: out x (in + 1); the last column is the bias.
    """

    augmented: ExactMatrix

    @property
    def inputs(self) -> int:
        """Input dimension."""
        return self.augmented.shape[1] - 1

    @property
    def outputs(self) -> int:
        """Output dimension."""
        return self.augmented.shape[0]

    def after(self, first: Affine) -> Affine:
        """Return the composition ``self o first``, merged into one map: [W2 W1 | W2 b1 + b2]."""
        one = np.array([0], dtype=np.int64)
        constant = ExactMatrix.from_batches((1, first.inputs + 1), [(one, one + first.inputs, Fraction(1))])
        return Affine(self.augmented @ vstack([first.augmented, constant]))

    def frozen(self) -> Affine:
        """Return the map with every weight and bias rounded once to float64."""
        return Affine(self.augmented.rounded())

    def weight_and_bias(self) -> tuple[ExactMatrix, list[Fraction]]:
        """Return W and b apart."""
        rows, columns = self.augmented.rows(), self.augmented.indices
        is_bias = columns == self.inputs
        weight = ExactMatrix.from_batches(
            (self.outputs, self.inputs),
            [(r[c < self.inputs], c[c < self.inputs], v) for r, c, v in self.augmented.batches()],
        )
        bias = [Fraction(0)] * self.outputs
        for row, code in zip(rows[is_bias], self.augmented.codes[is_bias], strict=True):
            bias[row] = self.augmented.table[code]
        return weight, bias


@dataclass(frozen=True)
class Block:
    """Which neurons of a hidden layer form which part, and the range claimed for their values.

    Attributes:
        kind: ``squarer`` or ``hinge`` (they clip), ``product`` (accumulators), ``carry`` or ``affine``.
        name: Which one, for people (``stage 3, P``).
        layer: Hidden layer, from 0.
        start: First neuron.
        stop: One past the last neuron.
        lo: Claimed lower end of the values.
        hi: Claimed upper end of the values.
    """

    kind: str
    name: str
    layer: int
    start: int
    stop: int
    lo: Fraction
    hi: Fraction

    def shifted(self, layers: int, neurons: int = 0) -> Block:
        """Return the same block deeper in a larger network."""
        return replace(self, layer=self.layer + layers, start=self.start + neurons, stop=self.stop + neurons)


@dataclass(frozen=True, eq=False)
class Network:
    """x -> W_L relu(... relu(W_1 x + b_1) ...) + b_L with exact rational weights.

    Attributes:
        maps: The affine maps, first to last.
        inputs: Named input wires.
        outputs: Named output wires.
        blocks: What the hidden neurons are.

    Raises:
        ValueError: If maps or wires do not fit together.
    """

    maps: tuple[Affine, ...]
    inputs: Ports
    outputs: Ports
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        if not self.maps:
            raise ValueError("a network has at least one affine map")
        for before, after in zip(self.maps, self.maps[1:], strict=False):
            if before.outputs != after.inputs:
                raise ValueError(f"layers do not fit: {before.outputs} outputs into {after.inputs} inputs")
        for ports, size, what in (
            (self.inputs, self.maps[0].inputs, "input"),
            (self.outputs, self.maps[-1].outputs, "output"),
        ):
            if len({name for name, _ in ports}) != len(ports):
                raise ValueError(f"two {what} wires have the same name: {ports}")
            if any(width < 1 for _, width in ports) or sum(width for _, width in ports) != size:
                raise ValueError(f"the {what} wires {ports} do not name {size} entries")

    @cached_property
    def architecture(self) -> Architecture:
        """Layer widths, read off the matrices."""
        return Architecture.of([self.maps[0].inputs, *(affine.outputs for affine in self.maps)])

    @cached_property
    def is_frozen(self) -> bool:
        """Whether every weight is a float64 exactly."""
        return all(fits_float64(value) for affine in self.maps for value in affine.augmented.table)

    def freeze(self) -> Network:
        """Return the network with every merged weight rounded once to float64."""
        return replace(self, maps=tuple(affine.frozen() for affine in self.maps))

    def __call__(self, x: Sequence[Fraction]) -> list[Fraction]:
        """Evaluate exactly at a rational point: inputs and outputs in wire order."""
        from constructions.evaluate import evaluate_exact

        return evaluate_exact(self, x)

    def at(self, **values: Sequence[Fraction]) -> Mapping[str, list[Fraction]]:
        """Evaluate exactly by wire name.

        Raises:
            ValueError: If the values are not those of the input wires.
        """
        if {name: len(entries) for name, entries in values.items()} != dict(self.inputs):
            raise ValueError(f"give the input wires, by name and width: {self.inputs}")
        flat = [entry for name, _ in self.inputs for entry in values[name]]
        out, result, position = self(flat), {}, 0
        for name, width in self.outputs:
            result[name] = out[position : position + width]
            position += width
        return result


def port_columns(ports: Ports) -> dict[str, NDArray[np.int64]]:
    """Return the indices of every named wire's entries."""
    columns, position = {}, 0
    for name, width in ports:
        columns[name] = np.arange(position, position + width, dtype=np.int64)
        position += width
    return columns


__all__ += ["port_columns"]
