"""Shapes of scalar networks: hinges in one layer, or a zigzag and a sum refined by squarer layers; folded or not.

A shape is exact: rational kinks and weights, and the piecewise linear function they make, computed from its formula and
not from any network. What a network of this shape weighs is counted here too; ``constructions.scalar`` builds it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from theory.architecture import Architecture
from theory.dyadic import fits_float64
from theory.piecewise import Piecewise
from theory.schedule import Schedule, Wires
from theory.smooth import Parity

__all__ = ["Core", "Hinges", "Shape", "Tower"]

#: Folded inputs are gathered into |x| when so many rows read them: each saves a weight, the neuron costs two.
_GATHER_FROM = 3


@dataclass(frozen=True)
class Hinges:
    """x -> offset + sum_i jumps_i relu(sides_i (x - kinks_i)), one hidden layer.

    Attributes:
        kinks: Where the hinges bend.
        jumps: Their output weights, none of them zero.
        sides: +1 for a hinge that opens to the right, -1 to the left.
        offset: The output bias.

    Raises:
        ValueError: If the parts do not fit, or there is no hinge.
    """

    kinks: tuple[Fraction, ...]
    jumps: tuple[Fraction, ...]
    sides: tuple[int, ...]
    offset: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not self.kinks or not len(self.kinks) == len(self.jumps) == len(self.sides):
            raise ValueError("hinges have a kink, a jump and a side each")
        if not all(self.jumps) or any(abs(side) != 1 for side in self.sides):
            raise ValueError("a hinge jumps, and opens to one side")

    @property
    def reads(self) -> int:
        """Weights of a row that reads the function."""
        return len(self.kinks)

    def function(self, lo: Fraction, hi: Fraction) -> Piecewise:
        """Return the function on [lo, hi], by running sums of slopes."""
        inside = sorted({lo, hi, *(kink for kink in self.kinks if lo < kink < hi)})
        bends: dict[Fraction, Fraction] = {}
        slope = value = Fraction(0)
        for kink, jump, side in zip(self.kinks, self.jumps, self.sides, strict=True):
            if side * (lo - kink) > 0 or (side > 0 and kink == lo):  # open at lo, to the right of it
                slope += side * jump
                value += jump * abs(lo - kink)
            if lo < kink < hi or (side < 0 and kink == lo):
                bends[kink] = bends.get(kink, Fraction(0)) + jump
        values = [value + self.offset]
        for a, b in pairwise(inside):
            values.append(values[-1] + slope * (b - a))
            slope += bends.get(b, Fraction(0))
        return Piecewise(tuple(inside), tuple(values))

    def weights(self) -> Iterator[Fraction]:
        """Yield every weight and bias of hinges and output, signs aside."""
        yield from (Fraction(1), self.offset, *self.kinks, *self.jumps)

    def json(self) -> dict[str, Any]:
        """Return the core as it stands in files."""
        return {
            "kinks": _text(self.kinks),
            "jumps": _text(self.jumps),
            "sides": list(self.sides),
            "offset": str(self.offset),
        }


@dataclass(frozen=True)
class Tower:
    """x -> offset + scale (S(x) + G(T(x))), G(t) = t^2 at the integers 0, ..., N and linear between.

    T and S are sums of hinges relu(x - k_i): T zigzags inside [0, N], S >= 0.

    Attributes:
        kinks: k_i, increasing.
        zigzag: Weights of T, none of them zero.
        direct: Weights of S.
        constant: The constant of S.
        scale: Output weight; negative for a concave function.
        offset: Output bias.
        schedule: The layers that compute G.

    Raises:
        ValueError: If the parts do not fit.
    """

    kinks: tuple[Fraction, ...]
    zigzag: tuple[Fraction, ...]
    direct: tuple[Fraction, ...]
    constant: Fraction
    scale: Fraction
    offset: Fraction
    schedule: Schedule

    def __post_init__(self) -> None:
        if not self.kinks or not len(self.kinks) == len(self.zigzag) == len(self.direct):
            raise ValueError("a tower has a kink and two weights for every hinge")
        if any(a >= b for a, b in pairwise(self.kinks)) or not all(self.zigzag) or not self.scale:
            raise ValueError("kinks increase, and the zigzag reads every hinge")
        if self.constant and not any(self.direct):
            raise ValueError("a constant without a sum belongs to the offset")

    @property
    def reads(self) -> int:
        """Weights of a row that reads the function."""
        return self.schedule.items[-1]

    def wires(self, inputs: int) -> Wires:
        """Return how T and S are spread when the hinges are this many wires each (2: the folded input itself)."""
        spread = len(self.kinks) * inputs
        return Wires(spread, sum(inputs for weight in self.direct if weight), bool(self.constant))

    def corners(self, lo: Fraction, hi: Fraction) -> list[tuple[Fraction, Fraction, Fraction]]:
        """Return (x, T(x), S(x)) at lo, at hi and at every kink between: both are linear from one to the next."""
        at, t, s = lo, Fraction(0), self.constant
        rise = drift = Fraction(0)
        for kink, zigzag, direct in zip(self.kinks, self.zigzag, self.direct, strict=True):
            if kink <= lo:
                t, s = t + zigzag * (lo - kink), s + direct * (lo - kink)
                rise, drift = rise + zigzag, drift + direct
        found = [(at, t, s)]
        end = (hi, Fraction(0), Fraction(0))
        for kink, zigzag, direct in [*zip(self.kinks, self.zigzag, self.direct, strict=True), end]:
            if lo < kink <= hi and at < hi:
                at, t, s = kink, t + rise * (kink - at), s + drift * (kink - at)
                found.append((at, t, s))
                rise, drift = rise + zigzag, drift + direct
        return found

    def highest_sum(self, lo: Fraction, hi: Fraction) -> Fraction:
        """Return the largest S on [lo, hi]."""
        return max(s for _, _, s in self.corners(lo, hi))

    def function(self, lo: Fraction, hi: Fraction) -> Piecewise:
        """Return the function on [lo, hi].

        Raises:
            ValueError: If T leaves [0, N] or S is negative somewhere: relu would change them.
        """
        corners = self.corners(lo, hi)
        if any(t < 0 or t > self.schedule.pieces or s < 0 for _, t, s in corners):
            raise ValueError("the zigzag stays in [0, N] and the sum is not negative")
        knots, values = [], []
        for (x, t, s), (to_x, to_t, to_s) in pairwise(corners):
            knots.append(x)
            values.append(s + _squares(t))
            low, high = sorted((t, to_t))
            levels = range(math.floor(low) + 1, math.ceil(high))
            for level in levels if t < to_t else reversed(levels):
                share = (level - t) / (to_t - t)
                knots.append(x + share * (to_x - x))
                values.append(s + share * (to_s - s) + level * level)
        knots.append(corners[-1][0])
        values.append(corners[-1][2] + _squares(corners[-1][1]))
        return Piecewise(tuple(knots), tuple(self.offset + self.scale * value for value in values))

    def weights(self) -> Iterator[Fraction]:
        """Yield every weight and bias of hinges, squarer and output, signs aside."""
        yield from (Fraction(1), self.offset, *self.kinks)
        yield from self.schedule.weights(self.zigzag, self.direct, self.constant, self.scale)

    def json(self) -> dict[str, Any]:
        """Return the core as it stands in files."""
        return {
            "kinks": _text(self.kinks),
            "zigzag": _text(self.zigzag),
            "direct": _text(self.direct),
            "constant": str(self.constant),
            "scale": str(self.scale),
            "offset": str(self.offset),
            "radices": list(self.schedule.items),
        }


def _text(values: tuple[Fraction, ...]) -> list[str]:
    return [str(value) for value in values]


def _squares(t: Fraction) -> Fraction:
    """Return G(t), t >= 0: t^2 at the integers and linear between."""
    below = math.floor(t)
    return (2 * below + 1) * t - below * (below + 1)


Core = Hinges | Tower


@dataclass(frozen=True)
class Shape:
    """A core on [lo, hi], as it is or folded: f(x) = core(|x|) (even), or sgn(x) core(|x|) (odd) on [-hi, hi].

    Attributes:
        core: The function of x, or of |x|.
        parity: ``none``, ``even`` or ``odd``.
        lo: Left end of the interval in x.
        hi: Right end.
        gate: For ``odd`` a number M with 0 <= core(y) <= M y: sgn(x) core(|x|) = core - 2 relu(core - M relu(x)).

    Raises:
        ValueError: If a folded interval is not symmetric, the gate does not hold, or a weight is no float64.
    """

    core: Core
    parity: Parity
    lo: Fraction
    hi: Fraction
    gate: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if self.lo >= self.hi or (self.parity != "none" and self.lo != -self.hi):
            raise ValueError("an interval has an inside, and a folded one is symmetric")
        if not all(fits_float64(weight) for weight in (*self.core.weights(), self.gate)):
            raise ValueError("every weight is a float64")
        if self.parity == "odd":
            half = self.half
            if any(value < 0 or value > self.gate * at for at, value in zip(half.knots, half.values, strict=True)):
                raise ValueError("an odd network needs 0 <= core(y) <= M y")

    @cached_property
    def half(self) -> Piecewise:
        """The core on its own interval: [lo, hi], or [0, hi] when folded."""
        return self.core.function(self.lo if self.parity == "none" else Fraction(0), self.hi)

    def function(self) -> Piecewise:
        """Return the network's function on [lo, hi]."""
        half = self.half
        if self.parity == "none":
            return half
        sign = 1 if self.parity == "even" else -1
        knots = [-at for at in reversed(half.knots[1:])]
        values = [sign * value for value in reversed(half.values[1:])]
        return Piecewise((*knots, *half.knots), (*values, *half.values))

    @property
    def is_bare(self) -> bool:
        """Whether the zigzag is a multiple of |x| itself, so that no hinge layer is needed."""
        return self.parity == "even" and isinstance(self.core, Tower) and self.core.kinks == (0,)

    @property
    def gathers_input(self) -> bool:
        """Whether |x| is computed by a neuron of its own before the hinges."""
        return self.parity != "none" and not self.is_bare and len(self.core.kinks) >= _GATHER_FROM

    @property
    def gathers_output(self) -> bool:
        """Whether an odd network computes its core by a neuron of its own before the gate."""
        reads, bias = self.core.reads, int(self.core.offset != 0)
        return self.parity == "odd" and reads + bias + 6 < 2 * reads + 3 + 2 * bias

    def _layers(self) -> list[tuple[int, int]]:
        """Return width and non-zeros of every layer, the output last; an odd network carries relu(x) past the first."""
        core, bias = self.core, int(self.core.offset != 0)
        carried = int(self.parity == "odd")
        layers = [(2, 2)] if self.parity != "none" else []
        inputs = 1 if self.parity == "none" or self.gathers_input else 2
        if self.gathers_input:
            layers.append((1 + carried, 2 + carried))
        if not self.is_bare:
            layers.append((len(core.kinks) + carried, sum(inputs + (kink != 0) for kink in core.kinks) + carried))
        if isinstance(core, Tower):
            start = core.wires(2 if self.is_bare else 1)
            widths = core.schedule.widths(start)
            rest = core.schedule.nonzeros(start) - core.reads
            layers += [(width + carried, carried) for width in widths]
            layers.append((0, rest))
        if self.parity != "odd":
            return [*layers, (1, core.reads + bias)]
        if self.gathers_output:
            return [*layers, (2, core.reads + bias + 1), (2, 3), (1, 2)]
        return [*layers, (2, 2 * core.reads + 2 * bias + 1), (1, 2)]

    @property
    def nonzeros(self) -> int:
        """Non-zero weights and biases of a network of this shape."""
        return sum(count for _, count in self._layers())

    @property
    def biases(self) -> int:
        """How many of the non-zeros are biases."""
        core = self.core
        outputs = 2 if self.parity == "odd" and not self.gathers_output else 1
        hinges = 0 if self.is_bare else sum(kink != 0 for kink in core.kinks)
        inner = core.schedule.biases(core.wires(1)) if isinstance(core, Tower) else 0
        return hinges + inner + outputs * (core.offset != 0)

    @property
    def architecture(self) -> Architecture:
        """Layer widths of a network of this shape."""
        return Architecture.of([1, *(width for width, _ in self._layers() if width)])

    @property
    def largest_weight(self) -> Fraction:
        """Largest weight or bias in absolute value."""
        return max(*map(abs, self.core.weights()), self.gate, Fraction(2 if self.parity == "odd" else 1))

    @property
    def parameters(self) -> tuple[tuple[str, int | str], ...]:
        """What tells this network from others of its route, for people."""
        fold = () if self.parity == "none" else (("fold", self.parity),)
        if isinstance(self.core, Hinges):
            return (*fold, ("hinges", len(self.core.kinks)))
        hinges = () if self.is_bare else (("hinges", len(self.core.kinks)),)
        return (*fold, *hinges, ("radices", self.core.schedule.text()))

    def json(self) -> dict[str, Any]:
        """Return the shape as it stands in files."""
        return {"parity": self.parity, "gate": str(self.gate), "core": self.core.json()}
