"""Radices of a squarer, run-length coded: a deep squarer has hundreds of thousands of equal middle layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import prod

from flint import arb

__all__ = ["Radices"]


@dataclass(frozen=True)
class Radices:
    """The numbers of pieces r_1, ..., r_m of the zigzags a squarer composes; N = prod r_j (theorem square.interpolant).

    Attributes:
        runs: ``(radix, how often in a row)``, neighbours distinct.

    Raises:
        ValueError: If there is no radix, or one is below 2.
    """

    runs: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        if not self.runs or any(radix < 2 or times < 1 for radix, times in self.runs):
            raise ValueError(f"radices are at least 2, and there is at least one: {self.runs}")
        if any(left[0] == right[0] for left, right in zip(self.runs, self.runs[1:], strict=False)):
            raise ValueError("neighbouring runs of equal radix are one run")

    @classmethod
    def of(cls, radices: Iterable[int]) -> Radices:
        """Return the radices given one by one."""
        return cls(tuple((radix, len(list(group))) for radix, group in groupby(radices)))

    @classmethod
    def lean(cls, first: int, middle: int, last: int, layers: int) -> Radices:
        """Return ``(first, middle, ..., middle, last)`` with ``layers`` entries; just ``(first,)`` for one layer."""
        runs: list[tuple[int, int]] = []
        for radix, times in ((first, 1), (middle, max(layers - 2, 0)), (last, 1 if layers > 1 else 0)):
            if times and runs and runs[-1][0] == radix:
                runs[-1] = (radix, runs[-1][1] + times)
            elif times:
                runs.append((radix, times))
        return cls(tuple(runs))

    def __iter__(self) -> Iterator[int]:
        for radix, times in self.runs:
            for _ in range(times):
                yield radix

    @cached_property
    def layers(self) -> int:
        """Hidden layers of the squarer, one a radix."""
        return sum(times for _, times in self.runs)

    @property
    def first(self) -> int:
        """The first radix."""
        return self.runs[0][0]

    @property
    def second(self) -> int:
        """The second radix (needs two layers)."""
        return self.runs[0][0] if self.runs[0][1] > 1 else self.runs[1][0]

    @property
    def last(self) -> int:
        """The last radix."""
        return self.runs[-1][0]

    @property
    def pieces(self) -> int:
        """N, the number of linear pieces on [-1, 1]."""
        return prod(radix**times for radix, times in self.runs)

    @property
    def pieces_ball(self) -> arb:
        """N as a ball, for squarers whose N has a million digits."""
        total = arb(1)
        for radix, times in self.runs:
            total *= arb(radix) ** times
        return total

    @property
    def middle_runs(self) -> tuple[tuple[int, int], ...]:
        """The runs of r_2, ..., r_{m-1}."""
        runs = [list(run) for run in self.runs]
        runs[0][1] -= 1
        if self.layers > 1:
            runs[-1][1] -= 1
        return tuple((radix, times) for radix, times in runs if times)

    def text(self) -> str:
        """Return ``5*4^7*5``, for people and files."""
        return "*".join(f"{radix}^{times}" if times > 1 else str(radix) for radix, times in self.runs)

    @classmethod
    def from_text(cls, text: str) -> Radices:
        """Read the text back.

        Raises:
            ValueError: If it is not such a text.
        """
        runs = [part.split("^") for part in text.split("*")]
        return cls(tuple((int(run[0]), int(run[1]) if len(run) > 1 else 1) for run in runs))
