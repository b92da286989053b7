"""Curricula: where they start, where they end, and that they end in the whole distribution."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from empirical.curriculum import GROWTHS, Curriculum
from empirical.data import EVALUATION, chunk
from empirical.ensembles import Ensemble
from empirical.transformer_task import TransformerSettings, TransformerTask
from theory.errors import BadInput

SHARES = st.floats(0, 1)
WHOLE = Ensemble("symmetric_uniform", 3, 5.0)
SETTINGS = TransformerSettings(
    function="sign",
    n=3,
    input_encoding="B1999",
    output_encoding="B1999",
    dimension=8,
    heads=2,
    encoder_layers=1,
    batch=8,
    examples=8 * 12,
    warmup=2,
    chunk=2,
    reports=2,
    probe=8,
    samples=16,
    curriculum=0.5,
    growth="coupling",
)


@given(SHARES, st.sampled_from(GROWTHS), SHARES)
def test_nothing_is_held_back_once_its_share_is_over(share, growth, done):
    curriculum = Curriculum(share, growth)
    matrices = WHOLE.sample(4, torch.Generator().manual_seed(0))
    if done >= share:
        assert curriculum.ensemble(WHOLE, done) == WHOLE
        assert torch.equal(curriculum.loosen(matrices, done), matrices)
    elif growth == "coupling":
        assert curriculum.ensemble(WHOLE, done) == WHOLE
        loosened = curriculum.loosen(matrices, done)
        assert torch.equal(loosened.diagonal(dim1=1, dim2=2), matrices.diagonal(dim1=1, dim2=2))
        # One product rounded once.
        off = ~torch.eye(3, dtype=torch.bool)
        assert torch.equal(loosened[:, off], curriculum.reached(done) * matrices[:, off])
    else:
        assert 0.5 <= curriculum.ensemble(WHOLE, done).scale <= 5.0
        assert curriculum.loosen(matrices, done) is matrices


@given(st.floats(0.01, 1), SHARES, SHARES, st.sampled_from(GROWTHS))
def test_it_only_grows(share, one, other, growth):
    curriculum = Curriculum(share, growth)
    first, second = sorted((one, other))
    assert 0 <= curriculum.reached(first) <= curriculum.reached(second) <= 1
    assert curriculum.ensemble(WHOLE, first).scale <= curriculum.ensemble(WHOLE, second).scale


def test_a_scale_never_falls_below_the_floor():
    ensemble = Ensemble("positive_definite", 2, 5.0, floor=3.0)
    assert Curriculum(1.0).ensemble(ensemble, 0.0).scale == 3.0


@pytest.mark.parametrize("bad", [(-0.1, "scale"), (1.1, "scale"), (0.5, "size")])
def test_bad_curricula_are_refused(bad):
    with pytest.raises(BadInput):
        Curriculum(*bad)


def test_sign_begins_with_diagonal_matrices_and_ends_with_all():
    task = TransformerTask(SETTINGS, torch.device("cpu"))
    off = ~torch.eye(3, dtype=torch.bool)
    task.loss(0)
    assert task._chunk is not None
    assert not task.written.decode(task._chunk[1], 3, 3)[:, off].any()
    assert not task.answered.decode(task._chunk[2], 3, 3)[:, off].any()
    task.loss(11)
    assert task._chunk is not None
    assert float(task.written.decode(task._chunk[1], 3, 3)[:, off].abs().max()) > 2.5
    # Half of twelve steps, in chunks of two: the third chunk is the first whole one.
    task.loss(5)
    assert task._chunk is not None
    assert float(task.written.decode(task._chunk[1], 3, 3)[:, off].abs().max()) <= 5 * 2 / 3 * 1.01


def test_test_matrices_are_whole_from_the_start():
    task = TransformerTask(SETTINGS, torch.device("cpu"))
    whole = chunk(SETTINGS.matrices(), "sign", 16, 0, EVALUATION, 1, torch.device("cpu"))
    plain = TransformerTask(replace(SETTINGS, curriculum=0.0), torch.device("cpu"))
    assert task.evaluate() == plain.evaluate()
    assert torch.equal(task._examples(task.ensemble, 16, EVALUATION, 1).inputs, whole.inputs)
