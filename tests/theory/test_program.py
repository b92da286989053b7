"""Matrix programs: combinations are a vector space, stages know what they read, chunks change nothing."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.expm.programs import horner_program, scaling_and_squaring_program
from theory.polynomials import degree_eight
from theory.program import Combination, Product, Program, Source, Stage, combination

NAMES = ("A", "B", "C")
COEFFICIENTS = st.fractions(-5, 5, max_denominator=12)
FORMS = st.builds(combination, st.dictionaries(st.sampled_from(NAMES), COEFFICIENTS, max_size=3), COEFFICIENTS)
Rows = list[list[Fraction]]


def value(form: Combination, values: dict[str, Fraction]) -> Fraction:
    return form.identity + sum((c * values[name] for name, c in form.terms), Fraction(0))


def run_program(program: Program, rows: Rows) -> Rows:
    """The program in exact arithmetic, product by product, parts of inner sums included."""
    n = len(rows)
    size = range(n)

    def combine(form: Combination, have: dict[str, Rows]) -> Rows:
        return [
            [
                (form.identity if i == j else Fraction(0))
                + sum((c * have[v][i][j] for v, c in form.terms), Fraction(0))
                for j in size
            ]
            for i in size
        ]

    values = {
        source.name: [
            [
                source.factor * (rows[j][i] if source.transpose else rows[i][j]) + (source.identity if i == j else 0)
                for j in size
            ]
            for i in size
        ]
        for source in program.sources
    }
    for stage in program.stages:
        have = dict(values)
        for product in stage.products:
            left, right = combine(product.left, values), combine(product.right, values)
            inner = range(*(product.inner or (0, n)))
            have[product.name] = [
                [sum((left[i][k] * right[k][j] for k in inner), Fraction(0)) for j in size] for i in size
            ]
        values = {name: combine(output, have) for name, output in stage.outputs}
    return combine(program.output, values)


@given(FORMS, FORMS, COEFFICIENTS, st.tuples(COEFFICIENTS, COEFFICIENTS, COEFFICIENTS))
def test_combinations_are_linear(
    first: Combination, second: Combination, factor: Fraction, point: tuple[Fraction, ...]
) -> None:
    values = dict(zip(NAMES, point, strict=True))
    assert value(first.plus(second), values) == value(first, values) + value(second, values)
    assert value(first.scaled(factor), values) == factor * value(first, values)
    assert first.plus(first.scaled(Fraction(-1))) == combination({})
    assert first.without_identity().identity == 0
    assert first.restricted(frozenset("A")).plus(first.restricted(frozenset("BC"))) == first.without_identity()


@given(FORMS)
def test_combinations_read_back_what_they_wrote(form: Combination) -> None:
    assert Combination.from_json(form.json()) == form
    assert [form[name] for name in form.names] == [c for _, c in form.terms]
    assert form["elsewhere"] == 0


def test_what_is_no_combination_or_stage_is_refused() -> None:
    A = combination({"A": 1})
    with pytest.raises(ValueError, match="sorted, distinct and non-zero"):
        Combination((("B", Fraction(1)), ("A", Fraction(1))))
    with pytest.raises(ValueError, match="sorted, distinct and non-zero"):
        Combination((("A", Fraction(0)),))
    with pytest.raises(ValueError, match="free of the identity"):
        Product("P", A, combination({"A": 1}, 1))
    with pytest.raises(ValueError, match="non-empty"):
        Product("P", A, combination({}))
    with pytest.raises(ValueError, match="inner range"):
        Product("P", A, A, (2, 2))
    with pytest.raises(ValueError, match="distinct names"):
        Stage((Product("P", A, A), Product("P", A, A)), (("X", A),))
    with pytest.raises(ValueError, match="distinct names"):
        Stage((), (("X", A), ("X", A)))
    with pytest.raises(ValueError, match="has outputs"):
        Stage((Product("P", A, A),), ())
    with pytest.raises(ValueError, match="claim"):
        Stage((Product("P", A, A),), (("X", A),), (("Y", Fraction(1)),))
    stage = Stage((Product("P", A, A),), (("X", combination({"P": 1})),))
    with pytest.raises(ValueError, match="does not give"):
        Program((stage, stage), combination({"X": 1}))
    with pytest.raises(ValueError, match="not there"):
        Program((stage,), A)


def test_a_stage_reads_what_its_factors_and_outputs_name() -> None:
    product = Product("P", combination({"B": 1}), combination({"A": 2}))
    stage = Stage((product,), (("X", combination({"P": 1, "C": 3}, 1)),))
    assert stage.live == ("A", "B", "C")
    assert stage.product_names == {"P"}
    assert not product.is_square
    assert Product("Q", combination({"A": 2}), combination({"A": 2})).is_square
    assert not Product("Q", combination({"A": 2}), combination({"A": 2}), (0, 1)).is_square  # a part is no square


PROGRAMS = [
    horner_program(1),
    horner_program(5),
    scaling_and_squaring_program("paterson-stockmeyer", 6, 2),
    scaling_and_squaring_program("degree-8", 8, 1),
]


@pytest.mark.parametrize("program", PROGRAMS)
@given(
    st.integers(1, 3).flatmap(
        lambda n: st.lists(st.lists(COEFFICIENTS, min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
def test_chunks_change_nothing_but_the_order(program: Program, rows: Rows) -> None:
    n, expected = len(rows), run_program(program, rows)
    for chunk in range(1, n + 1):
        chunked = program.chunked(n, chunk)
        assert run_program(chunked, rows) == expected
        assert len(chunked.stages) == len(program.stages) * -(-n // chunk)


@pytest.mark.parametrize("program", PROGRAMS)
@given(
    st.integers(1, 3).flatmap(
        lambda n: st.lists(st.lists(COEFFICIENTS, min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
def test_carrying_changes_nothing_and_leaves_factors_single(program: Program, rows: Rows) -> None:
    carried = program.carried()
    assert run_program(carried, rows) == run_program(program, rows)
    assert run_program(program.chunked(len(rows), 1).carried(), rows) == run_program(program, rows)
    assert carried.products == program.products
    kinds = [bool(stage.products) for stage in carried.stages]
    assert kinds == [place % 2 == 0 for place in range(max(2 * len(program.stages) - 1, 0))]
    later = [product for stage in carried.stages[1:] for product in stage.products]
    assert all(len(factor.terms) == 1 for product in later for factor in (product.left, product.right))


def test_products_are_counted() -> None:
    assert [program.products for program in PROGRAMS] == [0, 4, 3 + 2, 3 + 1]
    assert Program(degree_eight().stages, combination({"H": 1})).products == 3


def test_sources_are_affine_in_the_input() -> None:
    sources = (Source("A"), Source("B", Fraction(-1, 2), Fraction(3), transpose=True))
    program = Program((), combination({"A": 1, "B": 2}), sources)
    rows = [[Fraction(1), Fraction(2)], [Fraction(5), Fraction(7)]]
    assert run_program(program, rows) == [[Fraction(6), Fraction(-3)], [Fraction(3), Fraction(6)]]
