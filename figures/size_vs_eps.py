"""e^A on the box |a_ij| <= M: what accuracy costs by each route, and what it must cost by any."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.expm_routes import NORM_NAMES, ROUTES, check_rows, draw_panels, lower_bound, route_row
from figures.numbers import log10_of
from theory.errors import BadInput
from theory.rationals import parse_count, parse_positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "For e^A on the box |a_ij| <= M every route's hidden layers and bits grow with the accuracy and stay above the "
    "lower bound; the monomial route is far wider than the others, whose width hardly moves with the accuracy."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--n", default="8", help="matrix size (default 8)")
    parser.add_argument("--M", default="1", help="domain: the box |a_ij| <= M (default 1)")
    parser.add_argument("--norm", default="fro", choices=tuple(NORM_NAMES), help="norm of the error (default fro)")
    parser.add_argument("--digits", default="12", help="finest accuracy 10^-digits (default 12)")


def data(n: str | int = 8, M: str = "1", norm: str = "fro", digits: str | int = 12) -> dict[str, Any]:
    """Return counts and errors of every route, and the lower bound, for eps = 10^-1, ..., 10^-digits.

    Raises:
        BadInput: If an option makes no sense.
    """
    size, bound, finest = parse_count(n, "n"), parse_positive(M, "M"), parse_count(digits, "digits")
    if size > 128 or not 2 <= finest <= 60:
        raise BadInput("n must be at most 128 and digits between 2 and 60")
    accuracies = [Fraction(1, 10**k) for k in range(1, finest + 1)]
    return {
        "options": {"n": size, "M": str(bound), "norm": norm, "digits": finest},
        "routes": {route: [route_row(size, eps, bound, norm, route) for eps in accuracies] for route in ROUTES},
        "lower_bound": [lower_bound(size, eps, bound, norm) for eps in accuracies],
    }


def check(document: Mapping[str, Any]) -> None:
    """Check the claim."""
    check_rows(document)
    for route, rows in document["routes"].items():
        for coarse, fine in pairwise(rows):
            for key in ("hidden_layers", "bits"):
                require(
                    log10_of(coarse[key]) <= log10_of(fine[key]),
                    f"{route}: {key} falls from eps = {coarse['eps']} to {fine['eps']}",
                )
    for route in ("horner", "scaling-and-squaring"):
        widths = [log10_of(row["width"]) for row in document["routes"][route]]
        require(max(widths) - min(widths) <= 0.1, f"{route}: the width moves by more than a quarter")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw three panels: hidden layers, width, bits with the lower bound."""
    options = document["options"]
    xs = [float(Fraction(row["eps"])) for row in document["lower_bound"]]

    def finish(axes: Axes, key: str) -> None:
        axes.set(xscale="log", xlabel=r"accuracy $\varepsilon$ (finer to the right)")
        axes.set_xlim(xs[0] * 3, xs[-1] / 3)

    figure = draw_panels(document, xs, ("hidden_layers", "width", "bits"), finish)
    figure.suptitle(
        rf"$e^A$, ${options['n']}\times{options['n']}$, $|a_{{ij}}|\leq{options['M']}$, "
        rf"error at most $\varepsilon$ in the {NORM_NAMES[options['norm']]}; hollow: float64 weights lose it",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure
