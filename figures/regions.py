"""The linear regions of a small trained inverse network on a box: how the data fall into them, and how far it strays.

Every non-empty region is shown, also those that no sample has met; the deviation is the largest
|network - linear approximation| over region and box, an entry of the inverse each, proved by exact duality.
"""

from __future__ import annotations

import argparse
import math
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
    "The regions shown are all there are on the box: together they hold every sample, none is undecided, and in each "
    "the largest deviation from the linear approximation is attained to within rounding of its proved bound."
)
_EXPERIMENT = "inversion.tables4to7"
#: Regions shown a network, those with the most data first.
_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_record_option(parser, _EXPERIMENT)


def data(record: str | None = None) -> dict[str, Any]:
    """Return every network's regions: signs of the hidden units, share of the samples, deviations by entry.

    Raises:
        BadInput: If the record holds no network that was taken apart.
    """
    found = load(_EXPERIMENT, record)
    networks = [
        {
            "seed": result["seed"],
            "mean_error": result["mean_error"],
            "samples": result["region_samples"],
            "undecided": len(result["undecided"]),
            "regions": [
                {key: region[key] for key in ("signs", "share", "deviation_attained", "deviation_proved")}
                for region in result["regions"]
            ],
        }
        for result in found["results"]
        if "regions" in result
    ]
    if not networks:
        raise BadInput(f"the {_EXPERIMENT} record holds no network; run the experiment again")
    return {"source": provenance(found), "box": found["box"], "reduced": found.get("reduced", []), "networks": networks}


def check(document: Mapping[str, Any]) -> None:
    """Check the claim. Attained and proved maxima are floats rounded inward and outward: they differ by ulps."""
    for network in document["networks"]:
        where = f"seed {network['seed']}"
        require(network["undecided"] == 0, f"{where}: {network['undecided']} sign patterns are undecided")
        total = math.fsum(region["share"] for region in network["regions"])
        require(abs(total - 1) <= 1e-9, f"{where}: the regions hold {total:.6%} of the samples")
        for region in network["regions"]:
            pairs = zip(region["deviation_attained"], region["deviation_proved"], strict=True)
            for attained, proved in pairs:
                close = attained <= proved <= attained * (1 + 1e-6) + 1e-12
                require(close, f"{where}, region {region['signs']}: attained {attained:.6g}, proved {proved:.6g}")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw a line a region, grouped by network: its share of the data, and the deviation of each entry."""
    from figures.style import PAGE, new_figure, panel

    lines = [(network, region) for network in document["networks"] for region in network["regions"][:_SHOWN]]
    figure = new_figure(PAGE, 1.3 + 0.2 * len(lines))
    share, deviation = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.4))
    panel(share, "a", "share of the data")
    _shares(share, lines)
    panel(deviation, "b", "largest deviation, by entry of the inverse")
    _deviations(deviation, lines)
    share.set_yticks(range(len(lines)), [f"seed {network['seed']}   {region['signs']}" for network, region in lines])
    for label in share.get_yticklabels():
        label.set_family("DejaVu Sans Mono")
    share.set_ylim(len(lines) - 0.5, -0.6)
    figure.legend(*deviation.get_legend_handles_labels(), loc="outside lower right", ncols=4)
    box, hidden = document["box"], sum(max(0, len(n["regions"]) - _SHOWN) for n in document["networks"])
    more = f"; {hidden} regions with less data not shown" if hidden else ""
    reduced = f" ({'; '.join(document['reduced'])})" if document["reduced"] else ""
    figure.suptitle(
        f"small network on the box {box['name']}, half-width {box['half_width']:g}; "
        f"{source_line(document['source'])}{reduced}{more}",
        x=0.01,
        ha="left",
        fontsize=7,
    )
    return figure


def _shares(axes: Axes, lines: list[tuple[Any, Any]]) -> None:
    from figures.style import COLOURS, GREY

    least = min(0.5 / network["samples"] for network, _ in lines)
    for place, (_, region) in enumerate(lines):
        if region["share"] > 0:
            axes.plot([least, region["share"]], [place, place], color=COLOURS["blue"], linewidth=1.0, alpha=0.5)
            axes.plot(region["share"], place, "o", color=COLOURS["blue"])
        else:
            axes.text(least * 1.4, place, "no sample", va="center", fontsize=6, color=GREY)
    axes.set(xscale="log", xlabel="share of the samples", xlim=(least, 2))


def _deviations(axes: Axes, lines: list[tuple[Any, Any]]) -> None:
    from figures.style import COLOURS

    entries = (("1,1", "blue", "o"), ("1,2", "vermilion", "s"), ("2,1", "green", "^"), ("2,2", "purple", "D"))
    for index, (name, colour, marker) in enumerate(entries):
        values = [region["deviation_proved"][index] for _, region in lines]
        axes.plot(values, range(len(lines)), marker, color=COLOURS[colour], markersize=3.5, label=f"entry {name}")
    axes.set_xlabel("largest |network - linear approximation|")
    axes.set_xlim(left=0)
    axes.tick_params(axis="y", length=0)
