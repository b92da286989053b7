"""How the error moves with the radius of the box, with σ_min of its centre, and with the distance δ of K_δ.

Trained networks stand over the floor that theorem ``inverse.bits`` puts under every network of their widths. On boxes
they stand beside the linear approximation with its proved curve, and beside the constructed network of second order. On
K_δ each is also asked at diag(±t, 1) for t below its own δ, where no network can follow 1/t.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from empirical.experiments.inversion.settings import REFINED, REFINED_PIECES, at_scale, widths_of
from empirical.experiments.inversion.sweeps import ErrorsSettings, Place, hard_matrices, law, places

if TYPE_CHECKING:
    from torch import nn

    from empirical.experiments.inversion.feed import TestSet
    from empirical.experiments.inversion.training import Bundle
    from empirical.experiments.request import Request

__all__ = ["DEFAULT_SEEDS", "run", "table"]

DEFAULT_SEEDS = "0,1,2"
#: How far below a network's own δ it is asked.
_BEYOND = tuple(2.0**-k for k in range(1, 9))


def run(request: Request) -> dict[str, Any]:
    """Train the networks of every sweep together and measure them beside what is constructed."""
    from empirical.experiments.inversion.bundles import train_for, training_summary
    from empirical.settings import override

    settings = at_scale(ErrorsSettings(), request.scale, request.device.type)
    if request.scale == "small":
        settings = replace(settings, epochs_2=60)  # 15,620 steps are too few to tell radii apart
    settings = override(settings, request.options)
    less = settings.reduced(2)
    results: list[dict[str, Any]] = []
    training = []
    for sweep in settings.sweeps:
        points = places(settings, sweep)
        bundle = _bundle(request, settings, sweep, points)
        done = train_for(request, bundle)
        training.append(training_summary(bundle, done))
        tests = dict(zip([source.place.name for source in bundle.sources], bundle.tests, strict=True))
        by_name = {point.matrices.name: point for point in points}
        for index, member in enumerate(bundle.members):
            point = by_name[bundle.sources[member.source].place.name]
            network, test = done.model.network(index).double(), tests[point.matrices.name]
            kind = bundle.labels[index].rsplit("-", 2)[1]
            head = {"outcome": done.outcome.value, "kind": kind, "seed": member.seed}
            entry = _measured(point, network, test, member.widths[1:-1])
            results.append(head | {"steps": done.steps, "reduced": less} | entry)
        for point in points:
            results += _constructed(point, tests[point.matrices.name])
    return {
        "configuration": asdict(settings),
        "reduced": [less] if less else [],
        "measure": "|network - inverse| by entry: mean over test matrices, largest over these and hard ones",
        "places": [
            {"sweep": sweep, "value": point.value} | point.matrices.as_record()
            for sweep in settings.sweeps
            for point in places(settings, sweep)
        ],
        "training": training,
        "results": results,
    }


def _bundle(request: Request, settings: ErrorsSettings, sweep: str, points: Sequence[Place]) -> Bundle:
    from empirical.batched_mlp import Member
    from empirical.experiments.inversion.feed import Source, draw_test_set
    from empirical.experiments.inversion.training import Bundle

    pairs = [(point, seed) for point in points for seed in request.seeds]
    tests = {point.value: draw_test_set(point.matrices, settings.tests, request.device) for point in points}
    members = [(kind, place, *pair) for kind in settings.kinds for place, pair in enumerate(pairs)]
    return Bundle(
        f"{request.experiment}-{request.scale}-{sweep}",
        tuple(Source(point.matrices, seed, settings.size_2) for point, seed in pairs),
        tuple(Member(widths_of(kind, 2), place, seed) for kind, place, _, seed in members),
        tuple(f"{point.matrices.name}-{kind}-seed{seed}" for kind, _, point, seed in members),
        tuple(tests[point.value] for point, _ in pairs),
        settings.protocol(2),
        {
            "protocol": asdict(settings.protocol(2)),
            "training_set": settings.size_2,
            "places": [point.matrices.definition() for point in points],
            "kinds": settings.kinds,
            "seeds": request.seeds,
        },
    )


def _measured(point: Place, network: nn.Sequential, test: TestSet, hidden: tuple[int, ...]) -> dict[str, Any]:
    """Return a network's errors at a point of a sweep, what is forced there and, on K_δ, its errors further out."""
    from empirical.experiments.inversion.boxes import Shell

    entry: dict[str, Any] = {"sweep": point.sweep, "value": point.value, "widths": [4, *hidden, 4]}
    entry |= _errors(network, point, test)
    bound = law(point.matrices, hidden)
    entry["law_below"] = None if bound is None else float(f"{bound:.6g}")
    if isinstance(point.matrices, Shell):
        entry["beyond"] = _beyond(network, point.value)
    return entry


def _errors(function: Any, point: Place, test: TestSet) -> dict[str, float]:
    import torch

    hard = hard_matrices(point.matrices)
    inverses = torch.linalg.inv(hard.reshape(-1, 2, 2)).flatten(1)
    with torch.no_grad():
        on_test = (function(test.inputs.cpu()) - test.targets.cpu()).abs()
        on_hard = (function(hard) - inverses).abs()
    largest = max(float(on_test.max()), float(on_hard.max()))
    return {"mean_error": float(f"{float(on_test.mean()):.6g}"), "largest_error_found": float(f"{largest:.6g}")}


def _beyond(network: nn.Sequential, delta: float) -> list[dict[str, float]]:
    """Return the larger of the errors at diag(t, 1) and diag(-t, 1), for t = δ and below: at least 1/t - L·t."""
    import torch

    rows = []
    for factor in (1.0, *_BEYOND):
        t = delta * factor
        points = torch.tensor([[t, 0, 0, 1], [-t, 0, 0, 1]], dtype=torch.float64)
        inverses = torch.tensor([[1 / t, 0, 0, 1], [-1 / t, 0, 0, 1]], dtype=torch.float64)
        with torch.no_grad():
            values = network(points)
        quotient = float((values[0] - values[1]).abs().max()) / (2 * t)
        error = float((values - inverses).abs().max())
        rows.append({"t": t, "error": float(f"{error:.6g}"), "quotient": float(f"{quotient:.6g}")})
    return rows


def _constructed(point: Place, test: TestSet) -> list[dict[str, Any]]:
    """Return the linear approximation and the second-order network on a box, with bounds above and below."""
    from empirical.experiments.inversion.boxes import Box
    from empirical.experiments.inversion.constructed import linear_map, refined

    if not isinstance(point.matrices, Box):
        return []
    better = refined(point.matrices, REFINED_PIECES)
    rows = []
    for kind, function, bound, hidden in (
        ("linear approximation", linear_map(point.matrices), point.matrices.linear_bound, ()),
        (f"second order, {REFINED_PIECES} pieces", better.network, better.bound, widths_of(REFINED, 2)[1:-1]),
    ):
        head = {"outcome": "constructed", "kind": kind, "sweep": point.sweep, "value": point.value}
        theory = {"proved_bound": float(f"{bound:.6g}"), "law_below": float(f"{law(point.matrices, hidden):.6g}")}
        rows.append(head | _errors(function, point, test) | theory)
    return rows


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show mean ± standard deviation over seeds, the largest error found over all of them, and theory's curve."""
    from empirical.experiments.inversion.bundles import spread_text

    rows, sweeps = [], list(record["configuration"]["sweeps"])
    keys = dict.fromkeys((r["sweep"], r["kind"], r["value"]) for r in record["results"])
    for sweep, kind, value in sorted(keys, key=lambda key: (sweeps.index(key[0]), key[1])):
        chosen = [r for r in record["results"] if (r["sweep"], r["kind"], r["value"]) == (sweep, kind, value)]
        first = chosen[0]
        bounds = [("proved_bound", "<="), ("law_below", ">=")]
        theory = ", ".join(f"{sign} {first[key]:.3e}" for key, sign in bounds if first.get(key) is not None) or "-"
        largest = max(r["largest_error_found"] for r in chosen)
        mean = spread_text([r["mean_error"] for r in chosen])
        rows.append([f"{sweep} {value:g}", kind, mean, f"{largest:.3e}", theory])
    return ["2x2", "network", "average absolute error", "largest found", "largest, theory"], rows
