"""Sine and cosine, hard for networks on entries or tokens: what structure and reduced arguments change, one at a time.

Every network has the same examples, epochs and learning rate; what differs is what it sees (entries, eigenvalues, or
powers of the matrix) and whether its argument is reduced. Eigenvectors, matrix products and double-angle steps are
computed, not learned: where they are used, the learned part has a function of one variable to find.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["StructureSettings", "run", "table"]


@dataclass(frozen=True)
class StructureSettings:
    """What is varied, and the budget of every network.

    Attributes:
        functions: ``sin``, ``cos``.
        dimensions: Dimensions of the matrices.
        networks: What the network sees: ``entries``, ``eigenvalues``, ``polynomial``.
        sizes: Sizes of the training sets.
        epochs: Passes over the training set.
        samples: Test samples.
    """

    functions: tuple[str, ...] = ("sin", "cos")
    dimensions: tuple[int, ...] = (1, 2, 3, 4, 5)
    networks: tuple[str, ...] = ("entries", "eigenvalues", "polynomial")
    sizes: tuple[int, ...] = (64, 1024, 16384)
    epochs: int = 100
    samples: int = 10_000


_SCALES = {
    "smoke": StructureSettings(("sin",), (2,), sizes=(32,), epochs=2, samples=200),
    "small": StructureSettings(dimensions=(2, 3), sizes=(64, 1024)),
    "full": StructureSettings(),
}


def run(request: Request) -> dict[str, Any]:
    """Train or fit one network a cell and measure each, on the CPU."""
    from empirical.settings import override
    from empirical.train_structured import StructuredSettings

    settings = override(_SCALES[request.scale], request.options)
    cells = []
    for function in settings.functions:
        for n in settings.dimensions:
            for network in settings.networks:
                for reduced in (False, True):
                    for size in settings.sizes:
                        for seed in request.seeds:
                            one = StructuredSettings(
                                function=function,
                                n=n,
                                network=network,
                                reduced=reduced,
                                size=size,
                                epochs=settings.epochs,
                                samples=settings.samples,
                                seed=seed,
                            )
                            cells.append(request.cell("empirical.train_structured:run_structured", one.label, one))
    return {"configuration": asdict(settings), "results": request.sweep(cells)}


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show accuracy in percent at 5 and 0.5 %, means over seeds: a row a network, two columns a training-set size."""
    from empirical.experiments.tables import percent

    sizes = list(record["configuration"]["sizes"])
    found: dict[tuple[str, str], dict[tuple[int, str], list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in record["results"]:
        settings = result["settings"]
        if "test" in result:
            argument = "reduced" if settings["reduced"] else "raw"
            name = f"{settings['function']} n={settings['n']} {settings['network']}, {argument}"
            for tolerance in ("0.05", "0.005"):
                cell = found[name, f"{result['parameters']:,}"][settings["size"], tolerance]
                cell.append(result["test"]["accuracy"][tolerance])
    rows = []
    for (name, parameters), shares in found.items():
        means = [shares[size, tolerance] for size in sizes for tolerance in ("0.05", "0.005")]
        rows.append([name, parameters, *(percent(sum(values) / len(values)) if values else "-" for values in means)])
    columns = [f"{100 * float(tolerance):g} %, {size:,}" for size in sizes for tolerance in ("0.05", "0.005")]
    return ["accuracy at, examples:", "learned numbers", *columns], rows
