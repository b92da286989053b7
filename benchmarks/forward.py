"""The torch forward pass of e^A for 8 x 8 matrices, batch 256: along blocks, on CSR matrices, as a dense Sequential.

``python -m benchmarks.forward``; the dense network takes about 2.5 GB in float64. One thread, CPU time.
"""

from __future__ import annotations

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
    blocks, csr, dense = timed([lambda m=m, k=k: run(m, k) for m, k in zip(modules, (10, 2, 1), strict=True)], _ROUNDS)
    name = str(dtype).removeprefix("torch.")
    return [
        Ratio(f"dense / blocks, batch 256, {name}", dense / (blocks / 10), "at_least", 20),
        Ratio(f"dense / csr, batch 256, {name}", dense / (csr / 2)),
        Ratio(f"csr / blocks, batch 256, {name}", (csr / 2) / (blocks / 10)),
    ]


def main() -> int:
    show("forward pass (medians of CPU time)", measure())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
