"""Each kind of step proves what is true, refutes what is false, and says when it cannot tell."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from theory import steps
from theory.steps import Cited, Exhaustive, Identity, Induction, Positive, Smt, eq, holds_exactly, le, lt
from theory.symbols import A_BLOCKS, B_BLOCKS, a, b, eps, h, r, x, y
from theory.theorem import Bound, Kind, Outcome, Step, Theorem, Verdict, weakest

TRUE = Identity("square", "(x + y)^2 = x^2 + 2xy + y^2", (x + y) ** 2, x**2 + 2 * x * y + y**2)
FALSE = Identity("wrong", "(x + y)^2 = x^2 + y^2", (x + y) ** 2, x**2 + y**2)
pytest_z3 = pytest.mark.skipif(steps.find_spec("z3") is None, reason="needs z3")


def verdict(step: Step) -> Verdict:
    return step.run().verdict


def test_an_identity_is_proved() -> None:
    assert TRUE.run() == Outcome(Verdict.PROVED, "SymPy identity")
    assert verdict(Identity("quotient", "", x / y - 1, (x - y) / y)) is Verdict.PROVED
    assert verdict(Identity("trigonometric", "", sp.cosh(x) ** 2 - sp.sinh(x) ** 2, sp.Integer(1))) is Verdict.PROVED


def test_a_wrong_identity_is_refuted_with_a_point() -> None:
    outcome = FALSE.run()
    assert outcome.verdict is Verdict.REFUTED
    assert "differs by" in outcome.detail


def test_an_identity_nobody_reduces_is_undecided() -> None:
    unknown = sp.Function("f")(x)
    assert verdict(Identity("unknown", "", unknown, sp.Integer(0))) is Verdict.UNDECIDED


def test_identities_respect_factors_that_do_not_commute() -> None:
    first, second = A_BLOCKS[0], B_BLOCKS[0]
    expanded = first**2 + first * second + second * first + second**2
    assert verdict(Identity("order", "", (first + second) ** 2, expanded)) is Verdict.PROVED
    assert sp.expand(first * second - second * first) != 0


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=5), st.integers(-9, 9))
def test_identities_of_polynomials_are_never_misjudged(coefficients: list[int], shift: int) -> None:
    polynomial = sum((c * x**i for i, c in enumerate(coefficients)), sp.Integer(0))
    moved = sp.Integer(shift) + sum((c * (x**i) for i, c in enumerate(coefficients)), sp.Integer(0))
    assert verdict(Identity("shift", "", moved, polynomial)) is (Verdict.REFUTED if shift else Verdict.PROVED)


@pytest_z3
@pytest.mark.parametrize(
    ("hypotheses", "conclusion", "expected"),
    [
        ((), x**2 + y**2 >= 2 * x * y, Verdict.PROVED),
        ((x >= 0, y >= x), y**2 >= x**2, Verdict.PROVED),
        ((y >= x,), y**2 >= x**2, Verdict.REFUTED),
        ((x > 0,), x + 1 / x >= 2, Verdict.PROVED),
        ((x > 0,), x + 1 / x > 2, Verdict.REFUTED),
        ((sp.Eq(x * y, 1), x > 0), sp.Gt(y, 0), Verdict.PROVED),
        ((sp.Eq(x, y),), sp.Eq(x**2, y**2), Verdict.PROVED),
        ((), sp.Le(x, sp.Rational(1, 3)), Verdict.REFUTED),
    ],
)
def test_smt_decides_implications(hypotheses: tuple[sp.Rel, ...], conclusion: sp.Rel, expected: Verdict) -> None:
    assert verdict(Smt("implication", "", hypotheses, conclusion)) is expected


@pytest_z3
def test_smt_knows_what_its_symbols_assume() -> None:
    assert verdict(Smt("positive", "", (), eps * (1 + x**2) > 0)) is Verdict.PROVED
    assert verdict(Smt("natural", "", (), r + h >= 1)) is Verdict.PROVED  # r >= 1, h >= 0
    assert verdict(Smt("natural", "", (), r + h >= 2)) is Verdict.REFUTED
    assert verdict(Smt("real", "", (), x * x + x >= 0)) is Verdict.REFUTED
    assert verdict(Smt("decided", "", (sp.Ge(r, 0),), sp.Ge(r, 0))) is Verdict.PROVED  # SymPy makes both True


@pytest_z3
def test_relations_stay_as_written() -> None:
    assert sp.Ge(r, 0) is sp.true
    assert (le(0, r).lhs, le(0, r).rhs, lt(0, r).func, eq(r, 1).func) == (0, r, sp.StrictLessThan, sp.Equality)
    assert verdict(Smt("positive", "", (le(0, r),), le(1, r))) is Verdict.PROVED
    assert verdict(Smt("strict", "", (eq(x, 1),), lt(1, x))) is Verdict.REFUTED


@pytest_z3
def test_smt_refuses_what_it_cannot_translate() -> None:
    with pytest.raises(ValueError, match="no SMT translation"):
        Smt("exponential", "", (), sp.exp(x) >= 1 + x).run()


def test_smt_without_its_solver_is_skipped_and_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "find_spec", lambda name: None)
    outcome = Smt("implication", "", (), x**2 >= 0).run()
    assert outcome.verdict is Verdict.SKIPPED
    assert "pip install" in outcome.detail


@given(st.fractions(-3, 3, max_denominator=20), st.fractions(Fraction(1, 10), 3, max_denominator=20))
def test_positive_agrees_with_the_minimum_of_a_parabola(centre: Fraction, floor: Fraction) -> None:
    box = {x: (-2, 2)}
    square = (x - sp.Rational(centre.numerator, centre.denominator)) ** 2
    lift = sp.Rational(floor.numerator, floor.denominator)
    assert verdict(Positive("above", "", square + lift, box)) is Verdict.PROVED
    if abs(centre) < 2:
        assert verdict(Positive("below", "", square - lift, box)) is Verdict.REFUTED


def test_positive_gives_up_at_a_zero_it_never_meets() -> None:
    third = sp.Rational(1, 3)  # bisection of [-1, 1] only meets dyadic points
    assert verdict(Positive("touching", "", (x - third) ** 2, {x: (-1, 1)}, pieces=50)) is Verdict.UNDECIDED
    assert verdict(Positive("touching", "", x**2, {x: (-1, 1)}, pieces=50)) is Verdict.REFUTED


def test_positive_handles_transcendental_functions_and_two_variables() -> None:
    box = {x: (Fraction(1, 10), 2), y: (0, 1)}
    assert verdict(Positive("exponential", "", sp.exp(x) - 1 - x + y / 10, box)) is Verdict.PROVED
    assert verdict(Positive("exponential", "", sp.exp(x) - 1 - 2 * x - y / 10, box)) is Verdict.REFUTED


def test_exhaustive_says_so() -> None:
    assert Exhaustive("all", "", lambda: all(i * i >= i for i in range(9))).run() == Outcome(
        Verdict.PROVED, "exact enumeration"
    )
    assert verdict(Exhaustive("some", "", lambda: False)) is Verdict.REFUTED


def test_induction_is_as_strong_as_its_weaker_half() -> None:
    assert verdict(Induction("both", "", TRUE, TRUE)) is Verdict.PROVED
    assert verdict(Induction("step", "", TRUE, FALSE)) is Verdict.REFUTED
    assert verdict(Induction("base", "", FALSE, TRUE)) is Verdict.REFUTED
    assert verdict(Induction("cited", "", Cited("base", "", "a book"), TRUE)) is Verdict.CITED
    assert Induction("both", "", TRUE, TRUE).run().means == "induction: SymPy identity"


def test_a_citation_names_its_reference() -> None:
    assert Cited("lemma", "", "a book, Theorem 1").run() == Outcome(Verdict.CITED, "cited: a book, Theorem 1")


@pytest.mark.parametrize(
    "pair",
    [
        (TRUE, FALSE),
        (Smt("s", "", (), x >= y), Smt("s", "", (x > 0,), x >= y)),
        (Positive("p", "", x, {x: (1, 2)}), Positive("p", "", x, {x: (1, 3)})),
        (Exhaustive("e", "c", lambda: True), Exhaustive("e", "c", lambda: True, version="2")),
        (Induction("i", "", TRUE, TRUE), Induction("i", "", TRUE, FALSE)),
        (Cited("c", "", "a book"), Cited("c", "", "another book")),
    ],
)
def test_fingerprints_tell_steps_apart(pair: tuple[Step, Step]) -> None:
    assert pair[0].fingerprint == pair[0].fingerprint
    assert pair[0].fingerprint != pair[1].fingerprint


def test_relations_are_decided_exactly() -> None:
    third = Fraction(1, 3)
    assert holds_exactly(3 * a <= b, {a: third, b: 1})
    assert not holds_exactly(3 * a < b, {a: third, b: 1})


def test_verdicts_are_ordered_and_the_weakest_wins() -> None:
    assert weakest([]) is Verdict.PROVED
    assert weakest([Verdict.NUMERIC, Verdict.CITED, Verdict.PROVED]) is Verdict.NUMERIC
    assert weakest(Verdict) is Verdict.REFUTED
    assert [v for v in Verdict if v.fails] == [Verdict.UNDECIDED, Verdict.REFUTED]


def test_a_theorem_checks_its_steps() -> None:
    bound = Bound(sp.Integer(1), Kind.UPPER, "abs", "everywhere")
    with pytest.raises(ValueError, match="without a step"):
        Theorem("t", "", "", (), bound, (), "here")
    with pytest.raises(ValueError, match="repeat"):
        Theorem("t", "", "", (), bound, (TRUE, TRUE), "here")
