"""e^A on the box |a_ij| <= M as the matrix grows: exponential width is a choice, depth is not."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
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
    "For e^A on the box |a_ij| <= M the monomial route's width is exponential in n: the number of its digits keeps "
    "pace with n. Horner, scaling and squaring stay within 4(n^3 + 2n^2) + 6n^2 + 8 neurons a layer."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--eps", default="1e-3", help="accuracy (default 1e-3)")
    parser.add_argument("--M", default="1", help="domain: the box |a_ij| <= M (default 1)")
    parser.add_argument("--norm", default="fro", choices=tuple(NORM_NAMES), help="norm of the error (default fro)")
    parser.add_argument("--largest", default="64", help="largest matrix size (default 64)")


def data(eps: str = "1e-3", M: str = "1", norm: str = "fro", largest: str | int = 64) -> dict[str, Any]:
    """Return counts and errors of every route, and the lower bound, for n = 2, 3, 4, 6, 8, ... up to the largest.

    Raises:
        BadInput: If an option makes no sense.
    """
    accuracy, bound, most = parse_positive(eps, "eps"), parse_positive(M, "M"), parse_count(largest, "largest")
    if not 4 <= most <= 4096:
        raise BadInput("the largest size must be between 4 and 4096")
    sizes = sorted({k * 2**j for j in range(1, 12) for k in (1, 1.5) if k * 2**j < most} | {most})
    grid = [int(n) for n in sizes]
    return {
        "options": {"eps": str(accuracy), "M": str(bound), "norm": norm, "largest": most},
        "routes": {route: [route_row(n, accuracy, bound, norm, route) for n in grid] for route in ROUTES},
        "lower_bound": [lower_bound(n, accuracy, bound, norm) for n in grid],
    }


def check(document: Mapping[str, Any]) -> None:
    """Check the claim."""
    from theory.plan import reference_width

    check_rows(document)
    for route in ("horner", "scaling-and-squaring"):
        for row in document["routes"][route]:
            require(
                log10_of(row["width"]) <= log10_of(reference_width(row["n"])),
                f"{route} at n = {row['n']} is wider than 4(n^3 + 2n^2) + 6n^2 + 8",
            )
    for row, following in pairwise(document["routes"]["monomial"]):
        growth = log10_of(following["width"]) / log10_of(row["width"])
        require(
            growth >= following["n"] / row["n"],
            f"monomial from n = {row['n']} to {following['n']}: digits grow slower than n",
        )


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw three panels: the width's exponent, hidden layers, bits with the lower bound."""
    from matplotlib.ticker import FuncFormatter

    options = document["options"]
    ns = [row["n"] for row in document["lower_bound"]]

    def finish(axes: Axes, key: str) -> None:
        axes.set_xlabel("matrix size $n$")
        if key == "width":
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"$10^{{{value:.0f}}}$"))
            axes.set_ylim(bottom=-0.04 * axes.get_ylim()[1])
            axes.set_xticks([ns[-1] * k // 4 for k in range(1, 5)])
        else:
            axes.set_xscale("log")
            axes.set_xticks([n for n in ns if n & (n - 1) == 0])
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        if key == "hidden_layers":
            _mark_closed_form(axes, document["routes"]["horner"])
        axes.minorticks_off()

    figure = draw_panels(document, ns, ("width", "hidden_layers", "bits"), finish, exponents=True)
    figure.suptitle(
        rf"$e^A$, $|a_{{ij}}|\leq{options['M']}$, error at most {float(Fraction(options['eps'])):g} "
        f"in the {NORM_NAMES[options['norm']]}; hollow: float64 weights lose it",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure


def _mark_closed_form(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """Say why Horner's curve jumps where its products are too many to be planned one by one."""
    from figures.style import COLOURS

    for row, following in pairwise(rows):
        if row["counting"] != following["counting"]:
            axes.annotate(
                "from here on the same\nradices everywhere",
                (following["n"], following["hidden_layers"]),
                xytext=(-10, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=6,
                color=COLOURS["blue"],
            )
