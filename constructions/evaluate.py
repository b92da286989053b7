"""Evaluating a network on its matrices: exactly, in balls, and in float64 with numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from constructions.exact import ExactMatrix, common_unit
from theory.evaluate import as_ball

if TYPE_CHECKING:
    from constructions.network import Network

__all__ = ["evaluate_balls", "evaluate_exact", "evaluate_floats"]


def evaluate_exact(network: Network, x: Sequence[Fraction | float] | NDArray[Any]) -> list[Fraction]:
    """Return the exact value at a rational point.

    One common denominator a layer: the work is integer multiply-adds, one per non-zero.

    Raises:
        ValueError: If the point has the wrong dimension.
    """
    if len(x) != network.maps[0].inputs:
        raise ValueError(f"the network takes {network.maps[0].inputs} numbers, not {len(x)}")
    unit, integers = common_unit([_exact(value) for value in x])
    values = np.array(integers, dtype=object)
    for position, affine in enumerate(network.maps):
        weights_unit, table = common_unit(affine.augmented.table)
        # The bias column multiplies 1 = unit * (1 / unit): bring both to the unit's denominator.
        shared = Fraction(1, unit.denominator)
        values = np.append(values * unit.numerator, unit.denominator)
        values = _row_sums(affine.augmented, np.array(table, dtype=object), values, 0)
        unit = weights_unit * shared
        if position < len(network.maps) - 1:
            values = np.maximum(values, 0)
        values, unit = _reduced(values, unit)
    return [unit * int(value) for value in values]


def _exact(value: Any) -> Fraction:
    """Return a number as a Fraction of Python integers: one of numpy's would overflow silently."""
    return Fraction(value.item() if isinstance(value, np.generic) else value)


def _reduced(values: NDArray[Any], unit: Fraction) -> tuple[NDArray[Any], Fraction]:
    """Take common powers of two out of the integers: dyadic weights would pile them up."""
    low = 0
    for value in values:
        low |= int(value)
    shift = (low & -low).bit_length() - 1 if low else 0
    return (values >> shift, unit * (1 << shift)) if shift > 0 else (values, unit)


def evaluate_balls(
    network: Network, x: Sequence[arb | Fraction | float] | NDArray[Any], precision: int = 128
) -> list[arb]:
    """Return balls that contain the network's value at every point of the input balls (other numbers: exact points).

    Raises:
        ValueError: If the point has the wrong dimension.
    """
    if len(x) != network.maps[0].inputs:
        raise ValueError(f"the network takes {network.maps[0].inputs} numbers, not {len(x)}")
    with ctx.workprec(precision):
        values = np.array([v if isinstance(v, arb) else as_ball(_exact(v)) for v in x], dtype=object)
        for position, affine in enumerate(network.maps):
            table = np.array([as_ball(value) for value in affine.augmented.table], dtype=object)
            values = _row_sums(affine.augmented, table, np.append(values, arb(1)), arb(0))
            if position < len(network.maps) - 1:
                values = np.array([value.max(arb(0)) for value in values], dtype=object)
        return list(values)


def _row_sums(matrix: ExactMatrix, table: NDArray[Any], values: NDArray[Any], zero: Any) -> NDArray[Any]:
    """Return the matrix-vector product over any ring of Python objects."""
    result = np.full(matrix.shape[0], zero, dtype=object)
    if matrix.nnz:
        products = table[matrix.codes] * values[matrix.indices]
        filled = np.flatnonzero(np.diff(matrix.indptr))
        result[filled] = np.add.reduceat(products, matrix.indptr[filled])
    return result


def evaluate_floats(network: Network, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate in float64 on the matrices: ``x`` is (..., inputs), the result (..., outputs).

    Raises:
        ValueError: If the points have the wrong dimension.
    """
    points = np.asarray(x, dtype=np.float64)
    if points.shape[-1:] != (network.maps[0].inputs,):
        raise ValueError(f"the network takes points of shape (..., {network.maps[0].inputs}), not {points.shape}")
    flat = points.reshape(-1, network.maps[0].inputs).T
    for run in float_layers(network):
        flat = run(flat)
    return flat.T.reshape(*points.shape[:-1], network.maps[-1].outputs)


def float_layers(network: Network) -> list[Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Return one function per affine map on (features, batch) arrays, ReLU included except after the last."""

    def layer(position: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        csr = network.maps[position].augmented.floats()
        weight, bias = csr[:, :-1], csr[:, [-1]].toarray()
        last = position == len(network.maps) - 1

        def run(values: NDArray[np.float64]) -> NDArray[np.float64]:
            out = weight @ values + bias
            return out if last else np.maximum(out, 0.0)

        return run

    return [layer(position) for position in range(len(network.maps))]
