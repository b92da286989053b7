"""Plain ReLU networks on matrix functions collapse with the dimension: published numbers, rerun, and improved.

Accuracy is the share of test matrices with relative error below 5 %, the best over the training-set sizes, as in the
published table (arXiv 2602.07800); ours are means over seeds.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.records import add_record_option, load, mean_and_spread, provenance, source_line
from theory.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "The rerun of the published plain networks has the published shape: for every function the accuracy at 5 % is "
    "never higher at a larger dimension, beyond the spread over seeds."
)
_TOLERANCE = "0.05"
#: Variant -> (label, colour, marker).
_LOOK = {
    "paper": ("published numbers", "vermilion", "s"),
    "published": ("published recipe, rerun", "blue", "o"),
    "improved": ("same budget, better loss and scaling", "green", "^"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_record_option(parser, "mlp_baseline")


def data(record: str | None = None) -> dict[str, Any]:
    """Return, for every function and variant, the best mean accuracy over the training-set sizes at each dimension.

    Raises:
        BadInput: If the record holds no finished run.
    """
    found = load("mlp_baseline", record)
    cells: dict[tuple[str, str, int, int], list[float]] = defaultdict(list)
    for result in found["results"]:
        if "test" in result:
            s = result["settings"]
            cells[s["function"], s["variant"], s["n"], s["size"]].append(result["test"]["accuracy"][_TOLERANCE])
    if not cells:
        raise BadInput(
            "the mlp_baseline record holds no finished run; go on with: python -m empirical run mlp_baseline"
        )
    curves: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for (function, variant, n, size), values in sorted(cells.items()):
        mean, spread = mean_and_spread(values)
        points, point = curves[function][variant], {"n": n, "size": size, "mean": mean, "spread": spread}
        if points and points[-1]["n"] == n:
            if mean > points[-1]["mean"]:
                points[-1] = point
        else:
            points.append(point)
    paper = {
        function: [{"n": n, "mean": value} for n, value in enumerate(values, start=1)]
        for function, values in found["published"].items()
    }
    return {
        "source": provenance(found),
        "sizes": found["configuration"]["sizes"],
        "tolerance": _TOLERANCE,
        "paper": paper,
        "curves": {function: dict(by_variant) for function, by_variant in curves.items()},
    }


def check(document: Mapping[str, Any]) -> None:
    """Check the claim."""
    for function, by_variant in document["curves"].items():
        points = by_variant.get("published", [])
        for index, near in enumerate(points):
            for far in points[index + 1 :]:
                require(
                    far["mean"] <= near["mean"] + near["spread"] + far["spread"] + 1e-12,
                    f"{function}: {far['mean']:.1%} at n = {far['n']} is above {near['mean']:.1%} at n = {near['n']}",
                )


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw a panel a function."""
    from figures.style import PAGE, new_figure, panel

    functions = list(document["curves"])
    figure = new_figure(PAGE, 2.5)
    panels = figure.subplots(1, len(functions), sharey=True, squeeze=False)[0]
    for axes, function, letter in zip(panels, functions, "abcdefgh", strict=False):
        panel(axes, letter, function)
        _curves(axes, document, function)
        axes.set_xlabel("dimension $n$")
    panels[0].set_ylabel("accuracy at 5 % (percent)")
    panels[0].set_ylim(-4, 104)
    handles = {
        label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles=list(handles.values()), labels=list(handles), loc="outside lower center", ncols=3)
    sizes = document["sizes"]
    figure.suptitle(
        f"plain ReLU networks, best of {len(sizes)} training-set sizes from {min(sizes):,} to {max(sizes):,}; "
        f"{source_line(document['source'])}",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure


def _curves(axes: Axes, document: Mapping[str, Any], function: str) -> None:
    from figures.style import COLOURS

    series = {"paper": document["paper"].get(function, [])} | document["curves"][function]
    ticks = set()
    for variant, points in series.items():
        label, colour, marker = _LOOK[variant]
        if not points:
            continue
        ns = [point["n"] for point in points]
        ticks |= set(ns)
        axes.errorbar(
            ns,
            [100 * point["mean"] for point in points],
            yerr=[100 * point.get("spread", 0.0) for point in points],
            fmt=marker + ("--" if variant == "paper" else "-"),
            color=COLOURS[colour],
            capsize=2,
            elinewidth=0.8,
            label=label,
        )
    axes.set_xticks(sorted(ticks))
    axes.set_xlim(min(ticks) - 0.3, max(ticks) + 0.3)
