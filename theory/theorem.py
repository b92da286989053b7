"""A theorem: statement, hypotheses, formulas, bound and the steps that discharge it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import sympy as sp

__all__ = ["Bound", "Kind", "Outcome", "Step", "Theorem", "Verdict", "weakest"]


class Verdict(Enum):
    """The grade of a step, strongest first; a theorem is as strong as its weakest step, transitively."""

    PROVED = "PROVED"
    CITED = "CITED"
    NUMERIC = "NUMERIC"
    SKIPPED = "SKIPPED"
    UNDECIDED = "UNDECIDED"
    REFUTED = "REFUTED"

    @property
    def fails(self) -> bool:
        """Whether a build must stop on it."""
        return self in (Verdict.UNDECIDED, Verdict.REFUTED)


_ORDER = list(Verdict)


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the weakest of the verdicts (PROVED for none)."""
    return max(verdicts, key=_ORDER.index, default=Verdict.PROVED)


class Kind(Enum):
    """What a bound says, and with it the assertion a test makes of it."""

    TIGHT = "TIGHT"  # attained: ==
    UPPER = "UPPER"  # <=
    LOWER = "LOWER"  # >=
    RATE = "RATE"  # a fitted slope


@dataclass(frozen=True)
class Bound:
    """A bound, written once, in SymPy; tables, LaTeX and numbers derive from ``expression``.

    Attributes:
        expression: The bound as a SymPy expression in the symbols of ``theory.symbols``.
        kind: What the bound says.
        norm: The norm the error is measured in (``max``, ``fro``, ``2``, ``inf``) or the unit of a count.
        domain: The set it holds on, in words.
    """

    expression: sp.Expr
    kind: Kind
    norm: str
    domain: str


@dataclass(frozen=True)
class Outcome:
    """What running a step gave: the verdict, the means used, and a detail for a person."""

    verdict: Verdict
    means: str
    detail: str = ""


class Step(Protocol):
    """One step of a proof: it has a name, says what it claims, and can be run."""

    @property
    def name(self) -> str:
        """A short name, unique within the theorem."""
        ...

    @property
    def claim(self) -> str:
        """The claim, in plain mathematics."""
        ...

    @property
    def fingerprint(self) -> str:
        """A text that changes whenever the claim or the means change."""
        ...

    def run(self) -> Outcome:
        """Discharge the step."""
        ...


@dataclass(frozen=True)
class Theorem:
    """A statement with the steps that prove it.

    Attributes:
        id: Dotted name, unique (``square.interpolant``).
        title: One line.
        statement: The statement in plain words and mathematics.
        hypotheses: What must hold, one clause each.
        bound: The bound, written once.
        steps: The proof, step by step, each machine-checked or cited.
        source: Where it comes from, with its theorem or section number, or "derived here".
        uses: Ids of the theorems it rests on.
        formulas: Further named expressions (counts, constants, recursions).

    Raises:
        ValueError: If two steps share a name, or there is no step.
    """

    id: str
    title: str
    statement: str
    hypotheses: tuple[str, ...]
    bound: Bound
    steps: tuple[Step, ...]
    source: str
    uses: tuple[str, ...] = ()
    formulas: Mapping[str, sp.Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if not names:
            raise ValueError(f"{self.id}: a theorem without a step is a claim")
        if len(set(names)) != len(names):
            raise ValueError(f"{self.id}: step names repeat: {names}")
