"""From deep and narrow to shallow and wide: the networks the planner finds, and what no network can do."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from operator import le
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.expm_routes import NORM_NAMES
from figures.numbers import domain_maths, log10_of, short
from theory.errors import BadInput
from theory.rationals import parse_positive
from theory.requests import DOMAIN_OPTIONS, NAMED_FUNCTIONS, make_problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

MERGED, CARRIED = "merged", "carried"
CLAIM = (
    "Along the frontier every proved error is within eps, no network is beaten in hidden layers, width and non-zeros "
    "at once, and every network has at least the bits of the lower bound."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--function", default="expm", help=f"{', '.join(NAMED_FUNCTIONS)} or a formula in x (default expm)"
    )
    parser.add_argument("--n", default="8", help="matrix size (default 8)")
    parser.add_argument("--eps", default="1e-3", help="accuracy (default 1e-3)")
    parser.add_argument("--norm", default="fro", choices=tuple(NORM_NAMES), help="norm of the error (default fro)")
    for name, text in DOMAIN_OPTIONS.items():
        parser.add_argument(f"--{name}", help=text)


def data(
    function: str = "expm", n: str | int = 8, eps: str = "1e-3", norm: str = "fro", **domain: str | None
) -> dict[str, Any]:
    """Return the frontier that ``python -m constructions pareto`` prints, and the lower bound in bits.

    Raises:
        BadInput: If the request cannot be read, or fewer than two networks are on the frontier.
    """
    from constructions.catalogue import frontier_of
    from theory.bounds import lower_bound
    from theory.objectives import Demand
    from theory.sizes import size_json

    problem = make_problem(function, {"n": n, "eps": eps, "norm": norm, **domain})
    least, theorem = lower_bound(problem)
    points = [
        {
            "hidden_layers": counts.architecture.hidden_layers,
            "width": size_json(counts.architecture.width),
            "nonzeros": size_json(counts.nonzeros),
            "bits": size_json(counts.architecture.bits),
            "proved": float(plan.proved),
            "outputs": str(dict(plan.parameters).get("outputs", MERGED)),
        }
        for plan, counts in frontier_of(problem, None, Demand())
    ]
    if len(points) < 2:
        raise BadInput("the frontier has fewer than two networks; ask for a smaller eps")
    bound = {"bits": None if least is None else float(least), "theorem": theorem}
    return {"problem": problem.json(), "lower_bound": bound, "points": points}


def check(document: Mapping[str, Any]) -> None:
    """Check the claim."""
    eps = float(parse_positive(document["problem"]["eps"], "eps"))
    least = document["lower_bound"]["bits"] or 0.0
    for point in document["points"]:
        where = f"the network of {point['hidden_layers']} hidden layers"
        require(point["proved"] <= eps, f"{where}: the proved error exceeds eps")
        require(point["bits"] >= least, f"{where} has fewer bits than the lower bound")
    sizes = [_sizes(point) for point in document["points"]]
    for place, own in enumerate(sizes):
        beaten = any(other != own and all(map(le, other, own)) for other in sizes)
        require(not beaten, f"the network of {document['points'][place]['hidden_layers']} hidden layers is beaten")
    require(sizes == sorted(sizes, key=lambda s: (-s[0], s[1])), "the frontier is not ordered by depth")


def _sizes(point: Mapping[str, Any]) -> tuple[float, float, float]:
    return point["hidden_layers"], log10_of(point["width"]), log10_of(point["nonzeros"])


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw hidden layers against width, and bits (with the lower bound) and non-zeros along the frontier."""
    from figures.style import BLACK, COLOURS, PAGE, new_figure, panel, plain_log
    from theory.problem import domain_from_json

    points, least = document["points"], document["lower_bound"]["bits"]
    figure = new_figure(PAGE, 2.7)
    trade, bits, size = figure.subplots(1, 3)
    panel(trade, "a", "hidden layers against width")
    trade.set(xscale="log", yscale="log", xlabel="width (widest layer)")
    plain_log(trade.yaxis)
    panel(bits, "b", r"bits, $\Sigma\;\log_2(w+1)$")
    panel(size, "c", "non-zeros")
    for outputs, colour, mark in ((MERGED, "green", "o-"), (CARRIED, "blue", "s-")):
        chosen = [point for point in points if point["outputs"] == outputs]
        depths = [point["hidden_layers"] for point in chosen]
        look = {"color": COLOURS[colour], "markersize": 3, "label": f"outputs {outputs}"}
        trade.plot([10 ** log10_of(point["width"]) for point in chosen], depths, mark, **look)
        bits.plot(depths, [point["bits"] for point in chosen], mark, **look)
        size.plot(depths, [10 ** log10_of(point["nonzeros"]) for point in chosen], mark, **look)
    if any(point["outputs"] == CARRIED for point in points):
        trade.legend(frameon=False, fontsize=7)
    for axes in (bits, size):
        axes.set(xscale="log", yscale="log", xlabel="hidden layers")
        axes.invert_xaxis()
        plain_log(axes.xaxis)
    if least:
        bits.axhline(least, color=BLACK, linestyle="--")
        deepest = points[0]["hidden_layers"]
        bits.text(deepest, least * 1.12, f"lower bound, any network: {short(least)}", va="bottom", fontsize=7)
        bits.set_ylim(bottom=least / 1.6)
        best = min(points, key=lambda point: point["bits"])
        _note(bits, (best["hidden_layers"], best["bits"]), f"{best['bits'] / least:.1f} × the bound", (4, -12), "right")
    ends = (points[0], points[-1])
    for point, offset, side in zip(ends, ((7, -2), (-8, -3)), ("left", "right"), strict=True):
        place = (10 ** log10_of(point["width"]), point["hidden_layers"])
        _note(trade, place, f"{short(point['width'])} wide", offset, side)
    for point, offset, side in zip(ends, ((-2, 9), (-8, -2)), ("left", "right"), strict=True):
        _note(size, (point["hidden_layers"], 10 ** log10_of(point["nonzeros"])), short(point["nonzeros"]), offset, side)
    problem = document["problem"]
    name = "$e^A$" if problem["function"] == "expm" else problem["function"]
    figure.suptitle(
        f"{name}, {problem['n']} × {problem['n']}, {domain_maths(domain_from_json(problem['domain']).describe())}, "
        f"error at most {problem['eps']} in the {NORM_NAMES[problem['norm']]}",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure


def _note(axes: Axes, place: tuple[float, float], text: str, offset: tuple[float, float], side: str) -> None:
    axes.annotate(text, place, xytext=offset, textcoords="offset points", ha=side, fontsize=7)
