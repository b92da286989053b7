from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from empirical import ceilings, metrics, truth
from empirical.encodings import NAMES, get_encoding
from empirical.ensembles import Ensemble


def test_d1_by_hand():
    values = torch.tensor([[[1.0, -2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    answers = torch.tensor([[[1.5, -2.0], [3.0, 3.5]], [[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [1e-9, 0.0]]])
    assert metrics.d1(answers, values).tolist() == [0.1, 0.0, math.inf]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_infinitely_far_off(bad):
    one, broken = torch.ones(1, 2, 2), torch.tensor([[[1.0, bad], [1.0, 1.0]]])
    assert metrics.d1(broken, one).tolist() == [math.inf]
    assert metrics.d1(one, broken).tolist() == [math.inf]
    assert metrics.d1(broken, broken).tolist() == [math.inf]


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.floats(0.1, 10))
def test_d1_is_relative(numbers, factor):
    values = torch.tensor(numbers, dtype=torch.float64).reshape(1, 2, 2)
    answers = values + 0.25
    first, second = metrics.d1(answers, values), metrics.d1(factor * answers, factor * values)
    # Six roundings a side, each 2^-53; cancellation in answer - value costs at most (5.25 + 5)/0.25 times that.
    assert torch.equal(first, second) or abs(float(first - second)) <= 1e-13 * float(first)


def test_accuracies_count_strictly_below():
    distances = torch.tensor([0.0, 0.05, 0.004, math.inf])
    assert metrics.accuracies(distances) == {"0.05": 0.5, "0.02": 0.5, "0.01": 0.5, "0.005": 0.5}
    with pytest.raises(ValueError, match="no answers"):
        metrics.accuracies(torch.empty(0))
    assert metrics.quantiles(distances) == {"0.1": 0.0, "0.5": pytest.approx(0.05), "0.9": None}


def test_an_exact_solver_through_tokens_scores_what_is_known():
    # A solver that reads and writes three digits: about 100 % at 5 %, and 77 to 88 % at 0.5 % for exp, sin and cos.
    matrices = Ensemble("symmetric_uniform", 3).sample(4000, torch.Generator().manual_seed(0))
    for function in ("exp", "sin", "cos", "sign"):
        values = truth.evaluate(function, matrices).values
        for name in ("B1999", "FP15"):
            encoding = get_encoding(name)
            answers = ceilings.exact_answers(function, matrices, encoding, encoding)
            found = metrics.accuracies(metrics.d1(answers, ceilings.round_to(encoding, values)))
            # FP15 cannot write exp's values above 1e9: a few matrices in ten thousand have eigenvalues above 20.
            assert found["0.05"] >= 0.99, (function, name)
            if function != "sign":
                assert 0.72 <= found["0.005"] <= 0.93, (function, name, found)


@pytest.mark.parametrize("name", NAMES)
def test_rounding_through_tokens_is_rounding_to_three_digits(name):
    matrices = Ensemble("uniform", 2).sample(50, torch.Generator().manual_seed(1))
    wanted = [float(format(x, ".2e")) for x in matrices.flatten().tolist()]
    assert ceilings.round_to(get_encoding(name), matrices).flatten().tolist() == wanted


def test_a_matrix_that_loses_its_value_to_rounding_is_no_answer():
    # 1.0049 and 1.0001 both read 1.00: singular once read.
    matrices = torch.tensor([[[1.0049, 1.0], [1.0, 1.0001]]], dtype=torch.float64)
    encoding = get_encoding("P10")
    assert truth.evaluate("inverse", matrices).ok.all()
    assert ceilings.exact_answers("inverse", matrices, encoding, encoding).isnan().all()
