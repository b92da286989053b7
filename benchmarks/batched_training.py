"""Training the networks of a table together against one after the other: ratios of times in one run.

``python -m benchmarks.batched_training [--steps 400] [--rounds 5] [--threads 1] [--device cpu]``

Together: ``empirical.batched_mlp``, as the experiments ``inversion.table1`` and ``inversion.table2`` use it. One after
the other: ``nn.Sequential``, ``nn.MSELoss``, ``torch.optim.Adam`` and ``CosineAnnealingWarmRestarts`` on the same
matrices, held in memory; once with Adam as it comes and once with its fused kernel. Batches are included on both sides.
On one CPU thread times are CPU time, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import torch
from torch import nn

from empirical.batched_mlp import BatchedMlp, Member, initial_network
from empirical.experiments.inversion.boxes import Box, box_around
from empirical.experiments.inversion.feed import Feed, Source
from empirical.experiments.inversion.protocol import Protocol

SEEDS = (0, 1, 2)
SIZE = 20_000
TABLES: dict[str, tuple[tuple[Box, ...], tuple[tuple[int, ...], ...]]] = {
    "2x2, table 1": (
        (box_around("first", (2, 1, 1, 2), 0.25), box_around("second", (1, 2, 3, -1), 0.25)),
        ((4, 32, 4), (4, 32, 32, 4)),
    ),
    "2x2, table 2": ((box_around("first", (2, 1, 1, 2), 0.25),), ((4, 8, 4), (4, 32, 4), (4, 32, 32, 4))),
    "3x3, table 1": ((box_around("3x3", (2, 1, 0, 0, 2, 1, 1, 0, 2), 0.25),), ((9, 72, 9), (9, 72, 72, 9))),
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


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=400, help="steps of every network, in every round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the best of each side counts")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    clock = time.process_time if device.type == "cpu" and arguments.threads == 1 else time.perf_counter

    def timed(run: Callable[[], None]) -> float:
        start = clock()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return clock() - start

    print(f"{device.type}, {arguments.threads} threads, best of {arguments.rounds} rounds of {arguments.steps} steps")
    print(f"{'':14}{'networks':>9}{'together':>12}{'apart':>12}{'ratio':>8}{'apart, fused Adam':>20}{'ratio':>8}")
    for name, (boxes, widths) in TABLES.items():
        sources = [Source(box, seed, SIZE) for box in boxes for seed in SEEDS]
        sides = [
            together(sources, widths, arguments.steps, device),
            apart(sources, widths, arguments.steps, device, False),
            apart(sources, widths, arguments.steps, device, True),
        ]
        # Round by round, so that a slow spell of the machine meets all sides.
        rounds = [[timed(side) for side in sides] for _ in range(arguments.rounds)]
        ours, plain, fused = (1e6 * min(times) / arguments.steps for times in zip(*rounds, strict=True))
        print(
            f"{name:14}{len(sources) * len(widths):9}{ours:9.0f} µs{plain:9.0f} µs{plain / ours:8.1f}"
            f"{fused:17.0f} µs{fused / ours:8.1f}"
        )
    print("times a step of all networks")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
