"""Architectures: run-length coded layer widths and the laws by which they compose.

Width and non-zeros do not compose; the tuple of layer widths does, and hidden layers, width and bits follow from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from flint import arb, ctx

from theory.evaluate import upper

__all__ = ["Architecture"]


@dataclass(frozen=True)
class Architecture:
    """Layer widths of a network, input and output included, as runs ``(width, how often in a row)``.

    Attributes:
        runs: Maximal runs, so that equal architectures compare equal.

    Raises:
        ValueError: If a width or a repetition is below 1, two neighbouring runs have equal width, or fewer than two
            layers are left.
    """

    runs: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        if any(width < 1 or times < 1 for width, times in self.runs):
            raise ValueError("widths and repetitions are at least 1")
        if any(left[0] == right[0] for left, right in zip(self.runs, self.runs[1:], strict=False)):
            raise ValueError("neighbouring runs of equal width are one run")
        if sum(times for _, times in self.runs) < 2:
            raise ValueError("an architecture has an input and an output")

    @classmethod
    def of(cls, widths: Iterable[int]) -> Architecture:
        """Return the architecture with these layer widths, one by one."""
        return cls(tuple((width, len(list(group))) for width, group in groupby(widths)))

    @classmethod
    def of_runs(cls, runs: Iterable[tuple[int, int]]) -> Architecture:
        """Return the architecture with these runs; empty runs are dropped, equal neighbours merged."""
        merged: list[tuple[int, int]] = []
        for width, times in runs:
            if times == 0:
                continue
            if merged and merged[-1][0] == width:
                merged[-1] = (width, merged[-1][1] + times)
            else:
                merged.append((width, times))
        return cls(tuple(merged))

    def widths(self) -> Iterator[int]:
        """Yield the layer widths one by one, input first."""
        for width, times in self.runs:
            for _ in range(times):
                yield width

    @property
    def inputs(self) -> int:
        """Input dimension."""
        return self.runs[0][0]

    @property
    def outputs(self) -> int:
        """Output dimension."""
        return self.runs[-1][0]

    @property
    def hidden_runs(self) -> tuple[tuple[int, int], ...]:
        """The runs of the hidden layers alone."""
        (first, times), *rest = self.runs
        if not rest:
            return ((first, times - 2),) if times > 2 else ()
        *middle, (last, last_times) = rest
        runs = [(first, times - 1), *middle, (last, last_times - 1)]
        return tuple(run for run in runs if run[1] > 0)

    @property
    def hidden_layers(self) -> int:
        """Number of hidden layers, L - 1 for L affine maps."""
        return sum(times for _, times in self.runs) - 2

    @property
    def width(self) -> int:
        """Largest hidden layer (0 without one)."""
        return max((width for width, _ in self.hidden_runs), default=0)

    @property
    def bits(self) -> Fraction:
        """``sum of log2(width + 1)`` over the hidden layers, rounded up: what lower bounds are stated in."""
        with ctx.workprec(160):
            total = sum((arb(times) * arb(width + 1).log_base(2) for width, times in self.hidden_runs), arb(0))
            return upper(total, 64)

    def compose(self, first: Architecture) -> Architecture:
        """Return the architecture of ``self o first``: the touching affine maps merge, so no layer is added.

        Raises:
            ValueError: If the dimensions do not fit.
        """
        if first.outputs != self.inputs:
            raise ValueError(f"cannot compose: {first.outputs} outputs into {self.inputs} inputs")
        *head, (out, out_times) = first.runs
        (_, in_times), *tail = self.runs
        return Architecture.of_runs([*head, (out, out_times - 1), (out, in_times - 1), *tail])

    def select(self, outputs: int) -> Architecture:
        """Return the architecture when only this many of the outputs are kept (unread wires fall away)."""
        *head, (out, times) = self.runs
        return Architecture.of_runs([*head, (out, times - 1), (outputs, 1)])

    def parallel(self, other: Architecture) -> Architecture:
        """Return the architecture of both networks side by side on separate inputs.

        Raises:
            ValueError: If the depths differ.
        """
        if self.hidden_layers != other.hidden_layers:
            raise ValueError("networks in parallel need equal depth; extend the shallower one first")
        return Architecture.of(a + b for a, b in zip(self.widths(), other.widths(), strict=True))

    def extend(self, layers: int) -> Architecture:
        """Return the architecture after carrying the outputs, of known range, through ``layers`` more layers."""
        *head, (out, times) = self.runs
        return Architecture.of_runs([*head, (out, times + layers)])
