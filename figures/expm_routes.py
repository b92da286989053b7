"""What the two size figures of e^A share: a route's row for one problem, what is claimed of rows, the panels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.numbers import log10_of, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["NORM_NAMES", "ROUTES", "check_rows", "draw_panels", "lower_bound", "route_row"]

#: Route -> (colour's name, marker, label).
_LOOK = {
    "monomial": ("vermilion", "s", "monomial"),
    "horner": ("blue", "^", "Horner"),
    "scaling-and-squaring": ("green", "o", "scaling and\nsquaring"),
}
ROUTES = tuple(_LOOK)
NORM_NAMES = {"fro": "Frobenius norm", "max": "max-entry norm", "inf": "∞-norm", "2": "2-norm"}
_TITLES = {"hidden_layers": "hidden layers", "width": "width (widest layer)", "bits": r"bits, $\Sigma\;\log_2(w+1)$"}


def route_row(n: int, eps: Fraction, M: Fraction, norm: Any, route: str) -> dict[str, Any]:
    """Return the counts and the proved error of a route on the box, as JSON (theorems expm.*; kind UPPER)."""
    from theory.expm.routes import report_route
    from theory.problem import Box, Problem
    from theory.sizes import size_json

    report = report_route(Problem("expm", n, Box(M), eps, norm), route)
    return {
        "n": n,
        "eps": str(eps),
        "theorem": report.theorem,
        "hidden_layers": size_json(report.hidden_layers),
        "width": size_json(report.width),
        "bits": size_json(report.bits),
        "error": size_json(report.error),
        "float64": report.freezing is not None,
        "counting": report.counting,
    }


def lower_bound(n: int, eps: Fraction, M: Fraction, norm: str) -> dict[str, Any]:
    """Return the bits every network needs (theorem limits.expm; kind LOWER), as JSON."""
    from theory.limits import lower_bound_bits

    bits = float(lower_bound_bits("box", n * M, n, eps, norm))
    return {"n": n, "eps": str(eps), "theorem": "limits.expm", "bits": bits}


def check_rows(document: Mapping[str, Any]) -> None:
    """Check what both figures claim: errors within eps, every route above the lower bound, monomial the widest."""
    for route, rows in document["routes"].items():
        for row, least in zip(rows, document["lower_bound"], strict=True):
            where = f"{route} at n = {row['n']}, eps = {row['eps']}"
            require(row["error"] <= float(Fraction(row["eps"])), f"{where}: the proved error exceeds eps")
            require(
                log10_of(row["bits"]) >= log10_of(least["bits"] or 1e-300), f"{where}: fewer bits than the lower bound"
            )
    for widest, other in zip(document["routes"]["monomial"], document["routes"]["scaling-and-squaring"], strict=True):
        where = f"n = {widest['n']}, eps = {widest['eps']}"
        require(log10_of(widest["width"]) > log10_of(other["width"]), f"{where}: monomial is not the widest")


def draw_panels(
    document: Mapping[str, Any],
    xs: Sequence[float],
    keys: Sequence[str],
    finish: Callable[[Axes, str], None],
    *,
    exponents: bool = False,
) -> Figure:
    """Draw three panels, a curve a route in each; hollow markers where float64 weights cannot hold the proved error.

    Args:
        document: The figure's data.
        xs: The horizontal places of the rows.
        keys: ``hidden_layers``, ``width`` and ``bits``, from left to right.
        finish: Sets the horizontal axis of a panel, given the panel and its key.
        exponents: Draw log10 of the width, for counts that no float holds.
    """
    from figures.style import BLACK, COLOURS, PAGE, label_ends, new_figure, panel, plain_log

    figure = new_figure(PAGE, 2.6)
    labels = []
    for axes, key, letter in zip(figure.subplots(1, 3), keys, "abc", strict=True):
        panel(axes, letter, _TITLES[key])
        logs = exponents and key == "width"
        ends = _curves(axes, document, xs, key, logs)
        if not logs:
            axes.set_yscale("log")
        if key == "hidden_layers":
            plain_log(axes.yaxis)
        if key == "bits":
            least = [row["bits"] for row in document["lower_bound"]]
            axes.plot(xs, least, color=BLACK, linestyle="--")
            axes.set_ylim(bottom=min(least) / 2)
            ends.append((least[-1], f"{short(least[-1])}\nlower bound,\nany network", BLACK))
        finish(axes, key)
        names = [(y, text, COLOURS.get(colour, BLACK)) for y, text, colour in ends]
        labels.append((axes, names, 17 if key == "hidden_layers" else 9))
    figure.draw_without_rendering()
    for axes, names, gap in labels:
        label_ends(axes, names, xs[-1], gap)
    return figure


def _curves(
    axes: Axes, document: Mapping[str, Any], xs: Sequence[float], key: str, logs: bool
) -> list[tuple[float, str, str]]:
    """Draw the routes' curves; return their ends, what to write there, and the colours' names."""
    from figures.style import COLOURS

    ends = []
    for route, rows in document["routes"].items():
        colour, marker, label = _LOOK[route]
        ys = [log10_of(row[key]) if logs else 10 ** log10_of(row[key]) for row in rows]
        axes.plot(xs, ys, color=COLOURS[colour])
        for solid in (True, False):
            points = [(x, y) for x, y, row in zip(xs, ys, rows, strict=True) if row["float64"] is solid]
            if points:
                face = COLOURS[colour] if solid else "white"
                axes.plot(*zip(*points, strict=True), marker, color=COLOURS[colour], markerfacecolor=face, zorder=3)
        ends.append((ys[-1], label if key == "hidden_layers" else short(rows[-1][key]), colour))
    return ends
