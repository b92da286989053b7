"""A network for a matrix function: frozen matrices, the problem they solve, and the plan that proves the bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb
from numpy.typing import ArrayLike, NDArray

from constructions.evaluate import evaluate_balls, evaluate_exact, evaluate_floats
from constructions.measure import Measurement, measure
from constructions.network import Network
from constructions.program_network import ideal_network
from theory.counts import plan_architecture
from theory.errors import BadInput
from theory.network_plan import NetworkPlan
from theory.problem import Membership, Problem

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MatrixNetwork"]


@dataclass(frozen=True, eq=False)
class MatrixNetwork:
    """A frozen network on n x n matrices, flattened row by row, with what is proved of it.

    Attributes:
        network: The frozen network.
        plan: The plan it was built from, or is to be checked against; its bound holds if ``matches_plan``.
        fresh: Whether the network has just been built from the plan, so that there is nothing to check.
    """

    network: Network
    plan: NetworkPlan
    fresh: bool = False

    @property
    def problem(self) -> Problem:
        """What the network is for."""
        return self.plan.problem

    @property
    def n(self) -> int:
        """Matrix size."""
        return self.plan.problem.n

    @property
    def bound(self) -> Fraction:
        """Proved bound (UPPER) on the frozen network's error in exact evaluation, in its norm, on its domain."""
        return self.plan.proved

    @cached_property
    def matches_plan(self) -> bool:
        """Whether weights and blocks are, one by one, what the plan's theorem builds: then its bound is theirs."""
        if plan_architecture(self.plan) != self.network.architecture:
            return False  # before anything of the plan's size is built
        if self.fresh:
            return True
        rebuilt = ideal_network(self.plan).freeze()
        if rebuilt.blocks != self.network.blocks:
            return False
        pairs = zip(rebuilt.maps, self.network.maps, strict=True)
        return all(ours.augmented.equals(theirs.augmented) for ours, theirs in pairs)

    @cached_property
    def measured(self) -> Measurement:
        """Architecture, non-zeros and largest weight, read off the matrices."""
        return measure(self.network)

    def membership(self, *matrices: ArrayLike) -> Membership:
        """Decide exactly whether a matrix (every one, if there are several) is in the domain of the bound."""
        inside = Membership(True, "")
        for name, A in zip(self.problem.inputs, self._given(matrices), strict=True):
            inside = self.problem.domain.membership(_rows(A, self.n))
            if not inside.inside and len(matrices) > 1:
                return Membership(False, f"{name} is out: {inside.reason}")
        return inside

    def exact(self, *matrices: ArrayLike) -> list[list[Fraction]]:
        """Return the network's exact value at a matrix of rationals or floats (floats are taken exactly)."""
        flat = [entry for A in self._given(matrices) for row in _rows(A, self.n) for entry in row]
        out = evaluate_exact(self.network, flat)
        return [out[i * self.n : (i + 1) * self.n] for i in range(self.n)]

    def balls(self, *matrices: Sequence[Sequence[arb]] | ArrayLike, precision: int = 128) -> list[list[arb]]:
        """Return balls that contain the network's value at every matrix in the given balls.

        Raises:
            BadInput: If a matrix has another shape.
        """
        flat: list[Any] = []
        for A in self._given(matrices):
            rows: Any = A if _is_balls(A) else _rows(A, self.n)
            if len(rows) != self.n or any(len(row) != self.n for row in rows):
                raise BadInput(f"the network takes {self.n} x {self.n} matrices")
            flat += [entry for row in rows for entry in row]
        out = evaluate_balls(self.network, flat, precision)
        return [out[i * self.n : (i + 1) * self.n] for i in range(self.n)]

    def __call__(self, *matrices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate in float64 on the matrices: (..., n, n) -> (..., n, n). Rounding in use is not in the bound.

        Raises:
            BadInput: If the matrices have another shape.
        """
        arrays = [np.asarray(A, dtype=np.float64) for A in self._given(matrices)]
        for A in arrays:
            if A.shape[-2:] != (self.n, self.n):
                raise BadInput(f"the network takes matrices of shape (..., {self.n}, {self.n}), not {A.shape}")
        flat = np.concatenate([A.reshape(*A.shape[:-2], self.n**2) for A in np.broadcast_arrays(*arrays)], axis=-1)
        return evaluate_floats(self.network, flat).reshape(*flat.shape[:-1], self.n, self.n)

    def _given(self, matrices: Sequence[Any]) -> Sequence[Any]:
        """Return the matrices if they are as many as the function takes.

        Raises:
            BadInput: If they are not.
        """
        names = self.problem.inputs
        if len(matrices) != len(names):
            raise BadInput(f"the network takes {' and '.join(names)}, not {len(matrices)} matrices")
        return matrices

    def torch(self, mode: str = "blocks") -> nn.Module:
        """Return an ``nn.Module`` on (..., n, n): ``blocks`` (fast), ``csr`` (the matrices) or ``dense``.

        Derivatives come by autograd; they are those of the piecewise linear network and are not certified.
        """
        from constructions.torch_module import torch_module

        return torch_module(self, mode)

    def save(self, path: str | Path) -> None:
        """Write the network to a file, whole or not at all."""
        from constructions.store import save

        save(self, path)


def _is_balls(A: Any) -> bool:
    return isinstance(A, (list, tuple)) and bool(A) and any(isinstance(entry, arb) for row in A for entry in row)


def _rows(A: ArrayLike, n: int) -> list[list[Fraction]]:
    array = np.asarray(A, dtype=object)
    if array.shape != (n, n):
        raise BadInput(f"the network takes {n} x {n} matrices, not shape {array.shape}")
    try:
        return [[Fraction(entry.item() if isinstance(entry, np.generic) else entry) for entry in row] for row in array]
    except (ValueError, OverflowError, TypeError):
        raise BadInput("the matrix has an entry that is no finite number") from None
