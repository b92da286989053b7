"""From settings to bundles of networks, and from a trained bundle to plain results."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from empirical.batched_mlp import Member
from empirical.experiments.inversion.boxes import Box
from empirical.experiments.inversion.constructed import newton_step, refined
from empirical.experiments.inversion.feed import Source, TestSet, draw_test_set
from empirical.experiments.inversion.settings import REFINED, REFINED_PIECES, TrainingSettings, widths_of
from empirical.experiments.inversion.training import Bundle, Run, errors_on, train_bundle

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = [
    "box_bundle",
    "errors_behind_a_step",
    "errors_of",
    "mean_and_spread",
    "network_from_weights",
    "network_results",
    "pieces_met",
    "spread_text",
    "train_for",
    "training_summary",
    "weights_of",
]

#: Networks with at most this many parameters are written into records in full, for the first seed.
_WRITTEN = 1_500


def box_bundle(
    request: Request,
    name: str,
    settings: TrainingSettings,
    boxes: Sequence[Box],
    kinds: Sequence[str],
    *,
    better: bool = False,
) -> Bundle:
    """Return the bundle of all kinds of networks on some boxes of one dimension, for every seed.

    Args:
        request: Seeds, scale and device.
        name: What to call the bundle.
        settings: How to train.
        boxes: Where.
        kinds: ``small``, ``2fc``, ``3fc``, and ``refined``, which starts as the constructed network of second order.
        better: Train with the better learning rate; then kinds are called ``small_better`` and so on.
    """
    n, suffix = boxes[0].n, "_better" if better else ""
    protocol = settings.protocol(n, better=better)
    pairs = [(box, seed) for box in boxes for seed in request.seeds]
    tests = {box.name: draw_test_set(box, settings.test_count(n), request.device) for box in boxes}
    members = [(kind, place, box, seed) for kind in kinds for place, (box, seed) in enumerate(pairs)]
    built = {box.name: refined(box, REFINED_PIECES).network for box in boxes if REFINED in kinds}
    starts = {index: built[box.name] for index, (kind, _, box, _) in enumerate(members) if kind == REFINED}
    return Bundle(
        f"{request.experiment}-{request.scale}-{name}{suffix}",
        tuple(Source(box, seed, settings.size(n)) for box, seed in pairs),
        tuple(Member(widths_of(kind, n), place, seed) for kind, place, _, seed in members),
        tuple(f"{box.name}-{kind}{suffix}-seed{seed}" for kind, _, box, seed in members),
        tuple(tests[box.name] for box, _ in pairs),
        protocol,
        {
            "protocol": asdict(protocol),
            "training_set": settings.size(n),
            "boxes": [box.definition() for box in boxes],
            "kinds": kinds,
            "seeds": request.seeds,
        },
        starts,
    )


def train_for(request: Request, bundle: Bundle) -> Run:
    """Train a bundle as a request asks."""
    left = None if request.deadline is None else max(request.deadline - time.time(), 1e-3)
    return train_bundle(
        bundle, request.folder, request.device, resume=request.resume, progress=request.progress, max_seconds=left
    )


def network_results(bundle: Bundle, run: Run, reduced: str | None) -> list[dict[str, Any]]:
    """Return one entry a network: what it is, how it ended, its errors on the test matrices."""
    results = []
    pairs = zip(bundle.members, bundle.labels, errors_on(bundle, run.model), strict=True)
    for index, (member, label, (mean, largest)) in enumerate(pairs):
        matrices, kind = bundle.sources[member.source].place.name, label.rsplit("-", 2)[1]
        better, worst = errors_behind_a_step(run.model.network(index), bundle.tests[member.source])
        entry: dict[str, Any] = {
            "outcome": run.outcome.value,
            "label": label,
            "matrices": matrices,
            "kind": kind,
            "widths": list(member.widths),
            "seed": member.seed,
            "steps": run.steps,
            "reduced": reduced,
            "mean_error": _short(mean),
            "largest_error_on_samples": _short(largest),
            "mean_error_after_newton": _short(better),
            "largest_error_after_newton": _short(worst),
            "samples": len(bundle.tests[member.source].inputs),
            "linear_pieces_met": pieces_met(run.model.network(index), bundle.tests[member.source].inputs),
        }
        if member.parameters <= _WRITTEN and member.seed == bundle.sources[0].seed:
            entry["weights"] = weights_of(run.model.network(index))
        results.append(entry)
    return results


def pieces_met(network: nn.Sequential, inputs: torch.Tensor) -> int:
    """Return how many patterns of active hidden units inputs (count, n²) meet: 1 if the network is affine there."""
    import numpy as np

    x, patterns = inputs.cpu(), []
    for layer in network.double():
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            patterns.append(np.packbits((x > 0).numpy(), axis=1))
    return len({row.tobytes() for row in np.hstack(patterns)}) if patterns else 1


def training_summary(bundle: Bundle, run: Run) -> dict[str, Any]:
    """Return how a bundle's training went: steps, time, errors along the way in the order of the labels."""
    rate = run.steps * bundle.protocol.batch * len(bundle.members) / run.seconds if run.seconds else None
    return {
        "bundle": bundle.name,
        "networks": list(bundle.labels),
        "outcome": run.outcome.value,
        "protocol": asdict(bundle.protocol) | {"first_period": bundle.protocol.first_period},
        "train_seconds": round(run.seconds, 2),
        "examples_per_second": None if rate is None else round(rate),
        "curve": run.curve,
    }


def weights_of(network: nn.Sequential) -> list[dict[str, Any]]:
    """Return a network's weights and biases, layer by layer, as plain numbers that give the same float32 back."""
    layers = []
    for linear in network:
        if isinstance(linear, nn.Linear):
            weight = [[_float32(x) for x in row] for row in linear.weight.tolist()]
            layers.append({"weight": weight, "bias": [_float32(x) for x in linear.bias.tolist()]})
    return layers


def network_from_weights(layers: Iterable[dict[str, Any]]) -> nn.Sequential:
    """Return the float32 network that ``weights_of`` wrote down."""
    modules: list[nn.Module] = []
    for layer in layers:
        weight, bias = torch.tensor(layer["weight"]), torch.tensor(layer["bias"])
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def errors_of(function: Any, test: TestSet) -> tuple[float, float]:
    """Return (mean, largest) absolute error of a map of batches (count, n²) in float64, over entries and matrices."""
    with torch.no_grad():
        difference = (function(test.inputs) - test.targets).abs()
    return float(difference.mean()), float(difference.max())


def errors_behind_a_step(network: nn.Sequential, test: TestSet) -> tuple[float, float]:
    """Return ``errors_of`` a network followed by one Newton step, whose products are those of float64."""
    network = network.double().to(test.inputs.device)
    return errors_of(lambda x: newton_step(x, network(x)), test)


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean and the standard deviation over seeds (of a sample; None for a single one)."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, None
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def spread_text(values: Sequence[float]) -> str:
    """Write mean ± standard deviation."""
    if not values:
        return "-"
    mean, spread = mean_and_spread(values)
    return f"{mean:.3e}" if spread is None else f"{mean:.3e} ± {spread:.1e}"


def _short(value: float) -> float | None:
    """A float to six digits; None where it is not finite, which JSON cannot say."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _float32(value: float) -> float:
    """The shortest decimal that reads back as the same float32: nine digits always do."""
    return float(f"{value:.9g}")
