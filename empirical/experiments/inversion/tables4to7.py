"""The inversion paper's Tables 4 to 7: the linear regions of the small network, and how far it is from the linear map.

The paper samples to see which regions hold data and solves linear programs on those. Here every non-empty region of
the box is found and proved non-empty, every other sign pattern proved empty, and each maximum of |network - linear
approximation| over a region is enclosed by a point that attains it and a bound by weak duality, in exact arithmetic.
The four tables, one an entry of the inverse, are four columns of one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from empirical.experiments.inversion.settings import TrainingSettings, at_scale, size_of
from theory.errors import BadInput

if TYPE_CHECKING:
    from torch import nn

    from empirical.experiments.inversion.boxes import Box
    from empirical.experiments.request import Request
    from empirical.regions import Affine, Arrangement, Cell

__all__ = ["DEFAULT_SEEDS", "RegionSettings", "linear_functions", "region_rows", "run", "table"]

DEFAULT_SEEDS = "0,1,2"
_CHUNK = 100_000


@dataclass(frozen=True)
class RegionSettings(TrainingSettings):
    """What is trained and analysed.

    Attributes:
        matrices: The box, of 2×2 matrices.
        region_samples: Matrices drawn to see how the data falls into the regions.
    """

    matrices: str = "2x2-first"
    region_samples: int = 1_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if size_of(self.matrices) != 2 or self.region_samples < 1:
            raise BadInput("the regions are those of 2x2-first or 2x2-second, with at least one sample")


def run(request: Request) -> dict[str, Any]:
    """Train the small network for every seed, with the paper's learning rate and a larger one, and take each apart."""
    from empirical.experiments.inversion.bundles import (
        box_bundle,
        network_results,
        train_for,
        training_summary,
        weights_of,
    )
    from empirical.experiments.inversion.kept import check_store, keep_networks
    from empirical.settings import override

    check_store(request)
    settings = override(at_scale(RegionSettings(), request.scale, request.device.type), request.options)
    box = settings.box(settings.matrices)
    less = settings.reduced(2)
    results: list[dict[str, Any]] = []
    training = []
    for better in (False, True):
        bundle = box_bundle(request, settings.matrices, settings, [box], ["small"], better=better)
        done = train_for(request, bundle)
        keep_networks(request, bundle, done)
        training.append(training_summary(bundle, done))
        for index, result in enumerate(network_results(bundle, done, less)):
            network = done.model.network(index)
            result["weights"] = weights_of(network)
            results.append(result | region_rows(network, box, settings.region_samples, result["seed"]))
            request.progress.update("networks taken apart", len(results), 2 * len(request.seeds))
    return {
        "configuration": asdict(settings),
        "reduced": [less] if less else [],
        "measure": "largest |network - linear approximation| over region and box, by entry of the inverse",
        "box": box.as_record(),
        "training": training,
        "results": results,
    }


def region_rows(network: nn.Sequential, box: Box, samples: int, seed: int) -> dict[str, Any]:
    """Return every region of a network with one hidden layer on a box: share of the data, deviations, coefficients.

    Args:
        network: Linear, ReLU, Linear; its weights are taken exactly.
        box: The box.
        samples: How many uniform matrices to sort into the regions.
        seed: Seed of those.

    Raises:
        ArithmeticError: If a sampled pattern belongs to no region that was found.
    """
    import numpy as np

    from empirical.regions import Arrangement, find_cells

    weight, bias, out, shift = (np.asarray(part.detach(), dtype=np.float64) for part in network.parameters())
    centre = box.centre_tensor().flatten().numpy()
    arrangement = Arrangement.of(weight, bias, centre - box.half_width, centre + box.half_width)
    found = find_cells(arrangement)
    counts = _patterns(weight, bias, box, samples, seed)
    known = {cell.signs for cell in found.cells}
    if not set(counts) <= known or sum(counts.values()) != samples:
        raise ArithmeticError("sampled matrices lie in no region that was found")
    linear = linear_functions(box)
    rows = [
        _row(cell, counts[cell.signs] / samples, cell.active(out, shift, arrangement), linear, arrangement)
        for cell in found.cells
    ]
    rows.sort(key=lambda row: -row["share"])
    return {
        "patterns": 2 ** len(bias),
        "regions": rows,
        "linear_programs": found.programs,
        "exact_programs": found.exact_programs,
        "region_samples": samples,
        "share_in_all": math.fsum(row["share"] for row in rows),
    }


def linear_functions(box: Box) -> list[Affine]:
    """Return the linear approximation 2V - VAV, V = A0⁻¹, entry by entry and exact."""
    from empirical.regions import Affine

    inverse, n = box.inverse, box.n
    return [
        Affine(tuple(-inverse[i][k] * inverse[m][j] for k in range(n) for m in range(n)), 2 * inverse[i][j])
        for i in range(n)
        for j in range(n)
    ]


def _patterns(weight: Any, bias: Any, box: Box, samples: int, seed: int) -> Counter[tuple[bool, ...]]:
    """Count the sign patterns of uniform matrices; 1e-16 of rounding may misplace one next to a hyperplane."""
    import numpy as np
    import torch

    from empirical.data import stream_generator

    counts: Counter[tuple[bool, ...]] = Counter()
    places = 1 << np.arange(len(bias), dtype=np.int64)
    for number, start in enumerate(range(0, samples, _CHUNK)):
        generator = stream_generator(seed, f"inversion regions {box.name}", number, torch.device("cpu"))
        matrices, _ = box.sample(min(_CHUNK, samples - start), generator)
        active = matrices.flatten(1).numpy() @ weight.T + bias > 0
        codes, numbers = np.unique(active @ places, return_counts=True)
        for code, count in zip(codes.tolist(), numbers.tolist(), strict=True):
            counts[tuple(bool(code >> unit & 1) for unit in range(len(bias)))] += count
    return counts


def _row(
    cell: Cell, share: float, network: list[Affine], linear: list[Affine], arrangement: Arrangement
) -> dict[str, Any]:
    attained, proved, coefficients = [], [], Fraction(0)
    for one, other in zip(network, linear, strict=True):
        difference = one.plus(other, Fraction(-1))
        ends = [arrangement.maximum(f, cell) for f in (difference, difference.negated())]
        attained.append(_below(max(end.lower for end in ends)))
        proved.append(_above(max(end.upper for end in ends)))
        coefficients = max(coefficients, *(abs(slope) for slope in difference.slope))
    return {
        "signs": "".join("+" if positive else "-" for positive in cell.signs),
        "share": share,
        "deviation_attained": attained,
        "deviation_proved": proved,
        "coefficient_difference": _above(coefficients),
    }


def _above(value: Fraction) -> float:
    """A float at least as large."""
    rounded = float(value)
    return rounded if Fraction(rounded) >= value else math.nextafter(rounded, math.inf)


def _below(value: Fraction) -> float:
    """A float at most as large."""
    rounded = float(value)
    return rounded if Fraction(rounded) <= value else math.nextafter(rounded, -math.inf)


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show each network's regions: signs of hidden units, share of the data, deviations by entry, coefficients."""
    rows = []
    for result in record["results"]:
        rate = record["configuration"]["better_rate" if result["kind"].endswith("_better") else "rate"]
        rows.append([f"seed {result['seed']}, rate {rate:g}", f"{100 * result['share_in_all']:.4f} %", *[""] * 5])
        for row in result["regions"]:
            deviations = [f"{value:.3e}" for value in row["deviation_proved"]]
            coefficients = f"{row['coefficient_difference']:.3e}"
            rows.append([f"  {row['signs']}", f"{100 * row['share']:.4f} %", *deviations, coefficients])
    return ["region", "data", "entry 11", "entry 12", "entry 21", "entry 22", "coefficients"], rows
