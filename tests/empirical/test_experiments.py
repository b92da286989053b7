from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from empirical.cli import COMMANDS, main
from empirical.experiments import EXPERIMENTS, load_experiment
from empirical.experiments.mlp_baseline import PUBLISHED
from empirical.experiments.request import Request, choose_device, parse_seeds
from empirical.mlp_task import MlpSettings, MlpTask
from empirical.progress import Progress
from empirical.settings import fingerprint, override, parse_options
from empirical.train import train
from theory.command import run_command
from theory.errors import BadInput

CPU = torch.device("cpu")
OWN = ("encodings", "transformer", "mlp_baseline", "study", "structure", "improved", "improved.long")
TINY = {
    "encodings": ["samples=20", "dimensions=1", "functions=exp,log"],
    "transformer": ["examples=64", "samples=20", "dimension=16", "heads=2", "encoder_layers=1", "n=1"],
    "mlp_baseline": ["sizes=8", "samples=20", "epochs=1", "dimensions=1,2"],
    "structure": ["sizes=8", "samples=20", "epochs=1", "dimensions=1"],
    "improved": ["examples=64", "samples=20", "n=1", "functions=exp,sign", "variants=published,posed,curriculum"],
    "improved.long": ["budgets=64,96", "samples=20", "n=1"],
    "study": [
        "examples=64",
        "samples=20",
        "dimension=16",
        "heads=2",
        "encoder_layers=1",
        "functions=log",
        "encodings=P10,FP15",
    ],
}


def call(*arguments: object) -> int:
    return run_command(main, [str(argument) for argument in arguments])


def run_tiny(name: str, folder: Path, *more: str) -> int:
    settings = [part for setting in TINY[name] for part in ("--set", setting)]
    return call("run", name, "--out", folder, "--device", "cpu", "--quiet", *settings, *more)


def test_the_list_names_every_experiment(capsys):
    assert call("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(EXPERIMENTS)
    assert set(OWN) <= set(EXPERIMENTS)
    assert {"list", "run", "show", "eval", "encode", "decode"} <= set(COMMANDS)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_offers_run_and_table(name):
    module = load_experiment(name)
    assert callable(module.run)
    assert callable(module.table)


@pytest.mark.parametrize("name", OWN)
def test_an_experiment_runs_and_its_record_shows_the_same_table(name, tmp_path, capsys):
    assert run_tiny(name, tmp_path, "--seeds", "0,1") == 0
    told = capsys.readouterr().out
    record = json.loads((tmp_path / f"{name}-smoke.json").read_text())
    assert record["seeds"] == [0, 1]
    assert {result.get("seed", result.get("settings", {}).get("seed")) for result in record["results"]} == {0, 1}
    assert call("show", name, "--out", tmp_path) == 0
    assert capsys.readouterr().out == told
    assert run_tiny(name, tmp_path, "--resume", "--seeds", "0,1") == 0
    again = json.loads((tmp_path / f"{name}-smoke.json").read_text())
    assert again["results"] == record["results"]


def test_a_checkpoint_is_measured_as_at_the_end_of_its_run(tmp_path, capsys):
    assert run_tiny("transformer", tmp_path) == 0
    record = json.loads((tmp_path / "transformer-smoke.json").read_text())
    capsys.readouterr()
    (checkpoint,) = tmp_path.glob("*.pt")
    assert call("eval", checkpoint, "--samples", "20", "--device", "cpu", "--json") == 0
    assert json.loads(capsys.readouterr().out) == record["results"][0]["test"]
    assert call("eval", checkpoint, "--samples", "5", "--seed", "9", "--device", "cpu") == 0
    assert "ceiling" in capsys.readouterr().out
    for arguments, says in (
        ((checkpoint, "--samples", "0"), "--samples"),
        ((tmp_path / "no.pt",), "cannot read"),
        ((checkpoint, "--samples", 10**14), "GiB"),
    ):
        assert call("eval", *arguments) == 2
        assert says in capsys.readouterr().err
    torch.save({"format": 1, "kind": "toy"}, tmp_path / "toy.pt")
    assert call("eval", tmp_path / "toy.pt") == 2


def test_a_network_of_rounded_matrices_is_measured_at_unrounded_ones_too(tmp_path, capsys):
    assert run_tiny("transformer", tmp_path, "--set", "round_inputs=true") == 0
    (checkpoint,) = tmp_path.glob("*.pt")
    capsys.readouterr()
    found = []
    for more in ([], ["--unrounded"]):
        assert call("eval", checkpoint, "--samples", "50", "--device", "cpu", "--json", *more) == 0
        found.append(json.loads(capsys.readouterr().out)["ceiling"]["0.005"])
    # A solver that sees the rounded matrix errs nowhere if that is what is asked for; three digits of e^a, |a| <= 5,
    # decide no answer to half a percent.
    assert found[0] == 1.0 > found[1]
    assert run_tiny("transformer", tmp_path / "plain") == 0
    (checkpoint,) = (tmp_path / "plain").glob("*.pt")
    assert call("eval", checkpoint, "--unrounded", "--device", "cpu") == 2
    assert "round_inputs" in capsys.readouterr().err


def test_a_run_out_of_time_says_so(tmp_path, capsys):
    assert run_tiny("study", tmp_path, "--max-seconds", "1e-6") == 0
    assert "did not finish" in capsys.readouterr().err
    outcomes = [result["outcome"] for result in json.loads((tmp_path / "study-smoke.json").read_text())["results"]]
    assert set(outcomes) <= {"stopped", "not started"}
    assert run_tiny("study", tmp_path, "--resume") == 0
    finished = json.loads((tmp_path / "study-smoke.json").read_text())["results"]
    assert {result["outcome"] for result in finished} == {"finished"}
    assert {result["settings"]["ensemble"] for result in finished} == {"positive_definite"}  # log


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "training"], "choose from"),
        (["run", "study", "--scale", "huge"], "scale"),
        (["run", "study", "--seeds", "a"], "seeds"),
        (["run", "study", "--device", "tpu"], "device"),
        (["run", "study", "--set", "n"], "NAME=VALUE"),
        (["run", "study", "--set", "colour=red"], "setting"),
        (["run", "study", "--set", "batch=many"], "whole number"),
        (["run", "study", "--set", "encodings=P7"], "P1000"),
        (["run", "improved", "--set", "variants=best"], "curriculum"),
        (["run", "improved", "--set", "growth=mass"], "coupling"),
        (["run", "improved.long", "--set", "functions=exp"], "one entry"),
        (["run", "study", "--cluster", "ray:2"], "--cluster"),
        (["run", "study", "--threads", "0"], "--threads"),
        (["run", "study", "--max-seconds", "0"], "--max-seconds"),
        (["run", "transformer", "--set", "function=tan"], "matrix function"),
        (["run", "transformer", "--set", "n=101"], "have tokens"),
        (["run", "transformer", "--set", "dimension=100000000"], "GiB"),
        (["run", "transformer", "--set", "batch=10000000000", "--set", "examples=10000000000"], "GiB"),
        (["run", "mlp_baseline", "--quiet", "--set", "sizes=10000000000000"], "GiB"),
        (["run", "encodings", "--set", "samples=10000000000000"], "GiB"),
        (["run", "encodings", "--set", "samples=0"], "at least 1"),
        (["run", "encodings", "--set", "functions=tan"], "matrix function"),
        (["run", "constructed", "--set", "samples=10000000000000"], "GiB"),
        (["run", "constructed", "--set", "dimensions=9"], "up to 8"),
        (["run", "constructed", "--set", "eps=small"], "rational"),
        (["show", "study", "--scale", "huge"], "scale"),
        (["show", "nothing"], "choose from"),
        (["show", "transformer", "--out", "/nonexistent", "--scale", "smoke"], "make one with"),
        (["nothing"], "choose from"),
    ],
)
def test_bad_requests_are_one_line_and_code_2(arguments, says, tmp_path, capsys):
    more = ["--out", str(tmp_path)] if arguments[0] == "run" else []
    assert call(*arguments, *more) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_no_gpu_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == CPU
    with pytest.raises(BadInput, match="no GPU"):
        choose_device("cuda")


def test_seeds_and_settings_are_read():
    assert parse_seeds("3") == (0, 1, 2)
    assert parse_seeds("0") == (0,)
    assert parse_seeds("0,2") == (0, 2)
    assert parse_seeds("1:4") == (1, 2, 3)
    for bad in ("", "1,1", "-1", "4:4", "1:2:3"):
        with pytest.raises(BadInput):
            parse_seeds(bad)
    settings = override(MlpSettings(), parse_options(["n=2", "rate=1e-2", "variant=improved"]))
    assert (settings.n, settings.rate, settings.variant) == (2, 0.01, "improved")
    with pytest.raises(BadInput, match="twice"):
        parse_options(["n=1", "n=2"])
    assert fingerprint(settings) != fingerprint(replace(settings, seed=1))
    with pytest.raises(BadInput):
        Request("study", "smoke", CPU, (), Path("."))


def test_both_variants_of_the_baseline_train_on_the_same_data(tmp_path):
    settings = MlpSettings("sin", 2, 64, epochs=2, samples=50)
    plain, better = (MlpTask(replace(settings, variant=variant), CPU) for variant in ("published", "improved"))
    assert torch.equal(plain._inputs, better._inputs)
    assert plain.schedule.steps == better.schedule.steps == 2
    seen = []
    run_batch = plain._run
    plain._run = lambda inputs: seen.append(inputs) or run_batch(inputs)
    for step in range(2):
        plain.loss(step)
    for epoch in seen:
        assert torch.equal(epoch.sort(0).values, plain._inputs.sort(0).values)  # every example once an epoch
    assert not torch.equal(seen[0], seen[1])
    assert sum(isinstance(layer, torch.nn.Dropout) for layer in plain.model.layers) == 7


def test_the_improved_target_gives_the_value_back():
    task = MlpTask(MlpSettings("exp", 2, 32, "improved", samples=10), CPU)
    values = task._examples("training", 32).targets
    target = task._target(values).double()
    back = (target[:, :-1] * target[:, -1:].exp()).reshape(values.shape)
    # float32 targets: 2^-24 relative in the direction, and log s up to 30 times that in s.
    assert float(((back - values).abs().sum((1, 2)) / values.abs().sum((1, 2))).max()) < 4e-6
    assert torch.allclose(target[:, :-1].abs().sum(1), torch.ones(32, dtype=torch.float64), atol=1e-6)


def test_the_improved_variant_is_better_at_equal_budget(tmp_path):
    found = {}
    for variant in ("published", "improved"):
        task = MlpTask(MlpSettings("exp", 1, 128, variant, epochs=40, batch=32, samples=500), CPU)
        train(task, tmp_path / f"{variant}.pt", resume=False, progress=Progress(quiet=True), label=variant)
        found[variant] = task.evaluate()
    assert found["improved"]["accuracy"]["0.05"] > found["published"]["accuracy"]["0.05"] + 0.2, found


def test_the_published_table_is_the_published_one():
    rows = {"exp": "30.10 1.62 0.00", "log": "24.02 4.71 0.00", "sign": "99.95 54.86 0.73"}
    rows |= {"sin": "61.82 0.01 0.00", "cos": "60.00 0.01 0.00"}
    assert {name: " ".join(f"{100 * share:.2f}" for share in shares) for name, shares in PUBLISHED.items()} == rows


def test_progress_is_told_on_stderr_in_plain_lines(capsys):
    progress = Progress(every=0.0)
    with progress:
        progress.update("run", 5, 10, 1234.5, loss=0.5, accuracy=0.25)
        progress.say("done")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "run: 5/10 (50%), 1,234 examples/s, loss 0.5, accuracy 0.25\ndone\n"


_WITHOUT = """
import sys

# torch itself needs sympy.
blocked = {"flint", "z3", "rich", "jaxtyping", "safetensors", "scipy", "matplotlib", "onnx", "distributed", "dask"}
finders = list(sys.meta_path)

class Without:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in blocked:
            return None
        return next((spec for finder in finders if (spec := finder.find_spec(name, path, target))), None)

sys.meta_path[:] = [Without]  # what is blocked is not found, as on a machine that does not have it
for name in blocked:
    try:
        __import__(name)
    except ImportError:
        continue
    raise SystemExit(f"{name} is not blocked")
import torch
from empirical.cli import main
for name in ("encodings", "transformer", "mlp_baseline", "study"):
    assert main(["run", name, "--device", "cpu", "--quiet", "--out", sys.argv[1]]) == 0
assert main(["show", "transformer", "--out", sys.argv[1]]) == 0
checkpoint = sys.argv[1] + "/transformer-smoke-exp-1-P1000-P1000-seed0.pt"
assert main(["eval", checkpoint, "--samples", "10"]) == 0
# The checkpoint is plain: torch alone reads it, without running anything in it, into the network it names.
from empirical.transformer_task import TransformerSettings, TransformerTask
state = torch.load(checkpoint, weights_only=True)
task = TransformerTask(TransformerSettings(**state["configuration"]), torch.device("cpu"))
task.model.load_state_dict(state["model"])
assert task.evaluate(10)["samples"] == 10
present = sorted(blocked & {name.split(".")[0] for name in sys.modules})
assert not present, present
"""


def test_training_needs_torch_and_numpy_alone(tmp_path):
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, str(tmp_path)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "study-smoke.json").is_file()


def test_a_record_does_not_say_where_files_went():
    from empirical.run_cli import _without_places

    told = ["run", "study", "--out", "/a/b", "--store", "--scale", "small", "--out=/c"]
    assert _without_places(told) == ["run", "study", "--scale", "small"]
