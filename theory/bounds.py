"""``python -m theory.bounds``: what a network costs by each route, what any network must cost, and inversion.

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
from typing import TYPE_CHECKING, Any

from theory.command import OneLineParser, run_command
from theory.problem import NORMS, Box, KDelta, Problem
from theory.rationals import parse_positive
from theory.requests import DOMAIN_OPTIONS, NAMED_FUNCTIONS, make_problem

if TYPE_CHECKING:
    from theory.expm.routes import RouteReport

__all__ = ["bounds_document", "lower_bound", "main"]


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m theory.bounds", description=__doc__)
    parser.add_argument(
        "--function", default="expm", help=f"{', '.join(NAMED_FUNCTIONS)}, or a formula in x (default expm)"
    )
    parser.add_argument("--eps", default="1e-3", help="accuracy, an exact rational such as 1e-3 or 1/1000")
    parser.add_argument("--n", default="8", help="matrix size")
    for name, text in DOMAIN_OPTIONS.items():
        parser.add_argument(f"--{name}", help=text)
    parser.add_argument("--norm", default="fro", choices=NORMS, help="norm of the error (default fro)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="one JSON document on stdout")
    output.add_argument("--latex", action="store_true", help="a LaTeX table")
    return parser


def bounds_document(problem: Problem, delta: Fraction) -> dict[str, Any]:
    """Return everything the command prints, as a JSON-ready document."""
    from theory.forced_bits import inversion_block
    from theory.ledger import status_of
    from theory.sizes import size_json

    least, source = lower_bound(problem)
    routes = []
    for report in _reports(problem):
        ratio = float(report.bits / least) if least and isinstance(report.bits, (int, Fraction)) else None
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
            "bits": None if least is None else size_json(least),
            "theorem": source,
            "kind": "LOWER",
            "status": None if source is None else status_of(source),
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


def lower_bound(problem: Problem) -> tuple[Fraction | None, str | None]:
    """Return the least bits any network for the problem has, and the theorem; None where none is known."""
    domain = problem.domain
    if problem.function == "expm":
        from theory.forced_bits import lower_bound_bits

        theta = problem.n * domain.M if isinstance(domain, Box) else domain.radius  # type: ignore[union-attr]
        return lower_bound_bits(domain.json()["kind"], theta, problem.n, problem.eps, problem.norm), "limits.expm"
    if isinstance(domain, KDelta):
        from theory.forced_bits import inversion_block

        return inversion_block(problem.n, domain.delta, problem.eps, domain.radius).bits, "inverse.bits"
    return None, None


def _reports(problem: Problem) -> list[RouteReport]:
    if problem.function == "expm":
        from theory.expm import routes as expm_routes

        return expm_routes.report_routes(problem)
    from theory.functions import routes

    return routes.report_routes(problem)


def _rational(value: Fraction) -> dict[str, Any]:
    """Return a rational as exact text (shortened upward where its text would be unreadable) and float."""
    from theory.sizes import size_json

    text = str(value)
    return {"exact": text if len(text) <= 400 else None, "float": size_json(value)}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the bounds."""
    arguments = _parser().parse_args(argv)
    options = dict(vars(arguments))
    if arguments.function != "inverse":
        options["delta"] = None  # then it is the distance of the inversion block
    problem = make_problem(arguments.function, options)
    delta = parse_positive("1/100" if arguments.delta is None else arguments.delta, "delta")
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
