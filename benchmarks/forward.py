"""The torch forward pass of e^A for 8 x 8 matrices, batch 256: along blocks, on CSR matrices, as a dense Sequential.

``python -m benchmarks.forward``; the dense network takes about 2.5 GB in float64. One thread, CPU time.
"""

from __future__ import annotations

from functools import partial

import torch

from benchmarks.ratios import Ratio, show, timed
from constructions import build

__all__ = ["main", "measure"]

_ROUNDS = 3


def measure() -> list[Ratio]:
    """Return the ratios, float64 and float32."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [ratio for dtype in (torch.float64, torch.float32) for ratio in _measure(dtype)]
    finally:
        torch.set_num_threads(threads)


def _measure(dtype: torch.dtype) -> list[Ratio]:
    net = build("expm", n=8, eps="1e-3")
    A = 2 * torch.rand(256, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1
    A = A.to(dtype)
    modules = [net.torch(mode).to(dtype) for mode in ("blocks", "csr", "dense")]

    def run(module: torch.nn.Module, times: int) -> None:
        with torch.no_grad():
            for _ in range(times):
                module(A)

    # The fast sides run several times a round: a clock tick must not matter.
    blocks, csr, dense = timed(
        [partial(run, module, times) for module, times in zip(modules, (10, 2, 1), strict=True)], _ROUNDS
    )
    name = str(dtype).removeprefix("torch.")
    work = 2e-9 * 256 * net.measured.nonzeros  # a multiplication and an addition a non-zero and matrix
    return [
        Ratio(f"dense / blocks, batch 256, {name}", dense / (blocks / 10), "at_least", 80),
        Ratio(f"dense / csr, batch 256, {name}", dense / (csr / 2)),
        Ratio(f"csr / blocks, batch 256, {name}", (csr / 2) / (blocks / 10)),
        Ratio(f"10^9 operations a second: dense matrix product, {name}", _product_rate(dtype)),
        Ratio(f"10^9 non-zero operations a second: csr, {name}", work / (csr / 2)),
        Ratio(f"10^9 non-zero operations a second, saved ones counted: blocks, {name}", work / (blocks / 10)),
        *_shares(modules[0], A, name),
    ]


def _product_rate(dtype: torch.dtype) -> float:
    """Return what the machine's dense matrix product does, 10^9 operations a second, one thread."""
    X = torch.rand(1024, 1024, generator=torch.Generator().manual_seed(1), dtype=dtype)
    (seconds,) = timed([lambda: X @ X], _ROUNDS)
    return 2e-9 * 1024**3 / seconds


def _shares(blocks: torch.nn.Module, A: torch.Tensor, name: str) -> list[Ratio]:
    """Return where the time of the block form goes: the largest operators' shares of it."""
    with torch.no_grad(), torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        for _ in range(5):
            blocks(A)
    averages = sorted(profile.key_averages(), key=lambda row: row.self_cpu_time_total, reverse=True)
    whole = sum(row.self_cpu_time_total for row in averages)
    return [Ratio(f"share of blocks' time: {row.key}, {name}", row.self_cpu_time_total / whole) for row in averages[:6]]


def main() -> int:
    show("forward pass (medians of CPU time)", measure())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
