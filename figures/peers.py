"""Non-zeros of scalar networks: ours, built and measured here, beside published software and a proved lower bound.

The other numbers were measured by running nnR 0.1.0 (an R package; the last installable commit of 2024-10) and counting
the non-zero weights and biases of its dense networks. They are data: nothing here recomputes them.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from figures.claim import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CASES", "CLAIM", "Case", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "For every function, interval and accuracy shown, the network built here has fewer non-zeros than nnR's, "
    "and no fewer than any network needs."
)
_SOURCE = "nnR 0.1.0 (R package, last installable commit of 2024-10), measured: non-zero weights and biases"


@dataclass(frozen=True)
class Case:
    """A scalar function on an interval with an absolute accuracy, as asked of both programs.

    Attributes:
        label: For the figure.
        function: As ``constructions.build`` takes it.
        eps: Accuracy.
        nnr: Non-zeros of nnR's network.
        domain: Domain options of ``constructions.build``.
    """

    label: str
    function: str
    eps: str
    nnr: int
    domain: Mapping[str, Any] = field(default_factory=dict)


CASES = (
    Case(r"$xy$ on $[-1,1]^2$, $10^{-3}$", "product", "1e-3", 518, {"M": "1"}),
    Case(r"$e^x$ on $[-1,1]$, $10^{-2}$", "expm", "1e-2", 7_704, {"M": "1"}),
    Case(r"$e^x$ on $[-1,1]$, $10^{-3}$", "expm", "1e-3", 19_358, {"M": "1"}),
    Case(r"$e^x$ on $[-2,2]$, $10^{-2}$", "expm", "1e-2", 54_114, {"M": "2"}),
    Case(r"$x^5$ on $[-1,1]$, $10^{-3}$", "x**5", "1e-3", 4_744, {"radius": "1"}),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no options: the other side's numbers are fixed."""


def data() -> dict[str, Any]:
    """Build every case for the fewest non-zeros, and read the count off its matrices."""
    return {"source": _SOURCE, "rows": [_row(case) for case in CASES]}


def _row(case: Case) -> dict[str, Any]:
    from constructions.builder import build
    from theory.objectives import Demand
    from theory.scalar_needs import needs_of

    net = build(case.function, 1, case.eps, demand=Demand("nonzeros"), **dict(case.domain))
    needs = needs_of(net.problem)
    return {
        "label": case.label,
        "problem": net.problem.json(),
        "theorem": net.plan.theorem,
        "proved": float(net.bound),
        "hidden_layers": net.measured.architecture.hidden_layers,
        "nonzeros": net.measured.nonzeros,
        "needed": None if needs is None else needs.nonzeros,
        "nnr": case.nnr,
    }


def check(document: Mapping[str, Any]) -> None:
    """Check the claim."""
    require(bool(document["rows"]), "there is nothing to compare")
    for row in document["rows"]:
        eps = float(Fraction(row["problem"]["eps"]))
        require(row["proved"] <= eps, f"{row['label']}: the proved error {row['proved']:.3g} exceeds {eps:g}")
        require(
            row["needed"] is not None and row["nonzeros"] >= row["needed"],
            f"{row['label']}: {row['nonzeros']} non-zeros are fewer than the {row['needed']} that any network needs",
        )
        require(
            row["nonzeros"] < row["nnr"], f"{row['label']}: {row['nonzeros']} non-zeros are not fewer than {row['nnr']}"
        )


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw a line a case between the two counts, on a logarithmic axis."""
    from figures.style import COLOURS, COLUMN, GREY, new_figure

    rows = document["rows"]
    figure = new_figure(COLUMN, 0.9 + 0.34 * len(rows))
    axes = figure.subplots()
    ours, theirs = COLOURS["green"], COLOURS["vermilion"]
    for place, row in enumerate(rows):
        axes.plot([row["nonzeros"], row["nnr"]], [place, place], color="#C8C8C8", zorder=1)
        axes.plot(row["needed"], place, "|", color=GREY, markersize=8, markeredgewidth=1.2, zorder=2)
        for key, colour, marker in (("nonzeros", ours, "o"), ("nnr", theirs, "s")):
            axes.plot(row[key], place, marker, color=colour, markersize=5, zorder=2)
            side, shift = ("center", (0, -8)) if key == "nonzeros" else ("left", (6, 0))
            axes.annotate(
                f"{row[key]:,}", (row[key], place), xytext=shift, textcoords="offset points", ha=side, va="center",
                color=colour, fontsize=7,
            )  # fmt: skip
        ratio = row["nnr"] / row["nonzeros"]
        middle = (row["nonzeros"] * row["nnr"]) ** 0.5
        axes.annotate(
            f"{ratio:,.0f} ×",
            (middle, place),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=GREY,
            fontsize=6,
        )
    axes.set(xscale="log", xlabel="non-zero weights and biases", ylim=(len(rows) - 0.4, -0.9))
    axes.set_yticks(range(len(rows)), [row["label"] for row in rows])
    axes.set_xlim(min(row["needed"] for row in rows) / 2, max(row["nnr"] for row in rows) * 12)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.text(rows[0]["nonzeros"], -0.45, "here", color=ours, ha="center", fontsize=7)
    axes.text(rows[0]["needed"], -0.45, "at least", color=GREY, ha="right", fontsize=7)
    axes.text(rows[0]["nnr"], -0.45, "nnR", color=theirs, ha="center", fontsize=7)
    return figure
