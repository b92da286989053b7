"""What the number encoding does to a transformer's accuracy: function by encoding by tolerance, with ceilings.

The ceiling of an encoding is the score of a solver that sees the same tokens, evaluates the function exactly and
answers in tokens.
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
    "Accuracy falls from each tolerance to the next finer one, and no trained network scores above its encoding's "
    "ceiling by more than sampling allows."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_record_option(parser, "study")


def data(record: str | None = None) -> dict[str, Any]:
    """Return mean, spread and ceiling of every function, dimension, encoding and tolerance.

    Raises:
        BadInput: If the record holds no finished run.
    """
    found = load("study", record)
    cells: dict[tuple[str, int, str], list[dict[str, Any]]] = defaultdict(list)
    for result in found["results"]:
        if "test" in result:
            s = result["settings"]
            cells[s["function"], s["n"], s["output_encoding"]].append(result)
    if not cells:
        raise BadInput("the study record holds no finished run; go on with: python -m empirical run study --resume")
    rows = []
    for (function, n, encoding), results in cells.items():
        tests = [result["test"] for result in results]
        for tolerance in tests[0]["accuracy"]:
            mean, spread = mean_and_spread(test["accuracy"][tolerance] for test in tests)
            ceiling, _ = mean_and_spread(test["ceiling"][tolerance] for test in tests)
            rows.append(
                {
                    "function": function,
                    "n": n,
                    "encoding": encoding,
                    "tolerance": tolerance,
                    "mean": mean,
                    "spread": spread,
                    "ceiling": ceiling,
                    "samples": sum(test["samples"] for test in tests),
                    "examples": max(result["train"]["examples"] for result in results),
                }
            )
    return {"source": provenance(found), "rows": rows}


def check(document: Mapping[str, Any]) -> None:
    """Check the claim: five standard deviations of a share among so many samples are allowed above the ceiling."""
    series = defaultdict(list)
    for row in document["rows"]:
        where = f"{row['function']}, n = {row['n']}, {row['encoding']} at {row['tolerance']}"
        allowed = 5 * (0.25 / row["samples"]) ** 0.5
        require(
            row["mean"] <= row["ceiling"] + allowed,
            f"{where}: {row['mean']:.1%} is above the ceiling {row['ceiling']:.1%}",
        )
        series[row["function"], row["n"], row["encoding"]].append((float(row["tolerance"]), row["mean"]))
    for key, points in series.items():
        means = [mean for _, mean in sorted(points)]
        require(means == sorted(means), f"{key}: a finer tolerance scores higher")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw a row a dimension, a column a function; dots are accuracies, colours encodings, bars ceilings."""
    from figures.style import PAGE, new_figure

    rows = document["rows"]
    functions = list(dict.fromkeys(row["function"] for row in rows))
    dimensions = sorted({row["n"] for row in rows})
    figure = new_figure(PAGE, 0.9 + 1.5 * len(dimensions))
    grid = figure.subplots(len(dimensions), len(functions), sharex=True, sharey=True, squeeze=False)
    for line, n in zip(grid, dimensions, strict=True):
        for axes, function in zip(line, functions, strict=True):
            _panel(axes, [row for row in rows if (row["function"], row["n"]) == (function, n)])
            axes.set_title(f"{function}, $n={n}$", loc="left", pad=3)
        line[0].set_ylabel("accuracy (percent)")
    for axes in grid[-1]:
        axes.set_xlabel("tolerance (percent)")
    grid[0][0].set_ylim(-4, 106)
    shown = {
        label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles=list(shown.values()), labels=list(shown), loc="outside lower center", ncols=len(shown))
    figure.suptitle(
        f"transformers by number encoding; grey: ceiling of an exact solver; {source_line(document['source'])}",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure


def _panel(axes: Axes, rows: list[dict[str, Any]]) -> None:
    from figures.style import ENCODINGS, GREY

    tolerances = sorted({row["tolerance"] for row in rows}, key=float, reverse=True)
    encodings = [name for name in ENCODINGS if any(row["encoding"] == name for row in rows)]
    width = 0.8 / len(encodings)
    for place, encoding in enumerate(encodings):
        shift = (place - (len(encodings) - 1) / 2) * width
        for row in (row for row in rows if row["encoding"] == encoding):
            x = tolerances.index(row["tolerance"]) + shift
            axes.plot([x - width * 0.4, x + width * 0.4], [100 * row["ceiling"]] * 2, color=GREY, linewidth=1.2)
            axes.plot([x, x], [0, 100 * row["mean"]], color=ENCODINGS[encoding], linewidth=1.0, alpha=0.6)
            axes.errorbar(
                x,
                100 * row["mean"],
                yerr=100 * row["spread"],
                fmt="o",
                color=ENCODINGS[encoding],
                capsize=1.5,
                elinewidth=0.8,
                label=encoding,
            )
    axes.set_xticks(range(len(tolerances)), [f"{100 * float(text):g}" for text in tolerances])
    axes.grid(visible=False, axis="x")
