"""The cost of inversion as a function of the distance from the singular matrices, from both sides.

"Where can": bits of the network the planner finds for K_delta. "Why can't": bits, and a Lipschitz constant, that every
network needs (theorems inverse.bits and inverse.lipschitz).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.numbers import short
from theory.errors import BadInput
from theory.problem import KDelta, Problem
from theory.rationals import parse_count, parse_positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "On K_delta the bits of the constructed inverse grow like a power of log(1/delta), of exponent at most 2.2, above "
    "the lower bound, which grows like log(1/delta)/2; the Lipschitz constant forced grows like 1/delta^2."
)
_ROUTE = "coupled"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--n", default="4", help="matrix size (default 4)")
    parser.add_argument("--eps", default="1e-3", help="accuracy in the Frobenius norm (default 1e-3)")
    parser.add_argument("--radius", default="3", help="largest Frobenius norm R (default 3)")
    parser.add_argument("--decades", default="4", help="smallest delta 10^-decades (default 4)")


def data(n: str | int = 4, eps: str = "1e-3", radius: str = "3", decades: str | int = 4) -> dict[str, Any]:
    """Return both sides for delta = 1/10, 1/20, 1/50, 1/100, ..., 10^-decades.

    Raises:
        BadInput: If an option makes no sense, or K_delta is empty at delta = 1/10.
    """
    size, accuracy, reach = parse_count(n, "n", most=32), parse_positive(eps, "eps"), parse_positive(radius, "radius")
    last = parse_count(decades, "decades")
    if not 2 <= last <= 12:
        raise BadInput("decades must be between 2 and 12")
    if size > 100 * reach**2:
        raise BadInput("K_delta is empty at delta = 1/10: take a larger radius")
    deltas = [Fraction(1, k * 10**j) for j in range(1, last) for k in (1, 2, 5)] + [Fraction(1, 10**last)]
    rows = [_row(size, accuracy, reach, delta) for delta in deltas]
    return {
        "options": {"n": size, "eps": str(accuracy), "radius": str(reach), "decades": last, "norm": "fro"},
        "route": _ROUTE,
        "theorems": {"upper": "inverse.coupled", "lower": "inverse.bits", "lipschitz": "inverse.lipschitz"},
        "rows": rows,
        "exponent": _exponent(rows),
    }


def _row(n: int, eps: Fraction, radius: Fraction, delta: Fraction) -> dict[str, Any]:
    from flint import ctx

    from theory.blowup import inversion_block
    from theory.counts import count_plan
    from theory.errors import OutOfReach
    from theory.functions.planner import function_candidates
    from theory.plan import Limits, plan_candidates, reference_width
    from theory.sizes import size_json

    problem, limits = Problem("inverse", n, KDelta(delta, radius), eps, "fro"), Limits(reference_width(n))
    block = inversion_block(n, delta, eps, radius)
    with ctx.workprec(128):
        for freeze in (True, False):
            try:
                plan = plan_candidates(
                    problem, function_candidates(problem, _ROUTE), limits, lambda *key: key, freeze=freeze
                )
                break
            except OutOfReach:
                if not freeze:
                    raise
    counts = count_plan(plan)
    assert block.lipschitz is not None, "K_delta has points"
    assert block.bits is not None, "K_delta has points"
    return {
        "delta": str(delta),
        "hidden_layers": counts.architecture.hidden_layers,
        "width": counts.architecture.width,
        "bits": size_json(counts.architecture.bits),
        "error": size_json(plan.error),
        "float64": freeze,
        "lower_bits": float(block.bits),
        "lipschitz": float(block.lipschitz),
        "blow_up": float(block.blow_up),
    }


def _exponent(rows: list[dict[str, Any]]) -> float:
    """Return the least-squares slope of log(bits) against log log(1/delta)."""
    xs = [math.log(math.log(1 / Fraction(row["delta"]))) for row in rows]
    ys = [math.log(row["bits"]) for row in rows]
    x0, y0 = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - x0) * (y - y0) for x, y in zip(xs, ys, strict=True)) / sum((x - x0) ** 2 for x in xs)
    return round(slope, 6)


def check(document: Mapping[str, Any]) -> None:
    """Check the claim."""
    eps, rows = float(parse_positive(document["options"]["eps"], "eps")), document["rows"]
    for row in rows:
        require(row["error"] <= eps, f"delta = {row['delta']}: the proved error exceeds eps")
        require(row["bits"] >= row["lower_bits"], f"delta = {row['delta']}: the network has fewer bits than any can")
        exact = 1 / Fraction(row["delta"]) ** 2 - Fraction(document["options"]["eps"]) / Fraction(row["delta"])
        require(
            row["lipschitz"] == float(max(exact, Fraction(0))), f"delta = {row['delta']}: not 1/delta^2 - eps/delta"
        )
    for far, near in pairwise(rows):
        for key in ("bits", "lower_bits"):
            require(far[key] <= near[key], f"{key} falls from delta = {far['delta']} to {near['delta']}")
    growth = (rows[-1]["lower_bits"] - rows[0]["lower_bits"]) / math.log2(
        Fraction(rows[0]["delta"]) / Fraction(rows[-1]["delta"])
    )
    # 1 - sqrt(delta/r) rises towards 1 on the way, so the slope is a little above 1/2 and falls to it.
    require(0.45 <= growth <= 0.7, f"the lower bound grows like {growth:.2f} log2(1/delta), not 1/2")
    require(document["exponent"] <= 2.2, f"the fitted exponent {document['exponent']:.2f} exceeds 2.2")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw bits from both sides, and the Lipschitz constant forced with the blow-up."""
    from figures.style import PAGE, new_figure, panel

    rows, options = document["rows"], document["options"]
    figure = new_figure(PAGE, 2.8)
    cost, steep = figure.subplots(1, 2)
    xs = [float(Fraction(row["delta"])) for row in rows]
    panel(cost, "a", r"bits, $\Sigma\;\log_2(w+1)$")
    _cost(cost, xs, document)
    panel(steep, "b", "what the distance forces")
    _steep(steep, xs, document)
    for axes in (cost, steep):
        axes.set(xscale="log", yscale="log", xlabel=r"least singular value $\delta$ (smaller to the right)")
        axes.set_xlim(xs[0] * 1.4, xs[-1] / 1.4)
    figure.suptitle(
        rf"$A^{{-1}}$, ${options['n']}\times{options['n']}$, $\sigma_{{\min}}\geq\delta$, "
        rf"$\|A\|_F\leq{options['radius']}$, "
        f"error at most {float(Fraction(options['eps'])):g} in the Frobenius norm; hollow: float64 weights lose it",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure


def _cost(axes: Axes, xs: list[float], document: Mapping[str, Any]) -> None:
    from figures.style import BLACK, COLOURS, GREY

    rows = document["rows"]
    upper, lower = [row["bits"] for row in rows], [row["lower_bits"] for row in rows]
    green = COLOURS["green"]
    axes.fill_between(xs, lower, upper, color="#F2F2F2", linewidth=0)
    axes.plot(xs, upper, color=green)
    for x, row in zip(xs, rows, strict=True):
        axes.plot([x], [row["bits"]], "o", color=green, markerfacecolor=green if row["float64"] else "white")
    axes.plot(xs, lower, color=BLACK, linestyle="--")
    middle = len(xs) // 2
    axes.annotate(
        rf"built by theorem: bits $\propto\log(1/\delta)^{{{document['exponent']:.2f}}}$",
        (xs[middle], upper[middle]), xytext=(0, 14), textcoords="offset points", ha="center", color=green, fontsize=7,
    )  # fmt: skip
    axes.text(xs[middle], lower[middle] / 1.5, "every network needs", ha="center", va="top", fontsize=7)
    axes.text(xs[middle], math.sqrt(lower[middle] * upper[middle]), "open", ha="center", color=GREY, fontsize=7)
    for value, colour in ((upper[-1], green), (lower[-1], BLACK)):
        axes.annotate(
            short(value), (xs[-1], value), xytext=(7, 0), textcoords="offset points", va="center", color=colour,
            fontsize=7, annotation_clip=False,
        )  # fmt: skip
    axes.set_ylim(min(lower) / 3, max(upper) * 2.5)


def _steep(axes: Axes, xs: list[float], document: Mapping[str, Any]) -> None:
    from figures.style import COLOURS

    rows = document["rows"]
    lines = (
        (
            "lipschitz",
            "vermilion",
            "Lipschitz constant of every\n" r"such network $\geq\delta^{-2}-\varepsilon\delta^{-1}$",
        ),
        ("blow_up", "blue", r"largest $\|A^{-1}\|_2$: $\delta^{-1}$"),
    )
    middle = len(xs) // 2
    for key, colour, text in lines:
        ys = [row[key] for row in rows]
        axes.plot(xs, ys, color=COLOURS[colour])
        side, shift = ("right", 4) if key == "lipschitz" else ("left", -4)
        axes.annotate(
            text, (xs[middle], ys[middle]), xytext=(-shift, shift), textcoords="offset points", ha=side,
            va="bottom" if key == "lipschitz" else "top", color=COLOURS[colour], fontsize=7,
        )  # fmt: skip
