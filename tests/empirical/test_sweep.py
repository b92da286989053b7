from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from empirical.progress import Progress
from empirical.sweep import Cell, open_executor, parse_cluster, run_sweep
from theory.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
HERE = "tests.empirical.test_sweep"
QUIET = Progress(quiet=True)


def note(cell: Cell) -> dict:
    """A worker that leaves a mark each time it runs; it fails where a file says so."""
    folder = Path(cell.folder)
    with (folder / "marks").open("a") as marks:
        marks.write(cell.label + "\n")
    if (folder / f"fail-{cell.label}").exists():
        raise RuntimeError(cell.label)
    import torch

    told = {"pid": os.getpid(), "threads": torch.get_num_threads()}
    return {"outcome": cell.settings.get("outcome", "finished"), "square": cell.settings["x"] ** 2} | told


def cells(folder: Path, count: int = 3, **changes) -> list[Cell]:
    return [Cell(f"{HERE}:note", f"c{x}", {"x": x}, str(folder), **changes) for x in range(count)]


def marks(folder: Path) -> list[str]:
    return (folder / "marks").read_text().split()


def test_results_come_in_order_and_are_kept(tmp_path):
    assert [result["square"] for result in run_sweep(cells(tmp_path), "here", QUIET)] == [0, 1, 4]
    assert marks(tmp_path) == ["c0", "c1", "c2"]
    run_sweep(cells(tmp_path, resume=True), "here", QUIET)
    assert marks(tmp_path) == ["c0", "c1", "c2"]  # nothing was done again
    run_sweep(cells(tmp_path), "here", QUIET)
    assert len(marks(tmp_path)) == 6  # without resume everything is


def test_a_sweep_that_broke_goes_on_where_it_was(tmp_path):
    (tmp_path / "fail-c1").touch()
    with pytest.raises(RuntimeError, match="c1"):
        run_sweep(cells(tmp_path), "here", QUIET)
    (tmp_path / "fail-c1").unlink()
    results = run_sweep(cells(tmp_path, resume=True), "here", QUIET)
    assert [result["square"] for result in results] == [0, 1, 4]
    assert marks(tmp_path) == ["c0", "c1", "c1", "c2"]


def test_other_settings_are_not_taken_for_the_same_cell(tmp_path):
    run_sweep(cells(tmp_path, 1), "here", QUIET)
    changed = [replace(cell, settings={"x": 5}, resume=True) for cell in cells(tmp_path, 1)]
    assert run_sweep(changed, "here", QUIET)[0]["square"] == 25


def test_a_stopped_cell_is_not_finished(tmp_path):
    stopped = [replace(cell, settings={"x": 1, "outcome": "stopped"}, resume=True) for cell in cells(tmp_path, 1)]
    run_sweep(stopped, "here", QUIET)
    run_sweep(stopped, "here", QUIET)
    assert marks(tmp_path) == ["c0", "c0"]


def test_cells_after_the_deadline_are_not_started(tmp_path):
    results = run_sweep(cells(tmp_path, deadline=time.time() - 1), "here", QUIET)
    assert [result["outcome"] for result in results] == ["not started"] * 3
    assert not (tmp_path / "marks").exists()
    assert cells(tmp_path)[0].seconds_left() is None
    assert cells(tmp_path, deadline=time.time() + 100)[0].seconds_left() == pytest.approx(100, abs=5)


def test_processes_do_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)
    results = run_sweep(cells(tmp_path, threads=3), "processes:2", QUIET)
    assert [result["square"] for result in results] == [0, 1, 4]
    assert {result["threads"] for result in results} == {3}
    assert os.getpid() not in {result["pid"] for result in results}
    assert sorted(path.name for path in (tmp_path / "cells").iterdir()) == ["c0.json", "c1.json", "c2.json"]


def test_a_dask_cluster_does_the_same(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # Workers as threads of this process start in a moment; the way there is the same.
    local = distributed.LocalCluster
    monkeypatch.setattr(distributed, "LocalCluster", lambda **options: local(processes=False, **options))
    results = run_sweep(cells(tmp_path), "dask:2", QUIET)
    assert [result["square"] for result in results] == [0, 1, 4]


def test_slurm_asks_for_the_jobs(tmp_path, monkeypatch):
    distributed, jobqueue = pytest.importorskip("distributed"), pytest.importorskip("dask_jobqueue")
    asked = []

    class Fake(distributed.LocalCluster):
        def __init__(self):
            super().__init__(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None)

        def scale(self, n=None, jobs=None):
            if jobs is None:
                super().scale(n)
            asked.append(jobs)

    monkeypatch.setattr(jobqueue, "SLURMCluster", Fake)
    assert [result["square"] for result in run_sweep(cells(tmp_path), "slurm:4", QUIET)] == [0, 1, 4]
    assert 4 in asked


@pytest.mark.parametrize("text", ["", "dask", "dask:0", "slurm:x", "here:2", "ray:3", "processes:-1"])
def test_bad_clusters_are_refused(text):
    with pytest.raises(BadInput, match="--cluster"):
        parse_cluster(text)


def test_a_missing_dask_is_told_how_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match="funmnet\\[cluster\\]"), open_executor("dask:1"):
        pass


def test_labels_must_differ(tmp_path):
    with pytest.raises(ValueError, match="labels"):
        run_sweep(cells(tmp_path, 1) * 2, "here", QUIET)


SMALL = ("batch=8", "examples=320", "reports=20", "dimension=16", "heads=2", "encoder_layers=1", "samples=50")


def test_a_killed_sweep_redoes_no_cell_loses_one_window_at_most_and_ends_in_the_same_bits(tmp_path):
    import torch

    from empirical.cli import main
    from empirical.train import load_checkpoint

    # Bits are those of one number of threads.
    command = ["run", "study", "--device", "cpu", "--threads", str(torch.get_num_threads())]
    settings = (*SMALL, "functions=exp", "dimensions=1", "encodings=P10,P1000")
    command += [part for setting in settings for part in ("--set", setting)]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    victim = subprocess.Popen(
        [sys.executable, "-m", "empirical", *command, "--out", str(killed)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    first, second = ("study-smoke-exp-1-P10-P10-seed0", "study-smoke-exp-1-P1000-P1000-seed0")
    while not (killed / f"{second}.pt").exists() and victim.poll() is None:
        time.sleep(0.002)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    # The second cell was cut after its first checkpoint: it has whole windows of 2 steps, and no result.
    steps = load_checkpoint(killed / f"{second}.pt")["steps"]
    assert 2 <= steps <= 40
    assert steps % 2 == 0
    finished = killed / "cells" / f"{first}.json"
    written = finished.stat().st_mtime_ns
    assert main([*command, "--out", str(killed), "--resume", "--quiet"]) == 0
    assert finished.stat().st_mtime_ns == written
    assert main([*command, "--out", str(whole), "--quiet"]) == 0
    for label in (first, second):
        one, other = (load_checkpoint(folder / f"{label}.pt") for folder in (whole, killed))
        assert one["curve"] == other["curve"]
        assert all(tensor.equal(other["model"][key]) for key, tensor in one["model"].items())
    records = [json.loads((folder / "study-smoke.json").read_text()) for folder in (whole, killed)]
    assert [result["test"] for result in records[0]["results"]] == [result["test"] for result in records[1]["results"]]
