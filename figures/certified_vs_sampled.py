"""Certified worst errors of inverse networks over their whole boxes, beside the largest of 10,000 random matrices.

A bar is the certificate's interval: attained at its lower end, proved at its upper one. The circle is what sampling
finds, which is what is usually reported; below, the share of the attained error that it finds.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.records import add_record_option, load, provenance, source_line
from theory.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "On every network 10,000 random matrices find less than the worst error attained in the box; what they find of it "
    "falls with the dimension, on average over the networks of a box."
)
_EXPERIMENT = "inversion.certified"
_KEYS = ("source", "matrices", "kind", "seed", "widths", "gap", "lower", "upper", "closed", "sampled", "samples")
#: Kind -> its short name under the axis; the order is the figure's.
_KINDS = {
    "small": "small",
    "2fc": "2 layers",
    "3fc": "3 layers",
    "refined": "order 2, trained",
    "small_better": "small*",
    "2fc_better": "2 layers*",
    "3fc_better": "3 layers*",
    "refined_better": "order 2, trained*",
    "linearised network": "linear",
    "second order, 4 pieces": "order 2, 4 pieces",
    "second order, 16 pieces": "order 2, 16 pieces",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_record_option(parser, _EXPERIMENT)


def data(record: str | None = None) -> dict[str, Any]:
    """Return the bounds and the samples' largest error of every network.

    Raises:
        BadInput: If the record holds no certificate.
    """
    found = load(_EXPERIMENT, record)
    networks = [{key: result[key] for key in _KEYS} for result in found["results"] if "lower" in result]
    if not networks:
        raise BadInput(f"the {_EXPERIMENT} record holds no certificate; run the experiment again")
    boxes = [box["name"] for box in found["boxes"] if any(row["matrices"] == box["name"] for row in networks)]
    half_widths = {box["name"]: box["half_width"] for box in found["boxes"]}
    return {
        "source": provenance(found),
        "reduced": found.get("reduced", []),
        "boxes": [{"name": name, "half_width": half_widths[name]} for name in boxes],
        "networks": networks,
    }


def check(document: Mapping[str, Any]) -> None:
    """Check the claim, and that closed certificates are closed."""
    shares: dict[int, list[float]] = {}
    for row in document["networks"]:
        where = f"{row['matrices']} {row['kind']}, seed {row['seed']}"
        require(row["lower"] > 0, f"{where}: no error attained")
        require(row["upper"] is None or row["lower"] <= row["upper"], f"{where}: the bounds contradict each other")
        require(row["sampled"] < row["lower"], f"{where}: sampling finds {row['sampled']}, attained is {row['lower']}")
        if row["closed"]:
            numerator, _, denominator = row["gap"].partition("/")
            gap = float(numerator) / float(denominator or 1)
            # 1e-15 is one rounding of this product; the certificate decided it exactly.
            require(row["upper"] <= (1 + gap) * row["lower"] * (1 + 1e-15), f"{where}: closed, and further apart")
        shares.setdefault(_dimension(row["matrices"]), []).append(row["sampled"] / row["lower"])
    means = [sum(found) / len(found) for _, found in sorted(shares.items())]
    require(
        means == sorted(means, reverse=True), f"the shares found by sampling do not fall with the dimension: {means}"
    )


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw a panel a box."""
    from figures.style import BLACK, COLOURS, PAGE, new_figure, panel

    figure = new_figure(PAGE, 5.4)
    counts = [len(_columns(document, box["name"])) for box in document["boxes"]]
    rows = 2 if len(counts) > 2 else 1
    top = (len(counts) + rows - 1) // rows
    parts = figure.subfigures(rows, 1, squeeze=False)[:, 0]
    letters = iter("abcdefgh")
    for place, part in enumerate(parts):
        chosen = slice(place * top, (place + 1) * top)
        shown, widths = document["boxes"][chosen], counts[chosen]
        panels = part.subplots(1, len(shown), squeeze=False, gridspec_kw={"width_ratios": widths})[0]
        for axes, box in zip(panels, shown, strict=True):
            n = _dimension(box["name"])
            kind = box["name"].partition("-")[2]
            panel(axes, next(letters), f"{n} × {n}{', ' + kind if kind else ''}, $d={box['half_width']:.4g}$")
            _intervals(axes, document, box["name"])
        panels[0].set_ylabel("max-entry error on the box")
    first = figure.axes[0]
    bar = first.plot([], [], "-", color=COLOURS["blue"], linewidth=5, label="certified: attained to proved")[0]
    circle = first.plot([], [], "o", color=COLOURS["vermilion"], fillstyle="none", label="largest of 10,000 samples")[0]
    figure.legend(handles=[bar, circle], loc="outside lower center", ncols=2)
    reduced = f" ({'; '.join(document['reduced'])})" if document["reduced"] else ""
    line = f"{source_line(document['source'])}{reduced}; * rate 1e-3; percent: share of the attained error sampled"
    figure.suptitle(line, x=0.01, ha="left", fontsize=7, color=BLACK)
    return figure


def _dimension(matrices: str) -> int:
    return int(matrices.partition("x")[0])


def _columns(document: Mapping[str, Any], name: str) -> list[str]:
    """Kinds of networks of a box, in order."""
    there = {row["kind"] for row in document["networks"] if row["matrices"] == name}
    return [kind for kind in _KINDS if kind in there] + sorted(there - set(_KINDS))


def _intervals(axes: Axes, document: Mapping[str, Any], name: str) -> None:
    from figures.style import COLOURS, GREY

    columns = _columns(document, name)
    for column, kind in enumerate(columns):
        rows = [row for row in document["networks"] if (row["matrices"], row["kind"]) == (name, kind)]
        for place, row in enumerate(rows):
            x = column + 0.26 * (place - (len(rows) - 1) / 2)
            upper = row["lower"] if row["upper"] is None else row["upper"]
            axes.plot([x, x], [row["sampled"], row["lower"]], color=GREY, linewidth=0.6, zorder=1)
            # A bar as high as the interval, and never thinner than a line.
            half = 0.1
            axes.fill_between([x - half, x + half], row["lower"], upper, color=COLOURS["blue"], linewidth=1.1, zorder=3)
            axes.plot(x, row["sampled"], "o", color=COLOURS["vermilion"], fillstyle="none", markersize=3.2, zorder=2)
        share = sum(row["sampled"] / row["lower"] for row in rows) / len(rows)
        lowest = min(row["sampled"] for row in rows)
        look: dict[str, Any] = {"xytext": (0, -6), "textcoords": "offset points", "fontsize": 6, "ha": "center"}
        axes.annotate(f"{100 * share:.0f} %", (column, lowest), va="top", color=COLOURS["vermilion"], **look)
    axes.set_yscale("log")
    axes.margins(y=0.14)
    axes.set_xlim(-0.6, len(columns) - 0.4)
    axes.set_xticks(range(len(columns)), [_KINDS.get(kind, kind) for kind in columns], rotation=35, ha="right")
    axes.grid(False, axis="x")
    low, high = axes.get_ylim()
    if high / low < 200:
        from figures.style import plain_log

        plain_log(axes.yaxis)
