"""How wrong a map of limited steepness must be about the inverse, at distance delta from the singular matrices.

A map with Lipschitz constant L that errs by at most e at both of diag(+-delta, delta, ..., delta) has
L >= 1/delta^2 - e/delta (theorem inverse.lipschitz), so e >= 1/delta - L delta: nothing until delta = L^(-1/2), and
then, within a factor of two from delta = (2L)^(-1/2) on, as much as the inverse itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.numbers import short
from theory.errors import BadInput
from theory.rationals import parse_positive

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "At distance delta from the singular matrices every map of Lipschitz constant L misses the inverse by at least "
    "1/delta - L delta: more than half of ||A^-1|| = 1/delta as soon as delta < (2L)^(-1/2)."
)
_DECADES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--lipschitz", nargs="+", default=["1e2", "1e4", "1e6"], help="constants L (default 1e2 1e4 1e6)"
    )


def data(lipschitz: Sequence[str] = ("1e2", "1e4", "1e6")) -> dict[str, Any]:
    """Return the blow-up law, and the error forced for every L, over delta = 1 ... 10^-5.

    Raises:
        BadInput: If there are more than six constants, or one is no positive rational.
    """
    constants = sorted({parse_positive(text, "--lipschitz") for text in lipschitz})
    if not 1 <= len(constants) <= 6:
        raise BadInput("give one to six Lipschitz constants")
    grid = [Fraction(round(10 ** (k / 20) * 10**6), 10**6 * 10**_DECADES) for k in range(20 * _DECADES + 1)]
    return {
        "options": {"lipschitz": [str(value) for value in constants]},
        "theorems": {"law": "inverse.blowup", "floor": "inverse.lipschitz"},
        "deltas": [str(delta) for delta in grid],
        "blow_up": [float(1 / delta) for delta in grid],
        "floors": [
            {"lipschitz": str(value), "errors": [str(max(1 / delta - value * delta, Fraction(0))) for delta in grid]}
            for value in constants
        ],
    }


def check(document: Mapping[str, Any]) -> None:
    """Check the claim, exactly, against the theorem: an error equal to the floor forces exactly the constant L."""
    from theory.blowup import inversion_block

    deltas = [Fraction(text) for text in document["deltas"]]
    for floor in document["floors"]:
        constant = Fraction(floor["lipschitz"])
        for delta, text in zip(deltas, floor["errors"], strict=True):
            error = Fraction(text)
            where = f"L = {constant}, delta = {float(delta):.3g}"
            if error > 0:
                forced = inversion_block(2, delta, error, Fraction(2)).lipschitz
                require(forced == constant, f"{where}: an error of {float(error):.3g} forces {forced}")
            else:
                require(constant * delta**2 >= 1, f"{where}: the floor is not zero")
            if 2 * constant * delta**2 < 1:
                require(error > 1 / (2 * delta), f"{where}: the error is not more than half of 1/delta")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw the law and a curve a constant."""
    from figures.style import BLACK, COLOURS, COLUMN, new_figure

    deltas = [float(Fraction(text)) for text in document["deltas"]]
    figure = new_figure(COLUMN, 2.8)
    axes = figure.subplots()
    axes.plot(deltas, document["blow_up"], color=BLACK, zorder=3)
    axes.set(xscale="log", yscale="log", xlabel=r"distance $\delta$ from the singular matrices")
    axes.set_ylabel("error that is forced")
    least = 0.1
    for floor, colour in zip(document["floors"], list(COLOURS.values()), strict=False):
        points = [(x, float(Fraction(text))) for x, text in zip(deltas, floor["errors"], strict=True)]
        constant = float(Fraction(floor["lipschitz"]))
        # The curve leaves zero at L^(-1/2): on a logarithmic axis it comes from below.
        shown = sorted([(constant**-0.5, least / 100), *((x, y) for x, y in points if y > 0)])
        axes.plot(*zip(*shown, strict=True), color=colour)
        label = f"Lipschitz\nconstant\n{short(constant)}"
        place: dict[str, Any] = {"xytext": (4, 4), "textcoords": "offset points", "fontsize": 7}
        axes.annotate(label, (constant**-0.5, least), color=colour, **place)
    place = {"xytext": (-7, 4), "textcoords": "offset points", "fontsize": 7}
    middle = len(deltas) * 2 // 5
    axes.annotate("$1/\\delta$, the size\nof the inverse", (deltas[middle], 1 / deltas[middle]), ha="right", **place)
    axes.set_xlim(max(deltas), min(deltas))
    axes.set_ylim(bottom=least)
    return figure
