from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from empirical import metrics, truth
from empirical.cli import main
from empirical.data import EVALUATION, chunk
from empirical.ensembles import Ensemble
from empirical.experiments.constructed import ConstructedSettings, table
from empirical.experiments.constructed_cases import Case, build, cases, covered, evaluate_network, natural_scale
from empirical.experiments.constructed_times import learned_shapes, reference_functions, seconds_per_matrix
from empirical.mlp_task import VARIANTS
from empirical.store import load_record
from theory.command import run_command
from theory.errors import BadInput

CPU = torch.device("cpu")
FUNCTIONS = ("exp", "sign", "sin", "cos", "log", "sqrt")
ALL = cases(FUNCTIONS, (1, 2))


def named(case: Case) -> str:
    return f"{case.function}-{case.ensemble.n}-{case.ensemble.kind}-{case.ensemble.scale:.0f}"


def run_constructed(folder: Path, *settings: str) -> dict:
    options = [part for setting in settings for part in ("--set", setting)]
    arguments = ["run", "constructed", "--device", "cpu", "--quiet", "--out", str(folder), *options]
    assert run_command(main, arguments) == 0
    return load_record(folder / "constructed-smoke.json")


def test_every_learned_distribution_has_its_cases():
    assert {case.function for case in ALL} == set(FUNCTIONS)
    assert {(case.ensemble.kind, case.ensemble.scale) for case in ALL if case.learned == "study"} == {
        ("symmetric_uniform", 1.0)
    }
    baseline = {case.ensemble.kind: case.ensemble.scale for case in ALL if case.learned == "mlp_baseline"}
    assert baseline == {"normal": 5 / math.sqrt(3), "abs_normal": 5 / math.sqrt(3)}
    assert len({named(case) for case in ALL}) == len(ALL)


@pytest.mark.parametrize("case", [case for case in ALL if case.ensemble.n == 2], ids=named)
def test_an_exact_module_gives_exact_answers_whatever_the_scale(case):
    examples = chunk(case.ensemble, case.function, 20, 0, EVALUATION, 1, CPU)
    for scale in (1.0, 4.0, 16.0) if case.scaled else (1.0,):
        found = evaluate_network(case, lambda a: truth.evaluate(case.function, a).values, examples.inputs, scale)
        # Two values right to 1e-13 each; log adds log(c) <= 2.8, itself rounded, to entries that may be smaller.
        assert float(metrics.d1(found, examples.targets).max()) < 1e-11


def test_the_scale_is_the_best_power_and_never_sees_test_matrices(monkeypatch):
    case = next(c for c in ALL if c.function == "sqrt" and c.ensemble.n == 2)
    # Eigenvalues from 0.1 to 5 over 4 lie in [0.025, 1.25]: inside [1/40, 79/40]. No other power of four does that.
    assert natural_scale(case, 0) == 4.0
    assert natural_scale(next(c for c in ALL if c.function == "exp"), 0) == 1.0
    asked = []
    from empirical.experiments import constructed_cases

    real = constructed_cases.stream_generator
    monkeypatch.setattr(constructed_cases, "stream_generator", lambda *a: asked.append(a) or real(*a))
    natural_scale(case, 3)
    assert [(seed, stream) for seed, stream, *_ in asked] == [(3, "training")]


def test_covered_is_decided_for_every_matrix():
    case = Case("sign", Ensemble("symmetric_uniform", 2), {"rho": "1/2", "nu": "3/2"})
    net = build(case, "1/2")
    eye = torch.eye(2, dtype=torch.float64)
    nilpotent = torch.tensor([[0.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    matrices = torch.stack([2 * eye, -2 * eye, 4 * eye, eye, nilpotent, 2 * eye + 2 * nilpotent])
    # Over 2: I, -I, 2I (||I - 4I|| = 3), I/2 (3/4 > 1/2), nilpotent (1), [[1, 1], [0, 1]] (||A||_2 > 3/2).
    assert covered(net, matrices, 2.0).tolist() == [True, True, False, False, False, False]


@pytest.mark.parametrize("case", [case for case in ALL if case.ensemble.n == 2], ids=named)
def test_references_agree_with_the_truth(case):
    examples = chunk(case.ensemble, case.function, 40, 0, EVALUATION, 1, CPU)
    for name, function in reference_functions(case.function, case.ensemble.kind).items():
        distances = metrics.d1(function(examples.inputs), examples.targets)
        # Backward stable in float64; the median condition number of these functions here is far below 1e5.
        assert float(distances.median()) < 1e-10, name
        assert name.startswith(("scipy.linalg.", "torch."))
        assert metrics.accuracies(distances)["0.05"] == 1.0


def test_the_record_holds_the_bound_the_share_and_the_price(tmp_path, capsys):
    record = run_constructed(tmp_path, "functions=sin,sqrt", "eps=1e-1,1e-3", "dimensions=2", "samples=60", "timed=20")
    told = capsys.readouterr().out
    assert run_command(main, ["show", "constructed", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == told
    networks = [row for row in record["results"] if row["kind"] == "constructed"]
    assert {row["ensemble"]["kind"] for row in networks} == {"symmetric_uniform", "positive_definite", "normal"}
    for row in networks:
        assert 0 < row["bound"] <= float(row["eps"])
        assert row["largest_error"] <= row["bound"]
        assert 0 <= row["covered"] <= 1
        assert list(row["accuracy"]) == [str(tolerance) for tolerance in metrics.TOLERANCES]
        assert all(seconds > 0 for seconds in row["seconds"].values())
        if row["ensemble"]["kind"] != "normal":
            assert row["covered"] == 1.0
            assert row["accuracy"] == row["accuracy_covered"]
    sharp = {row["ensemble"]["kind"]: row for row in networks if row["eps"] == "1e-3" and row["function"] == "sqrt"}
    # The trace is at least 2·0.31; an error of 2·1e-3 (scale 4) in norm is at most 4e-3 summed over entries.
    assert sharp["positive_definite"]["accuracy"]["0.01"] == 1.0
    shapes = [row for row in record["results"] if row["kind"] == "learned shape" and row["experiment"] != "study"]
    assert {row["name"] for row in shapes} == set(VARIANTS)
    assert json.dumps(record, allow_nan=False)


def test_a_demand_that_cannot_be_met_is_told(tmp_path, capsys, monkeypatch):
    def refuse(case, eps):
        raise BadInput(f"eps = {eps} is below the float64 floor of this network")

    monkeypatch.setattr("empirical.experiments.constructed_cases.build", refuse)
    record = run_constructed(tmp_path, "functions=exp", "eps=1e-40", "dimensions=1", "samples=20", "timed=5")
    rows = [row for row in record["results"] if "eps" in row]
    assert {row["kind"] for row in rows} == {"refused"}
    assert {row["reason"] for row in rows} == {"eps = 1e-40 is below the float64 floor of this network"}
    assert "refused" in capsys.readouterr().out


def test_relative_demands_are_of_the_largest_value():
    case = next(c for c in ALL if named(c) == "exp-2-symmetric_uniform-1")
    relative, absolute = build(case, "relative:1e-2"), build(case, "1e-2")
    # The largest norm of A with |a_ij| <= 1 is 2, of e^A so e^2.
    assert 1e-2 * math.exp(2) >= float(relative.bound) > 1e-2
    assert relative.measured.nonzeros < absolute.measured.nonzeros


def test_shapes_of_a_study_are_timed_once_each():
    settings = {"n": 1, "input_encoding": "P10", "output_encoding": "P10", "dimension": 16, "heads": 2}
    settings |= {"encoder_layers": 1, "gone": "a setting of another version"}
    record = {"results": [{"settings": settings | {"seed": seed}} for seed in (0, 1)]}
    rows = learned_shapes((1,), {"study": record}, 4)
    assert [row["name"] for row in rows] == [*VARIANTS, "P10"]
    assert rows[2]["experiment"] == "study"
    # 1-128-256-512-1024-512-256-128-1 with biases; the improved one has one output more.
    widths = (1, 128, 256, 512, 1024, 512, 256, 128, 1)
    parameters = sum(a * b + b for a, b in pairwise(widths))
    assert [row["parameters"] for row in rows[:2]] == [parameters, parameters + 129]
    assert learned_shapes((2,), {"study": record}, 2)[-1]["experiment"] == "mlp_baseline"


def test_times_are_per_matrix():
    calls = []
    seconds = seconds_per_matrix(lambda a: calls.append(len(a)), torch.zeros(10, 1, 1), repeats=3)
    assert calls == [10, 10, 10]
    # Appending to a list takes far less than 0.1 s; a time per batch of a slow clock would be found here.
    assert seconds < 0.01


@pytest.mark.parametrize("bad", [{"functions": ("tan",)}, {"samples": 0}, {"dimensions": (0,)}, {"timed": 0}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(BadInput):
        ConstructedSettings(**bad)


def test_the_table_has_a_row_for_every_result():
    empty = {"results": []}
    header, rows = table(empty)
    assert rows == []
    assert header[0] == "network"
