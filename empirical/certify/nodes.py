"""Open nodes of the search: a box of inputs, signs decided for some neurons, and the functional to be bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from empirical.certify.rounding import Floats

__all__ = ["Nodes"]


@dataclass(frozen=True)
class Nodes:
    """A batch of nodes. A node stands for all x of its box with decided_j y_j(x) >= 0 for all its decided neurons j.

    Args:
        low: Lowest corners, (batch, inputs).
        high: Highest corners, (batch, inputs).
        functional: Index of the functional F whose F . (N - f) is bounded, (batch,).
        decided: -1, 0 or 1 for every hidden neuron, all layers in one row, (batch, neurons), int8.
        multiplier: Where the parent's bound was best, (batch, neurons), float32: the lower line's slope of an
            undecided neuron, the weight of a decided one's constraint. Any values give a valid bound.
        bound: A proved upper bound of F . (N - f) on the node, (batch,).
    """

    low: Floats
    high: Floats
    functional: npt.NDArray[np.intp]
    decided: npt.NDArray[np.int8]
    multiplier: npt.NDArray[np.float32]
    bound: Floats

    @classmethod
    def root(cls, low: Floats, high: Floats, functionals: int, neurons: int) -> Nodes:
        """One node for every functional, all on the same box, nothing known."""
        return cls(
            low=np.repeat(low[None], functionals, axis=0),
            high=np.repeat(high[None], functionals, axis=0),
            functional=np.arange(functionals),
            decided=np.zeros((functionals, neurons), dtype=np.int8),
            multiplier=np.full((functionals, neurons), np.nan, dtype=np.float32),
            bound=np.full(functionals, np.inf),
        )

    @classmethod
    def joined(cls, batches: Sequence[Nodes]) -> Nodes:
        """All nodes of the batches, in order."""
        return cls(*(np.concatenate([getattr(b, field.name) for b in batches]) for field in fields(cls)))

    def __len__(self) -> int:
        return len(self.bound)

    def __getitem__(self, chosen: Any) -> Nodes:
        """The nodes of an index array, a mask or a slice."""
        return Nodes(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def bytes_each(self) -> int:
        """Memory of one node."""
        return 16 * self.low.shape[1] + 5 * self.decided.shape[1] + 16
