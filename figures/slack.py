"""How loose the proved bounds of constructed networks are: bound over the worst error that a search has found."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from figures.claim import require
from figures.numbers import domain_maths
from figures.records import add_record_option, load, provenance, source_line
from theory.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = "No search has found an error above the proved bound of any constructed network: every slack is at least 1."
_COLOURS = ("sky", "blue", "vermilion", "purple", "green", "orange")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_record_option(parser, "slack")


def data(record: str | None = None) -> dict[str, Any]:
    """Return, for every function, domain and size, the proved bound and the worst error found over all seeds.

    Raises:
        BadInput: If the record holds no result.
    """
    found = load("slack", record)
    worst: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for result in found["results"]:
        key = (result["function"], result["route"], result["domain"], result["n"])
        if key not in worst or result["error"] > worst[key]["error"]:
            worst[key] = {name: result[name] for name in ("bound", "error", "evaluations")}
    if not worst:
        raise BadInput("the slack record holds no result; run the experiment again")
    rows = [
        {"function": function, "route": route, "domain": domain, "n": n, "slack": row["bound"] / row["error"], **row}
        for (function, route, domain, n), row in worst.items()
    ]
    return {"source": provenance(found), "eps": found["configuration"]["eps"], "rows": rows}


def check(document: Mapping[str, Any]) -> None:
    """Check the claim."""
    for row in document["rows"]:
        where = f"{row['function']} on {row['domain']}, n = {row['n']}"
        require(row["error"] > 0, f"{where}: the search has found no error at all")
        require(
            row["error"] <= row["bound"], f"{where}: an error of {row['error']:.3g} breaks the bound {row['bound']:.3g}"
        )


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw a line a function and domain, a dot a size."""
    from figures.style import BLACK, COLOURS, PAGE, new_figure

    rows = document["rows"]
    lines = list(dict.fromkeys((row["function"], row["domain"]) for row in rows))
    sizes = sorted({row["n"] for row in rows})
    figure = new_figure(PAGE, 1.0 + 0.24 * len(lines))
    axes = figure.subplots()
    for size, colour in zip(sizes, _COLOURS, strict=False):
        chosen = [row for row in rows if row["n"] == size]
        places = [lines.index((row["function"], row["domain"])) for row in chosen]
        # A little apart, so that equal slacks of two sizes are both seen.
        shift = 0.14 * (sizes.index(size) - (len(sizes) - 1) / 2)
        axes.plot(
            [row["slack"] for row in chosen],
            [p + shift for p in places],
            "o",
            color=COLOURS[colour],
            label=f"$n={size}$",
        )
    axes.axvline(1, color=BLACK, linewidth=0.9)
    axes.set(xscale="log", xlabel="slack: proved bound over the worst error found", ylim=(len(lines) - 0.4, -0.6))
    axes.set_yticks(range(len(lines)), [f"{f}, {domain_maths(domain)}" for f, domain in lines])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0.8, max(20.0, 1.3 * max(row["slack"] for row in rows)))
    axes.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.minorticks_off()
    figure.legend(loc="outside upper right", ncols=len(sizes))
    figure.suptitle(
        f"asked for {document['eps']} in the Frobenius norm; {source_line(document['source'])}",
        x=0.01,
        ha="left",
        fontsize=8,
    )
    return figure
