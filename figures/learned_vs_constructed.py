"""Learned and constructed networks on the same test matrices: accuracy against parameters and against time.

Filled marks are accuracies at 0.5 %, hollow ones at 5 %; a line joins the two of one network. Parameters of a
constructed network are its non-zero weights and biases, and it has a mark for every error bound asked for. Times are
processor time a matrix in a batch on one thread.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.records import NoRecord, add_record_option, load, mean_and_spread, provenance, source_line
from theory.errors import BadInput
from theory.rationals import parse_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "Wherever the bound covers every test matrix, some constructed network is at least as accurate at 0.5 % as every "
    "learned one; and no constructed network errs on a covered matrix by more than its bound."
)
_TOLERANCES = ("0.05", "0.005")
_TRANSFORMERS = ("study", "improved.long")
_LEARNED = ("mlp_baseline", *_TRANSFORMERS)
#: What is drawn -> (label, colour, marker).
_LOOK = {
    "constructed": ("constructed", "blue", "o"),
    "published": ("plain network, published recipe", "vermilion", "s"),
    "improved": ("plain network, better loss and scaling", "orange", "^"),
    "study": ("transformer", "purple", "D"),
    "improved.long": ("transformer, improved", "purple", "P"),
    "scipy": ("scipy", "green", "x"),
    "torch": ("torch", "sky", "+"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_record_option(parser, "constructed")
    parser.add_argument("--n", default="2", help="matrix size (default: 2)")


def data(record: str | None = None, n: str = "2") -> dict[str, Any]:
    """Return, for every distribution that learned networks were tested on, all networks with accuracy, size and time.

    Raises:
        BadInput: If the record holds nothing of this size.
    """
    size = parse_count(n, "n")
    found = load("constructed", record)
    learned: dict[str, dict[str, Any]] = {}
    for experiment in _LEARNED:
        try:
            learned[experiment] = load(experiment, None)
        except NoRecord:
            continue
    times = {
        (row["experiment"], row["n"], row["name"]): row["seconds"]
        for row in found["results"]
        if row["kind"] == "learned shape"
    }
    panels: dict[tuple[str, str, float], dict[str, Any]] = {}
    for row in found["results"]:
        if row["kind"] in ("learned shape", "refused") or row["n"] != size:
            continue
        ensemble = row["ensemble"]
        key = (row["function"], ensemble["kind"], round(ensemble["scale"], 6))
        panel = panels.setdefault(key, {"function": key[0], "ensemble": key[1], "scale": key[2], "n": size, "rows": []})
        panel["rows"].append(_constructed(row))
    if not panels:
        raise BadInput(f"the constructed record holds no network of size {size}; run it with --set dimensions={size}")
    for experiment, other in learned.items():
        for key, rows in _trained(experiment, other, size, times).items():
            if key in panels:
                panels[key]["rows"] += rows
    sources = {"constructed": provenance(found)} | {name: provenance(other) for name, other in learned.items()}
    shown = [
        panel for panel in panels.values() if any(row["what"] in ("published", *_TRANSFORMERS) for row in panel["rows"])
    ]
    return {"source": sources["constructed"], "sources": sources, "panels": shown or list(panels.values())}


def _constructed(row: Mapping[str, Any]) -> dict[str, Any]:
    accuracy = {tolerance: row["accuracy"][tolerance] for tolerance in _TOLERANCES}
    if row["kind"] != "constructed":
        return {"what": row["kind"].split(".")[0], "name": row["kind"], "accuracy": accuracy, "seconds": row["seconds"]}
    return {
        "what": "constructed",
        "name": f"eps {row['eps']}",
        "accuracy": accuracy,
        "parameters": row["nonzeros"],
        "seconds": row["seconds"]["blocks"],
        "covered": row["covered"],
        "bound": row["bound"],
        "largest_error": row["largest_error"],
    }


def _trained(
    experiment: str, record: Mapping[str, Any], n: int, times: Mapping[tuple[str, int, str], float]
) -> dict[tuple[str, str, float], list[dict[str, Any]]]:
    """Return the finished networks of a record by distribution, means over seeds."""
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for result in record["results"]:
        settings = result["settings"]
        if "test" not in result or settings["n"] != n:
            continue
        if experiment in _TRANSFORMERS:
            where = (settings["function"], settings["ensemble"], round(settings["scale"], 6))
            cells[where, experiment, settings["output_encoding"], settings["examples"]].append(result)
        else:
            kind = "abs_normal" if settings["function"] == "log" else "normal"
            where = (settings["function"], kind, round(5 / 3**0.5, 6))
            cells[where, settings["variant"], settings["variant"], settings["size"]].append(result)
    rows: dict[tuple[str, str, float], list[dict[str, Any]]] = defaultdict(list)
    for (where, what, name, examples), results in cells.items():
        # A transformer answers in tokens: it is held against the value itself, as the others are.
        tests = [result["test"].get("accuracy_exact", result["test"]["accuracy"]) for result in results]
        rows[where].append(
            {
                "what": what,
                "name": f"{name}, {examples:,} examples",
                "accuracy": {
                    tolerance: mean_and_spread(test[tolerance] for test in tests)[0] for tolerance in _TOLERANCES
                },
                "parameters": results[0]["parameters"],
                "seconds": times.get((experiment, n, name)),
            }
        )
    return rows


def check(document: Mapping[str, Any]) -> None:
    """Check the claim: bounds are of exact evaluation, so a part in a thousand is allowed for rounding in use."""
    for panel in document["panels"]:
        where = f"{panel['function']} of {panel['ensemble']} matrices"
        built = [row for row in panel["rows"] if row["what"] == "constructed"]
        for row in built:
            if row["largest_error"] is not None:
                require(
                    row["largest_error"] <= 1.001 * row["bound"],
                    f"{where}: {row['name']} errs by {row['largest_error']:.3g}, above {row['bound']:.3g}",
                )
        best = max((row["accuracy"]["0.005"] for row in built if row["covered"] == 1.0), default=None)
        for row in panel["rows"]:
            if best is not None and row["what"] in ("published", "improved", *_TRANSFORMERS):
                require(
                    best >= row["accuracy"]["0.005"],
                    f"{where}: {row['name']} is more accurate than every constructed network",
                )


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw a row a distribution; parameters to the left, time to the right."""
    from figures.style import PAGE, new_figure

    panels = document["panels"]
    figure = new_figure(PAGE, 0.9 + 1.15 * len(panels))
    grid = figure.subplots(len(panels), 2, sharex="col", sharey=True, squeeze=False)
    for line, panel in zip(grid, panels, strict=True):
        for axes, quantity in zip(line, ("parameters", "seconds"), strict=True):
            _marks(axes, panel["rows"], quantity)
            axes.set_xscale("log")
        line[0].set_title(_title(panel), loc="left", pad=3)
        line[0].set_ylabel("accuracy (%)")
    grid[0][0].set_ylim(-6, 106)
    grid[-1][0].set_xlabel("parameters (non-zero weights and biases)")
    grid[-1][1].set_xlabel("seconds a matrix")
    shown: dict[str, Any] = {}
    for axes in grid.flat:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            shown.setdefault(label, handle)
    figure.legend(handles=list(shown.values()), labels=list(shown), loc="outside lower center", ncols=3)
    figure.suptitle(
        f"filled: accuracy at 0.5 %, hollow: at 5 %; n = {panels[0]['n']}; {source_line(document['source'])}",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure


def _title(panel: Mapping[str, Any]) -> str:
    where = {
        "symmetric_uniform": rf"symmetric, entries uniform on $[-{panel['scale']:g}, {panel['scale']:g}]$",
        "normal": rf"normal entries, $\sigma = {panel['scale']:.2f}$",
        "abs_normal": rf"absolute normal entries, $\sigma = {panel['scale']:.2f}$",
    }.get(panel["ensemble"], panel["ensemble"].replace("_", " "))
    shares = [row["covered"] for row in panel["rows"] if row["what"] == "constructed"]
    share = f"; bound covers {100 * max(shares):.3g} %" if shares else ""
    return f"{panel['function']}: {where}{share}"


def _marks(axes: Axes, rows: list[dict[str, Any]], quantity: str) -> None:
    from figures.style import COLOURS

    for row in rows:
        x = row.get(quantity)
        if x is None:
            continue
        label, name, marker = _LOOK[row["what"]]
        colour = COLOURS[name]
        fine, coarse = (100 * row["accuracy"][tolerance] for tolerance in ("0.005", "0.05"))
        axes.plot([x, x], [fine, coarse], color=colour, linewidth=0.8, alpha=0.7)
        axes.plot([x], [coarse], marker=marker, color=colour, markerfacecolor="white", linestyle="none")
        axes.plot([x], [fine], marker=marker, color=colour, linestyle="none", label=label)
