"""How a step is discharged: SymPy identity, SMT, balls with bisection, induction, exact enumeration, citation.

``ask(...)`` and other heuristics prove nothing here: SymPy states and simplifies, SMT and balls decide inequalities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

import sympy as sp
from flint import arb, ctx

from theory.evaluate import ball, exact
from theory.theorem import Outcome, Step, Verdict, weakest

__all__ = ["Cited", "Exhaustive", "Identity", "Induction", "Positive", "Smt", "eq", "le", "lt"]


def le(low: sp.Expr | int, high: sp.Expr | int) -> sp.Rel:
    """Return ``low <= high`` as written: SymPy decides nothing from assumptions, which is slow and hides the claim."""
    return sp.Le(low, high, evaluate=False)


def lt(low: sp.Expr | int, high: sp.Expr | int) -> sp.Rel:
    """Return ``low < high`` as written."""
    return sp.Lt(low, high, evaluate=False)


def eq(left: sp.Expr | int, right: sp.Expr | int) -> sp.Rel:
    """Return ``left == right`` as written."""
    return sp.Eq(left, right, evaluate=False)


@dataclass(frozen=True)
class Identity:
    """``left == right`` as an identity of expressions, proved by reducing the difference to zero."""

    name: str
    claim: str
    left: sp.Expr
    right: sp.Expr

    @property
    def fingerprint(self) -> str:
        """The two sides, structurally."""
        return f"identity|{sp.srepr(self.left)}|{sp.srepr(self.right)}"

    def run(self) -> Outcome:
        """Reduce; on failure look for a rational point that refutes."""
        difference = sp.sympify(self.left - self.right)
        for reduce in (sp.expand, sp.cancel, sp.simplify):
            if reduce(difference) == 0:
                return Outcome(Verdict.PROVED, "SymPy identity")
        symbols = sorted(difference.free_symbols, key=str)
        point = {symbol: sp.Rational(3 + 2 * i, 7 + i) for i, symbol in enumerate(symbols)}
        value = difference.subs(point)
        if value.is_Rational and value != 0:
            return Outcome(Verdict.REFUTED, "SymPy identity", f"differs by {value} at {point}")
        return Outcome(Verdict.UNDECIDED, "SymPy identity", f"does not reduce: {sp.simplify(difference)}")


@dataclass(frozen=True)
class Smt:
    """A polynomial implication over the reals, decided by Z3: hypotheses => conclusion for all values."""

    name: str
    claim: str
    hypotheses: tuple[sp.Rel, ...]
    conclusion: sp.Rel

    @property
    def fingerprint(self) -> str:
        """The formulas, structurally."""
        return "smt|" + "|".join(sp.srepr(f) for f in (*self.hypotheses, self.conclusion))

    def run(self) -> Outcome:
        """Ask Z3 for a counterexample; none means proved."""
        if find_spec("z3") is None:
            return Outcome(Verdict.SKIPPED, "SMT (Z3)", 'solver missing: pip install "funmnet[smt]"')
        import z3

        solver = z3.Solver()
        solver.set("timeout", 10_000)
        names: dict[sp.Symbol, Any] = {}
        for hypothesis in self.hypotheses:
            solver.add(_to_z3(hypothesis, names))
        solver.add(z3.Not(_to_z3(self.conclusion, names)))
        for symbol, name in names.items():
            # What a symbol assumes holds wherever it stands; an integer that is positive is at least 1.
            if symbol.is_positive:
                solver.add(name >= 1 if symbol.is_integer else name > 0)
            elif symbol.is_nonnegative:
                solver.add(name >= 0)
        answer = solver.check()
        if answer == z3.unsat:
            return Outcome(Verdict.PROVED, "SMT (Z3)")
        if answer == z3.sat:
            return Outcome(Verdict.REFUTED, "SMT (Z3)", f"counterexample: {solver.model()}")
        return Outcome(Verdict.UNDECIDED, "SMT (Z3)", solver.reason_unknown())


def _to_z3(formula: sp.Basic, names: dict[sp.Symbol, Any]) -> Any:
    import z3

    match formula:
        case _ if formula in (sp.true, sp.false):
            return z3.BoolVal(bool(formula))  # SymPy decided the relation from its symbols' assumptions
        case sp.Rational():
            return z3.RealVal(f"{int(formula.p)}/{int(formula.q)}")
        case sp.Symbol():
            # Real even where the symbol is an integer: a weaker hypothesis, so the proof still holds.
            return names.setdefault(formula, z3.Real(formula.name))
        case sp.Add():
            return z3.Sum([_to_z3(arg, names) for arg in formula.args])
        case sp.Mul():
            return z3.Product([_to_z3(arg, names) for arg in formula.args])
        case sp.Pow(args=(base, sp.Integer() as power)) if power > 0:
            return z3.Product([_to_z3(base, names)] * int(power))
        case sp.Pow(args=(base, sp.Integer() as power)) if power < 0:
            return z3.RealVal(1) / z3.Product([_to_z3(base, names)] * -int(power))
        case sp.GreaterThan() | sp.LessThan():
            return _to_z3(formula.lts, names) <= _to_z3(formula.gts, names)
        case sp.StrictGreaterThan() | sp.StrictLessThan():
            return _to_z3(formula.lts, names) < _to_z3(formula.gts, names)
        case sp.Equality():
            return _to_z3(formula.lhs, names) == _to_z3(formula.rhs, names)
    raise ValueError(f"no SMT translation: {formula}")


@dataclass(frozen=True)
class Positive:
    """``expression > 0`` on a box of rationals, decided by balls with bisection."""

    name: str
    claim: str
    expression: sp.Expr
    box: Mapping[sp.Symbol, tuple[Fraction | int, Fraction | int]]
    pieces: int = 20_000

    @property
    def fingerprint(self) -> str:
        """The expression and the box."""
        box = sorted(self.box.items(), key=lambda side: str(side[0]))
        sides = ", ".join(f"{symbol}:{lo},{hi}" for symbol, (lo, hi) in box)
        return f"balls|{sp.srepr(self.expression)}|{sides}"

    def run(self) -> Outcome:
        """Bisect the longest side until every piece is positive, one has a point that is not, or the pieces run out."""
        todo = [{symbol: (Fraction(lo), Fraction(hi)) for symbol, (lo, hi) in self.box.items()}]
        with ctx.workprec(128):
            for _ in range(self.pieces):
                if not todo:
                    return Outcome(Verdict.PROVED, "balls with bisection")
                piece = todo.pop()
                value = ball(self.expression, {symbol: _hull(lo, hi) for symbol, (lo, hi) in piece.items()})
                if value > 0:
                    continue
                centre = {symbol: (lo + hi) / 2 for symbol, (lo, hi) in piece.items()}
                if value <= 0 or ball(self.expression, centre) <= 0:
                    return Outcome(Verdict.REFUTED, "balls with bisection", f"not positive everywhere on {piece}")
                longest = max(piece, key=lambda symbol: piece[symbol][1] - piece[symbol][0])
                lo, hi = piece[longest]
                middle = (lo + hi) / 2
                todo += [{**piece, longest: (lo, middle)}, {**piece, longest: (middle, hi)}]
        return Outcome(Verdict.UNDECIDED, "balls with bisection", f"{len(todo)} pieces left after {self.pieces}")


def _hull(lo: Fraction, hi: Fraction) -> arb:
    from theory.evaluate import as_ball

    return as_ball(lo).union(as_ball(hi))


@dataclass(frozen=True)
class Exhaustive:
    """A finite family of exact rational checks, enumerated in full; it says so, and claims no more."""

    name: str
    claim: str
    check: Callable[[], bool]
    version: str = "1"

    @property
    def fingerprint(self) -> str:
        """The claim and the check's version."""
        return f"exact|{self.claim}|{self.version}"

    def run(self) -> Outcome:
        """Run the enumeration."""
        return Outcome(Verdict.PROVED if self.check() else Verdict.REFUTED, "exact enumeration")


@dataclass(frozen=True)
class Induction:
    """Induction over a natural number: the base and the step are themselves steps, for symbolic parameters."""

    name: str
    claim: str
    base: Step
    step: Step

    @property
    def fingerprint(self) -> str:
        """Those of base and step."""
        return f"induction|{self.base.fingerprint}|{self.step.fingerprint}"

    def run(self) -> Outcome:
        """As strong as the weaker of base and step."""
        outcomes = [self.base.run(), self.step.run()]
        means = "induction: " + ", ".join(dict.fromkeys(outcome.means for outcome in outcomes))
        return Outcome(weakest(o.verdict for o in outcomes), means, "; ".join(o.detail for o in outcomes if o.detail))


@dataclass(frozen=True)
class Cited:
    """A classical result taken from the literature; the theorem is graded CITED for it."""

    name: str
    claim: str
    reference: str

    @property
    def fingerprint(self) -> str:
        """Claim and reference."""
        return f"cited|{self.claim}|{self.reference}"

    def run(self) -> Outcome:
        """Nothing to run."""
        return Outcome(Verdict.CITED, f"cited: {self.reference}")


def holds_exactly(relation: sp.Rel, values: Mapping[sp.Symbol, int | Fraction]) -> bool:
    """Decide a relation of rational expressions at a rational point, exactly."""
    lhs, rhs = exact(relation.lhs, values), exact(relation.rhs, values)
    return bool(relation.func(sp.Rational(lhs.numerator, lhs.denominator), sp.Rational(rhs.numerator, rhs.denominator)))
