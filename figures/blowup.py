"""How wrong a map of limited steepness must be about the inverse near singular matrices, and how wrong networks are.

A map with Lipschitz constant L that errs by at most e at both of diag(+-delta, delta, ..., delta) has
L >= 1/delta^2 - e/delta (theorem inverse.lipschitz), so e >= 1/delta - L delta: nothing until delta = L^(-1/2), and
then, within a factor of two from delta = (2L)^(-1/2) on, as much as the inverse itself. The same holds along diag(t, 1)
of every single network, with its own difference quotient there in place of L.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.numbers import short
from figures.records import NoRecord, add_record_option, load, provenance, source_line
from theory.errors import BadInput
from theory.rationals import parse_positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "At distance delta from the singular matrices every map of Lipschitz constant L misses the inverse by at least "
    "1/delta - L delta: more than half of ||A^-1|| = 1/delta as soon as delta < (2L)^(-1/2). Trained networks do."
)
_DECADES = 5
_EXPERIMENT = "inversion.errors"
_LOOK = {"2fc": ("trained, 2 layers", "blue", "o"), "3fc": ("trained, 3 layers", "vermilion", "D")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--lipschitz", nargs="+", default=["1e2", "1e4", "1e6"], help="constants L (default 1e2 1e4 1e6)"
    )
    add_record_option(parser, _EXPERIMENT)


def data(lipschitz: Sequence[str] = ("1e2", "1e4", "1e6"), record: str | None = None) -> dict[str, Any]:
    """Return the blow-up law, the error forced for every L, and, where there is a record, what trained networks do.

    Raises:
        BadInput: If there are more than six constants, or one is no positive rational.
    """
    constants = sorted({parse_positive(text, "--lipschitz") for text in lipschitz})
    if not 1 <= len(constants) <= 6:
        raise BadInput("give one to six Lipschitz constants")
    grid = [Fraction(round(10 ** (k / 20) * 10**6), 10**6 * 10**_DECADES) for k in range(20 * _DECADES + 1)]
    return {
        "options": {"lipschitz": [str(value) for value in constants]},
        "theorems": {"law": "inverse.blowup", "floor": "inverse.lipschitz", "bits": "inverse.bits"},
        "deltas": [str(delta) for delta in grid],
        "blow_up": [float(1 / delta) for delta in grid],
        "floors": [
            {"lipschitz": str(value), "errors": [str(max(1 / delta - value * delta, Fraction(0))) for delta in grid]}
            for value in constants
        ],
        "trained": _trained(record),
    }


def _trained(record: str | None) -> dict[str, Any] | None:
    """Return the networks trained on K_delta, with their errors there and at diag(+-t, 1); None without a record."""
    try:
        found = load(_EXPERIMENT, record)
    except NoRecord:
        return None
    rows = [
        {key: result.get(key) for key in ("kind", "seed", "value", "largest_error_found", "law_below", "beyond")}
        for result in found["results"]
        if result["sweep"] == "delta"
    ]
    return {"source": provenance(found), "reduced": found.get("reduced", []), "networks": rows} if rows else None


def check(document: Mapping[str, Any]) -> None:
    """Check the claim: exactly for the theorem, to the records' six digits for networks."""
    from theory.blowup import inversion_block

    deltas = [Fraction(text) for text in document["deltas"]]
    for floor in document["floors"]:
        constant = Fraction(floor["lipschitz"])
        for delta, text in zip(deltas, floor["errors"], strict=True):
            error = Fraction(text)
            where = f"L = {constant}, delta = {float(delta):.3g}"
            if error > 0:
                # An error equal to the floor forces exactly the constant L.
                forced = inversion_block(2, delta, error, Fraction(2)).lipschitz
                require(forced == constant, f"{where}: an error of {float(error):.3g} forces {forced}")
            else:
                require(constant * delta**2 >= 1, f"{where}: the floor is not zero")
            if 2 * constant * delta**2 < 1:
                require(error > 1 / (2 * delta), f"{where}: the error is not more than half of 1/delta")
    for network in (document["trained"] or {"networks": []})["networks"]:
        where = f"{network['kind']} trained at delta = {network['value']:g}, seed {network['seed']}"
        least = network["law_below"]
        require(least is None or network["largest_error_found"] >= least, f"{where}: below what its bits allow")
        for row in network["beyond"]:
            floor_here = 1 / row["t"] - row["quotient"] * row["t"]
            require(row["error"] >= floor_here * (1 - 2e-6) - 1e-6, f"{where}: at t = {row['t']:.3g} below 1/t - Lt")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw the forced error, and beside it the trained networks where there is a record of them."""
    from figures.style import COLUMN, PAGE, new_figure, panel

    trained = document["trained"]
    if trained is None:
        figure = new_figure(COLUMN, 2.8)
        _forced(figure.subplots(), document)
        return figure
    figure = new_figure(PAGE, 2.8)
    forced, own, beyond = figure.subplots(1, 3)
    panel(forced, "a", "forced on every map")
    _forced(forced, document)
    panel(own, "b", r"networks trained on $K_\delta$")
    _own(own, trained["networks"])
    panel(beyond, "c", r"and at diag$(\pm t,1)$, relative")
    _beyond(beyond, trained["networks"])
    figure.legend(*own.get_legend_handles_labels(), loc="outside lower right", ncols=4)
    reduced = f" ({'; '.join(trained['reduced'])})" if trained["reduced"] else ""
    figure.suptitle(f"2 × 2 inverse; b, c: {source_line(trained['source'])}{reduced}", x=0.01, ha="left", fontsize=7)
    return figure


def _forced(axes: Axes, document: Mapping[str, Any]) -> None:
    from figures.style import BLACK, COLOURS

    deltas = [float(Fraction(text)) for text in document["deltas"]]
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
        label = f"$L=$\n{_power(constant)}"
        place: dict[str, Any] = {"xytext": (3, 4), "textcoords": "offset points", "fontsize": 7}
        axes.annotate(label, (constant**-0.5, least), color=colour, **place)
    place = {"xytext": (-7, 4), "textcoords": "offset points", "fontsize": 7}
    middle = len(deltas) * 2 // 5
    axes.annotate("$1/\\delta$, the size\nof the inverse", (deltas[middle], 1 / deltas[middle]), ha="right", **place)
    axes.set_xlim(max(deltas), min(deltas))
    axes.set_ylim(bottom=least)


def _own(axes: Axes, networks: list[dict[str, Any]]) -> None:
    """Draw the largest error found against the delta trained for, between 1/delta and what the bits force."""
    from figures.style import BLACK, COLOURS

    deltas = sorted({network["value"] for network in networks}, reverse=True)
    axes.plot(deltas, [1 / delta for delta in deltas], color=BLACK)
    axes.annotate(
        r"$1/\delta$", (deltas[0], 1 / deltas[0]), xytext=(4, -2), textcoords="offset points", va="top", fontsize=7
    )
    for kind, (label, colour, marker) in _LOOK.items():
        chosen = {d: [n for n in networks if (n["kind"], n["value"]) == (kind, d)] for d in deltas}
        if not all(chosen.values()):
            continue
        ys = [max(n["largest_error_found"] for n in chosen[d]) for d in deltas]
        axes.plot(deltas, ys, marker, color=COLOURS[colour], markersize=3.5, label=label)
        laws = [chosen[d][0]["law_below"] for d in deltas]
        if all(law is not None for law in laws):
            axes.plot(
                deltas,
                laws,
                "--",
                color=COLOURS[colour],
                linewidth=0.9,
                label=f"forced by the bits of {kind[0]} layers",
            )
    axes.set(xscale="log", yscale="log", xlabel=r"$\delta$ trained for")
    axes.invert_xaxis()
    axes.set_xticks(deltas[::2], [f"{delta:g}" for delta in deltas[::2]])
    axes.minorticks_off()


def _beyond(axes: Axes, networks: list[dict[str, Any]]) -> None:
    """Draw each network's error at diag(+-t, 1) over 1/t, for t from its own delta down."""
    from figures.style import BLACK, COLOURS

    for kind, (_, colour, _) in _LOOK.items():
        for network in (n for n in networks if n["kind"] == kind):
            pairs = [(row["t"], row["t"] * row["error"]) for row in network["beyond"]]
            axes.plot(*zip(*pairs, strict=True), color=COLOURS[colour], linewidth=0.7, alpha=0.6)
            axes.plot(*pairs[0], "o", color=COLOURS[colour], markersize=2.5)
    axes.axhline(1, color=BLACK, linewidth=0.9, zorder=1)
    axes.set(xscale="log", xlabel=r"$t$ (dots: the $\delta$ trained for)", ylabel=r"error divided by $1/t$")
    axes.invert_xaxis()
    axes.set_ylim(bottom=0)


def _power(value: float) -> str:
    exponent = round(math.log10(value))
    return f"$10^{{{exponent}}}$" if value == 10.0**exponent else short(value)
