"""Problems: a function, a size, a domain, an accuracy and a norm; domains can say whether a matrix is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, get_args

from theory.errors import BadInput
from theory.rationals import parse_count, parse_positive

__all__ = ["NORMS", "Ball", "Box", "Domain", "Membership", "Norm", "Problem", "domain_from_json"]

Norm = Literal["fro", "max", "inf", "2"]
NORMS: tuple[Norm, ...] = get_args(Norm)
Rows = Sequence[Sequence[Fraction]]


@dataclass(frozen=True)
class Membership:
    """Whether a matrix is in a domain and, if not, by which clause it is out."""

    inside: bool
    reason: str


@dataclass(frozen=True)
class Box:
    """The box ``|a_ij| <= M``.

    Raises:
        BadInput: If M is not positive.
    """

    M: Fraction

    def __post_init__(self) -> None:
        parse_positive(self.M, "M")

    def json(self) -> dict[str, str]:
        """Return the domain as it stands in files."""
        return {"kind": "box", "M": str(self.M)}

    def describe(self) -> str:
        """Return the domain in one phrase."""
        return f"|a_ij| <= {self.M}"

    def membership(self, rows: Rows) -> Membership:
        """Decide exactly whether the matrix is in the box."""
        worst, place = max((abs(entry), (i, j)) for i, row in enumerate(rows) for j, entry in enumerate(row))
        if worst <= self.M:
            return Membership(True, f"every entry is at most {self.M} in absolute value")
        return Membership(False, f"|a{list(place)}| = {float(worst):.6g} > M = {self.M}")


@dataclass(frozen=True)
class Ball:
    """The ball ``||A||_2 <= radius``.

    Raises:
        BadInput: If the radius is not positive.
    """

    radius: Fraction

    def __post_init__(self) -> None:
        parse_positive(self.radius, "radius")

    def json(self) -> dict[str, str]:
        """Return the domain as it stands in files."""
        return {"kind": "ball", "norm": "2", "radius": str(self.radius)}

    def describe(self) -> str:
        """Return the domain in one phrase."""
        return f"||A||_2 <= {self.radius}"

    def membership(self, rows: Rows) -> Membership:
        """Decide exactly: ``||A||_2 <= R`` iff ``R^2 I - A^T A`` is positive semidefinite."""
        square = self.radius**2
        if sum(entry * entry for row in rows for entry in row) <= square:
            return Membership(True, f"||A||_F <= {self.radius}, so ||A||_2 is too")
        n = len(rows)
        gram = [
            [(square if i == j else Fraction(0)) - sum(row[i] * row[j] for row in rows) for j in range(n)] for i in range(n)
        ]
        if is_positive_semidefinite(gram):
            return Membership(True, f"R^2 I - A^T A is positive semidefinite, so ||A||_2 <= {self.radius}")
        return Membership(False, f"R^2 I - A^T A has a negative direction, so ||A||_2 > {self.radius}")


Domain = Box | Ball


def is_positive_semidefinite(matrix: Sequence[Sequence[Fraction]]) -> bool:
    """Decide exactly whether a symmetric rational matrix is positive semidefinite, by symmetric elimination."""
    work = [list(row) for row in matrix]
    remaining = list(range(len(work)))
    while remaining:
        pivot = next((i for i in remaining if work[i][i] != 0), None)
        if pivot is None:
            # A zero diagonal forces zero off-diagonals in a semidefinite matrix.
            return all(work[i][j] == 0 for i in remaining for j in remaining)
        if work[pivot][pivot] < 0:
            return False
        remaining.remove(pivot)
        for i in remaining:
            factor = work[i][pivot] / work[pivot][pivot]
            if factor:
                for j in remaining:
                    work[i][j] -= factor * work[pivot][j]
    return True


@dataclass(frozen=True)
class Problem:
    """Approximate ``function`` of an n x n matrix on ``domain`` with error at most ``eps`` in ``norm``.

    Raises:
        BadInput: If n, eps or the norm make no sense.
    """

    function: str
    n: int
    domain: Domain
    eps: Fraction
    norm: Norm = "fro"

    def __post_init__(self) -> None:
        parse_count(self.n, "n")
        parse_positive(self.eps, "eps")
        if self.norm not in NORMS:
            raise BadInput(f"norm must be one of {', '.join(NORMS)}, not {self.norm!r}")

    def json(self) -> dict[str, Any]:
        """Return the problem as it stands in files and documents; rationals as text."""
        return {
            "function": self.function,
            "n": self.n,
            "eps": str(self.eps),
            "norm": self.norm,
            "domain": self.domain.json(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Problem:
        """Read a problem back.

        Raises:
            BadInput: If a field is missing or wrong.
        """
        try:
            return cls(
                function=str(document["function"]),
                n=parse_count(document["n"], "n"),
                domain=domain_from_json(document["domain"]),
                eps=parse_positive(document["eps"], "eps"),
                norm=document["norm"],
            )
        except (KeyError, TypeError) as error:
            raise BadInput(f"the problem record is incomplete: {error}") from None


def domain_from_json(document: Mapping[str, Any]) -> Domain:
    """Read a domain back.

    Raises:
        BadInput: If the kind is unknown or a field is missing.
    """
    match document:
        case {"kind": "box", "M": bound}:
            return Box(parse_positive(bound, "M"))
        case {"kind": "ball", "norm": "2", "radius": radius}:
            return Ball(parse_positive(radius, "radius"))
    raise BadInput(f"unknown domain {dict(document)!r}"[:200])
