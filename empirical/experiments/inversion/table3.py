"""The inversion paper's Table 3: inference times of the networks of Table 1, and of exact inversion beside them.

The paper's columns: batches of 1, 100 and 10,000 on a GPU, batches of 1 on a CPU, and exact inversion on a CPU, in
seconds for 10,000 matrices. Here also batches of 100 and 10,000 on the CPU, and exact inversion in batches (LAPACK
through torch), since a loop over single matrices times Python. Times do not depend on the weights: they are torch's
initial ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from empirical.experiments.inversion.settings import BoxSettings, size_of, widths_of
from theory.errors import BadInput

if TYPE_CHECKING:
    import torch

    from empirical.experiments.inversion.boxes import Box
    from empirical.experiments.request import Request

__all__ = ["Table3Settings", "run", "seconds_for", "table"]

_COUNT = 10_000
_BATCHES = (1, 100, 10_000)


@dataclass(frozen=True)
class Table3Settings(BoxSettings):
    """What is timed.

    Attributes:
        matrices: Boxes the matrices come from.
        kinds: Networks.
        repeats: Timings of which the median is taken.
        calls: Most calls in one timing; the time of 10,000 matrices follows by proportion.
    """

    matrices: tuple[str, ...] = ("2x2-first", "3x3", "16x16")
    kinds: tuple[str, ...] = ("2fc", "3fc")
    repeats: int = 3
    calls: int = 500

    def __post_init__(self) -> None:
        if self.repeats < 1 or self.calls < 1:
            raise BadInput("repeats and calls must be at least 1")


_SCALES = {
    "smoke": Table3Settings(repeats=1, calls=100),
    "small": Table3Settings(),
    "full": Table3Settings(repeats=5, calls=2_000),
}


def run(request: Request) -> dict[str, Any]:
    """Time every network on every device at hand, and exact inversion on the same matrices."""
    import torch

    from empirical.batched_mlp import Member, initial_network
    from empirical.settings import override

    settings = override(_SCALES[request.scale], request.options)
    devices = [torch.device("cpu")] + ([request.device] if request.device.type == "cuda" else [])
    results = []
    for place, name in enumerate(settings.matrices):
        box = settings.box(name)
        for kind in settings.kinds:
            widths = widths_of(kind, box.n)
            network = initial_network(Member(widths, 0, request.seeds[0])).eval()
            times = _times(network, box, devices, settings, lambda x: x.flatten(1).float())
            entry = {"outcome": "timed", "matrices": name, "kind": kind, "widths": list(widths)}
            results.append(entry | {"seconds": times})
        exact = _times(torch.linalg.inv, box, devices, settings, lambda x: x)
        exact["numpy, batch 1"] = _numpy_time(box, settings)
        results.append({"outcome": "timed", "matrices": name, "kind": "exact inversion", "seconds": exact})
        request.progress.update("dimensions timed", place + 1, len(settings.matrices))
    return {
        "configuration": asdict(settings),
        "measure": f"seconds for {_COUNT:,} matrices, median; networks in float32, exact inversion in float64",
        "clock": "processor time of one thread" if _clock() is time.thread_time else "wall clock",
        "results": results,
    }


def seconds_for(
    function: Callable[[Any], object], batches: list[Any], repeats: int, finish: Callable[[], object] = lambda: None
) -> float:
    """Return the median time of one pass over the batches, after one call that warms up."""
    function(batches[0])
    finish()
    times, clock = [], _clock()
    for _ in range(repeats):
        start = clock()
        for batch in batches:
            function(batch)
        finish()
        times.append(clock() - start)
    return median(times)


def _clock() -> Callable[[], float]:
    """Processor time of a single CPU thread, which other programs do not stretch; else the time on the wall."""
    import torch

    alone = torch.get_num_threads() == 1 and not torch.cuda.is_available()
    return time.thread_time if alone else time.perf_counter


def _times(
    function: Any,
    box: Box,
    devices: list[torch.device],
    settings: Table3Settings,
    prepare: Callable[[torch.Tensor], torch.Tensor],
) -> dict[str, float]:
    import torch

    times = {}
    matrices, _ = box.sample(_COUNT, torch.Generator().manual_seed(0))
    for device in devices:
        moved = function.to(device) if isinstance(function, torch.nn.Module) else function
        finish: Callable[[], object] = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)
        for batch in _BATCHES:
            batches = list(prepare(matrices.to(device)).split(batch))[: settings.calls]
            share = len(batches) * batch / _COUNT
            with torch.inference_mode():
                seconds = seconds_for(moved, batches, settings.repeats, finish) / share
            times[f"{device.type}, batch {batch:,}"] = float(f"{seconds:.4g}")
    return times


def _numpy_time(box: Box, settings: Table3Settings) -> float:
    import numpy as np
    import torch

    matrices, _ = box.sample(_COUNT, torch.Generator().manual_seed(0))
    batches = list(matrices.numpy())[: settings.calls]
    seconds = seconds_for(np.linalg.inv, batches, settings.repeats) * _COUNT / len(batches)
    return float(f"{seconds:.4g}")


def table(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Show seconds for 10,000 matrices: a row a network and dimension, exact inversion below each."""
    columns = list(dict.fromkeys(name for result in record["results"] for name in result["seconds"]))
    rows = []
    for result in record["results"]:
        n = size_of(result["matrices"])
        cells = [f"{result['seconds'][name]:.4f}" if name in result["seconds"] else "-" for name in columns]
        rows.append([f"{result['kind']} on {n}x{n}", *cells])
    return [f"seconds for {_COUNT:,} matrices", *columns], rows
