"""How much of a device's matrix-product rate a training step uses: operations counted, rate measured beside it."""

from __future__ import annotations

import time
from typing import Any

import torch

from empirical.train import Task, autocast

__all__ = ["matmul_rate", "operations_per_example", "throughput"]


def operations_per_example(task: Task) -> float:
    """Return the floating-point operations of a step's matrix products, forward and backward, for one example.

    torch's own counter counts them; elementwise work is left out, and so is attention's own product on a CPU.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, autocast(task):
        task.loss(0).backward()
    task.model.zero_grad(set_to_none=True)
    return counter.get_total_flops() / task.batch


def matmul_rate(device: torch.device, precision: str) -> float:
    """Return the operations a second of one large matrix product, the best of ten."""
    size = 8192 if device.type == "cuda" else 768
    a = torch.rand(size, size, device=device, dtype=torch.bfloat16 if precision == "bfloat16" else torch.float32)
    best = float("inf")
    for _ in range(10):
        _wait(device)
        start = time.perf_counter()
        a @ a
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def throughput(task: Task, examples_per_second: float | None) -> dict[str, Any]:
    """Return operations an example, the rate they ran at, the device's rate, and the share of it."""
    operations = operations_per_example(task)
    peak = matmul_rate(task.device, task.precision)
    rate = operations * examples_per_second if examples_per_second else None
    return {
        "operations_per_example": round(operations),
        "operations_per_second": None if rate is None else float(f"{rate:.4g}"),
        "matmul_operations_per_second": float(f"{peak:.4g}"),
        "share_of_matmul": None if rate is None else float(f"{rate / peak:.4g}"),
    }


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
