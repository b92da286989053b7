from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from empirical import balls, truth
from empirical.ensembles import KINDS, Ensemble
from empirical.truth import FUNCTIONS, Outcome, evaluate
from theory.errors import BadInput

RELATIVE = 1e-13  # the module's promise, in the Frobenius norm


def check_against_balls(function: str, matrices: torch.Tensor) -> list[int]:
    """Every value is within 1e-13 of a proved enclosure; return the outcomes."""
    found = evaluate(function, matrices)
    for matrix, value, outcome in zip(matrices, found.values, found.outcomes.tolist(), strict=True):
        enclosure = balls.enclose(function, matrix.tolist()) if outcome == Outcome.OK else None
        if outcome == Outcome.OK:
            assert enclosure is not None, f"{function} has a value where balls find none: {matrix.tolist()}"
            assert balls.relative_distance(enclosure, value.tolist()) <= RELATIVE
        else:
            assert value.isnan().all()
    return found.outcomes.tolist()


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_values_agree_with_balls_on_every_ensemble(function, kind):
    generator = torch.Generator().manual_seed(1)
    for n in (1, 3):
        matrices = Ensemble(kind, n, scale=5.0, floor=1e-3).sample(4, generator)
        outcomes = check_against_balls(function, matrices)
        if kind in ("positive_definite", "defective"):
            assert set(outcomes) == {Outcome.OK}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_single_small_matrix_is_right_unbatched(function):
    # torch.matrix_exp fails exactly here: one matrix, no batch dimension, norm of order one.
    generator = torch.Generator().manual_seed(2)
    for n in (1, 2, 3, 4):
        matrix = Ensemble("positive_definite", n, scale=2.0).sample(1, generator)[0]
        found = evaluate(function, matrix)
        assert found.values.shape == (n, n)
        assert balls.relative_distance(balls.enclose(function, matrix.tolist()), found.values.tolist()) <= RELATIVE


@pytest.mark.parametrize("sigma", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("function", ["inverse", "sign", "exp"])
def test_near_singular_matrices_lose_no_digits(function, sigma):
    matrices = Ensemble("near_singular", 3, scale=1.0, floor=sigma).sample(4, torch.Generator().manual_seed(3))
    assert set(check_against_balls(function, matrices)) == {Outcome.OK}


entries = st.floats(-8, 8) | st.integers(-3, 3).map(float) | st.sampled_from([0.0, 1e-9, -1e-9, 1e6])


@given(
    st.sampled_from(sorted(FUNCTIONS)),
    st.integers(1, 3).flatmap(lambda n: st.lists(entries, min_size=n * n, max_size=n * n)),
)
def test_a_value_that_is_given_is_right(function, numbers):
    n = math.isqrt(len(numbers))
    check_against_balls(function, torch.tensor(numbers, dtype=torch.float64).reshape(1, n, n))


def test_a_climb_towards_ill_conditioning_never_breaks_the_promise():
    # Push each function towards where its condition number explodes, until it is refused; no step before may be wrong.
    for exponent in range(0, 60, 6):
        t = 2.0**exponent
        off = torch.tensor(
            [
                [[1.0, t], [0.0, -1.0]],  # sign, non-normal
                [[1.0, t], [0.0, 1.0]],  # a huge nilpotent part
                [[-30.0, t], [0.0, -31.0]],  # exp with a hump
                [[1.0, 1.0], [1.0, 1.0 + 1.0 / t]],  # inverse towards singular
                [[1 / t, 1.0], [-1.0, 1 / t]],  # eigenvalues towards the imaginary axis
                [[-1.0, 1 / t], [-1 / t, -1.0]],  # eigenvalues towards the negative axis
            ],
            dtype=torch.float64,
        )
        for function in FUNCTIONS:
            check_against_balls(function, off)


def test_what_has_no_principal_value_is_refused():
    cases = {
        "log": [
            [[-1.0, 0.0], [0.0, 2.0]],
            [[0.0, 1.0], [0.0, 0.0]],
            [[0.0, 0.0], [0.0, 0.0]],
            [[-1.0, 1.0], [0.0, -1.0]],
        ],
        "sqrt": [[[-4.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]],
        "sign": [
            [[0.0, 1.0], [-1.0, 0.0]],
            [[0.0, 1.0], [0.0, 0.0]],
            [[1.0, 0.0], [0.0, 0.0]],
            [[0.0, 0.0], [0.0, 0.0]],
        ],
    }
    for function, matrices in cases.items():
        found = evaluate(function, torch.tensor(matrices, dtype=torch.float64))
        assert found.outcomes.tolist() == [Outcome.NO_PRINCIPAL_VALUE] * len(matrices), function
        assert found.refused() == {"no_principal_value": len(matrices)}
    singular = torch.tensor([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]], dtype=torch.float64)
    assert evaluate("inverse", singular).outcomes.tolist() == [Outcome.SINGULAR] * 2
    counting = torch.arange(1.0, 10.0, dtype=torch.float64).reshape(3, 3)  # singular, but elimination rounds
    assert int(evaluate("inverse", counting).outcomes) == Outcome.SINGULAR


def test_a_checked_value_is_refused_in_one_line_and_never_nan():
    rotation = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)
    with pytest.raises(BadInput, match="the matrix has no value: an eigenvalue lies where") as caught:
        evaluate("sign", rotation).checked()
    assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match="matrix 2 of 3 has no value: the matrix is singular"):
        evaluate("inverse", torch.stack([eye, rotation, 0 * eye])).checked()
    assert torch.equal(evaluate("inverse", 2 * eye).checked(), eye / 2)
    assert evaluate("log", torch.zeros(0, 2, 2)).checked().shape == (0, 2, 2)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kind", ["nilpotent", "defective"])
def test_nilpotent_and_defective_matrices_alone(function, kind):
    generator = torch.Generator().manual_seed(6)
    for n in (2, 4):
        matrix = Ensemble(kind, n, scale=2.0).sample(1, generator)[0]
        found = evaluate(function, matrix)
        if kind == "nilpotent" and function in ("log", "sqrt", "sign", "inverse"):
            with pytest.raises(BadInput, match="no value"):
                found.checked()
        else:
            enclosure = balls.enclose(function, matrix.tolist())
            assert balls.relative_distance(enclosure, found.checked().tolist()) <= RELATIVE


def test_out_of_range_and_not_finite_are_told_apart():
    eye = torch.eye(2, dtype=torch.float64)
    batch = torch.stack([eye * 1000, eye * -1000, eye * math.inf, eye * math.nan, eye])
    outcomes = evaluate("exp", batch).outcomes.tolist()
    assert outcomes == [Outcome.OUT_OF_RANGE] * 2 + [Outcome.NOT_FINITE] * 2 + [Outcome.OK]
    assert all(outcome.explanation for outcome in Outcome)


def test_a_bad_matrix_does_not_disturb_its_neighbours():
    generator = torch.Generator().manual_seed(4)
    good = Ensemble("positive_definite", 3).sample(5, generator)
    bad = torch.stack([torch.full((3, 3), torch.nan, dtype=torch.float64), torch.zeros(3, 3, dtype=torch.float64)])
    for function in FUNCTIONS:
        alone, mixed = evaluate(function, good), evaluate(function, torch.cat([bad, good]))
        assert torch.equal(alone.values, mixed.values[2:]), function


def test_exact_values():
    eye = torch.eye(3, dtype=torch.float64)
    zero = torch.zeros(3, 3, dtype=torch.float64)
    for function, matrix, value in (("exp", zero, eye), ("log", eye, zero), ("sin", zero, zero), ("cos", zero, eye)):
        assert torch.equal(evaluate(function, matrix).values, value), function
    assert torch.equal(evaluate("sqrt", 9 * eye).values, 3 * eye)
    assert torch.equal(evaluate("sign", -1e-200 * eye).values, -eye)
    assert torch.equal(evaluate("inverse", 2.0**-600 * eye).values, 2.0**600 * eye)


def test_shapes_and_types():
    found = evaluate("exp", torch.zeros(2, 0, 3, 3))
    assert found.values.shape == (2, 0, 3, 3)
    assert found.values.dtype == torch.float64
    assert evaluate("cos", torch.zeros(2, 5, 2, 2, dtype=torch.float32)).ok.shape == (2, 5)
    for function, tensor in (("expm", torch.zeros(2, 2)), ("exp", torch.zeros(2, 3)), ("exp", torch.zeros(3))):
        with pytest.raises(BadInput):
            evaluate(function, tensor)
    with pytest.raises(BadInput):
        evaluate("exp", torch.zeros(2, 2, dtype=torch.complex128))


def test_chunks_give_what_one_piece_gives(monkeypatch):
    matrices = Ensemble("uniform", 2).sample(10, torch.Generator().manual_seed(5))
    whole = evaluate("sign", matrices).values
    monkeypatch.setattr(truth, "_CHUNK", 3)
    assert torch.equal(whole, evaluate("sign", matrices).values)
