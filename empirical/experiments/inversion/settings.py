"""What decides the runs: centres, reach, sizes and steps; the paper's values, and smaller ones for shorter runs.

The centres and the half-widths are ours (the paper's are not public): ``first`` is symmetric positive definite,
``second`` is neither symmetric nor definite, and the 16×16 centre is sampled, the best conditioned of six seeds. The
half-width d makes ‖A0⁻¹‖_∞ n d = ``reach``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from empirical.experiments.inversion.boxes import Box, box_around, sampled_centre
from empirical.experiments.inversion.constructed import refined_units
from empirical.experiments.inversion.protocol import Protocol
from theory.errors import BadInput

__all__ = [
    "KINDS",
    "MATRICES",
    "REFINED",
    "REFINED_PIECES",
    "BoxSettings",
    "TrainingSettings",
    "at_scale",
    "kinds_for",
    "size_of",
    "widths_of",
]

MATRICES = ("2x2-first", "2x2-second", "3x3", "16x16")

#: Kind of network -> hidden widths over the number n² of inputs.
KINDS: dict[str, tuple[int, ...]] = {"small": (2,), "2fc": (8,), "3fc": (8, 8)}
#: Networks that start as the constructed one of second order, with this many pieces a square, and train from there.
REFINED, REFINED_PIECES = "refined", 4

T = TypeVar("T", bound="TrainingSettings")


def widths_of(kind: str, n: int) -> tuple[int, ...]:
    """Return the widths of a kind of network on n×n matrices: 4-8-4, 4-32-4, 4-32-32-4 and 4-28-4 for 2×2.

    Raises:
        BadInput: If there is no such kind.
    """
    entries = n * n
    if kind == REFINED:
        return (entries, refined_units(n, REFINED_PIECES), entries)
    if kind not in KINDS:
        raise BadInput(f"no kind of network {kind!r}; choose from {', '.join([*KINDS, REFINED])}")
    return (entries, *(factor * entries for factor in KINDS[kind]), entries)


def kinds_for(kinds: tuple[str, ...], n: int) -> tuple[str, ...]:
    """Return the kinds that train on n×n matrices: at 16×16 the refined ones would have 22,624 hidden units."""
    return kinds if n < 16 else tuple(kind for kind in kinds if kind != REFINED)


@dataclass(frozen=True)
class BoxSettings:
    """Where matrices come from.

    Attributes:
        first: Centre of ``2x2-first``, row by row.
        second: Centre of ``2x2-second``.
        three: Centre of ``3x3``.
        sixteen: Seed of the sampled centre of ``16x16``.
        reach: ‖A0⁻¹‖_∞ n d, below 1.
    """

    first: tuple[int, ...] = (2, 1, 1, 2)
    second: tuple[int, ...] = (1, 2, 3, -1)
    three: tuple[int, ...] = (2, 1, 0, 0, 2, 1, 1, 0, 2)
    sixteen: int = 2
    reach: float = 0.25

    def box(self, matrices: str) -> Box:
        """Return a box by its name.

        Raises:
            BadInput: If there is no such name, or its centre has another size.
        """
        centres = {"2x2-first": self.first, "2x2-second": self.second, "3x3": self.three}
        if matrices not in MATRICES:
            raise BadInput(f"no matrices {matrices!r}; choose from {', '.join(MATRICES)}")
        entries = sampled_centre(16, self.sixteen) if matrices == "16x16" else centres[matrices]
        if len(entries) != size_of(matrices) ** 2:
            raise BadInput(f"the centre of {matrices} needs {size_of(matrices) ** 2} entries, not {len(entries)}")
        return box_around(matrices, entries, self.reach)


def size_of(matrices: str) -> int:
    """Return n by the matrices' name."""
    return int(matrices.partition("x")[0])


@dataclass(frozen=True)
class TrainingSettings(BoxSettings):
    """How long networks train and where they are tested; the defaults are the paper's (its appendices B and C).

    Attributes:
        size_2, epochs_2: Training set and passes over it for 2×2.
        size_3, steps_3: Training set and steps for 3×3.
        steps_16: Steps for 16×16, where every step has fresh matrices.
        batch, rate, weight_decay: Matrices a step, Adam's learning rate and weight decay.
        cycles: Restart periods of the learning rate, each twice as long as the one before (ours).
        better_rate: A larger learning rate, for rows that show what it changes (ours).
        tests, tests_16: Test matrices.
    """

    size_2: int = 1_000_000
    epochs_2: int = 20
    size_3: int = 100_000
    steps_3: int = 200_000
    steps_16: int = 200_000
    batch: int = 128
    rate: float = 5e-5
    weight_decay: float = 1e-7
    cycles: int = 4
    better_rate: float = 1e-3
    tests: int = 10_000
    tests_16: int = 2_000

    def __post_init__(self) -> None:
        if min(self.size_2, self.epochs_2, self.size_3, self.steps_3, self.steps_16, self.tests, self.tests_16) < 1:
            raise BadInput("training sets, epochs, steps and test sets must be at least 1")
        if self.batch < 1 or min(self.size_2, self.size_3) < self.batch:
            raise BadInput("batch must be at least 1 and at most the size of the training sets")

    def protocol(self, n: int, *, better: bool = False) -> Protocol:
        """Return how networks on n×n matrices train, with the paper's learning rate or the better one."""
        steps = {2: self.epochs_2 * (self.size_2 // self.batch), 3: self.steps_3}.get(n, self.steps_16)
        rate = self.better_rate if better else self.rate
        # A report and a checkpoint every 5 steps at least: at 16×16 either takes as long as a step.
        reports = min(20, max(1, steps // 5))
        return Protocol(steps, self.batch, rate, self.weight_decay, self.cycles, reports)

    def size(self, n: int) -> int | None:
        """Return the size of the training set; None where matrices are always fresh."""
        return {2: self.size_2, 3: self.size_3}.get(n)

    def test_count(self, n: int) -> int:
        """Return how many test matrices there are."""
        return self.tests if n < 16 else self.tests_16

    def reduced(self, n: int) -> str | None:
        """Say in words in what a run is shorter than the paper's (``10 of 200,000 steps``); None where it is not."""
        paper = TrainingSettings()
        ours, full = self.protocol(n).steps, paper.protocol(n).steps
        parts = [f"{ours:,} of {full:,} steps"] if ours < full else []
        size, full_size = self.size(n), paper.size(n)
        if size is not None and full_size is not None and size < full_size:
            parts.append(f"{size:,} of {full_size:,} matrices")
        return ", ".join(parts) or None


def at_scale(settings: T, scale: str, device: str) -> T:
    """Return settings for a scale: ``full`` is the paper's, but for 16×16 on a CPU, which trains 200 times shorter.

    Args:
        settings: The paper's.
        scale: ``smoke``, ``small`` or ``full``.
        device: ``cpu`` or ``cuda``.
    """
    if scale == "full":
        return settings if device == "cuda" else replace(settings, steps_16=1_000)
    if scale == "small":
        return replace(settings, size_2=100_000, steps_3=20_000, steps_16=200, tests_16=1_000)
    return replace(settings, size_2=16_000, size_3=10_000, steps_3=2_000, steps_16=10, tests=2_000, tests_16=200)
