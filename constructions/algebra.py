"""The network algebra: operations on networks whose realisations obey exact laws.

compose(g, f)(x) = g(f(x)) with the touching affine maps merged; parallel on separate wires; stack on shared inputs;
add; extend carries outputs of known range through further layers by one neuron an entry, relu(x - lo).
Wires are named, not numbered: composition matches names and reorders columns itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from constructions.exact import Batch, ExactMatrix
from constructions.network import Affine, Block, Network, Ports, port_columns

__all__ = ["add", "affine", "compose", "extend", "identity", "parallel", "rename", "stack"]


def affine(matrix: ExactMatrix, inputs: Ports, outputs: Ports) -> Network:
    """Return the network without hidden layers x -> W x + b, given as [W | b]."""
    return Network((Affine(matrix),), inputs, outputs)


def identity(ports: Ports) -> Network:
    """Return the identity on named wires, without hidden layers."""
    size = sum(width for _, width in ports)
    return affine(ExactMatrix.from_batches((size, size + 1), ExactMatrix.identity(size).batches()), ports, ports)


def rename(network: Network, names: Mapping[str, str]) -> Network:
    """Return the network with wires renamed, inputs and outputs alike; names not mentioned stay."""

    def renamed(ports: Ports) -> Ports:
        return tuple((names.get(name, name), width) for name, width in ports)

    return replace(network, inputs=renamed(network.inputs), outputs=renamed(network.outputs))


def compose(second: Network, first: Network) -> Network:
    """Return ``second o first``; second's input wires are taken by name from first's outputs (unused ones fall away).

    Raises:
        ValueError: If a wire is missing or has another width.
    """
    have, columns = dict(first.outputs), port_columns(first.outputs)
    for name, width in second.inputs:
        if have.get(name) != width:
            raise ValueError(f"no output wire {name!r} of width {width}; there are {first.outputs}")
    wanted = np.concatenate([columns[name] for name, _ in second.inputs])
    last = first.maps[-1].augmented
    if not np.array_equal(wanted, np.arange(last.shape[0])):
        last = last.take_rows(wanted)
    merged = second.maps[0].after(Affine(last))
    depth = len(first.maps) - 1
    blocks = first.blocks + tuple(block.shifted(depth) for block in second.blocks)
    return Network((*first.maps[:-1], merged, *second.maps[1:]), first.inputs, second.outputs, blocks)


def parallel(left: Network, right: Network) -> Network:
    """Return both networks side by side on separate wires.

    Raises:
        ValueError: If the depths differ or a wire name clashes.
    """
    maps, blocks = _side_by_side(left, right)
    return Network(maps, left.inputs + right.inputs, left.outputs + right.outputs, blocks)


def stack(left: Network, right: Network) -> Network:
    """Return both networks on the same inputs (left's order of wires), outputs one after the other.

    Raises:
        ValueError: If inputs or depths differ or an output name clashes.
    """
    maps, blocks = _on_shared_inputs(left, right)
    return Network(maps, left.inputs, left.outputs + right.outputs, blocks)


def add(left: Network, right: Network) -> Network:
    """Return x -> left(x) + right(x), wires matched by name, in left's order.

    Raises:
        ValueError: If the wires or depths differ.
    """
    maps, blocks = _on_shared_inputs(left, right)
    size = left.maps[-1].outputs
    places, matched = np.arange(size, dtype=np.int64), _matched(left.outputs, right.outputs, "output")
    one = Fraction(1)
    fold = ExactMatrix.from_batches((size, 2 * size), [(places, places, one), (matched, size + places, one)])
    return Network((*maps[:-1], Affine(fold @ maps[-1].augmented)), left.inputs, left.outputs, blocks)


def extend(network: Network, layers: int, lowest: Fraction, highest: Fraction) -> Network:
    """Return the network with its outputs, known to lie in [lowest, highest], carried through more hidden layers.

    Raises:
        ValueError: If ``layers`` is negative or the range is empty.
    """
    if layers < 0 or lowest > highest:
        raise ValueError("carry through at least 0 layers, over a range that is not empty")
    if layers == 0:
        return network
    size = network.maps[-1].outputs
    places = np.arange(size, dtype=np.int64)
    bias = np.full(size, size, dtype=np.int64)
    keep = ExactMatrix.from_batches((size, size + 1), [(places, places, Fraction(1))])
    down = ExactMatrix.from_batches((size, size + 1), [(places, places, Fraction(1)), (places, bias, -lowest)])
    up = ExactMatrix.from_batches((size, size + 1), [(places, places, Fraction(1)), (places, bias, lowest)])
    depth = len(network.maps) - 1
    carried = tuple(Block("carry", "extend", depth + i, 0, size, Fraction(0), highest - lowest) for i in range(layers))
    maps = [*network.maps[:-1], Affine(down).after(network.maps[-1]), *[Affine(keep)] * (layers - 1), Affine(up)]
    return Network(tuple(maps), network.inputs, network.outputs, network.blocks + carried)


def _side_by_side(left: Network, right: Network) -> tuple[tuple[Affine, ...], tuple[Block, ...]]:
    """Return block-diagonal maps, the right network's neurons after the left one's, and the blocks of both.

    Raises:
        ValueError: If the depths differ.
    """
    if len(left.maps) != len(right.maps):
        raise ValueError("networks side by side need equal depth; extend the shallower one first")
    maps = []
    for a, b in zip(left.maps, right.maps, strict=True):
        batches = _shift_bias(a.augmented, 0, 0, a.inputs + b.inputs)
        batches += _shift_bias(b.augmented, a.outputs, a.inputs, a.inputs + b.inputs)
        maps.append(Affine(ExactMatrix.from_batches((a.outputs + b.outputs, a.inputs + b.inputs + 1), batches)))
    beside = tuple(block.shifted(0, left.maps[block.layer].outputs) for block in right.blocks)
    return tuple(maps), left.blocks + beside


def _on_shared_inputs(left: Network, right: Network) -> tuple[tuple[Affine, ...], tuple[Block, ...]]:
    """Return the same with both fed from left's wires: the first map's column blocks folded onto one another."""
    maps, blocks = _side_by_side(left, right)
    size, one = left.maps[0].inputs, Fraction(1)
    places, matched = np.arange(size, dtype=np.int64), _matched(left.inputs, right.inputs, "input")
    bias = np.array([size], dtype=np.int64)
    fold = ExactMatrix.from_batches(
        (2 * size + 1, size + 1), [(places, places, one), (size + places, matched, one), (size + bias, bias, one)]
    )
    return (Affine(maps[0].augmented @ fold), *maps[1:]), blocks


def _matched(ports: Ports, others: Ports, what: str) -> NDArray[np.int64]:
    """Return, for the entries of ``others`` in order, where the wires of the same names are in ``ports``.

    Raises:
        ValueError: If the wires differ.
    """
    if sorted(ports) != sorted(others):
        raise ValueError(f"the {what} wires differ: {ports} and {others}")
    columns = port_columns(ports)
    return np.concatenate([columns[name] for name, _ in others])


def _shift_bias(matrix: ExactMatrix, rows: int, columns: int, bias: int) -> list[Batch]:
    """Return the batches of [W | b] moved into a larger map whose bias column is ``bias``."""
    width = matrix.shape[1] - 1
    return [(r + rows, np.where(c == width, bias, c + columns), v) for r, c, v in matrix.batches()]
