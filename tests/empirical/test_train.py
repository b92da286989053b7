from __future__ import annotations

import math
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from empirical.data import TRAINING, chunk
from empirical.progress import Progress
from empirical.throughput import matmul_rate, operations_per_example, throughput
from empirical.train import Schedule, Task, TrainOutcome, load_checkpoint, train
from empirical.transformer_task import TransformerSettings, TransformerTask
from theory.errors import BadInput

CPU = torch.device("cpu")
QUIET = Progress(quiet=True)
SETTINGS = TransformerSettings(
    function="exp",
    ensemble="uniform",
    n=2,
    input_encoding="P10",
    output_encoding="B1999",
    dimension=16,
    heads=2,
    encoder_layers=1,
    batch=8,
    examples=8 * 12,
    rate=1e-3,
    warmup=3,
    decay="cosine",
    chunk=5,
    reports=4,
    probe=8,
    samples=16,
)


def run(path: Path, *, resume: bool = False, settings: TransformerSettings = SETTINGS, **limits) -> tuple:
    task = TransformerTask(settings, CPU)
    return task, train(task, path, resume=resume, progress=QUIET, label="test", **limits)


class Killed(RuntimeError):
    pass


@pytest.mark.parametrize(("function", "kill_at"), [("exp", 1), ("exp", 4), ("exp", 11), ("log", 8)])
def test_a_killed_run_ends_in_the_same_bits(function, kill_at, tmp_path):
    settings = replace(SETTINGS, function=function)
    whole, result = run(tmp_path / "whole.pt", settings=settings)
    task = TransformerTask(settings, CPU)
    loss = task.loss

    def dying(step):
        if step == kill_at:
            raise Killed
        return loss(step)

    task.loss = dying  # type: ignore[method-assign]
    with pytest.raises(Killed):
        train(task, tmp_path / "killed.pt", resume=False, progress=QUIET, label="test")
    resumed, second = run(tmp_path / "killed.pt", resume=True, settings=settings)
    assert result.outcome is second.outcome is TrainOutcome.FINISHED
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    assert result.curve == second.curve
    assert (whole.drawn, whole.rejected) == (resumed.drawn, resumed.rejected)
    assert whole.evaluate() == resumed.evaluate()


def test_every_rejected_sample_is_counted_once(tmp_path):
    task, _ = run(tmp_path / "a.pt", settings=replace(SETTINGS, function="log"))
    chunks = [chunk(SETTINGS.matrices(), "log", 40, 0, TRAINING, number, CPU) for number in range(3)]
    assert task.drawn == sum(part.drawn for part in chunks)
    assert task.rejected["no_principal_value"] == sum(part.rejected["no_principal_value"] for part in chunks) > 0


def test_a_checkpoint_is_plain_tensors_and_numbers(tmp_path):
    task, _ = run(tmp_path / "a.pt")
    checkpoint = load_checkpoint(tmp_path / "a.pt")
    assert checkpoint["kind"] == "transformer"
    assert TransformerSettings(**checkpoint["configuration"]) == task.settings == replace(SETTINGS, precision="float32")
    other = TransformerTask(replace(SETTINGS, seed=5), CPU)
    other.model.load_state_dict(checkpoint["model"])
    matrices = SETTINGS.matrices().sample(5, torch.Generator().manual_seed(0))
    assert torch.equal(task.answer(matrices).nan_to_num(), other.answer(matrices).nan_to_num())
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]  # no temporary files stay


class Bomb:
    def __reduce__(self):
        return (print, ("executed",))


def test_a_file_that_would_run_code_is_refused(tmp_path, capsys):
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps({"format": 1, "x": Bomb()}, protocol=2))
    torch.save({"format": 1, "x": Bomb()}, tmp_path / "torch.pt")
    (tmp_path / "text.pt").write_text("no checkpoint")
    torch.save({"format": 99}, tmp_path / "future.pt")
    for name in ("pickle.pt", "torch.pt", "text.pt", "future.pt", "absent.pt"):
        with pytest.raises(BadInput):
            load_checkpoint(tmp_path / name)
    assert "executed" not in capsys.readouterr().out


def test_a_run_stops_when_its_time_is_up_and_goes_on(tmp_path):
    _, first = run(tmp_path / "a.pt", max_seconds=1e-9)
    assert (first.outcome, first.steps) == (TrainOutcome.STOPPED, 3)
    with pytest.raises(BadInput, match="--resume"):
        run(tmp_path / "a.pt")
    with pytest.raises(BadInput, match="other settings"):
        run(tmp_path / "a.pt", resume=True, settings=replace(SETTINGS, rate=2e-3))
    _, last = run(tmp_path / "a.pt", resume=True)
    assert (last.outcome, last.steps, len(last.curve)) == (TrainOutcome.FINISHED, 12, 4)
    _, again = run(tmp_path / "a.pt")  # a finished run may be overwritten, also by a longer one
    assert again.curve == last.curve
    _, longer = run(tmp_path / "a.pt", settings=replace(SETTINGS, examples=8 * 16))
    assert longer.steps == 16


def test_mixed_precision_follows_float32_and_resumes_in_the_same_bits(tmp_path):
    mixed = replace(SETTINGS, precision="bfloat16")
    whole, result = run(tmp_path / "whole.pt", settings=mixed)
    _, exact = run(tmp_path / "exact.pt")
    run(tmp_path / "killed.pt", settings=mixed, max_seconds=1e-9)
    resumed, second = run(tmp_path / "killed.pt", settings=mixed, resume=True)
    assert result.curve == second.curve != exact.curve
    for name, tensor in whole.model.state_dict().items():
        assert tensor.dtype == torch.float32  # the weights themselves stay exact
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    # A product keeps 8 bits (2^-9 relative); through a dozen products in a row, and twelve steps, a loss of about 7
    # moves by far less than 12·2^-9 of itself.
    for one, other in zip(result.curve, exact.curve, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=12 / 512)


def test_seeds_decide_everything(tmp_path):
    results = [
        run(tmp_path / f"{number}.pt", settings=replace(SETTINGS, seed=seed)) for number, seed in enumerate((0, 0, 1))
    ]
    first, second, third = (result.curve for _, result in results)
    assert first == second != third


@dataclass(frozen=True)
class ToySettings:
    explode: bool = False


class ToyTask(Task):
    """One weight with dropout, pulled to 3: quick, random, and able to diverge."""

    kind = "toy"

    def __init__(self, settings: ToySettings = ToySettings()) -> None:
        self.configuration, self.explode = settings, settings.explode
        self.schedule = Schedule(steps=40, rate=0.1, report_every=10, clip=1.0)
        self.batch, self.device, self.precision, self.seed = 4, CPU, "float32", 0
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Dropout(0.5))

    def loss(self, step):
        value = ((self.model(torch.ones(4, 3)) - 3) ** 2).mean()
        return value * math.nan if self.explode and step == 25 else value

    def measure(self):
        return {"accuracy": 0.0}


def test_the_random_state_is_part_of_a_run(tmp_path):
    whole = train(ToyTask(), tmp_path / "a.pt", resume=False, progress=QUIET, label="toy")
    train(ToyTask(), tmp_path / "b.pt", resume=False, progress=QUIET, label="toy", max_seconds=1e-9)
    task = ToyTask()
    torch.rand(7)  # what happens in between does not matter
    before = torch.get_rng_state()
    resumed = train(task, tmp_path / "b.pt", resume=True, progress=QUIET, label="toy")
    assert whole.curve == resumed.curve
    assert torch.equal(before, torch.get_rng_state())  # nor does a run disturb its surroundings
    assert whole.curve[-1]["loss"] < whole.curve[0]["loss"]


def test_divergence_is_an_outcome_and_keeps_the_last_good_checkpoint(tmp_path):
    result = train(ToyTask(ToySettings(explode=True)), tmp_path / "a.pt", resume=False, progress=QUIET, label="toy")
    assert (result.outcome, result.steps, len(result.curve)) == (TrainOutcome.DIVERGED, 20, 2)
    checkpoint = load_checkpoint(tmp_path / "a.pt")
    assert checkpoint["steps"] == 20
    assert all(tensor.isfinite().all() for tensor in checkpoint["model"].values())
    assert result.as_record(4)["outcome"] == "diverged"


def test_learning_rates():
    constant = Schedule(steps=10, rate=1.0, warmup=4)
    assert [constant.rate_at(step) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    cosine = Schedule(steps=10, rate=1.0, warmup=2, decay="cosine")
    rates = [cosine.rate_at(step) for step in range(2, 10)]
    assert rates[0] == 1.0
    assert rates[4] == pytest.approx(0.5)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.5 * (1 + math.cos(math.pi * 7 / 8)))


@pytest.mark.parametrize("bad", [{"steps": 0}, {"rate": 0.0}, {"rate": math.inf}, {"decay": "linear"}, {"clip": -1.0}])
def test_bad_schedules_are_refused(bad):
    with pytest.raises(BadInput):
        Schedule(**{"steps": 10, "rate": 1.0, **bad})


@pytest.mark.parametrize(
    "bad",
    [
        {"function": "tan"},
        {"precision": "float16"},
        {"ensemble": "uniform", "triangle": True},
        {"curriculum": 2.0},
        {"examples": 3},
        {"batch": 0},
    ],
)
def test_bad_settings_are_refused(bad):
    with pytest.raises(BadInput):
        TransformerSettings(**bad)


def test_triangles_and_rounded_inputs_and_curricula_work_together():
    settings = replace(
        SETTINGS,
        function="exp",
        ensemble="symmetric_uniform",
        triangle=True,
        round_inputs=True,
        curriculum=0.5,
        chunk=2,
    )
    task = TransformerTask(settings, CPU)
    matrices = settings.matrices().sample(4, torch.Generator().manual_seed(0))
    assert torch.equal(task._unpack(task._pack(matrices)), matrices)
    task.loss(0)
    narrow = task._chunk[1]
    assert narrow.shape[1] == 2 + 3 * 5  # a header and three numbers instead of four
    inputs = task.written.decode(narrow, 1, 3)
    assert float(inputs.abs().max()) <= 0.5 * 1.01  # a tenth of the scale at first
    task.loss(11)
    assert float(task.written.decode(task._chunk[1], 1, 3).abs().max()) > 2.5
    # The value belongs to the rounded matrix: an exact solver that sees the tokens never errs.
    assert set(task.evaluate()["ceiling"].values()) == {1.0}


def test_operations_are_those_of_the_matrix_products():
    settings = replace(
        SETTINGS, dimension=16, heads=2, encoder_layers=2, output_encoding="B1999", input_encoding="FP15"
    )
    task = TransformerTask(settings, CPU)
    d, source, target = 16, 2 + 4, 2 + 4 * 2 + 1
    encoder = 12 * d * d * source  # four projections and two inner products of width 4d
    decoder = (4 + 2 + 8) * d * d * target + 2 * d * d * source
    head = d * len(task.answered.vocabulary) * target
    # Two operations a product, and twice as many backward as forward.
    wanted = 3 * 2 * (2 * encoder + decoder + head)
    # Attention's own products, which torch counts on some devices, are below 4·2·3·(source² + ...)·d.
    extra = 3 * 4 * d * (2 * source**2 + target**2 + target * source)
    assert wanted <= operations_per_example(task) <= wanted + extra
    found = throughput(task, 100.0)
    assert found["share_of_matmul"] == pytest.approx(
        100 * found["operations_per_example"] / found["matmul_operations_per_second"], rel=1e-3
    )
    assert matmul_rate(CPU, "float32") > 1e6
