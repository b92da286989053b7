"""The inversion paper's Table 1: average absolute error of trained networks, 2×2 first and second, 3×3 and 16×16.

Beside it stands what the networks must beat: the constant A0⁻¹, the linear approximation and the affine map of least
squares; and rows of ours: the linear approximation as a network, a network of second order that nobody trains, the same
one trained on from there, networks that ``constructions`` builds to a proved bound, and every trained network with one
Newton step X(2I - AX) behind it (products in float64, so that row is no network). All networks of one dimension, every
box, depth and seed, train together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from empirical.experiments.inversion.settings import MATRICES, TrainingSettings, at_scale, kinds_for, size_of
from theory.errors import BadInput

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["DEFAULT_SEEDS", "Table1Settings", "run", "table"]

DEFAULT_SEEDS = "0,1,2"
_NAMES = {
    "2fc": "2 fully connected layers",
    "3fc": "3 fully connected layers",
    "refined": "second order, then trained",
}


@dataclass(frozen=True)
class Table1Settings(TrainingSettings):
    """The table's columns and rows.

    Attributes:
        matrices: Which boxes.
        kinds: Which networks.
    """

    matrices: tuple[str, ...] = MATRICES
    kinds: tuple[str, ...] = ("2fc", "3fc", "refined")

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = sorted(set(self.matrices) - set(MATRICES))
        if unknown or not self.matrices or not self.kinds:
            raise BadInput(f"choose matrices from {', '.join(MATRICES)}, and at least one kind of network")


def run(request: Request) -> dict[str, Any]:
    """Train every network, dimension by dimension, and measure all."""
    from empirical.experiments.inversion.baselines import box_record
    from empirical.experiments.inversion.bundles import (
        box_bundle,
        network_results,
        train_for,
        training_summary,
    )
    from empirical.experiments.inversion.kept import check_store, keep_networks
    from empirical.settings import override

    check_store(request)
    settings = override(at_scale(Table1Settings(), request.scale, request.device.type), request.options)
    results: list[dict[str, Any]] = []
    boxes, training, reduced = [], [], []
    for n in sorted({size_of(name) for name in settings.matrices}):
        own = [settings.box(name) for name in settings.matrices if size_of(name) == n]
        bundle = box_bundle(request, f"{n}x{n}", settings, own, kinds_for(settings.kinds, n))
        done = train_for(request, bundle)
        keep_networks(request, bundle, done)
        less = settings.reduced(n)
        if less:
            reduced.append(f"{n}x{n}: {less}")
        results += network_results(bundle, done, less)
        training.append(training_summary(bundle, done))
        tests = dict(zip([source.place.name for source in bundle.sources], bundle.tests, strict=True))
        boxes += [box_record(box, tests[box.name]) for box in own]
    return {
        "configuration": asdict(settings),
        "reduced": reduced,
        "measure": "mean over entries and test matrices of |network - inverse|",
        "boxes": boxes,
        "training": training,
        "results": results,
    }


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show mean ± standard deviation over seeds: a row a network or map, a column a box."""
    from empirical.experiments.inversion.bundles import spread_text

    columns = [box["name"] for box in record["boxes"]]
    steps = {result["matrices"]: result["reduced"] or f"{result['steps']:,} steps" for result in record["results"]}
    parts = {name: [*text.split(", "), ""] for name, text in steps.items()}
    rows = []
    kinds = dict.fromkeys(result["kind"] for result in record["results"])
    for measured, more in (("mean_error", ""), ("mean_error_after_newton", ", a Newton step")):
        for kind in kinds:
            cells = []
            for name in columns:
                chosen = [r for r in record["results"] if (r["kind"], r["matrices"]) == (kind, name)]
                cells.append(spread_text([r[measured] for r in chosen if r[measured] is not None]))
            rows.append([_NAMES.get(kind, kind) + more, *cells])
    beside = [{row["kind"]: row["mean_error"] for row in box["baselines"]} for box in record["boxes"]]
    for kind in dict.fromkeys(kind for errors in beside for kind in errors):
        rows.append([kind, *(f"{errors[kind]:.3e}" if kind in errors else "-" for errors in beside)])
    for place, text in enumerate(("trained for", "on")[: max(map(len, parts.values())) - 1]):
        rows.append([text, *(parts[name][place] for name in columns)])
    return ["average absolute error", *columns], rows
