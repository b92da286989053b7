"""How transformers learn matrix functions: accuracy and loss against the number of examples seen, a curve a run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.records import add_record_option, load, provenance, source_line
from theory.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = "Every curve runs forward over fresh examples: no run has seen more of them than were drawn and not rejected."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_record_option(parser, "study")


def data(record: str | None = None) -> dict[str, Any]:
    """Return the curve of every run with at least two reports.

    Raises:
        BadInput: If the record holds no such run.
    """
    found = load("study", record)
    runs = []
    for result in found["results"]:
        curve = result.get("train", {}).get("curve", [])
        if len(curve) >= 2:
            s = result["settings"]
            runs.append(
                {
                    "function": s["function"],
                    "n": s["n"],
                    "encoding": s["output_encoding"],
                    "seed": s["seed"],
                    "drawn": result["train"]["drawn"],
                    "rejected": sum(result["train"]["rejected"].values()),
                    "points": [[point["examples"], point["loss"], point["accuracy"]] for point in curve],
                }
            )
    if not runs:
        raise BadInput("the study record holds no learning curve; run the experiment with reports=10 or more")
    return {"source": provenance(found), "runs": runs}


def check(document: Mapping[str, Any]) -> None:
    """Check the claim."""
    for run in document["runs"]:
        where = f"{run['function']}, n = {run['n']}, {run['encoding']}, seed {run['seed']}"
        for before, after in pairwise(run["points"]):
            require(before[0] < after[0], f"{where}: the curve does not run forward")
        fresh = run["drawn"] - run["rejected"]
        require(
            run["points"][-1][0] <= fresh, f"{where}: {run['points'][-1][0]:,.0f} examples from {fresh:,} fresh ones"
        )


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw two rows, accuracy above and loss below, and a column a function and dimension."""
    from figures.style import ENCODINGS, PAGE, new_figure

    runs = document["runs"]
    columns = list(dict.fromkeys((run["function"], run["n"]) for run in runs))
    figure = new_figure(PAGE, 3.4)
    grid = figure.subplots(2, len(columns), sharex=True, sharey="row", squeeze=False)
    for (function, n), upper, lower in zip(columns, grid[0], grid[1], strict=True):
        for run in (run for run in runs if (run["function"], run["n"]) == (function, n)):
            examples, losses, accuracies = zip(*run["points"], strict=True)
            colour = ENCODINGS[run["encoding"]]
            upper.plot(
                examples, [100 * share for share in accuracies], color=colour, linewidth=1.0, label=run["encoding"]
            )
            lower.plot(examples, losses, color=colour, linewidth=1.0)
        upper.set_title(f"{function}, $n={n}$", loc="left", pad=3)
        lower.set(xlabel="examples seen", yscale="log")
        upper.set_ylim(-3, 103)
        lower.ticklabel_format(axis="x", style="sci", scilimits=(0, 4), useMathText=True)
    grid[0][0].set_ylabel("accuracy (percent)")
    grid[1][0].set_ylabel("training loss")
    shown = {label: handle for axes in grid[0] for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles=list(shown.values()), labels=list(shown), loc="outside lower center", ncols=len(shown))
    figure.suptitle(
        f"transformers by number encoding, accuracy at 5 %; {source_line(document['source'])}",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure
