"""Reference values of matrix functions: batched, on any device, right to 1e-13 in the Frobenius norm or refused.

The values come from ``empirical.matrix_functions`` (106-bit arithmetic, no eigenvectors) with a bound of their error; a
matrix that has no (principal) value, or whose value is not known to 1e-14, gets an outcome that says so, never NaN
alone. torch's own ``matrix_exp`` is not used: on a single unbatched matrix it is wrong by up to 8e-11 in torch 2.13.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

from empirical import doubledouble as dd
from empirical.matrix_functions import FUNCTIONS, frobenius
from theory.errors import BadInput

__all__ = ["FUNCTIONS", "Outcome", "Truth", "evaluate"]

_TRUSTED = 1e-14
_CHUNK = 2048


class Outcome(IntEnum):
    """What became of one matrix."""

    OK = 0
    NO_PRINCIPAL_VALUE = 1
    SINGULAR = 2
    OUT_OF_RANGE = 3
    NOT_FINITE = 4
    ILL_CONDITIONED = 5

    @property
    def explanation(self) -> str:
        """Say in words why there is no value."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Outcome.OK: "the value is right to 1e-13",
    Outcome.NO_PRINCIPAL_VALUE: "an eigenvalue lies where no principal value is defined, or too near to tell",
    Outcome.SINGULAR: "the matrix is singular, or so nearly that 106 bits cannot tell",
    Outcome.OUT_OF_RANGE: "the matrix or its value is too large, or the value too small, for float64",
    Outcome.NOT_FINITE: "the matrix has NaN or infinite entries",
    Outcome.ILL_CONDITIONED: "the value changes too much with the matrix for 106 bits to give it to 1e-13",
}


@dataclass(frozen=True)
class Truth:
    """Values of a function at a batch of matrices.

    Attributes:
        values: float64, shape (..., n, n); NaN where refused.
        outcomes: uint8, shape (...): an ``Outcome`` a matrix.
    """

    values: Tensor
    outcomes: Tensor

    @property
    def ok(self) -> Tensor:
        """Where there is a value: a mask of shape (...)."""
        return self.outcomes == Outcome.OK

    def refused(self) -> dict[str, int]:
        """Count the refusals by reason."""
        counts = torch.bincount(self.outcomes.flatten().long(), minlength=len(Outcome)).tolist()
        return {outcome.name.lower(): counts[outcome] for outcome in Outcome if outcome and counts[outcome]}

    def checked(self) -> Tensor:
        """Return the values where all matrices have one.

        Raises:
            BadInput: If one has none; one line says which, and why.
        """
        if not bool(self.ok.all()):
            outcomes = self.outcomes.flatten().tolist()
            place = next(index for index, outcome in enumerate(outcomes) if outcome)
            which = f"matrix {place} of {len(outcomes)}" if len(outcomes) > 1 else "the matrix"
            raise BadInput(f"{which} has no value: {Outcome(outcomes[place]).explanation}")
        return self.values


def evaluate(function: str, matrices: Tensor) -> Truth:
    """Return f(A) for every matrix A of a batch.

    Args:
        function: One of ``FUNCTIONS``: exp, log, sign, sin, cos, sqrt, inverse.
        matrices: Shape (..., n, n), n >= 1, real; a single matrix is a batch of one.

    Raises:
        BadInput: If there is no such function, or the shape is not that of square real matrices.
    """
    if function not in FUNCTIONS:
        raise BadInput(f"no matrix function {function!r}; choose from {', '.join(FUNCTIONS)}")
    if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2] or matrices.shape[-1] == 0:
        raise BadInput(f"matrix functions need square matrices, not shape {tuple(matrices.shape)}")
    if matrices.is_complex():
        raise BadInput("matrix functions are for real matrices here")
    n = matrices.shape[-1]
    flat = matrices.to(torch.float64).reshape(-1, n, n)
    values, outcomes = torch.empty_like(flat), torch.empty(len(flat), dtype=torch.uint8, device=flat.device)
    # Chunks keep the many elementwise steps inside a CPU's cache; a GPU wants the whole batch.
    size = _CHUNK if flat.device.type == "cpu" else max(len(flat), 1)
    for start in range(0, len(flat), size):
        part = slice(start, start + size)
        values[part], outcomes[part] = _evaluate(function, flat[part])
    return Truth(values.reshape(matrices.shape), outcomes.reshape(matrices.shape[:-2]))


def _evaluate(function: str, matrices: Tensor) -> tuple[Tensor, Tensor]:
    finite = matrices.isfinite().all(-1).all(-1)
    limit = 2.0**40 if function in ("exp", "sin", "cos") else 1e290
    inside = matrices.abs().amax((-2, -1)) <= limit
    # A harmless stand-in keeps one bad matrix from disturbing the others' loops.
    identity = torch.eye(matrices.shape[-1], dtype=torch.float64, device=matrices.device)
    safe = torch.where((finite & inside)[:, None, None], matrices, identity)
    found = FUNCTIONS[function](dd.from_double(safe.permute(1, 2, 0).contiguous()))
    value = found.value.hi.permute(2, 0, 1)
    size = frobenius(value)
    in_range = size.isfinite() & (size <= 1e290) & ((size >= 1e-290) | ((size == 0) & (found.bound == 0)))
    missing = Outcome.SINGULAR if function == "inverse" else Outcome.NO_PRINCIPAL_VALUE
    outcome = torch.zeros(len(value), dtype=torch.uint8, device=value.device)
    for condition, answer in (
        (~(found.bound <= _TRUSTED), Outcome.ILL_CONDITIONED),
        (~in_range, Outcome.OUT_OF_RANGE),
        (~found.exists, missing),
        (~inside, Outcome.OUT_OF_RANGE),
        (~finite, Outcome.NOT_FINITE),
    ):
        outcome = torch.where(condition, int(answer), outcome)
    return torch.where((outcome == Outcome.OK)[:, None, None], value, torch.nan), outcome
