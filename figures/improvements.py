"""What each improvement gives a transformer at equal budget, and how far the best of them go in a longer run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.records import NoRecord, add_record_option, load, provenance, source_line
from theory.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "With every improvement a transformer is more accurate than by the published recipe after equally many examples, "
    "for every function, and no run scores above its ceiling by more than sampling allows."
)
#: Variant -> (label, colour), in the order they build on each other.
_LOOK = {
    "published": ("published recipe", "sky"),
    "posed": ("triangles, rounded inputs", "orange"),
    "numeric": ("and numeric embeddings", "green"),
    "curriculum": ("and a curriculum", "vermilion"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_record_option(parser, "improved")


def data(record: str | None = None) -> dict[str, Any]:
    """Return every finished run at equal budget, and the longer ones where there is a record of them.

    Raises:
        BadInput: If the record holds no finished run.
    """
    found = load("improved", record)
    runs = _runs(found)
    if not runs:
        raise BadInput(
            "the improved record holds no finished run; go on with: python -m empirical run improved --resume"
        )
    document = {"source": provenance(found), "runs": runs, "long": [], "long_source": None}
    try:
        longer = load("improved.long", None)
    except NoRecord:
        return document
    return document | {"long": _runs(longer), "long_source": provenance(longer)}


def _runs(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    from empirical.experiments.improved import variant_of

    runs = []
    for result in record["results"]:
        if "test" not in result:
            continue
        s, test = result["settings"], result["test"]
        runs.append(
            {
                "function": s["function"],
                "n": s["n"],
                "variant": variant_of(s),
                "seed": s["seed"],
                "examples": result["train"]["examples"],
                "accuracy": test["accuracy"]["0.05"],
                "ceiling": test["ceiling"]["0.05"],
                "samples": test["samples"],
                "points": [[point["examples"], point["accuracy"]] for point in result["train"]["curve"]],
            }
        )
    return runs


def check(document: Mapping[str, Any]) -> None:
    """Check the claim: five standard deviations of a share among so many samples are allowed above the ceiling."""
    for run in [*document["runs"], *document["long"]]:
        allowed = 5 * (0.25 / run["samples"]) ** 0.5
        where = f"{run['function']}, n = {run['n']}, {run['variant']}, seed {run['seed']}"
        require(run["accuracy"] <= run["ceiling"] + allowed, f"{where}: above the ceiling {run['ceiling']:.1%}")
    budgets = {(run["function"], run["n"], run["seed"], run["variant"]): run for run in document["runs"]}
    for (function, n, seed, variant), run in budgets.items():
        best = budgets.get((function, n, seed, "curriculum"))
        if variant == "published" and best is not None:
            where = f"{function}, n = {n}, seed {seed}"
            require(best["examples"] == run["examples"], f"{where}: the budgets differ")
            require(best["accuracy"] > run["accuracy"], f"{where}: no more accurate than the published recipe")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw a panel a function: accuracy at 5 % against examples, a curve a run, the longer runs dashed."""
    from matplotlib.ticker import NullFormatter

    from figures.style import PAGE, new_figure

    runs, longer = document["runs"], document["long"]
    columns = list(dict.fromkeys((run["function"], run["n"]) for run in [*runs, *longer]))
    figure = new_figure(PAGE, 2.7)
    grid = figure.subplots(1, len(columns), sharex=True, sharey=True, squeeze=False)[0]
    for axes, key in zip(grid, columns, strict=True):
        for run in runs:
            if (run["function"], run["n"]) == key:
                _curve(axes, run, "-")
        for run in longer:
            if (run["function"], run["n"]) == key:
                _curve(axes, run, "--", "the better of the two, longer")
        axes.set_title(f"{key[0]}, $n={key[1]}$", loc="left", pad=3)
        axes.set(xscale="log", xlabel="examples seen", ylim=(-3, 103))
        axes.xaxis.set_minor_formatter(NullFormatter())
    grid[0].set_ylabel("accuracy at 5 % (percent)")
    shown = {label: handle for axes in grid for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles=list(shown.values()), labels=list(shown), loc="outside lower center", ncols=3)
    budget = max(run["examples"] for run in runs)
    figure.suptitle(
        f"transformers at equal budget ({budget:,} examples); dots: accuracy at the end; "
        f"{source_line(document['source'])}",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure


def _curve(axes: Axes, run: Mapping[str, Any], style: str, label: str | None = None) -> None:
    from figures.style import BLACK, COLOURS

    name, colour = _LOOK.get(run["variant"], (run["variant"], "blue"))
    shade = BLACK if label else COLOURS[colour]
    examples, accuracies = zip(*run["points"], strict=True)
    axes.plot(examples, [100 * share for share in accuracies], style, color=shade, linewidth=1.0, label=label or name)
    axes.plot([run["examples"]], [100 * run["accuracy"]], "o", color=shade)
