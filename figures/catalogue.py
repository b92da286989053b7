"""Which figures there are: one module each, loaded when asked for.

A figure's module offers ``CLAIM`` (one sentence), ``add_arguments(parser)``, ``data(**options) -> dict`` (computed from
theory or loaded from stored results, JSON-ready, deterministic), ``check(document)`` (raises ``ClaimFailed`` where the
numbers do not bear the claim out) and ``draw(document) -> Figure``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from theory.errors import BadInput

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "FigureModule", "figure_module"]

#: Name -> one line on what it shows. The module is ``figures.NAME``.
FIGURES: dict[str, str] = {
    "size_vs_eps": "e^A: hidden layers, width and bits against the accuracy, a curve a route, with the lower bound",
    "size_vs_n": "e^A: width, hidden layers and bits against the matrix size: exponential and polynomial width",
    "pareto": "the frontier from deep and narrow networks to shallow and wide ones, with the least depth possible",
    "inverse_cost": "inversion: bits against the distance from the singular matrices, from above and from below",
    "peers": "non-zeros of scalar networks, ours beside those that nnR builds",
    "blowup": "inversion: the error forced on a map of given Lipschitz constant, against the distance from singular",
    "slack": "proved bounds of constructed networks over the worst errors found by search",
    "regions": "inversion: linear regions of a small trained network, their data and their largest deviations",
    "errors_vs_radius": "inversion: errors of trained and constructed networks against the box, with proved bounds",
    "certified_vs_sampled": "inversion: certified worst errors of networks, beside what 10,000 random matrices find",
    "accuracy_by_dimension": "plain networks on matrix functions against the dimension: published, rerun, improved",
    "encodings": "transformers: accuracy by function, number encoding and tolerance, with ceilings",
    "learning_curves": "transformers: accuracy and loss against examples seen",
    "improvements": "transformers: what each improvement gives at equal budget, and the best in a longer run",
    "learned_vs_constructed": "learned and constructed networks: accuracy against parameters and against time",
    "figure1": "2 x 2 matrices: the singular ones in two planes, and those closer to them than eps, to scale",
    "figure2": "2 x 2 matrices with one entry fixed: the singular surface, D_eps around it, and a ball clear of it",
}


class FigureModule(Protocol):
    """What a figure's module offers."""

    CLAIM: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the figure's own options; their names are the arguments of ``data``."""

    def data(self, **options: Any) -> dict[str, Any]:
        """Return everything the figure shows, JSON-ready."""

    def check(self, document: Mapping[str, Any]) -> None:
        """Raise ``ClaimFailed`` where the numbers contradict the claim."""

    def draw(self, document: Mapping[str, Any]) -> Figure:
        """Draw the document."""


def figure_module(name: str) -> FigureModule:
    """Load a figure's module.

    Raises:
        BadInput: If there is no such figure.
    """
    if name not in FIGURES:
        raise BadInput(f"no figure {name!r}; choose from {', '.join(FIGURES)}")
    return cast(FigureModule, import_module(f"figures.{name}"))
