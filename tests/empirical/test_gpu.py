"""What must hold on a GPU too; skipped where there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from empirical.encodings import NAMES, get_encoding
from empirical.ensembles import KINDS, Ensemble
from empirical.progress import Progress
from empirical.train import TrainOutcome, train
from empirical.transformer_task import TransformerSettings, TransformerTask
from empirical.truth import FUNCTIONS, evaluate

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]
GPU = torch.device("cuda")
SETTINGS = TransformerSettings(
    n=2,
    dimension=32,
    heads=4,
    encoder_layers=2,
    batch=32,
    examples=32 * 20,
    warmup=5,
    chunk=4,
    reports=4,
    probe=16,
    samples=32,
)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_reference_values_agree_with_the_cpu(function):
    matrices = torch.cat([Ensemble(kind, 3).sample(20, torch.Generator().manual_seed(0)) for kind in KINDS])
    here, there = evaluate(function, matrices), evaluate(function, matrices.to(GPU))
    assert torch.equal(here.outcomes, there.outcomes.cpu())
    # Both are within 1e-14 of the value before the last rounding, 1.2e-16 after it.
    difference = (here.values - there.values.cpu())[here.ok].flatten(1).norm(dim=1)
    assert bool((difference <= 3e-14 * here.values[here.ok].flatten(1).norm(dim=1)).all())


@pytest.mark.parametrize("name", NAMES)
def test_tokens_agree_with_the_cpu(name):
    encoding = get_encoding(name)
    matrices = Ensemble("uniform", 3).sample(5000, torch.Generator().manual_seed(0))
    matrices[::7, 0, 0] = 0
    here, there = encoding.encode(matrices), encoding.encode(matrices.to(GPU))
    assert torch.equal(here, there.cpu())
    assert torch.equal(encoding.decode(here, 3, 3), encoding.decode(there, 3, 3).cpu())


@pytest.mark.parametrize("kind", KINDS)
def test_ensembles_are_drawn_on_the_gpu(kind):
    first, second = (Ensemble(kind, 3).sample(50, torch.Generator(GPU).manual_seed(0)) for _ in range(2))
    assert first.is_cuda
    assert torch.equal(first, second)


@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_training_runs_stops_and_goes_on(precision, tmp_path):
    settings = replace(SETTINGS, precision=precision, function="log", ensemble="uniform", output_encoding="P10")
    quiet = Progress(quiet=True)
    task = TransformerTask(settings, GPU)
    assert task.precision == ("bfloat16" if precision == "auto" else "float32")
    stopped = train(task, tmp_path / "a.pt", resume=False, progress=quiet, label="gpu", max_seconds=1e-9)
    assert stopped.outcome is TrainOutcome.STOPPED
    task = TransformerTask(settings, GPU)
    result = train(task, tmp_path / "a.pt", resume=True, progress=quiet, label="gpu")
    assert result.outcome is TrainOutcome.FINISHED
    assert result.curve[-1]["loss"] < result.curve[0]["loss"]
    measured = task.evaluate()
    assert measured["samples"] == 32
    assert measured["drawn"] == 32 + sum(measured["rejected"].values())


def test_answers_do_not_depend_on_the_device():
    task = TransformerTask(replace(SETTINGS, precision="float32"), GPU)
    twin = TransformerTask(replace(SETTINGS, precision="float32"), torch.device("cpu"))
    matrices = SETTINGS.matrices().sample(20, torch.Generator().manual_seed(0))
    source, shown = task.written.encode(matrices), torch.full((20, 3), 5)
    scores = task.model(source.to(GPU), shown.to(GPU)).cpu()
    # Same weights; float32 sums of up to 128 terms in another order, through four layers.
    assert torch.allclose(scores, twin.model(source, shown), atol=1e-3)
