"""The box of matrices around a centre on which an error is certified, and how it meets float64."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np

from empirical.certify.rounding import Floats, float_above, float_below
from theory.errors import BadInput

__all__ = ["LARGEST_SIDE", "Region", "read_centre"]

#: Beyond it the slopes of all entries of one box alone take more than 8 MiB.
LARGEST_SIDE = 32


@dataclass(frozen=True)
class Region:
    """All real matrices A with |A - centre| <= half_width in every entry.

    Args:
        centre: float64, n x n, taken as exact.
        half_width: An exact rational, positive.

    Raises:
        BadInput: If the centre is not a finite square matrix of side 1 to 32, or the half-width is not positive.
    """

    centre: Floats
    half_width: Fraction

    def __post_init__(self) -> None:
        shape = self.centre.shape
        if len(shape) != 2 or shape[0] != shape[1]:
            raise BadInput(f"the centre must be a square matrix, not an array of shape {shape}")
        if not 1 <= shape[0] <= LARGEST_SIDE:
            raise BadInput(f"the centre must have between 1 and {LARGEST_SIDE} rows, not {shape[0]}")
        if not np.isfinite(self.centre).all():
            raise BadInput("the centre has an entry that is not finite")
        if self.half_width <= 0:
            raise BadInput(f"the half-width must be positive, not {self.half_width}")
        if np.abs(self.centre).max() > 1e100 or self.half_width > 10**100:
            raise BadInput("the centre and the half-width must stay below 1e100")

    @property
    def n(self) -> int:
        """Side of the matrices."""
        return int(self.centre.shape[0])

    @cached_property
    def outer(self) -> tuple[Floats, Floats]:
        """Lowest and highest corner, row by row, rounded outwards: the float box holds the exact one."""
        exact = [Fraction(float(entry)) for entry in self.centre.ravel()]
        low = np.array([float_below(entry - self.half_width) for entry in exact])
        high = np.array([float_above(entry + self.half_width) for entry in exact])
        return low, high

    @cached_property
    def inner(self) -> tuple[Floats, Floats]:
        """The corners rounded inwards (never past the centre): every float between them is in the exact box."""
        exact = [Fraction(float(entry)) for entry in self.centre.ravel()]
        low = np.array([float_above(entry - self.half_width) for entry in exact])
        high = np.array([float_below(entry + self.half_width) for entry in exact])
        flat = self.centre.ravel()
        return np.minimum(low, flat), np.maximum(high, flat)

    def contains(self, matrix: Floats) -> bool:
        """Whether a float matrix lies in the box, decided exactly."""
        pairs = zip(matrix.ravel(), self.centre.ravel(), strict=True)
        return all(abs(Fraction(float(x)) - Fraction(float(c))) <= self.half_width for x, c in pairs)


def read_centre(path: str | Path) -> Floats:
    """Read a real square matrix from a .npy file, as float64 without rounding.

    Raises:
        BadInput: If the file is missing, truncated, pickled, complex, too large, or not a square matrix.
    """
    try:
        # Mapped, so that a header claiming a huge matrix takes no memory; such a claim may overflow on its way.
        with np.errstate(over="ignore"):
            stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError, TypeError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a whole .npy file of numbers"
        raise BadInput(f"cannot read the centre from {path}: {reason}") from None
    if not isinstance(stored, np.ndarray):
        raise BadInput(f"{path} holds several arrays; save the centre alone with numpy.save")
    if stored.ndim != 2 or stored.shape[0] != stored.shape[1] or not 1 <= stored.shape[0] <= LARGEST_SIDE:
        raise BadInput(f"the centre in {path} must be square, of side 1 to {LARGEST_SIDE}, not of shape {stored.shape}")
    if stored.dtype.kind not in "iuf":
        raise BadInput(f"the centre in {path} must be real numbers, not {stored.dtype}")
    plain = np.array(stored)
    if not np.isfinite(plain).all():
        raise BadInput(f"the centre in {path} has an entry that is not finite")
    centre = plain.astype(np.float64)
    kept = np.isfinite(centre).all() and (centre == plain).all()
    if not kept or any(int(number) != int(entry) for number, entry in zip(centre.flat, plain.flat, strict=True)):
        raise BadInput(f"the centre in {path} has an entry float64 cannot hold exactly")
    return centre
