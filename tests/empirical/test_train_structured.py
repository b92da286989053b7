from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical import metrics, truth
from empirical.data import TRAINING
from empirical.ensembles import Ensemble
from empirical.train_structured import Polynomial, StructuredSettings, StructuredTask, halve, lift
from theory.errors import BadInput

SMALL = StructuredSettings(n=2, size=64, epochs=2, samples=50)


@settings(max_examples=25)
@given(st.integers(1, 3), st.floats(-30, 30), st.integers(0, 2**20))
def test_halving_and_double_angles_undo_each_other(n, exponent, seed):
    matrices = Ensemble("uniform", n, 1.0).sample(3, torch.Generator().manual_seed(seed)) * 2.0 ** min(exponent, 3)
    halved, steps = halve(matrices)
    norms = torch.linalg.matrix_norm(halved)
    assert bool((norms <= 1).all())
    assert bool(((norms > 0.49) | (steps == 0)).all())  # no more halvings than needed, rounding apart
    assert torch.equal(halved * torch.exp2(steps.double())[:, None, None], matrices)  # powers of two are exact
    pair = [truth.evaluate(name, halved).values for name in ("sin", "cos")]
    for name in ("sin", "cos"):
        values = truth.evaluate(name, matrices).values
        found = lift(*pair, steps, name)
        # Each step at most quadruples an error and rounds: 4^steps·1e-15 of the largest value on the way, below e^24.
        size = torch.linalg.matrix_norm(matrices).exp()[:, None, None]
        slack = 4.0 ** steps.double()[:, None, None] * 1e-14 * (1 + size)
        assert bool(((found - values).abs() <= slack).all())


@pytest.mark.parametrize("function", ["sin", "cos"])
@pytest.mark.parametrize("reduced", [False, True])
def test_a_fitted_polynomial_is_the_function(function, reduced):
    solver = Polynomial(replace(SMALL, function=function, reduced=reduced))
    assert solver.parameters == (14 if reduced else 24)
    # Eigenvalues up to 6: well inside what 128 sampled ones, of up to 10, span. A fit is not held beyond its samples.
    inputs = Ensemble("symmetric_uniform", 2, 3.0).sample(50, torch.Generator().manual_seed(9))
    distances = metrics.d1(solver.answer(inputs), truth.evaluate(function, inputs).values)
    # Raw: degree 46 on |x| <= 10 leaves 10^48/48! < 1e-13. Reduced: 1/15! < 1e-12, times 4^3 for three steps. Rounding
    # of the fit (condition below 1e4) and the smallest value met, above 1e-3 of the largest, come on top.
    assert float(distances.max()) < 1e-8


def test_reduced_angles_are_angles():
    task = StructuredTask(replace(SMALL, network="eigenvalues"))
    eigenvalues = torch.linspace(-20, 20, 500, dtype=torch.float64)[:, None]
    angles = task._angles(eigenvalues)
    assert bool((angles.abs() <= 1).all())
    # float32 angles: 2^-23, times π.
    assert torch.allclose(torch.sin(math.pi * angles.double()), torch.sin(eigenvalues), atol=1e-6)
    raw = StructuredTask(replace(SMALL, network="eigenvalues", reduced=False))
    assert torch.allclose(raw._angles(eigenvalues).double() * 10, eigenvalues, atol=1e-5)


@pytest.mark.parametrize("network", ["entries", "eigenvalues"])
@pytest.mark.parametrize("reduced", [False, True])
@pytest.mark.parametrize("function", ["sin", "cos"])
def test_a_network_that_says_its_targets_is_right(network, reduced, function):
    """What is learned, put through what is computed, is the function: targets and answers fit."""
    settings = replace(SMALL, network=network, reduced=reduced, function=function)
    task = StructuredTask(settings)
    examples = settings.examples(TRAINING, settings.size)
    targets = task._targets[..., None] if network == "eigenvalues" else task._targets

    class Oracle(torch.nn.Module):
        def forward(self, inputs):
            assert torch.equal(inputs.flatten(1), task._inputs)
            return targets

    task.model = Oracle()
    distances = metrics.d1(task.answer(examples.inputs), examples.targets)
    # float32 targets (6e-8), log sizes up to 3, and up to four double-angle steps (4^4), over small values.
    assert float(distances.median()) < 1e-5
    assert float(distances.max()) < 2e-2


def test_the_loss_is_the_relative_error_of_what_is_learned():
    task = StructuredTask(replace(SMALL, network="eigenvalues"))
    task.model = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(task.model.weight)
    torch.nn.init.zeros_(task.model.bias)
    assert float(task.loss(0).detach()) == pytest.approx(1.0, abs=1e-6)  # zero is off by the whole value
    pair = StructuredTask(replace(SMALL, network="entries"))
    pair.model = torch.nn.Linear(4, 8)
    torch.nn.init.zeros_(pair.model.weight)
    torch.nn.init.zeros_(pair.model.bias)
    assert float(pair.loss(0).detach()) == pytest.approx(2.0, abs=1e-6)  # sine and cosine, each off by the whole value


def test_all_networks_see_the_same_matrices():
    raw = StructuredTask(replace(SMALL, network="entries", reduced=False))
    matrices = (raw._inputs.double() * 5).reshape(-1, 2, 2)
    eigenvalues = StructuredTask(replace(SMALL, network="eigenvalues", reduced=False))._inputs.double() * 10
    # float32 entries and eigenvalues up to 10.
    assert torch.allclose(torch.linalg.eigvalsh(matrices), eigenvalues, atol=1e-5)


def test_reduction_is_what_a_scalar_network_needs(tmp_path):
    from empirical.progress import Progress
    from empirical.train import train

    found = {}
    for reduced in (False, True):
        settings = replace(SMALL, network="eigenvalues", reduced=reduced, size=512, epochs=30, batch=64)
        task = StructuredTask(settings)
        train(task, tmp_path / f"{reduced}.pt", resume=False, progress=Progress(quiet=True), label="test")
        found[reduced] = task.measure()["accuracy"]
    assert found[True] > found[False] + 0.3, found


@pytest.mark.parametrize("bad", [{"function": "exp"}, {"network": "tokens"}, {"size": 0}, {"n": 0}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(BadInput):
        StructuredSettings(**bad)
