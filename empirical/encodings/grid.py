"""The decimal numbers an encoding can write, as one sorted grid, and exact rounding of float64 tensors to it.

A grid holds zero and the numbers m·10^e with a mantissa m of three digits, e from ``lowest`` to ``highest``. Rounding
is that of Python's ``format(x, ".2e")``: to the grid number nearest to the float64's exact value, ties to the even
mantissa. Below the smallest three-digit number a grid is ``gradual`` (mantissas 1 to 99 at the lowest exponent) or goes
to zero.

Rounding takes two look-ups and one comparison. A float64's exponent and ten leading bits name a cell of relative width
below 2^-10. Neighbouring boundaries are more than a thousandth of a number apart, which is wider, so a cell holds at
most one boundary, and comparing with it decides. The boundaries are exact: each is the smallest float64 that rounds up,
found with whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import torch
from torch import Tensor

__all__ = ["Grid", "in_pieces"]

_CELL_BITS = 42  # of the 63 bits below the sign, those that a cell leaves free
_PIECE = 1 << 14


@dataclass(frozen=True)
class Grid:
    """Zero and m·10^e, 100 <= m <= 999, lowest <= e <= highest; with ``gradual`` also 1 <= m <= 99 at e = lowest.

    Attributes:
        lowest: Smallest exponent.
        highest: Largest exponent.
        gradual: Whether small numbers keep fewer digits instead of becoming zero.
    """

    lowest: int
    highest: int
    gradual: bool

    def __post_init__(self) -> None:
        # Boundaries and values are normal float64 numbers on this range.
        if not -290 <= self.lowest <= self.highest <= 290:
            raise ValueError(f"exponents {self.lowest} to {self.highest} leave float64's range")

    @property
    def first(self) -> int:
        """The smallest mantissa at the lowest exponent."""
        return 1 if self.gradual else 100

    @property
    def size(self) -> int:
        """How many numbers there are, zero included; this is also the index that stands for overflow."""
        return 1 + (1000 - self.first) + 900 * (self.highest - self.lowest)

    def decimals(self) -> tuple[Tensor, Tensor]:
        """Return mantissas and exponents of the grid numbers in increasing order, int64; zero is 0·10^lowest."""
        lowest = torch.cat([torch.zeros(1, dtype=torch.int64), torch.arange(self.first, 1000)])
        decades = self.highest - self.lowest
        mantissas = torch.cat([lowest, torch.arange(100, 1000).repeat(decades)])
        exponents = torch.arange(self.lowest + 1, self.highest + 1).repeat_interleave(900)
        return mantissas, torch.cat([torch.full_like(lowest, self.lowest), exponents])

    def index(self, values: Tensor) -> Tensor:
        """Return the grid index each magnitude rounds to, int32: 0 is zero, ``size`` overflow, infinity or NaN.

        Args:
            values: float64, one-dimensional; signs are ignored.
        """
        below, boundaries = _cells(self, values.device)
        cells = ((values.view(torch.int64) & 0x7FFFFFFFFFFFFFFF) >> _CELL_BITS).to(torch.int32)
        return below.index_select(0, cells) + (values.abs() >= boundaries.index_select(0, cells))

    def boundaries(self) -> list[float]:
        """Return, for each grid number but zero and for overflow, the smallest float64 that rounds to it or above."""
        lowest = range(self.first, 1001) if self.gradual else range(101, 1001)
        ladders = [[(2 * m - 1, self.lowest) for m in lowest]]
        if not self.gradual:
            # What rounds to 9.99 of the decade below is zero: the lowest midpoint is 1999/2 tenths of the lowest unit.
            ladders.insert(0, [(1999, self.lowest - 1)])
        ladders += [[(2 * m - 1, e) for m in range(101, 1001)] for e in range(self.lowest + 1, self.highest + 1)]
        return [_least_rounding_up(odd, exponent) for odd, exponent in chain.from_iterable(ladders)]


def _least_rounding_up(odd: int, exponent: int) -> float:
    """Return the least float64 that rounds up at the midpoint odd/2·10^exponent, by exact comparison."""
    nearest = float(f"{odd}e{exponent}") / 2
    numerator, denominator = nearest.as_integer_ratio()
    left, right = 2 * numerator, odd * denominator
    if exponent >= 0:
        right *= 10**exponent
    else:
        left *= 10**-exponent
    # The mantissa above the midpoint is (odd + 1)/2: a tie goes up if it is even.
    if left > right or (left == right and (odd + 1) % 4 == 0):
        return nearest
    return math.nextafter(nearest, math.inf)


@lru_cache(maxsize=8)
def _cells(grid: Grid, device: torch.device) -> tuple[Tensor, Tensor]:
    """For each cell of float64: the index its smallest number rounds to, and the boundary inside it (or NaN)."""
    boundaries = torch.tensor(grid.boundaries(), dtype=torch.float64)
    cells = torch.arange(1 << (63 - _CELL_BITS)) << _CELL_BITS
    below = torch.searchsorted(boundaries, cells.view(torch.float64).nan_to_num(nan=math.inf), right=True)
    inside = torch.full((len(cells),), math.nan, dtype=torch.float64)
    # Where a boundary starts its cell, the cell's smallest number is already counted above it: NaN compares false.
    owners = boundaries.view(torch.int64) >> _CELL_BITS
    inside[owners] = torch.where(boundaries.view(torch.int64) == cells[owners], math.nan, boundaries)
    return below.to(torch.int32).to(device), inside.to(device)


def in_pieces(function: Callable[[Tensor], Tensor], rows: Tensor, numbers: int = 1) -> Tensor:
    """Apply a row-wise function in pieces whose numbers stay in a CPU's cache; at once on other devices.

    Args:
        function: What to do with some of the rows.
        rows: The rows, along the first axis.
        numbers: How many numbers a row stands for.
    """
    size = max(_PIECE // numbers, 1)
    if rows.device.type != "cpu" or len(rows) <= size:
        return function(rows)
    return torch.cat([function(piece) for piece in rows.split(size)])
