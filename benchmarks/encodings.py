"""Encoding and decoding a batch of matrices against plain Python, number by number: ratios in one run on one thread.

``python -m benchmarks.encodings [--count 4000] [--n 3]``
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

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


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=4_000, help="matrices in the batch")
    parser.add_argument("--n", type=int, default=3, help="their dimension")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    cpu = 10 * torch.rand(arguments.count, arguments.n, arguments.n, dtype=torch.float64, generator=generator) - 5
    device = torch.device(arguments.device)
    matrices = cpu.to(device)
    finish: Callable[[], Any] = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)
    numbers = cpu.numel()
    few = cpu[: max(1, 10_000 // arguments.n**2)].tolist()
    share = len(few) * arguments.n**2
    print(f"{arguments.count} matrices, n = {arguments.n}, {device.type}, ns a number")
    print(f"{'':8}{'encode':>9}{'plain':>9}{'ratio':>9}{'decode':>11}{'plain':>9}{'ratio':>9}")
    for name in NAMES:
        encoding = get_encoding(name)
        tokens = encoding.encode(matrices)
        encoding.decode(tokens, arguments.n, arguments.n)
        sequences = naive_encode(name, few, encoding.numbers)
        write = best(finish, encoding.encode, matrices) / numbers
        read = best(finish, encoding.decode, tokens, arguments.n, arguments.n) / numbers
        plain_write = best(finish, naive_encode, name, few, encoding.numbers) / share
        plain_read = best(finish, naive_decode, name, sequences, encoding.vocabulary) / share
        print(
            f"{name:8}{write * 1e9:9.1f}{plain_write * 1e9:9.0f}{plain_write / write:9.0f}"
            f"{read * 1e9:11.1f}{plain_read * 1e9:9.0f}{plain_read / read:9.0f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
