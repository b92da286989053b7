"""Certifying the tables' networks: what is found is not trained again, results are proved, boxes must agree."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from empirical.cli import main
from empirical.experiments.inversion import certified
from empirical.experiments.inversion.certified import CertifiedSettings, Job, certify_cell
from empirical.experiments.inversion.settings import BoxSettings
from empirical.sweep import Cell
from theory.command import run_command
from theory.errors import BadInput


def keep(folder: Path, name: str, seed: int = 0, box: str = "2x2-first") -> Path:
    """A network as the tables keep it, with its centre."""
    (folder / "networks").mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))
    file = folder / "networks" / f"{name}.pt"
    torch.save(network.state_dict(), file)
    centre = BoxSettings().box(box).centre_tensor().numpy()
    np.save(folder / "networks" / f"{name.rsplit('-', 2)[0]}-centre.npy", centre)
    return file


def run_certified(folder: Path, *more: str) -> int:
    arguments = [
        "run",
        "inversion.certified",
        "--out",
        str(folder),
        "--device",
        "cpu",
        "--quiet",
        "--seeds",
        "1",
        *more,
    ]
    return run_command(main, arguments)


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one network of each table, where training anything is an error."""
    keep(tmp_path, "inversion.table1-smoke-2x2-first-2fc-seed0", seed=1)
    keep(tmp_path, "inversion.table2-smoke-2x2-first-2fc-seed0", seed=4)
    keep(tmp_path, "inversion.table2-smoke-2x2-first-small-seed0", seed=2)
    keep(tmp_path, "inversion.table2-smoke-2x2-first-small-seed7", seed=3)
    monkeypatch.setattr(certified, "_train", lambda *_: pytest.fail("trained again"))
    return tmp_path


def test_kept_networks_are_certified_and_shared_ones_once(found: Path) -> None:
    assert run_certified(found, "--set", "matrices=2x2-first") == 0
    record = json.loads((found / "inversion.certified-smoke.json").read_text())
    results = record["results"]
    names = [(result["source"], result["kind"], result["seed"]) for result in results]
    assert names == [
        ("inversion.table1", "2fc", 0),
        ("inversion.table2", "small", 0),
        ("constructed", "linearised network", None),
        ("constructed", "second order, 4 pieces", None),
        ("constructed", "second order, 16 pieces", None),
    ]
    for result in results:
        assert result["closed"]
        assert result["lower"] <= result["upper"] <= 1.02 * result["lower"]
        assert result["sampled"] <= result["upper"]
        assert result["cpu_seconds"] > 0
    # Bounded on paper too, in the induced norm; 1e-12: the network's weights are rounded.
    assert results[2]["lower"] <= record["boxes"][0]["linear_bound"] * (1 + 1e-12)


def test_a_network_of_another_box_is_refused(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_certified(found, "--set", "matrices=2x2-first", "--set", "first=3,1,1,2") == 2
    assert "is not the centre of 2x2-first" in capsys.readouterr().err


def test_a_cell_cut_short_by_the_deadline_is_to_be_done_again(tmp_path: Path) -> None:
    box = BoxSettings().box("3x3")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(9, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 9))
    torch.save(network.state_dict(), tmp_path / "net.pt")
    job = Job("inversion.table1", "3x3", "3fc", 0, str(tmp_path / "net.pt"), "", (), box.half_width, 1e-9, 60.0, 1)
    job = replace(job, centre=tuple(tuple(map(float, row)) for row in box.centre))
    result = certify_cell(Cell("", "x", vars(job), str(tmp_path), deadline=0.0))
    assert result["outcome"] == "stopped"
    assert result["closed"] is False
    assert 0 < result["lower"] <= result["upper"]


def test_labels_tell_jobs_apart() -> None:
    job = Job("inversion.table2", "2x2-first", "2fc_better", 2, None, None, (), 0.125, 0.02, 1.0, 1)
    assert job.label == "table2-2x2-first-2fc_better-seed2"
    assert replace(job, source="constructed", kind="second order, 4 pieces", seed=None).label == (
        "constructed-2x2-first-second-order-4-pieces"
    )


@pytest.mark.parametrize("changes", [{"matrices": ("4x4",)}, {"matrices": ()}, {"gap_2": 0.0}, {"workers": 0}])
def test_settings_that_make_no_sense_are_refused(changes: dict) -> None:
    with pytest.raises(BadInput):
        CertifiedSettings(**changes)
