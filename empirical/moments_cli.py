"""Moments of the inverse near the singular matrices: Monte Carlo over K_delta beside the proved rates."""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.errors import BadInput
from theory.rationals import parse_count, parse_positive, rational_text

if TYPE_CHECKING:
    from empirical.moments import MomentCurve

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--n", nargs="+", default=["2", "3", "4"], help="sizes (default: 2 3 4)")
    parser.add_argument("--order", nargs="+", default=["1/2", "1", "2"], help="orders k (default: 1/2 1 2)")
    parser.add_argument(
        "--delta",
        nargs="+",
        default=["1e-1", "1e-2", "1e-3", "1e-4", "1e-5"],
        help="falling distances (default: 1e-1 ... 1e-5)",
    )
    parser.add_argument("--samples", default="200000", help="draws a size (default: 200000)")
    parser.add_argument("--radius", default="1", help="R: matrices with Frobenius norm at most R (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="seed (default: 0)")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the table.

    Raises:
        BadInput: If the seed is negative.
    """
    sizes = [parse_count(text, "--n", most=64) for text in arguments.n]
    orders = [parse_positive(text, "--order") for text in arguments.order]
    deltas = [float(parse_positive(text, "--delta")) for text in arguments.delta]
    samples = parse_count(arguments.samples, "--samples", most=10**9)
    radius = float(parse_positive(arguments.radius, "--radius"))
    if arguments.seed < 0:
        raise BadInput(f"--seed must not be negative, and is {arguments.seed}")
    from empirical.moments import moment_curves

    curves = [
        curve
        for n in sizes
        for curve in moment_curves(n, orders, deltas, samples=samples, seed=arguments.seed, radius=radius)
    ]
    if arguments.json:
        options = {"samples": samples, "seed": arguments.seed, "radius": radius}
        print(json.dumps({**options, "curves": [_as_json(curve) for curve in curves]}, indent=1))
    else:
        _print(curves, samples)
    return 0


def _as_json(curve: MomentCurve) -> dict[str, Any]:
    return {
        "n": curve.n,
        "order": rational_text(curve.order),
        "deltas": curve.deltas.tolist(),
        "estimates": curve.estimates.tolist(),
        "standard_errors": curve.errors.tolist(),
        "theory": curve.theory.tolist(),
        "claim": curve.claim,
        "density_at_zero": curve.density,
        "measured_rate": curve.measured_rate,
        "stated_rate": curve.stated_rate,
    }


def _print(curves: list[MomentCurve], samples: int) -> None:
    print(f"E||A^-1||_2^k, A uniform on ||A||_F <= R without sigma_min < delta; {samples} draws a size\n")
    print(f"{'n':>2} {'k':>4} {'delta':>9} {'Monte Carlo':>14} {'std. error':>11} {'theory':>14}  kind")
    for curve in curves:
        rows = zip(curve.deltas, curve.estimates, curve.errors, curve.theory, strict=True)
        for delta, estimate, error, stated in rows:
            order = rational_text(Fraction(curve.order))
            print(
                f"{curve.n:>2} {order:>4} {delta:>9.1e} {estimate:>14.6g} {error:>11.2g} {stated:>14.6g}  {curve.claim}"
            )
        unit = "per factor e of 1/delta" if curve.order == 1 else "exponent of 1/delta"
        print(f"        rate measured {curve.measured_rate:.4f}, stated {curve.stated_rate:.4f} ({unit})\n")
