"""Encoding and decoding a batch of matrices against plain Python, number by number: ratios in one run on one thread.

``python -m benchmarks.encodings [--count 4000] [--n 3]``
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from benchmarks.ratios import Ratio
from empirical.encodings import NAMES, get_encoding
from tests.naive.naive_encodings import decode_matrix, encode_matrix


def best(finish: Callable[[], Any], function: Callable[..., Any], *arguments: Any) -> float:
    """Return the shortest of ten timings, each ended by ``finish``.

    Processor time is taken where nothing is waited for, so that other work on the machine does not count.
    """
    clock = time.perf_counter if finish is torch.cuda.synchronize else time.process_time
    times = []
    for _ in range(10):
        start = clock()
        function(*arguments)
        finish()
        times.append(clock() - start)
    return min(times)


def naive_encode(name: str, matrices: list[list[list[float]]], numbers: dict[str, int]) -> list[list[int]]:
    return [[numbers[word] for word in encode_matrix(name, matrix)] for matrix in matrices]


def naive_decode(name: str, sequences: list[list[int]], vocabulary: Sequence[str]) -> list[list[list[float]]]:
    return [decode_matrix(name, [vocabulary[token] for token in sequence]) for sequence in sequences]


def rates(name: str, matrices: torch.Tensor) -> dict[str, tuple[float, float]]:
    """Return seconds a number for writing and reading: ours on the matrices' device, and plain Python's."""
    device, n = matrices.device, matrices.shape[-1]
    finish: Callable[[], Any] = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)
    few = matrices[: max(1, 10_000 // n**2)].cpu().tolist()
    share, count = len(few) * n**2, matrices.numel()
    encoding = get_encoding(name)
    tokens = encoding.encode(matrices)
    encoding.decode(tokens, n, n)
    sequences = naive_encode(name, few, encoding.numbers)
    return {
        "encode": (
            best(finish, encoding.encode, matrices) / count,
            best(finish, naive_encode, name, few, encoding.numbers) / share,
        ),
        "decode": (
            best(finish, encoding.decode, tokens, n, n) / count,
            best(finish, naive_decode, name, sequences, encoding.vocabulary) / share,
        ),
    }


def draw_matrices(count: int, n: int, device: str) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return (10 * torch.rand(count, n, n, dtype=torch.float64, generator=generator) - 5).to(device)


def measure() -> list[Ratio]:
    """Return how many times faster than plain Python each encoding is written and read, on one thread."""
    torch.set_num_threads(1)
    matrices = draw_matrices(4_000, 3, "cpu")
    return [
        Ratio(f"{name}: {kind} 4000 matrices, n = 3, times the speed of plain Python", plain / ours, "at_least", 30)
        for name in NAMES
        for kind, (ours, plain) in rates(name, matrices).items()
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=4_000, help="matrices in the batch")
    parser.add_argument("--n", type=int, default=3, help="their dimension")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    matrices = draw_matrices(arguments.count, arguments.n, arguments.device)
    print(f"{arguments.count} matrices, n = {arguments.n}, {arguments.device}, ns a number")
    print(f"{'':8}{'encode':>9}{'plain':>9}{'ratio':>9}{'decode':>11}{'plain':>9}{'ratio':>9}")
    for name in NAMES:
        (write, plain_write), (read, plain_read) = rates(name, matrices).values()
        print(
            f"{name:8}{write * 1e9:9.1f}{plain_write * 1e9:9.0f}{plain_write / write:9.0f}"
            f"{read * 1e9:11.1f}{plain_read * 1e9:9.0f}{plain_read / read:9.0f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
