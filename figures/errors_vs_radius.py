"""How the error of 2 x 2 inverse networks moves with the size of the box and with its centre's distance from singular.

Trained networks, the linearised network and the constructed network of second order on the same boxes. The two that are
not trained have proved bounds, drawn dashed; dotted is what theorem inverse.bits forces on every network of the same
widths (on the linearised one: on every affine map). Errors are the largest entry of |network - inverse| found.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.records import add_record_option, load, provenance, source_line
from theory.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "No error found exceeds a proved bound or is below what is forced; the errors of the linear approximation grow "
    "with the box, and as its centre comes nearer to the singular matrices."
)
_EXPERIMENT = "inversion.errors"
#: Sweep -> (label of the horizontal axis, whether larger values are harder).
_SWEEPS = {
    "radius": (r"size of the box, $n\,d\,\|A_0^{-1}\|_\infty$", True),
    "sigma_min": (r"$\sigma_{\min}$ of the centre", False),
}
_LOOK = {"2fc": ("trained, 2 layers", "blue", "o"), "3fc": ("trained, 3 layers", "sky", "D")}
_NAMES = {"linear approximation": "linearised network"}
_BUILT = (("vermilion", "s"), ("green", "^"), ("purple", "v"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_record_option(parser, _EXPERIMENT)


def data(record: str | None = None) -> dict[str, Any]:
    """Return the errors found (least and largest over seeds) and the bounds, for both sweeps and every kind of network.

    Raises:
        BadInput: If the record holds neither sweep.
    """
    found = load(_EXPERIMENT, record)
    cells: dict[tuple[str, str], dict[float, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for result in found["results"]:
        if result["sweep"] in _SWEEPS:
            cells[result["sweep"], result["kind"]][result["value"]].append(result)
    if not cells:
        raise BadInput(f"the {_EXPERIMENT} record holds no sweep of boxes; run the experiment again")
    curves = []
    for (sweep, kind), by_value in cells.items():
        points = []
        for value, results in sorted(by_value.items()):
            errors = [result["largest_error_found"] for result in results]
            theory = {key: results[0].get(key) for key in ("proved_bound", "law_below")}
            points.append({"value": value, "least": min(errors), "largest": max(errors)} | theory)
        curves.append({"sweep": sweep, "kind": kind, "points": points})
    return {"source": provenance(found), "reduced": found.get("reduced", []), "curves": curves}


def check(document: Mapping[str, Any]) -> None:
    """Check the claim. Numbers of a record have six digits: a millionth is allowed for."""
    for curve in document["curves"]:
        for point in curve["points"]:
            where = f"{curve['kind']} at {curve['sweep']} = {point['value']:g}"
            bound, forced = point["proved_bound"], point["law_below"]
            if forced is not None:
                fits = point["least"] >= forced * (1 - 2e-6)
                require(fits, f"{where}: an error of {point['least']:.4g} is below the {forced:.4g} that is forced")
            if bound is not None:
                fits = point["largest"] <= bound * (1 + 2e-6)
                require(fits, f"{where}: an error of {point['largest']:.4g} breaks the bound {bound:.4g}")
        if curve["kind"] == "linear approximation":
            errors = [point["largest"] for point in curve["points"]]
            _, rising = _SWEEPS[curve["sweep"]]
            require(errors == sorted(errors, reverse=not rising), f"{curve['sweep']}: the linear error is not monotone")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw a panel a sweep."""
    from figures.style import PAGE, new_figure, panel

    sweeps = [sweep for sweep in _SWEEPS if any(curve["sweep"] == sweep for curve in document["curves"])]
    figure = new_figure(PAGE, 3.2)
    panels = figure.subplots(1, len(sweeps), sharey=True, squeeze=False)[0]
    for axes, sweep, letter in zip(panels, sweeps, "ab", strict=False):
        panel(axes, letter, "the box grows" if sweep == "radius" else "the centre nears the singular matrices")
        _curves(axes, [curve for curve in document["curves"] if curve["sweep"] == sweep])
        axes.set(xscale="log", yscale="log", xlabel=_SWEEPS[sweep][0])
        values = sorted(
            {p["value"] for curve in document["curves"] if curve["sweep"] == sweep for p in curve["points"]}
        )
        axes.set_xticks(values, [str(Fraction(value).limit_denominator(1000)) for value in values])
        axes.minorticks_off()
        if not _SWEEPS[sweep][1]:
            axes.invert_xaxis()
    panels[0].set_ylabel("largest error found, max-entry")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    reduced = f" ({'; '.join(document['reduced'])})" if document["reduced"] else ""
    figure.suptitle(f"2 × 2 inverse; {source_line(document['source'])}{reduced}", x=0.01, ha="left", fontsize=7)
    return figure


def _curves(axes: Axes, curves: list[Mapping[str, Any]]) -> None:
    from figures.style import COLOURS

    built = iter(_BUILT)
    # Those with three lines first: a column of the legend each.
    for curve in sorted(curves, key=lambda curve: curve["kind"] in _LOOK):
        label, (colour, marker) = _NAMES.get(curve["kind"], curve["kind"]), ("", "")
        if curve["kind"] in _LOOK:
            label, colour, marker = _LOOK[curve["kind"]]
        else:
            colour, marker = next(built)
        points = curve["points"]
        xs = [point["value"] for point in points]
        axes.plot(xs, [point["largest"] for point in points], marker + "-", color=COLOURS[colour], label=label)
        axes.fill_between(
            xs,
            [p["least"] for p in points],
            [p["largest"] for p in points],
            color=COLOURS[colour],
            alpha=0.2,
            linewidth=0,
        )
        for key, style, name in (
            ("proved_bound", "--", "its proved bound"),
            ("law_below", ":", "forced on its widths"),
        ):
            if all(point[key] is not None for point in points):
                ys = [point[key] for point in points]
                axes.plot(xs, ys, style, color=COLOURS[colour], linewidth=0.9, label=name)
