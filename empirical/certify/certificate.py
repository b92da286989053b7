"""What a certification says: two valid bounds on the worst error, where the lower one is attained, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from empirical.certify.rounding import Floats
from theory.rationals import rational_text

__all__ = ["Certificate"]


@dataclass(frozen=True)
class Certificate:
    """lower <= sup over the box of norm(N(A) - f(A)) <= upper; LOWER attained at ``matrix``, UPPER proved.

    Args:
        lower: A float64 at most the exact error at ``matrix``.
        upper: A float64 at least the exact supremum (infinite if nothing could be proved).
        norm: The norm of the error.
        matrix: A float64 matrix of the box, (n, n), exact.
        gap: The relative gap asked for.
        boxes: Boxes bounded.
        open_boxes: Boxes still undecided at the end.
        seconds: Wall time.
        sampled: Largest float error on ``samples`` uniform points: what papers report. Proves nothing.
        samples: How many.
        ended: ``closed``, ``time``, ``interrupted``, ``exhausted`` (boxes too thin for float64) or ``workers lost``.
    """

    lower: float
    upper: float
    norm: str
    matrix: Floats
    gap: Fraction
    boxes: int
    open_boxes: int
    seconds: float
    sampled: float
    samples: int
    ended: str

    def __post_init__(self) -> None:
        # Both are proved, so a crossing is a fault in a proof or its code and must never be printed as a result.
        if not self.lower <= self.upper:
            raise ArithmeticError(f"the bounds contradict each other: lower {self.lower!r} > upper {self.upper!r}")

    @property
    def closed(self) -> bool:
        """Whether upper <= (1 + gap) lower, decided exactly."""
        return self.upper < float("inf") and Fraction(self.upper) <= (1 + self.gap) * Fraction(self.lower)

    def as_json(self) -> dict[str, Any]:
        """The certificate as plain JSON values; floats print so that they read back exactly."""
        return {
            "lower": self.lower,
            "upper": self.upper,
            "norm": self.norm,
            "matrix": self.matrix.tolist(),
            "gap": rational_text(self.gap),
            "closed": self.closed,
            "ended": self.ended,
            "boxes": self.boxes,
            "open_boxes": self.open_boxes,
            "seconds": round(self.seconds, 3),
            "sampled": self.sampled,
            "samples": self.samples,
        }

    def lines(self) -> list[str]:
        """The certificate for a reader."""
        ratio = f", {100 * (self.upper / self.lower - 1):.3g} % apart" if self.lower > 0 else ""
        return [
            f"worst error ({self.norm} norm): between {self.lower:.6g} (attained) and {self.upper:.6g} (proved){ratio}",
            f"{self.samples} random points find {self.sampled:.6g}",
            f"{'closed' if self.closed else f'not closed ({self.ended})'}: gap asked {float(self.gap):.3g}, "
            f"{self.boxes} boxes, {self.open_boxes} open, {self.seconds:.2f} s",
            f"attained at {self.matrix.tolist()}",
        ]
