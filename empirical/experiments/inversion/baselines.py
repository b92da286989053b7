"""What stands beside the trained networks: the constant A0⁻¹, affine maps, and networks that are constructed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import torch

from empirical.data import stream_generator
from empirical.experiments.inversion.boxes import Box
from empirical.experiments.inversion.bundles import errors_of
from empirical.experiments.inversion.constructed import (
    constant_map,
    least_squares_map,
    linear_map,
    linearised_network,
    refined,
)
from empirical.experiments.inversion.feed import TestSet

__all__ = ["affine_rows", "box_record", "constructed_rows", "proved_rows"]

_FIT_SAMPLES = 100_000
#: Pieces a square: with 4, a 2×2 network has 28 hidden units, fewer than the trained 4-32-4; with 16 it has 124.
_PIECES = (4, 16)
#: Bounds for networks of several layers, and the largest matrices for which they are built.
_PROVED, _LARGEST_BUILT = ("1e-3", "1e-6"), 3


def affine_rows(box: Box, test: TestSet) -> Iterator[dict[str, Any]]:
    """Yield the errors of affine maps: A0⁻¹ itself, the linear approximation, the least-squares fit."""
    yield _row(box, test, "constant A0^-1", constant_map(box))
    yield _row(box, test, "linear approximation", linear_map(box), bound=box.linear_bound)
    samples, _ = box.sample(_FIT_SAMPLES, stream_generator(0, f"inversion fit {box.name}", 0, torch.device("cpu")))
    fitted = least_squares_map(samples.flatten(1), torch.linalg.inv(samples).flatten(1))
    yield _row(box, test, "affine, least squares", fitted)


def constructed_rows(box: Box, test: TestSet) -> Iterator[dict[str, Any]]:
    """Yield the errors of networks that nobody trains: the linear approximation twice, and the second order."""
    for name, shifted in (("linearised network", False), ("linearised, shifted", True)):
        network = linearised_network(box, shifted=shifted)
        yield _row(box, test, name, network, _widths(network), box.linear_bound)
    # With 16 pieces a network on 16×16 matrices would have 112,096 hidden units.
    for pieces in _PIECES if box.n < 16 else _PIECES[:1]:
        found = refined(box, pieces)
        yield _row(box, test, f"second order, {pieces} pieces", found.network, _widths(found.network), found.bound)


def proved_rows(box: Box, test: TestSet) -> Iterator[dict[str, Any]]:
    """Yield the errors of networks built by ``constructions`` to proved bounds, max-entry; none without python-flint.

    At 16×16 the linear approximation is already below the bounds asked for here; none is built.
    """
    from importlib.util import find_spec

    if find_spec("flint") is None or box.n > _LARGEST_BUILT:
        return
    from constructions import build

    for eps in _PROVED:
        built = build("inverse", around=box.centre, half_width=Fraction(box.half_width), eps=eps, norm="max")
        row = _row(box, test, f"built, proved to {eps}", _flattened(built.torch(), box.n))
        widths = [width for width, times in built.network.architecture.runs for _ in range(times)]
        yield row | {"outcome": "constructed", "widths": widths, "proved_bound": _above(built.bound)}


def box_record(box: Box, test: TestSet) -> dict[str, Any]:
    """Return a box and the errors of affine maps and constructed networks on it for a record."""
    rows = [*affine_rows(box, test), *constructed_rows(box, test), *proved_rows(box, test)]
    return box.as_record() | {"test_samples": len(test.inputs), "baselines": rows}


def _flattened(module: torch.nn.Module, n: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a module on (count, n, n) as a function of matrices row by row."""
    return lambda x: module(x.reshape(-1, n, n)).flatten(1)


def _widths(network: torch.nn.Sequential) -> list[int]:
    linears = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    return [linears[0].in_features, *(linear.out_features for linear in linears)]


def _row(
    box: Box, test: TestSet, name: str, function: Any, widths: list[int] | None = None, bound: float | None = None
) -> dict[str, Any]:
    on_cpu = TestSet(test.inputs.cpu(), test.targets.cpu(), test.drawn)
    mean, largest = errors_of(function, on_cpu)
    return {
        "outcome": "exact" if widths is None else "constructed",
        "label": f"{box.name}-{name}",
        "matrices": box.name,
        "kind": name,
        "widths": widths,
        "mean_error": float(f"{mean:.6g}"),
        "largest_error_on_samples": float(f"{largest:.6g}"),
        "proved_bound": None if bound is None else float(f"{bound:.6g}"),
    }


def _above(value: Fraction) -> float:
    """Six digits, rounded up."""
    rounded = float(f"{float(value):.6g}")
    return rounded if Fraction(rounded) >= value else float(f"{float(value) * (1 + 1e-5):.6g}")
