from __future__ import annotations

import pytest
import torch

from empirical.data import EVALUATION, TRAINING, Examples, chunk, draw, stream_generator
from empirical.ensembles import KINDS, Ensemble
from empirical.truth import evaluate
from theory.errors import BadInput

CPU = torch.device("cpu")


def samples(kind: str, n: int = 3, count: int = 400, **sizes: float) -> torch.Tensor:
    return Ensemble(kind, n, **sizes).sample(count, torch.Generator().manual_seed(7))


@pytest.mark.parametrize("kind", KINDS)
def test_every_ensemble_keeps_its_stated_norm_and_smallest_singular_value(kind):
    for n in (1, 2, 4):
        ensemble = Ensemble(kind, n, scale=3.0, floor=0.25)
        matrices = ensemble.sample(200, torch.Generator().manual_seed(7))
        assert matrices.shape == (200, n, n)
        assert matrices.dtype == torch.float64
        values = torch.linalg.svdvals(matrices)
        # Three products of n terms and an SVD, each off by a few n·2^-53 of the norm: 1e-13 has room for n = 4.
        if ensemble.norm is not None:
            assert float(values.max()) <= ensemble.norm * (1 + 1e-13)
        if ensemble.sigma_min is not None:
            assert float(values.min()) >= ensemble.sigma_min - 1e-13 * 3.0


def test_the_same_generator_state_draws_the_same_matrices():
    for kind in KINDS:
        assert torch.equal(samples(kind), samples(kind))


def test_entries_follow_their_distribution():
    uniform = samples("uniform", count=20_000)
    # Standard error of a mean of 180,000 entries of deviation 5/sqrt(3): 0.0068; of their mean square 25/3: 0.018.
    assert abs(float(uniform.mean())) < 5 * 0.0068
    assert abs(float((uniform**2).mean()) - 25 / 3) < 5 * 0.018
    normal = samples("normal", count=20_000, scale=2.0)
    # Mean square 4, its standard error 4·sqrt(2/180,000) = 0.0133.
    assert abs(float((normal**2).mean()) - 4) < 5 * 0.0133
    assert float(samples("abs_normal").min()) >= 0
    symmetric = samples("symmetric_uniform")
    assert torch.equal(symmetric, symmetric.mT)


def test_spectra_are_the_stated_ones():
    eigenvalues = torch.linalg.eigvalsh(samples("positive_definite", scale=2.0, floor=0.5))
    assert float(eigenvalues.min()) >= 0.5 - 1e-13
    assert float(eigenvalues.max()) <= 2 + 1e-13
    spread = torch.linalg.eigvalsh(samples("symmetric_spectrum", scale=2.0, floor=0.5))
    assert float(spread.abs().min()) >= 0.5 - 1e-13
    assert 0.4 < float((spread > 0).double().mean()) < 0.6
    general = torch.linalg.eigvals(samples("real_spectrum", scale=2.0, floor=0.5))
    # Bauer-Fike with cond 2: eigenvalues move by at most 2 times a perturbation of a few 1e-15; pairs closer than
    # that may turn complex by the square root of it, 1e-7.
    assert float(general.imag.abs().max()) < 1e-6
    assert float(torch.linalg.svdvals(samples("near_singular", floor=1e-3))[:, -1].max()) <= 1e-3 + 1e-13


def test_nilpotent_and_defective_matrices_are_exactly_so():
    nilpotent = samples("nilpotent", n=3)
    assert not (nilpotent @ nilpotent @ nilpotent).any()
    assert (nilpotent @ nilpotent).any()
    defective = samples("defective", n=2)
    shift = defective - torch.diag_embed(defective.diagonal(dim1=-2, dim2=-1))
    assert not (shift @ shift).any()
    assert torch.equal(defective[:, 0, 0], defective[:, 1, 1])


def test_a_draw_counts_every_sample():
    generator = torch.Generator().manual_seed(1)
    found = draw(Ensemble("uniform", 2), "log", 500, generator)
    assert len(found.inputs) == 500
    assert found.drawn == 500 + found.rejected["no_principal_value"]
    # A 2×2 matrix with uniform entries has a value iff it has no real eigenvalue <= 0; count that independently.
    fresh = Ensemble("uniform", 2).sample(20_000, torch.Generator().manual_seed(2))
    eigenvalues = torch.linalg.eigvals(fresh)
    share = float((~((eigenvalues.imag == 0) & (eigenvalues.real <= 0)).any(-1)).double().mean())
    # Standard error of the accepted share with about 1,200 draws: 0.014.
    assert abs(500 / found.drawn - share) < 5 * 0.014
    assert evaluate("log", found.inputs).ok.all()
    everything = draw(Ensemble("uniform", 2), "exp", 100, generator)
    assert (everything.drawn, everything.rejected) == (100, {})


def test_a_miscounted_draw_is_refused():
    with pytest.raises(ValueError, match="counted"):
        Examples(torch.zeros(3, 1, 1), torch.zeros(3, 1, 1), 4, {})


def test_a_function_without_values_is_told_in_one_line():
    with pytest.raises(BadInput, match="positive_definite"):
        draw(Ensemble("nilpotent", 2), "log", 10, torch.Generator().manual_seed(0))


def test_chunks_depend_on_seed_stream_and_number_only():
    ensemble = Ensemble("symmetric_uniform", 2)
    first = chunk(ensemble, "exp", 8, 0, TRAINING, 3, CPU)
    assert torch.equal(first.inputs, chunk(ensemble, "exp", 8, 0, TRAINING, 3, CPU).inputs)
    others = [(0, TRAINING, 4), (0, EVALUATION, 3), (1, TRAINING, 3)]
    for seed, stream, number in others:
        assert not torch.equal(first.inputs, chunk(ensemble, "exp", 8, seed, stream, number, CPU).inputs)
    seeds = {stream_generator(*which, CPU).initial_seed() for which in [(0, TRAINING, 3), *others]}
    assert len(seeds) == 4


@pytest.mark.parametrize("bad", [{"kind": "wigner"}, {"n": 0}, {"floor": 9.0}, {"floor": 0.0}, {"scale": float("inf")}])
def test_bad_ensembles_are_refused(bad):
    with pytest.raises(BadInput):
        Ensemble(**{"kind": "uniform", "n": 2, **bad})
