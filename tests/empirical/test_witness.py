"""Witnesses: exact, in the ball, and the sets around them attacked by sampling and by climbing down."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from empirical.cli import main
from empirical.models_io import Chain, Dense
from empirical.witness import BadBall, Witness, chain_certificate, exact_inverse, find_witness
from theory.command import run_command
from theory.errors import BadInput
from theory.lipschitz.volume import log10_below, unit_ball_above, unit_ball_below

Matrix = list[list[Fraction]]


def random_chain(n: int, seed: int, size: float = 1.0, hidden: int = 6) -> Chain:
    generator = np.random.default_rng(seed)
    widths = [n * n, hidden, hidden, n * n]
    layers = [
        Dense(size * generator.standard_normal((b, a)), size * generator.standard_normal(b), relu=i < 2)
        for i, (a, b) in enumerate(pairwise(widths))
    ]
    return Chain(tuple(layers))


def missed(chain: Chain, matrix: Matrix) -> Fraction:
    """The definition, transcribed: Cramer's rule for the inverse, Fractions for the network."""
    n = len(matrix)
    x = [entry for row in matrix for entry in row]
    for layer in chain.layers:
        x = [
            sum((Fraction(float(w)) * a for w, a in zip(row, x, strict=True)), Fraction(float(b)))
            for row, b in zip(layer.weight, layer.bias, strict=True)
        ]
        x = [max(a, Fraction(0)) for a in x] if layer.relu else x
    inverse = [[(-1) ** (i + j) * minor(matrix, j, i) / determinant(matrix) for j in range(n)] for i in range(n)]
    return max(abs(x[i * n + j] - inverse[i][j]) for i in range(n) for j in range(n))


def minor(matrix: Matrix, i: int, j: int) -> Fraction:
    return determinant([[a for q, a in enumerate(row) if q != j] for p, row in enumerate(matrix) if p != i])


def determinant(matrix: Matrix) -> Fraction:
    if not matrix:
        return Fraction(1)
    return sum(((-1) ** j * matrix[0][j] * minor(matrix, 0, j) for j in range(len(matrix))), Fraction(0))


def norm_squared(matrix: Matrix) -> Fraction:
    return sum((entry**2 for row in matrix for entry in row), Fraction(0))


@given(
    st.integers(1, 3),
    st.integers(0, 10**6),
    st.sampled_from([1e-3, 1.0, 30.0]),
    st.sampled_from([Fraction(1, 7), Fraction(10), Fraction(10**6), Fraction(10) ** 40]),
    st.sampled_from([None, Fraction(1, 50), Fraction(1, 3), Fraction(100)]),
)
def test_the_witness_is_missed_exactly(
    n: int, seed: int, size: float, error: Fraction, radius: Fraction | None
) -> None:
    chain = random_chain(n, seed, size)
    witness = find_witness(chain, error, radius)
    assert witness.radius == (radius or n)
    assert norm_squared(witness.matrix) <= witness.radius**2
    assert witness.error == missed(chain, witness.matrix) > error


def slab_sample(witness: Witness, generator: np.random.Generator) -> Matrix:
    """A random point of the slab, corners preferred: z, M, r and c as far out as the set allows."""
    n, m = len(witness.matrix), witness.slab.diagonal

    def vector(length: int, radius: Fraction) -> list[Fraction]:
        direction = generator.standard_normal(length)
        scale = generator.choice([0.0, 0.5, 1.0 - 1e-9]) / np.linalg.norm(direction)
        return [Fraction(float(a)) * radius for a in direction * scale]

    block = vector((n - 1) ** 2, m / 4)
    inner = [[(m if i == j else 0) + block[i * (n - 1) + j] for j in range(n - 1)] for i in range(n - 1)]
    row, column = vector(n - 1, m / 4), vector(n - 1, m / 4)
    solved = [sum((a * b for a, b in zip(line, column, strict=True)), Fraction(0)) for line in exact_inverse(inner)]
    shift = sum((a * b for a, b in zip(row, solved, strict=True)), Fraction(0))
    z = witness.slab.half_width * Fraction(float(generator.choice([1e-9, -0.3, 0.7, 1 - 1e-9, -1 + 1e-9])))
    return [[shift + z, *row], *([c, *line] for c, line in zip(column, inner, strict=True))]


@pytest.mark.parametrize("n", [2, 3])
def test_every_matrix_of_the_slab_is_in_the_ball_and_missed(n: int) -> None:
    generator = np.random.default_rng(5)
    for seed in range(4):
        chain = random_chain(n, seed)
        witness = find_witness(chain, Fraction(50), Fraction(3, 2))
        for _ in range(25):
            matrix = slab_sample(witness, generator)
            assert norm_squared(matrix) <= witness.radius**2
            assert missed(chain, matrix) > 50


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_worst_point_of_the_ball_is_missed(n: int) -> None:
    """The error is least where |z| is largest: go there along entry (1, 1), and at random on the sphere."""
    generator = np.random.default_rng(8)
    chain = random_chain(n, 1)
    witness = find_witness(chain, Fraction(1000))
    radius = witness.ball.radius
    directions = [np.eye(n * n)[0], -np.eye(n * n)[0], *generator.standard_normal((20, n * n))]
    for direction in directions:
        steps = [Fraction(float(a)) * radius for a in direction / np.linalg.norm(direction) * (1 - 1e-12)]
        matrix = [[a + steps[i * n + j] for j, a in enumerate(row)] for i, row in enumerate(witness.matrix)]
        assert norm_squared(matrix) <= witness.radius**2
        assert missed(chain, matrix) > 1000


def test_measures_are_below_the_true_volumes() -> None:
    # ω_1 = 2, ω_4 = π²/2, ω_9 = 32π⁴/945: the textbook's closed forms.
    assert unit_ball_below(1) == 2 == unit_ball_above(1)
    for dimension, value in ((4, np.pi**2 / 2), (9, 32 * np.pi**4 / 945)):
        assert abs(float(unit_ball_below(dimension)) - value) < 1e-14 * value
        assert unit_ball_below(dimension) < unit_ball_above(dimension)
    witness = find_witness(random_chain(2, 0), Fraction(100))
    expected = np.log10(np.pi**2 / 2) + 4 * np.log10(float(witness.ball.radius))
    assert expected - 1e-7 < witness.ball.measure_log10 < expected
    side = float(witness.slab.diagonal) / 4
    expected = np.log10(2 * float(witness.slab.half_width) * (2 * side) ** 3)
    assert expected - 1e-7 < witness.slab.measure_log10 < expected
    assert witness.slab.measure_log10 > witness.ball.measure_log10


def test_monte_carlo_agrees_with_the_slab_s_measure() -> None:
    """At a half-width where points are hit: the share of a box that lies in the slab, n = 2, 200,000 points."""
    generator = np.random.default_rng(0)
    m, width = 1.0, 0.25
    half = np.array([width + m / 12, m / 4, m / 4, m / 4])
    b, r, c, block = (generator.uniform(-1, 1, (200_000, 4)) * half).T
    share = np.mean(np.abs(b - r * c / (m + block)) < width)
    volume = 2 * width * (m / 2) ** 3
    # The standard error of a share near 0.75 over 200,000 points is 0.001; five of them.
    assert abs(share - volume / np.prod(2 * half)) < 0.005


def test_log10_below_is_below() -> None:
    for value in (Fraction(1), Fraction(10) ** 300, Fraction(1, 10**4000), Fraction(2, 3)):
        bound = log10_below(value)
        assert Fraction(10) ** int(np.floor(bound)) <= value
    assert log10_below(Fraction(1000)) < 3 < log10_below(Fraction(1000)) + 1e-8
    with pytest.raises(ValueError, match="logarithm"):
        log10_below(Fraction(0))


def test_a_claim_that_fails_is_not_a_witness() -> None:
    certificate = chain_certificate(random_chain(1, 0))
    good = find_witness(random_chain(1, 0), Fraction(10))
    with pytest.raises(ArithmeticError, match="a bound is wrong"):
        Witness(
            good.matrix,
            Fraction(9),
            Fraction(10),
            Fraction(1),
            Fraction(1),
            certificate,
            BadBall(Fraction(1), 0.0),
            good.slab,
        )


@given(st.integers(1, 4), st.integers(0, 10**6))
def test_exact_inverse_inverts(n: int, seed: int) -> None:
    entries = np.random.default_rng(seed).integers(-5, 6, (n, n)).tolist()
    matrix = [[Fraction(entry, 3) for entry in row] for row in entries]
    if determinant(matrix) == 0:
        with pytest.raises(ZeroDivisionError):
            exact_inverse(matrix)
        return
    inverse = exact_inverse(matrix)
    product = [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*inverse, strict=True)]
        for row in matrix
    ]
    assert product == [[Fraction(i == j) for j in range(n)] for i in range(n)]


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    torch.save(model.state_dict(), tmp_path / "model.pt")
    return tmp_path / "model.pt"


def test_the_command_prints_json_that_can_be_checked(model_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["witness", str(model_file), "--error", "1e6", "--radius", "3/2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    matrix = [[Fraction(entry) for entry in row] for row in found["matrix"]]
    assert norm_squared(matrix) <= Fraction(found["radius_exact"]) ** 2 <= Fraction(found["radius"]) ** 2
    from empirical.models_io import read_chain

    assert missed(read_chain(model_file), matrix) == Fraction(found["error_exact"]) >= Fraction(found["error"]) > 10**6
    assert found["norm"] == "max"
    assert Fraction(found["subset"]["radius"]) > 0 > found["subset"]["measure_lower_log10"]


def test_the_command_prints_for_people(model_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["witness", str(model_file)]) == 0
    printed = capsys.readouterr().out
    assert "confirmed in exact rational arithmetic" in printed
    assert "more than 1000000" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--error", "-1"], "positive"), (["--error", "1e9999"], "digits"), (["--radius", "0"], "positive")],
)
def test_bad_input_is_one_line(
    model_file: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(main, ["witness", str(model_file), *arguments]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


def test_a_model_of_no_matrices_is_refused() -> None:
    with pytest.raises(BadInput, match="n²"):
        find_witness(Chain((Dense(np.zeros((2, 4)), np.zeros(2), relu=False),)), Fraction(1))
