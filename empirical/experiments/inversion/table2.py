"""The inversion paper's Table 2: the linear approximation against trained networks on 2×2 first, and constructed ones.

Rows of ours: the affine map of least squares, the linear approximation as the ReLU network of the paper's section 4.2
(2n² hidden units, and n² with shifted inputs), networks of second order, constructed and not trained, the first of them
trained on from there, networks that ``constructions`` builds to a proved bound, and all trained networks once more with
a larger learning rate and everything else the same. A column shows what one Newton step X(2I - AX) behind a trained
network leaves, its products being those of float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from empirical.experiments.inversion.settings import TrainingSettings, at_scale, kinds_for, size_of

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["DEFAULT_SEEDS", "Table2Settings", "run", "table"]

DEFAULT_SEEDS = "0,1,2"
_NAMES = {"small": "2 layers, small", "2fc": "2 layers", "3fc": "3 layers", "refined": "second order, then trained"}
_BETTER = "_better"


@dataclass(frozen=True)
class Table2Settings(TrainingSettings):
    """The table's rows.

    Attributes:
        matrices: The box.
        kinds: Trained networks.
    """

    matrices: str = "2x2-first"
    kinds: tuple[str, ...] = ("small", "2fc", "3fc", "refined")


def run(request: Request) -> dict[str, Any]:
    """Train all networks together; measure them, the affine maps and the constructed networks on the same matrices."""
    from empirical.experiments.inversion.baselines import affine_rows, constructed_rows, proved_rows
    from empirical.experiments.inversion.bundles import (
        box_bundle,
        network_results,
        train_for,
        training_summary,
    )
    from empirical.experiments.inversion.kept import check_store, keep_networks
    from empirical.settings import override

    check_store(request)
    settings = override(at_scale(Table2Settings(), request.scale, request.device.type), request.options)
    box = settings.box(settings.matrices)
    less, results, training = settings.reduced(size_of(settings.matrices)), [], []
    for better in (False, True):
        kinds = kinds_for(settings.kinds, box.n)
        bundle = box_bundle(request, settings.matrices, settings, [box], kinds, better=better)
        done = train_for(request, bundle)
        keep_networks(request, bundle, done)
        results += network_results(bundle, done, less)
        training.append(training_summary(bundle, done))
    test = bundle.tests[0]
    return {
        "configuration": asdict(settings),
        "reduced": [less] if less else [],
        "measure": "mean over entries and test matrices of |network - inverse|",
        "box": box.as_record(),
        "training": training,
        "results": [*affine_rows(box, test), *constructed_rows(box, test), *proved_rows(box, test), *results],
    }


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show mean ± standard deviation over seeds, the largest error met, the bound where one is proved, linear pieces.

    Pieces are counted by the patterns of active units that the test matrices meet, seed by seed.
    """
    from empirical.experiments.inversion.bundles import spread_text

    rows = []
    for kind in dict.fromkeys(result["kind"] for result in record["results"]):
        chosen = [result for result in record["results"] if result["kind"] == kind]
        first = chosen[0]
        errors = [r["mean_error"] for r in chosen if r["mean_error"] is not None]
        behind = [r["mean_error_after_newton"] for r in chosen if r.get("mean_error_after_newton") is not None]
        largest = [r["largest_error_on_samples"] for r in chosen if r["largest_error_on_samples"] is not None]
        bound = first.get("proved_bound")
        rows.append(
            [
                _name(kind, record),
                _widths(first["widths"]),
                spread_text(errors),
                f"{max(largest):.3e}" if largest else "-",
                "-" if bound is None else f"{bound:.3e}",
                spread_text(behind),
                ", ".join(f"{r['linear_pieces_met']:,}" for r in chosen if "linear_pieces_met" in r) or "-",
            ]
        )
    trained = next((result for result in record["results"] if "steps" in result), None)
    if trained:
        rows.append(["trained for", "", trained["reduced"] or f"{trained['steps']:,} steps", *[""] * 4])
    columns = ["widths", "average absolute error", "largest on samples", "proved", "after a Newton step", "pieces met"]
    return [record["box"]["name"], *columns], rows


def _widths(widths: list[int] | None) -> str:
    if not widths:
        return "affine"
    return "-".join(map(str, widths)) if len(widths) < 6 else f"{len(widths) - 2} hidden layers of {max(widths)}"


def _name(kind: str, record: Mapping[str, Any]) -> str:
    """Return a row's name; kinds that end in ``_better`` were trained with the larger learning rate."""
    base = kind.removesuffix(_BETTER)
    name = _NAMES.get(base, base)
    return name if kind == base else f"{name}, rate {record['configuration']['better_rate']:g}"
