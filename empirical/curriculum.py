"""Training matrices that begin easy and grow into the distribution asked for.

Two ways to be easy. Small ``scale``: e^A, sin A, cos A near A = 0 are I + A, A and I. Weak ``coupling``: entries off
the diagonal shrunk, so that f(A) is nearly f of the diagonal; that also helps sign, which no scale changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from empirical.ensembles import Ensemble
from theory.errors import BadInput

__all__ = ["GROWTHS", "Curriculum"]

GROWTHS = ("scale", "coupling")
_SMALLEST_SCALE = 0.1  # of the whole


@dataclass(frozen=True)
class Curriculum:
    """How training matrices grow, linearly, over the first ``share`` of a run.

    Attributes:
        share: From 0 (none: the whole distribution from the first step) to 1.
        growth: ``scale`` (from a tenth of it) or ``coupling`` (from none).

    Raises:
        BadInput: If they are not that.
    """

    share: float
    growth: str = "scale"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise BadInput("curriculum is a share of the run, from 0 to 1")
        if self.growth not in GROWTHS:
            raise BadInput(f"no growth {self.growth!r}; choose from {', '.join(GROWTHS)}")

    def reached(self, done: float) -> float:
        """Return how far the distribution has grown, 0 to 1, when ``done`` of the run (0 to 1) is over."""
        return 1.0 if done >= self.share else done / self.share

    def ensemble(self, whole: Ensemble, done: float) -> Ensemble:
        """Return the distribution to draw from; only its scale ever differs from the whole one's."""
        if self.growth != "scale":
            return whole
        share = _SMALLEST_SCALE + (1 - _SMALLEST_SCALE) * self.reached(done)
        return replace(whole, scale=whole.scale if share >= 1 else max(whole.scale * share, whole.floor))

    def loosen(self, matrices: Tensor, done: float) -> Tensor:
        """Return matrices with the entries off the diagonal shrunk; untouched at the end, and where scale grows."""
        reached = self.reached(done)
        if self.growth != "coupling" or reached == 1:
            return matrices
        diagonal = torch.diag_embed(matrices.diagonal(dim1=-2, dim2=-1))
        return diagonal + reached * (matrices - diagonal)
