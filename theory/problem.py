"""Problems: a function, a size, a domain, an accuracy and a norm; domains can say whether a matrix is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, get_args

from theory.errors import BadInput
from theory.rationals import parse_count, parse_positive, parse_rational

__all__ = [
    "NORMS",
    "Around",
    "Ball",
    "Box",
    "CentredBall",
    "Domain",
    "KDelta",
    "Membership",
    "Norm",
    "Problem",
    "SignDomain",
    "domain_from_json",
]

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
            [(square if i == j else Fraction(0)) - sum(row[i] * row[j] for row in rows) for j in range(n)]
            for i in range(n)
        ]
        if is_positive_semidefinite(gram):
            return Membership(True, f"R^2 I - A^T A is positive semidefinite, so ||A||_2 <= {self.radius}")
        return Membership(False, f"R^2 I - A^T A has a negative direction, so ||A||_2 > {self.radius}")


@dataclass(frozen=True)
class CentredBall:
    """The ball ``||A - cI||_2 <= radius``.

    Raises:
        BadInput: If the radius is not positive.
    """

    centre: Fraction
    radius: Fraction

    def __post_init__(self) -> None:
        parse_positive(self.radius, "radius")

    def json(self) -> dict[str, str]:
        """Return the domain as it stands in files."""
        return {"kind": "ball", "norm": "2", "centre": str(self.centre), "radius": str(self.radius)}

    def describe(self) -> str:
        """Return the domain in one phrase."""
        if not self.centre:
            return f"||A||_2 <= {self.radius}"
        return f"||A - {'' if self.centre == 1 else f'{self.centre} '}I||_2 <= {self.radius}"

    def membership(self, rows: Rows) -> Membership:
        """Decide exactly whether the matrix is in the ball."""
        shifted = [
            [entry - (self.centre if i == j else Fraction(0)) for j, entry in enumerate(row)]
            for i, row in enumerate(rows)
        ]
        inside = Ball(self.radius).membership(shifted)
        return Membership(inside.inside, inside.reason.replace("A", f"(A - {self.centre} I)"))


@dataclass(frozen=True)
class SignDomain:
    """``||I - A^2||_2 <= rho`` and ``||A||_2 <= nu``: the first alone bounds nothing ([[1, t], [0, -1]]).

    Raises:
        BadInput: If rho is not in (0, 1), or nu^2 < 1 - rho, which leaves nothing.
    """

    rho: Fraction
    nu: Fraction

    def __post_init__(self) -> None:
        parse_positive(self.rho, "rho")
        parse_positive(self.nu, "nu")
        if self.rho >= 1:
            raise BadInput(f"rho must be below 1, not {self.rho}: at 1 a singular matrix has no sign")
        if self.nu**2 < 1 - self.rho:
            raise BadInput(
                f"nu = {self.nu} leaves no matrix: ||I - A^2|| <= {self.rho} needs ||A||^2 >= {1 - self.rho}"
            )

    def json(self) -> dict[str, str]:
        """Return the domain as it stands in files."""
        return {"kind": "sign", "norm": "2", "rho": str(self.rho), "nu": str(self.nu)}

    def describe(self) -> str:
        """Return the domain in one phrase."""
        return f"||I - A^2||_2 <= {self.rho} and ||A||_2 <= {self.nu}"

    def membership(self, rows: Rows) -> Membership:
        """Decide exactly, both clauses."""
        bounded = Ball(self.nu).membership(rows)
        if not bounded.inside:
            return bounded
        n = len(rows)
        residual = [
            [Fraction(i == j) - sum((rows[i][k] * rows[k][j] for k in range(n)), Fraction(0)) for j in range(n)]
            for i in range(n)
        ]
        near = Ball(self.rho).membership(residual)
        return Membership(near.inside, near.reason.replace("A^T A", "E^T E").replace("||A||", "||I - A^2||"))


@dataclass(frozen=True)
class KDelta:
    """K_delta: ``sigma_min(A) >= delta`` and ``||A||_F <= radius``.

    Raises:
        BadInput: If a number is not positive or delta exceeds the radius.
    """

    delta: Fraction
    radius: Fraction

    def __post_init__(self) -> None:
        parse_positive(self.delta, "delta")
        parse_positive(self.radius, "radius")
        if self.delta > self.radius:
            raise BadInput(f"delta = {self.delta} exceeds the radius {self.radius}: no matrix is left")

    def json(self) -> dict[str, str]:
        """Return the domain as it stands in files."""
        return {"kind": "k-delta", "norm": "fro", "delta": str(self.delta), "radius": str(self.radius)}

    def describe(self) -> str:
        """Return the domain in one phrase."""
        return f"sigma_min(A) >= {self.delta} and ||A||_F <= {self.radius}"

    def membership(self, rows: Rows) -> Membership:
        """Decide exactly: ``A^T A - delta^2 I`` is positive semidefinite."""
        total = sum(entry * entry for row in rows for entry in row)
        if total > self.radius**2:
            return Membership(False, f"||A||_F = {float(total) ** 0.5:.6g} > {self.radius}")
        n, square = len(rows), self.delta**2
        gram = [
            [sum((row[i] * row[j] for row in rows), Fraction(0)) - square * (i == j) for j in range(n)]
            for i in range(n)
        ]
        if is_positive_semidefinite(gram):
            return Membership(True, f"A^T A - delta^2 I is positive semidefinite, so sigma_min >= {self.delta}")
        return Membership(False, f"A^T A - delta^2 I has a negative direction, so sigma_min < {self.delta}")


@dataclass(frozen=True)
class Around:
    """The box ``|A - A0| <= half_width``, entry by entry, around a centre.

    Attributes:
        centre: The rows of A0.
        half_width: In every entry.

    Raises:
        BadInput: If the centre is not square or the half-width not positive.
    """

    centre: tuple[tuple[Fraction, ...], ...]
    half_width: Fraction

    def __post_init__(self) -> None:
        parse_positive(self.half_width, "the half-width")
        if not self.centre or any(len(row) != len(self.centre) for row in self.centre):
            raise BadInput("the centre must be a square matrix")

    @property
    def n(self) -> int:
        """Side of the matrices."""
        return len(self.centre)

    @property
    def largest(self) -> Fraction:
        """The largest absolute value an entry takes in the box."""
        return max(abs(entry) for row in self.centre for entry in row) + self.half_width

    def json(self) -> dict[str, Any]:
        """Return the domain as it stands in files."""
        centre = [[str(entry) for entry in row] for row in self.centre]
        return {"kind": "around", "centre": centre, "half_width": str(self.half_width)}

    def describe(self) -> str:
        """Return the domain in one phrase; a large centre by its corner entry."""
        rows = [[f"{float(entry):.6g}" for entry in row] for row in self.centre]
        shown = str(rows).replace("'", "") if self.n <= 3 else f"[[{rows[0][0]}, {rows[0][1]}, ...], ...]"
        return f"|A - A0| <= {self.half_width} in every entry, A0 = {shown}"

    def membership(self, rows: Rows) -> Membership:
        """Decide exactly whether the matrix is in the box."""
        pairs = [
            (abs(a - c), (i, j))
            for i in range(self.n)
            for j, (a, c) in enumerate(zip(rows[i], self.centre[i], strict=True))
        ]
        worst, place = max(pairs)
        if worst <= self.half_width:
            return Membership(True, f"every entry is within {self.half_width} of the centre's")
        return Membership(False, f"|(A - A0){list(place)}| = {float(worst):.6g} > {self.half_width}")


Domain = Box | Ball | CentredBall | SignDomain | KDelta | Around


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
        if isinstance(self.domain, Around) and self.domain.n != self.n:
            raise BadInput(f"n = {self.n}, but the centre is {self.domain.n} x {self.domain.n}")
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

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the n x n matrices the function takes."""
        return ("X", "Y") if self.function == "product" else ("A",)

    @property
    def where(self) -> str:
        """The domain in one phrase, of every input."""
        phrase = self.domain.describe()
        return phrase if len(self.inputs) == 1 else phrase.replace("|a_ij|", "|x_ij|, |y_ij|")

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
        case {"kind": "ball", "norm": "2", "centre": centre, "radius": radius}:
            return CentredBall(parse_rational(centre, "centre"), parse_positive(radius, "radius"))
        case {"kind": "around", "centre": [*rows], "half_width": half_width}:
            if not all(isinstance(row, list) for row in rows):
                raise BadInput("the centre must be a list of rows")
            centre = tuple(tuple(parse_rational(entry, "centre") for entry in row) for row in rows)
            return Around(centre, parse_positive(half_width, "half_width"))
        case {"kind": "sign", "rho": rho, "nu": nu}:
            return SignDomain(parse_positive(rho, "rho"), parse_positive(nu, "nu"))
        case {"kind": "k-delta", "delta": delta, "radius": radius}:
            return KDelta(parse_positive(delta, "delta"), parse_positive(radius, "radius"))
        case {"kind": "ball", "norm": "2", "radius": radius}:
            return Ball(parse_positive(radius, "radius"))
    raise BadInput(f"unknown domain {document!r}"[:200])
