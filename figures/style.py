"""One look for all figures: colour-blind safe (Okabe and Ito), readable at column width, labels at the curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

__all__ = [
    "BLACK",
    "COLOURS",
    "COLUMN",
    "ENCODINGS",
    "GREY",
    "PAGE",
    "house_style",
    "label_ends",
    "new_figure",
    "panel",
    "plain_log",
]

#: Widths of a text column and of a page, in inches.
COLUMN, PAGE = 3.5, 7.2
BLACK, GREY = "#000000", "#767676"
#: Okabe and Ito's colours, told apart by all common kinds of colour blindness.
COLOURS = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
}
#: The number encodings' colours, in the order they are shown.
ENCODINGS = {
    "P10": COLOURS["blue"],
    "P1000": COLOURS["vermilion"],
    "B1999": COLOURS["green"],
    "FP15": COLOURS["purple"],
}

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "mathtext.fontset": "dejavusans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.0,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Nothing random in the file: matplotlib salts the ids of clip paths and markers.
    "svg.hashsalt": "funmnet",
    "svg.fonttype": "path",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save in the house's style, whatever the user's own matplotlib settings are; they come back after."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, sizes in inches; it belongs to no window and no global list."""
    return Figure(figsize=(width, height), layout="constrained")


def panel(axes: Axes, letter: str, title: str) -> None:
    """Head a panel with a bold letter and what it shows, flush left."""
    axes.set_title(rf"$\bf{{{letter}}}$  {title}", loc="left", pad=6)


def plain_log(axis: Axis) -> None:
    """Label a logarithmic axis of a few decades at 1, 2 and 5 times powers of ten, written out."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def label_ends(axes: Axes, labels: Sequence[tuple[float, str, str]], x: float, gap: float = 9.0) -> None:
    """Write a name beside each curve's end, right of ``x``, at least ``gap`` points apart.

    Args:
        axes: Where; limits and scale must be set, and the figure laid out (``figure.draw_without_rendering()``).
        labels: (y in data units, text, colour) per curve.
        x: The curves' last x, in data units.
        gap: Least distance of two labels, in points.
    """
    scale = (72.0 if (figure := axes.get_figure(root=True)) is None else figure.dpi) / 72
    placed: list[tuple[float, float, str, str]] = []
    for y, text, colour in sorted(labels):
        height = axes.transData.transform((x, y))[1] / scale
        place = height if not placed else max(height, placed[-1][0] + gap)
        placed.append((place, height, text, colour))
    for place, height, text, colour in placed:
        y = axes.transData.inverted().transform((0, height * scale))[1]
        axes.annotate(
            text, (x, y), xytext=(7, place - height), textcoords="offset points", color=colour, va="center",
            fontsize=7, annotation_clip=False,
        )  # fmt: skip
