"""Training the networks of a table together against one after the other: ratios of times in one run.

``python -m benchmarks batched_training``; ``python -m benchmarks.batched_training [--steps 400] [--rounds 5]
[--threads 1] [--device cpu]`` prints times, too.

Together: ``empirical.batched_mlp``, as the experiments ``inversion.table1`` and ``inversion.table2`` use it, with their
networks and three seeds. One after the other: ``nn.Sequential``, ``nn.MSELoss``, ``torch.optim.Adam`` and
``CosineAnnealingWarmRestarts`` on the same matrices, held in memory; once with Adam as it comes and once with its fused
kernel. Batches are included on both sides. On one CPU thread times are CPU time, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.ratios import Ratio
from empirical.batched_mlp import BatchedMlp, Member, initial_network
from empirical.experiments.inversion.feed import Feed, Source
from empirical.experiments.inversion.protocol import Protocol
from empirical.experiments.inversion.settings import TrainingSettings, widths_of
from empirical.experiments.inversion.table1 import Table1Settings
from empirical.experiments.inversion.table2 import Table2Settings

__all__ = ["Comparison", "compare", "main", "measure"]

SEEDS = (0, 1, 2)
SIZE = 20_000
_BOXES = TrainingSettings()
#: Name -> boxes and kinds of networks, as the experiments have them.
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "2x2, table 1": (("2x2-first", "2x2-second"), Table1Settings().kinds),
    "2x2, table 2": (("2x2-first",), Table2Settings().kinds),
    "3x3, table 1": (("3x3",), Table1Settings().kinds),
}


def together(
    sources: list[Source], widths: Sequence[tuple[int, ...]], steps: int, device: torch.device
) -> Callable[[], None]:
    members = [Member(width, place, source.seed) for width in widths for place, source in enumerate(sources)]
    model, feed, protocol = BatchedMlp(members, device), Feed(sources, 128, device), Protocol(steps=steps)
    model.parameters.grad = model.gradient
    optimizer = torch.optim.Adam([model.parameters], lr=5e-5, weight_decay=1e-7, fused=True)

    def run() -> None:
        for step in range(steps):
            model.fill_gradient(*feed.step(step))
            optimizer.param_groups[0]["lr"] = protocol.rate_at(step)
            optimizer.step()

    return run


def apart(
    sources: list[Source], widths: Sequence[tuple[int, ...]], steps: int, device: torch.device, fused: bool
) -> Callable[[], None]:
    runs, period = [], Protocol(steps=steps).first_period
    for width in widths:
        for source in sources:
            matrices, _ = source.place.sample(SIZE, torch.Generator(device).manual_seed(source.seed))
            inputs, targets = matrices.flatten(1).float(), torch.linalg.inv(matrices).flatten(1).float()
            runs.append((initial_network(Member(width, 0, source.seed)).to(device), inputs, targets))

    def run() -> None:
        for network, inputs, targets in runs:
            optimizer = torch.optim.Adam(network.parameters(), lr=5e-5, weight_decay=1e-7, fused=fused or None)
            restarts = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, period, 2)
            loss_of = nn.MSELoss()
            for step in range(steps):
                place = step % (SIZE // 128)
                if place == 0:
                    order = torch.randperm(SIZE, device=device)
                chosen = order[place * 128 : (place + 1) * 128]
                optimizer.zero_grad()
                loss_of(network(inputs[chosen]), targets[chosen]).backward()
                optimizer.step()
                restarts.step()

    return run


@dataclass(frozen=True)
class Comparison:
    """One table's networks: how many, and microseconds a step of all of them, the best of all rounds.

    Attributes:
        name: Of the table.
        networks: How many.
        together: As one batched model.
        apart: One after the other.
        fused: One after the other, with Adam's fused kernel.
    """

    name: str
    networks: int
    together: float
    apart: float
    fused: float


def compare(name: str, steps: int, rounds: int, device: torch.device) -> Comparison:
    """Train a table's networks in all three ways, round by round: a slow spell of the machine meets all sides."""
    boxes, kinds = TABLES[name]
    sources = [Source(_BOXES.box(box), seed, SIZE) for box in boxes for seed in SEEDS]
    widths = [widths_of(kind, sources[0].place.n) for kind in kinds]
    sides = [
        together(sources, widths, steps, device),
        apart(sources, widths, steps, device, False),
        apart(sources, widths, steps, device, True),
    ]
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter

    def timed(run: Callable[[], None]) -> float:
        start = clock()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return clock() - start

    times = [[timed(side) for side in sides] for _ in range(rounds)]
    best = [1e6 * min(taken) / steps for taken in zip(*times, strict=True)]
    return Comparison(name, len(sources) * len(widths), *best)


def measure() -> list[Ratio]:
    """Return the ratios on one thread, in CPU time; the faster way of training one after the other sets the target."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = [compare(name, 300, 3, torch.device("cpu")) for name in TABLES]
    finally:
        torch.set_num_threads(threads)
    ratios = []
    for row in found:
        what = f"{row.name}: {row.networks} networks one after the other / together"
        ratios += [
            Ratio(what, row.apart / row.together),
            Ratio(f"{what}, fused", row.fused / row.together, "at_least", 4),
        ]
    return ratios


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=400, help="steps of every network, in every round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the best of each side counts")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    print(f"{device.type}, {arguments.threads} threads, best of {arguments.rounds} rounds of {arguments.steps} steps")
    print(f"{'':14}{'networks':>9}{'together':>12}{'apart':>12}{'ratio':>8}{'apart, fused Adam':>20}{'ratio':>8}")
    for name in TABLES:
        row = compare(name, arguments.steps, arguments.rounds, device)
        print(
            f"{name:14}{row.networks:9}{row.together:9.0f} µs{row.apart:9.0f} µs{row.apart / row.together:8.1f}"
            f"{row.fused:17.0f} µs{row.fused / row.together:8.1f}"
        )
    print("times a step of all networks")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
