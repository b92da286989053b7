"""The inversion paper's Table 1: average absolute error of trained networks, 2×2 first and second, 3×3 and 16×16.

Beside it stands what the networks must beat: the constant A0⁻¹, the linear approximation and the affine map of least
squares. All networks of one dimension, every box, depth and seed, train together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from empirical.experiments.inversion.settings import MATRICES, TrainingSettings, at_scale, size_of
from theory.errors import BadInput

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["DEFAULT_SEEDS", "Table1Settings", "run", "table"]

DEFAULT_SEEDS = "0,1,2"
_NAMES = {"2fc": "2 fully connected layers", "3fc": "3 fully connected layers"}


@dataclass(frozen=True)
class Table1Settings(TrainingSettings):
    """The table's columns and rows.

    Attributes:
        matrices: Which boxes.
        kinds: Which networks.
    """

    matrices: tuple[str, ...] = MATRICES
    kinds: tuple[str, ...] = ("2fc", "3fc")

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
        keep_networks,
        network_results,
        train_for,
        training_summary,
    )
    from empirical.settings import override

    settings = override(at_scale(Table1Settings(), request.scale, request.device.type), request.options)
    results: list[dict[str, Any]] = []
    boxes, training, reduced = [], [], []
    for n in sorted({size_of(name) for name in settings.matrices}):
        own = [settings.box(name) for name in settings.matrices if size_of(name) == n]
        bundle = box_bundle(request, f"{n}x{n}", settings, own, settings.kinds)
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
    rows = []
    for kind in dict.fromkeys(result["kind"] for result in record["results"]):
        cells = []
        for name in columns:
            chosen = [r for r in record["results"] if (r["kind"], r["matrices"]) == (kind, name)]
            cells.append(spread_text([r["mean_error"] for r in chosen if r["mean_error"] is not None]))
        rows.append([_NAMES.get(kind, kind), *cells])
    for place, baseline in enumerate(record["boxes"][0]["baselines"]):
        rows.append([baseline["kind"], *(f"{box['baselines'][place]['mean_error']:.3e}" for box in record["boxes"])])
    rows.append(["trained for", *(steps[name] for name in columns)])
    return ["average absolute error", *columns], rows
