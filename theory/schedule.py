"""The layers that turn a zigzag value t in [0, N] into t^2 at the integers: which radices, and when to gather wires.

A layer of radix r cuts [0, N_{j-1}] into r pieces of length N_j by the kinks z_k = relu(t - k N_j), 0 <= k < r:

    t' = z_0 - 2 z_1 + 2 z_2 - ... in [0, N_j],    t^2 - t'^2 = 4 N_j (z_1 + z_3 + ...),

and the last one, N_m = 1, ends with G(t) = S + t + 2 (z_1 + ... + z_{r-1}). A layer ``gather`` computes the zigzag
value and the accumulator S once, by one neuron each, so that rows after it read one weight instead of one a kink.
Every row's weights are counted here; the cheapest schedule for a wanted N is found by trying all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod

__all__ = ["GATHER", "Schedule", "Wires", "cheapest"]

#: The item of a schedule that gathers instead of cutting.
GATHER = 1
_LARGEST_RADIX = 8


@dataclass(frozen=True)
class Wires:
    """How the zigzag value t and the accumulator S are spread over the neurons of a layer.

    Attributes:
        zigzag: Neurons that t is a combination of.
        sum: Neurons that S is a combination of (0: there is no S yet).
        constant: Whether S has a constant, a bias wherever S is read next.
        own: Neurons of S that t does not read.
    """

    zigzag: int
    sum: int = 0
    constant: bool = False
    own: int = 0

    @property
    def reading(self) -> int:
        """Non-zeros of a row that reads S."""
        return self.sum + self.constant


@dataclass(frozen=True)
class Schedule:
    """Radices r_1, ..., r_m, with GATHER where wires are gathered first.

    Attributes:
        items: In order; the last is a radix, no two GATHER follow each other.

    Raises:
        ValueError: If the items are not such a sequence.
    """

    items: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.items or self.items[-1] == GATHER or any(item < 1 for item in self.items):
            raise ValueError(f"a schedule ends with a radix of at least 2: {self.items}")
        if any(a == b == GATHER for a, b in zip(self.items, self.items[1:], strict=False)):
            raise ValueError("gathering twice gathers nothing")

    @property
    def pieces(self) -> int:
        """N, the product of the radices."""
        return prod(self.items)

    def widths(self, start: Wires) -> tuple[int, ...]:
        """Return the layer widths from the first layer of the schedule on."""
        return tuple(width for width, _ in self._layers(start))

    def nonzeros(self, start: Wires) -> int:
        """Return the non-zeros of the layers' rows and of the reading of G, without a bias there."""
        return sum(count for _, count in self._layers(start)) + self.items[-1]

    def biases(self, start: Wires) -> int:
        """Return how many of the layers' non-zeros are biases."""
        return start.constant + sum(item - 1 for item in self.items)

    def _layers(self, wires: Wires) -> list[tuple[int, int]]:
        found = []
        for position, item in enumerate(self.items):
            last = position == len(self.items) - 1
            found.append(_layer(wires, item, last))
            wires = _next(wires, item)
        return found

    def weights(
        self, zigzag: Sequence[Fraction], direct: Sequence[Fraction], constant: Fraction, scale: Fraction
    ) -> Iterator[Fraction]:
        """Yield every weight and bias of the layers and of the reading of ``scale G``, signs aside.

        Args:
            zigzag: Weights of t, wire by wire.
            direct: Weights of S on the same wires, none at all where there is no S.
            constant: The constant of S.
            scale: The output weight.
        """
        length, has_sum = Fraction(self.pieces), any(direct) or constant != 0
        zigzag, direct, own = list(zigzag), list(direct) or [Fraction(0)] * len(zigzag), Fraction(0)
        yield from (scale, 2 * scale, constant)
        for position, item in enumerate(self.items):
            last = position == len(self.items) - 1
            yield from (*zigzag, own, length - length / item)
            yield from (a + b for a, b in zip(zigzag, direct, strict=True)) if last else direct
            own = Fraction(has_sum)
            if item == GATHER:
                zigzag, direct = [Fraction(1)], [Fraction(0)]
                continue
            length /= item
            zigzag = [Fraction(1 if k == 0 else 2 * (-1) ** k) for k in range(item)]
            direct, has_sum = [4 * length if k % 2 else Fraction(0) for k in range(item)], True

    def text(self) -> str:
        """Return ``gather*2*3`` for people."""
        return "*".join("gather" if item == GATHER else str(item) for item in self.items)


def _layer(wires: Wires, item: int, last: bool) -> tuple[int, int]:
    """Return width and non-zeros of one layer."""
    has_sum = wires.reading > 0
    if item == GATHER:
        return 1 + has_sum, wires.zigzag + wires.reading
    kinks = (item - 1) * (wires.zigzag + 1)
    if last:  # the carried row reads S + t
        return item, kinks + wires.zigzag + wires.own + wires.constant
    return item + has_sum, wires.zigzag + kinks + wires.reading


def _next(wires: Wires, item: int) -> Wires:
    """Return how t and S are spread after a layer that is not the last."""
    carried = wires.reading > 0
    if item == GATHER:
        return Wires(1, int(carried), own=int(carried))
    return Wires(item, item // 2 + carried, own=int(carried))


def cheapest(start: Wires, least: int) -> Schedule:
    """Return a schedule with N >= ``least`` pieces and the fewest non-zeros; ties go to fewer layers, then larger N.

    Raises:
        ValueError: If ``least`` is below 2: a line needs no schedule.
    """
    if least < 2:
        raise ValueError("a schedule has at least 2 pieces")
    return Schedule(_search(start, least, start.zigzag > 1)[2])


@lru_cache(maxsize=200_000)
def _search(wires: Wires, least: int, may_gather: bool) -> tuple[int, int, tuple[int, ...]]:
    """Return (non-zeros, layers, items), the smallest such triple."""
    options: list[tuple[int, int, tuple[int, ...]]] = []
    if least <= 4 * _LARGEST_RADIX:
        options.append((_layer(wires, least, True)[1] + least, 1, (least,)))
    for radix in range(2, min(_LARGEST_RADIX, least - 1) + 1):
        rest = -(-least // radix)
        if rest >= 2:
            options.append(_before(wires, radix, _search(_next(wires, radix), rest, True)))
    if may_gather and wires.zigzag > 1:
        options.append(_before(wires, GATHER, _search(_next(wires, GATHER), least, False)))
    return min(options)


def _before(wires: Wires, item: int, rest: tuple[int, int, tuple[int, ...]]) -> tuple[int, int, tuple[int, ...]]:
    return rest[0] + _layer(wires, item, False)[1], rest[1] + 1, (item, *rest[2])
