"""The inversion experiments from the command line, with runs of a second: records, tables, files, refusals."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from empirical.batched_mlp import Member, initial_network
from empirical.cli import main
from empirical.experiments import EXPERIMENTS, load_experiment
from empirical.experiments.inversion.bundles import mean_and_spread, network_from_weights, pieces_met, weights_of
from empirical.experiments.inversion.settings import BoxSettings, TrainingSettings, at_scale, kinds_for, widths_of
from empirical.experiments.inversion.tables4to7 import region_rows
from empirical.models_io import read_chain
from theory.command import run_command

INVERSION = [name for name in EXPERIMENTS if name.startswith("inversion.")]
SHORT = ["size_2=256", "epochs_2=2", "size_3=256", "steps_3=4", "tests=60"]
TINY = {
    "inversion.table1": [*SHORT, "matrices=2x2-first,2x2-second,3x3"],
    "inversion.table2": SHORT,
    "inversion.table3": ["matrices=2x2-first,3x3", "repeats=1", "calls=3"],
    "inversion.tables4to7": [*SHORT, "region_samples=5000"],
    "inversion.errors": SHORT,
    "inversion.certified": [*SHORT, "matrices=2x2-first"],
}


def call(*arguments: object) -> int:
    return run_command(main, [str(argument) for argument in arguments])


def run_tiny(name: str, folder: Path, *more: str) -> dict:
    settings = [part for setting in TINY[name] for part in ("--set", setting)]
    assert call("run", name, "--out", folder, "--device", "cpu", "--quiet", *settings, *more) == 0
    return json.loads((folder / f"{name}-smoke.json").read_text())


def test_every_inversion_experiment_is_tried_here():
    assert set(TINY) == set(INVERSION)


@pytest.mark.parametrize("name", INVERSION)
def test_an_inversion_experiment_shows_what_it_stored_and_resumes_to_the_same(name, tmp_path, capsys):
    record = run_tiny(name, tmp_path)
    told = capsys.readouterr().out
    assert record["seeds"] == ([0] if name == "inversion.table3" else [0, 1, 2])
    assert {"torch", "numpy", "python"} <= set(record["versions"])
    assert call("show", name, "--out", tmp_path) == 0
    assert capsys.readouterr().out == told
    if name != "inversion.table3":
        assert run_tiny(name, tmp_path, "--resume")["results"] == record["results"]


def test_table1_says_what_is_reduced_and_has_its_baselines(tmp_path):
    record = run_tiny("inversion.table1", tmp_path, "--seeds", "2")
    networks = record["results"]
    assert len(networks) == 3 * 3 * 2
    widths = {(4, 32, 4), (4, 32, 32, 4), (4, 28, 4), (9, 72, 9), (9, 72, 72, 9), (9, 108, 9)}
    assert {tuple(r["widths"]) for r in networks} == widths
    assert {r["reduced"] for r in networks if r["matrices"] == "3x3"} == {"4 of 200,000 steps, 256 of 100,000 matrices"}
    for box in record["boxes"]:
        errors = {row["kind"]: row["mean_error"] for row in box["baselines"]}
        assert errors["affine, least squares"] < errors["linear approximation"] < errors["constant A0^-1"]
        assert errors["linearised network"] == pytest.approx(errors["linear approximation"], rel=1e-6)  # six digits
        assert errors["second order, 16 pieces"] < errors["second order, 4 pieces"] < errors["linear approximation"]
        for row in box["baselines"]:
            if row["proved_bound"] is not None:
                assert row["largest_error_on_samples"] <= row["proved_bound"] * (1 + 1e-5)  # both rounded to six digits
        assert errors["built, proved to 1e-6"] < 1e-6 < errors["built, proved to 1e-3"] < 1e-3
        # A handful of steps brings no network below the linear approximation that did not start there.
        for result in networks:
            if (result["matrices"], result["kind"]) == (box["name"], "refined"):
                assert result["mean_error"] < errors["linear approximation"]
                assert result["mean_error_after_newton"] < result["mean_error"] / 100
        assert box["reach"] == pytest.approx(0.25)
    spread = mean_and_spread([r["mean_error"] for r in networks if (r["matrices"], r["kind"]) == ("3x3", "2fc")])
    assert spread[1] is not None
    assert spread[1] > 0


def test_networks_are_kept_as_files_that_the_other_commands_read(tmp_path):
    record = run_tiny("inversion.table2", tmp_path, "--seeds", "1")
    box = BoxSettings().box("2x2-first")
    centre = np.load(tmp_path / "networks" / "inversion.table2-smoke-2x2-first-centre.npy")
    assert np.array_equal(centre, box.centre_tensor().numpy())
    for result in record["results"]:
        if "weights" not in result:
            continue
        chain = read_chain(tmp_path / "networks" / f"inversion.table2-smoke-{result['label']}.pt")
        written = network_from_weights(result["weights"])
        x = torch.randn(5, 4)
        with torch.no_grad():
            expected = written.double()(x.double()).numpy()
        # The same weights in float64, summed in another order.
        np.testing.assert_allclose(chain.evaluate(x.double().numpy()), expected, rtol=0, atol=1e-12)


def test_stored_networks_are_small_safetensors_that_the_certifier_reads(tmp_path, monkeypatch):
    monkeypatch.setattr("empirical.store.RESULTS", tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    run_tiny("inversion.tables4to7", tmp_path, "--seeds", "1", "--store")
    kept = tmp_path / "kept" / "networks"
    names = {path.name for path in kept.iterdir()}
    prefix = "inversion.tables4to7-smoke-2x2-first"
    networks = {f"{prefix}-{kind}-seed0.safetensors" for kind in ("small", "small_better")}
    assert names == {f"{prefix}-centre.npy", *networks}
    for name in networks:
        one = read_chain(kept / name)
        two = read_chain(tmp_path / "networks" / name.replace(".safetensors", ".pt"))
        for layer, same in zip(one.layers, two.layers, strict=True):
            assert np.array_equal(layer.weight, same.weight)
            assert np.array_equal(layer.bias, same.bias)


def test_large_networks_are_not_stored_with_the_code(tmp_path, monkeypatch):
    monkeypatch.setattr("empirical.store.RESULTS", tmp_path / "kept")
    monkeypatch.setattr("empirical.experiments.inversion.kept._STORED", 1000)
    run_tiny("inversion.table2", tmp_path, "--seeds", "1", "--store")
    stored = {path.name.rsplit("-", 2)[1] for path in (tmp_path / "kept" / "networks").glob("*.safetensors")}
    assert {kind.removesuffix("_better") for kind in stored} == {"small", "2fc", "refined"}  # 4-32-32-4 has 1,348


def test_the_pieces_met_are_the_patterns_of_active_units():
    # relu(x), relu(x - 1) behind relu(x + 2): on these inputs off-off, on-off, on-on and, below -2, all off.
    network = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU(), torch.nn.Linear(1, 2), torch.nn.ReLU())
    with torch.no_grad():
        network[0].weight.fill_(1)
        network[0].bias.fill_(2)
        network[2].weight.fill_(1)
        network[2].bias.copy_(torch.tensor([-2.0, -3.0]))
    inputs = torch.tensor([[-3.0], [-1.0], [0.5], [0.7], [5.0]], dtype=torch.float64)
    assert pieces_met(network, inputs) == 4
    assert pieces_met(network, inputs[2:4]) == 1


def test_weights_come_back_as_they_were():
    network = initial_network(Member((4, 32, 32, 4), 0, 5))
    again = network_from_weights(json.loads(json.dumps(weights_of(network))))
    for one, two in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("seed", [0, 1])
def test_regions_account_for_all_of_the_data_and_the_network_is_affine_on_each(seed):
    # An untrained network with its kinks moved into the box, so that there are many regions.
    box, network = BoxSettings().box("2x2-first"), initial_network(Member((4, 5, 4), 0, seed))
    with torch.no_grad():
        network[0].bias.copy_(-network[0].weight @ box.centre_tensor().flatten().float())
    found = region_rows(network, box, 20_000, seed)
    assert len(found["regions"]) > 15
    assert found["share_in_all"] == pytest.approx(1, abs=1e-12)  # a sum of at most 31 rounded shares
    worst = max(max(row["deviation_proved"]) for row in found["regions"])
    for row in found["regions"]:
        for attained, proved in zip(row["deviation_attained"], row["deviation_proved"], strict=True):
            # The two ends differ by the linear programs' tolerances, 1e-10 of functions of size 1.
            assert attained <= proved <= attained + 1e-8
    matrices, _ = box.sample(2_000, torch.Generator().manual_seed(9))
    inverse = torch.linalg.inv(box.centre_tensor())
    linear = 2 * inverse - inverse @ matrices @ inverse
    with torch.no_grad():
        away = (network.double()(matrices.flatten(1)) - linear.flatten(1)).abs().max()
    assert float(away) <= worst + 1e-12  # no sampled point beats the proved maxima, but for float64


def test_a_large_box_is_an_error_and_unknown_names_are_answered(tmp_path, capsys):
    for settings, says in (
        (["reach=1.5"], "reach"),
        (["matrices=5x5"], "2x2-first"),
        (["first=1,2,2,4"], "invertible"),
        (["first=1,2,3"], "entries"),
        (["kinds=transformer"], "small"),
        (["epochs_2=0"], "at least 1"),
    ):
        more = [part for setting in settings for part in ("--set", setting)]
        assert call("run", "inversion.table1", "--out", tmp_path, "--quiet", *more) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert says in error
    assert call("run", "inversion.tables4to7", "--out", tmp_path, "--quiet", "--set", "matrices=3x3") == 2


def test_the_full_scale_is_the_papers_protocol():
    full = at_scale(TrainingSettings(), "full", "cuda")
    assert full == TrainingSettings()
    assert (full.protocol(2).steps, full.protocol(3).steps, full.protocol(16).steps) == (20 * 7812, 200_000, 200_000)
    assert [full.reduced(n) for n in (2, 3, 16)] == [None, None, None]
    short = at_scale(TrainingSettings(), "full", "cpu")
    assert [short.reduced(n) for n in (2, 3, 16)] == [None, None, "1,000 of 200,000 steps"]
    assert widths_of("3fc", 16) == (256, 2048, 2048, 256)
    assert kinds_for(("2fc", "refined"), 3) == ("2fc", "refined")
    assert kinds_for(("2fc", "refined"), 16) == ("2fc",)


def test_errors_stay_on_the_right_side_of_theory(tmp_path):
    record = run_tiny("inversion.errors", tmp_path, "--seeds", "1")
    constructed = [r for r in record["results"] if r["outcome"] == "constructed"]
    trained = [r for r in record["results"] if r["sweep"] == "delta"]
    assert constructed
    assert trained
    for row in constructed:
        assert row["largest_error_found"] <= row["proved_bound"] * (1 + 1e-5)  # both rounded to six digits
    for row in (r for r in record["results"] if "law_below" in r):
        assert 0 < row["law_below"] <= row["largest_error_found"]
    for row in trained:
        for point in row["beyond"]:
            # A function that moves by q over the way from A- to A+ misses one of the inverses by 1/t - q t.
            assert point["error"] >= (1 / point["t"] - point["quotient"] * point["t"]) * (1 - 1e-5)
    assert Fraction(record["configuration"]["half_width"]) == Fraction(1, 64)
    tables = load_experiment("inversion.errors").table(record)
    assert all(len(row) == len(tables[0]) for row in tables[1])
