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
    "The regions shown are all there are on the box: together they hold every sample, and in each the largest "
    "deviation from the linear approximation is attained to within rounding of its proved bound."
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
    configuration = found["configuration"]
    networks = [
        {
            "seed": result["seed"],
            "rate": configuration["better_rate" if result["kind"].endswith("_better") else "rate"],
            "mean_error": result["mean_error"],
            "samples": result["region_samples"],
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
        where = f"seed {network['seed']}, rate {network['rate']:g}"
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

    networks = document["networks"]
    lines = [
        (network, region, place + 0.6 * group)
        for group, network in enumerate(networks)
        for place, region in enumerate(network["regions"][:_SHOWN], sum(_lines(n) for n in networks[:group]))
    ]
    last = lines[-1][2]
    figure = new_figure(PAGE, 1.3 + 0.19 * last)
    share, deviation = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.4))
    panel(share, "a", "share of the data")
    _shares(share, lines)
    panel(deviation, "b", "largest deviation, by entry of the inverse")
    _deviations(deviation, lines)
    share.set_yticks([y for *_, y in lines], [_label(network, region) for network, region, _ in lines])
    for label in share.get_yticklabels():
        label.set_family("DejaVu Sans Mono")
    share.set_ylim(last + 0.7, -0.7)
    figure.legend(*deviation.get_legend_handles_labels(), loc="outside lower right", ncols=4)
    box, hidden = document["box"], sum(len(n["regions"]) - _lines(n) for n in networks)
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


def _lines(network: Mapping[str, Any]) -> int:
    return min(len(network["regions"]), _SHOWN)


def _label(network: Mapping[str, Any], region: Mapping[str, Any]) -> str:
    """Name a region by its signs, and its network at the network's first region."""
    name = f"rate {network['rate']:g}, seed {network['seed']}   " if region is network["regions"][0] else ""
    return name + region["signs"]


def _shares(axes: Axes, lines: list[tuple[Any, Any, float]]) -> None:
    from figures.style import COLOURS, GREY

    least = min(0.5 / network["samples"] for network, *_ in lines)
    for _, region, place in lines:
        if region["share"] > 0:
            axes.plot([least, region["share"]], [place, place], color=COLOURS["blue"], linewidth=1.0, alpha=0.5)
            axes.plot(region["share"], place, "o", color=COLOURS["blue"])
        else:
            axes.text(least * 1.4, place, "no sample", va="center", fontsize=6, color=GREY)
    axes.set(xscale="log", xlabel="share of the samples", xlim=(least, 2))


def _deviations(axes: Axes, lines: list[tuple[Any, Any, float]]) -> None:
    from figures.style import COLOURS

    entries = (("1,1", "blue", "o"), ("1,2", "vermilion", "s"), ("2,1", "green", "^"), ("2,2", "purple", "D"))
    for index, (name, colour, marker) in enumerate(entries):
        values = [region["deviation_proved"][index] for _, region, _ in lines]
        places = [place for *_, place in lines]
        axes.plot(values, places, marker, color=COLOURS[colour], markersize=3.5, label=f"entry {name}")
    axes.set_xlabel("largest |network - linear approximation|")
    axes.set_xlim(left=0)
    axes.tick_params(axis="y", length=0)
