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
from theory.errors import BadInput
from theory.problem import NORMS, Box, KDelta, Problem
from theory.rationals import parse_positive
from theory.requests import DOMAIN_OPTIONS, NAMED_FUNCTIONS, make_problem, with_levels, with_order

if TYPE_CHECKING:
    from theory.expm.routes import RouteReport
    from theory.scalar_needs import Needs

__all__ = ["bounds_document", "lower_bound", "main"]


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m theory.bounds", description=__doc__)
    parser.add_argument(
        "--function", default="expm", help=f"{', '.join(NAMED_FUNCTIONS)}, or a formula in x (default expm)"
    )
    parser.add_argument("--eps", help="accuracy, an exact rational such as 1e-3 (the default) or 1/1000")
    parser.add_argument("--n", help="matrix size (default 8)")
    for name, text in DOMAIN_OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", help=text)
    parser.add_argument("--route", help="one route alone (default: every route of the function)")
    parser.add_argument("--order", help="with --around: order of the Neumann series (default 1 without --eps)")
    parser.add_argument("--levels", help="product, with --route strassen: how often matrices are halved (default 1)")
    parser.add_argument("--norm", default="fro", choices=NORMS, help="norm of the error (default fro)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="one JSON document on stdout")
    output.add_argument("--latex", action="store_true", help="a LaTeX table")
    return parser


def bounds_document(problem: Problem, delta: Fraction, route: str | None = None) -> dict[str, Any]:
    """Return everything the command prints, as a JSON-ready document: every route, or one."""
    from theory.forced_bits import inversion_block
    from theory.ledger import status_of
    from theory.sizes import size_json

    least, source = lower_bound(problem)
    routes = []
    for report in _reports(problem, route):
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
            **_nonzeros_needed(problem),
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
    if problem.n == 1 and (needs := _scalar_needs(problem)) is not None:
        return needs.bits, "scalar.pieces"
    domain = problem.domain
    if problem.function == "expm":
        from theory.forced_bits import lower_bound_bits

        theta = problem.n * domain.M if isinstance(domain, Box) else domain.radius  # type: ignore[union-attr]
        return lower_bound_bits(domain.json()["kind"], theta, problem.n, problem.eps, problem.norm), "limits.expm"
    if isinstance(domain, KDelta):
        from theory.forced_bits import inversion_block

        return inversion_block(problem.n, domain.delta, problem.eps, domain.radius).bits, "inverse.bits"
    return None, None


def _nonzeros_needed(problem: Problem) -> dict[str, Any]:
    """Return what is known of the non-zeros any network has: at n = 1, nothing elsewhere."""
    needs = _scalar_needs(problem)
    if needs is None:
        return {}
    from theory.ledger import status_of

    source = "scalar.nonzeros"
    return {"nonzeros": needs.nonzeros, "nonzeros_theorem": source, "nonzeros_status": status_of(source)}


def _scalar_needs(problem: Problem) -> Needs | None:
    if problem.n > 1:
        return None
    from theory.scalar_needs import needs_of

    return needs_of(problem)


def _reports(problem: Problem, route: str | None) -> list[RouteReport]:
    if problem.n > 1:
        return _matrix_reports(problem, route)
    from theory import scalar_choice
    from theory.scalar_plan import SCALAR_ROUTES

    scalar = scalar_choice.report_scalar(problem, SCALAR_ROUTES if route is None else {route} & SCALAR_ROUTES.keys())
    if route in SCALAR_ROUTES and scalar:
        return scalar
    try:
        return [*scalar, *_matrix_reports(problem, route)]
    except BadInput:
        if scalar:  # the formula is smooth on the interval, if not analytic on the disc
            return scalar
        raise


def _matrix_reports(problem: Problem, route: str | None) -> list[RouteReport]:
    if problem.function != "expm":
        from theory.functions import routes

        return routes.report_routes(problem, route)
    from theory.expm import routes as expm_routes

    reports = expm_routes.report_routes(problem)
    kept = [report for report in reports if route in (None, report.route)]
    if not kept:
        raise BadInput(f"no route {route!r} for expm; choose from {', '.join(report.route for report in reports)}")
    return kept


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
    route = with_levels(with_order(arguments.route, arguments.order, arguments.around), arguments.levels)
    if arguments.around is None:
        options["n"], options["eps"] = options["n"] or "8", options["eps"] or "1e-3"
    problem = make_problem(arguments.function, options, route=route)
    delta = parse_positive("1/100" if arguments.delta is None else arguments.delta, "delta")
    document = bounds_document(problem, delta, route)
    if arguments.json:
        json.dump(document, sys.stdout, indent=2, allow_nan=False)
        print()
        return 0
    from theory import bounds_text

    print(bounds_text.latex(document) if arguments.latex else bounds_text.plain(document))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
