"""Plain ReLU networks over dimension and training-set size, beside the published table, and improved at equal budget.

Published: arXiv 2602.07800, accuracy at 5 % of n²-128-256-512-1024-512-256-128-n² networks, the best over training sets
of 2^5 to 2^18 examples.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["PUBLISHED", "BaselineSettings", "run", "table"]

#: Function -> best published accuracy at 5 %, as shares, at n = 1, 2, 3.
PUBLISHED: dict[str, tuple[float, float, float]] = {
    "exp": (0.3010, 0.0162, 0.0),
    "log": (0.2402, 0.0471, 0.0),
    "sign": (0.9995, 0.5486, 0.0073),
    "sin": (0.6182, 0.0001, 0.0),
    "cos": (0.6000, 0.0001, 0.0),
}


@dataclass(frozen=True)
class BaselineSettings:
    """What is varied, and the budget of every network.

    Attributes:
        functions: Matrix functions.
        dimensions: Dimensions of the matrices.
        sizes: Sizes of the training sets.
        variants: ``published``, ``improved``.
        epochs: Passes over the training set.
        samples: Test samples.
    """

    functions: tuple[str, ...] = tuple(PUBLISHED)
    dimensions: tuple[int, ...] = (1, 2, 3)
    sizes: tuple[int, ...] = tuple(2**power for power in range(5, 19))
    variants: tuple[str, ...] = ("published", "improved")
    epochs: int = 100
    samples: int = 10_000


_SCALES = {
    "smoke": BaselineSettings(("exp", "sign"), (1, 2), (32,), epochs=2, samples=200),
    "small": BaselineSettings(sizes=(64, 256, 1024)),
    "full": BaselineSettings(),
}


def run(request: Request) -> dict[str, Any]:
    """Train one network a cell and measure each."""
    from empirical.mlp_task import MlpSettings
    from empirical.settings import override

    settings = override(_SCALES[request.scale], request.options)
    cells = []
    for function in settings.functions:
        for n in settings.dimensions:
            for size in settings.sizes:
                for variant in settings.variants:
                    for seed in request.seeds:
                        one = MlpSettings(
                            function, n, size, variant, settings.epochs, samples=settings.samples, seed=seed
                        )
                        cells.append(request.cell("empirical.workers:run_mlp", one.label, one))
    published = {function: list(PUBLISHED[function]) for function in settings.functions if function in PUBLISHED}
    return {"configuration": asdict(settings), "published": published, "results": request.sweep(cells)}


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show accuracy at 5 % in percent, the mean over seeds: a row a function and dimension, a column a size."""
    from empirical.experiments.tables import percent

    sizes = list(record["configuration"]["sizes"])
    found: dict[tuple[str, int, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in record["results"]:
        settings = result["settings"]
        if "test" in result:
            key = (settings["function"], settings["n"], settings["variant"])
            found[key][settings["size"]].append(result["test"]["accuracy"]["0.05"])
    rows = []
    for (function, n, variant), by_size in found.items():
        means = [percent(sum(by_size[size]) / len(by_size[size])) if by_size[size] else "-" for size in sizes]
        best = record["published"].get(function, [])
        told = percent(best[n - 1]) if n <= len(best) and variant == "published" else ""
        rows.append([f"{function} n={n} {variant}", *means, told])
    return ["accuracy at 5 %, examples:", *(f"{size:,}" for size in sizes), "paper's best"], rows
