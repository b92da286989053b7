"""``python -m theory.bounds``: what a ReLU network for e^A costs by each route, what any network must cost, and inversion.

Prints one row a route: theorem, kind and recorded status, hidden layers, width, non-zeros, bits, largest weight, the
proved error in real arithmetic, and what freezing the weights to float64 may add; then the lower bound in bits and what
inversion near singular matrices costs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from theory.command import OneLineParser, run_command
from theory.errors import BadInput
from theory.problem import NORMS, Ball, Box, Problem
from theory.rationals import parse_count, parse_positive

__all__ = ["bounds_document", "main"]


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m theory.bounds", description=__doc__)
    parser.add_argument("--eps", default="1e-3", help="accuracy, an exact rational such as 1e-3 or 1/1000")
    parser.add_argument("--n", default="8", help="matrix size")
    parser.add_argument("--M", help="domain: the box |a_ij| <= M (default 1)")
    parser.add_argument("--radius", help="domain: the ball ||A||_2 <= radius")
    parser.add_argument("--norm", default="fro", choices=NORMS, help="norm of the error (default fro)")
    parser.add_argument("--delta", default="1/100", help="distance from singular matrices, for the inversion block")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="one JSON document on stdout")
    output.add_argument("--latex", action="store_true", help="a LaTeX table")
    return parser


def problem_of(arguments: argparse.Namespace, function: str = "expm") -> Problem:
    """Return the problem that ``--n --eps --M --radius --norm`` ask for.

    Raises:
        BadInput: If a value cannot be read or the domain is given twice.
    """
    if arguments.M is not None and arguments.radius is not None:
        raise BadInput("give --M (a box) or --radius (a ball), not both")
    eps, n = parse_positive(arguments.eps, "eps"), parse_count(arguments.n, "n")
    if arguments.radius is not None:
        return Problem(function, n, Ball(parse_positive(arguments.radius, "radius")), eps, arguments.norm)
    return Problem(function, n, Box(parse_positive(arguments.M or "1", "M") if arguments.M != "" else _empty("M")), eps, arguments.norm)


def _empty(name: str) -> Fraction:
    raise BadInput(f"{name} is empty: give a positive rational such as 1 or 1/3")


def bounds_document(problem: Problem, delta: Fraction) -> dict[str, Any]:
    """Return everything the command prints, as a JSON-ready document."""
    from theory.blowup import inversion_block
    from theory.expm.routes import ROUTES, report_route
    from theory.ledger import status_of
    from theory.limits import lower_bound_bits
    from theory.sizes import size_json

    kind = problem.domain.json()["kind"]
    theta = problem.n * problem.domain.M if isinstance(problem.domain, Box) else problem.domain.radius
    least = lower_bound_bits(kind, theta, problem.n, problem.eps, problem.norm)
    routes = []
    for name in ROUTES:
        report = report_route(problem, name)
        ratio = None if least == 0 or not isinstance(report.bits, Fraction) else float(report.bits / least)
        routes.append(
            {
                "route": report.route,
                "theorem": report.theorem,
                "source": report.source,
                "kind": "UPPER",
                "status": status_of(report.theorem),
                "parameters": dict(report.parameters),
                "counting": report.counting,
                "hidden_layers": size_json(report.hidden_layers),
                "width": size_json(report.width),
                "nonzeros": size_json(report.nonzeros),
                "bits": size_json(report.bits),
                "bits_over_lower_bound": ratio,
                "largest_weight": size_json(report.largest_weight),
                "error": _rational(report.error),
                "freezing": None if report.freezing is None else _rational(report.freezing),
            }
        )
    block = inversion_block(problem.n, delta, problem.eps)
    return {
        "problem": problem.json(),
        "routes": routes,
        "lower_bound": {
            "bits": size_json(least),
            "theorem": "limits.expm",
            "kind": "LOWER",
            "status": status_of("limits.expm"),
        },
        "inversion": {
            "delta": str(block.delta),
            "blow_up": _rational(block.blow_up),
            "radius_squared": str(block.radius_squared),
            "lipschitz": None if block.lipschitz is None else _rational(block.lipschitz),
            "bits": None if block.bits is None else size_json(block.bits),
            "reason": block.reason,
            "theorems": ["inverse.blowup", "inverse.lipschitz", "inverse.bits"],
            "status": status_of("inverse.bits"),
        },
    }


def _rational(value: Fraction) -> dict[str, Any]:
    """Return a rational as exact text (shortened upward where its text would be unreadable) and float."""
    from theory.sizes import size_json

    text = str(value)
    return {"exact": text if len(text) <= 400 else None, "float": size_json(value)}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the bounds."""
    arguments = _parser().parse_args(argv)
    problem, delta = problem_of(arguments), parse_positive(arguments.delta, "delta")
    document = bounds_document(problem, delta)
    if arguments.json:
        json.dump(document, sys.stdout, indent=2, allow_nan=False)
        print()
        return 0
    from theory import bounds_text

    print(bounds_text.latex(document) if arguments.latex else bounds_text.plain(document))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
