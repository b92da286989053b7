"""Crews on Dask: the same results, also when a worker dies, and one line when nobody answers."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from empirical.certify.dask_crew import cluster_crew, slurm_crew, slurm_options
from theory.errors import BadInput

distributed = pytest.importorskip("distributed")


def _square_or_die_once(value: int, marker: str) -> int:
    path = Path(marker)
    if value == 3 and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value * value


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as running:
        yield running


def test_a_cluster_gives_the_same_although_a_worker_dies(cluster, tmp_path: Path) -> None:
    tasks = [(i, str(tmp_path / "died")) for i in range(8)]
    with cluster_crew(cluster.scheduler_address) as crew:
        assert dict(crew.run(_square_or_die_once, tasks, lambda: False)) == {i: i * i for i in range(8)}
    assert (tmp_path / "died").exists()


def test_a_certificate_from_a_cluster_is_the_one_of_a_single_core(trained, quarter, cluster, monkeypatch) -> None:
    from empirical.certify.crew import local_crew
    from empirical.certify.inverse import InverseTarget
    from empirical.certify.piece import Problem
    from empirical.certify.search import Options, certify

    monkeypatch.setattr(Problem, "batch", 8)
    chain, region = trained("first", (8,)), quarter("first")
    found = []
    for make in (lambda: local_crew(1), lambda: cluster_crew(cluster.scheduler_address)):
        with make() as crew:
            found.append(certify(chain, InverseTarget(2), region, Options(seconds=120.0), crew))
    assert (found[0].lower, found[0].upper, found[0].boxes) == (found[1].lower, found[1].upper, found[1].boxes)
    assert found[1].closed


def test_where_nobody_answers_it_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empirical.certify.dask_crew._CONNECT_SECONDS", "1s")
    with pytest.raises(BadInput, match="no Dask scheduler answers at tcp://127"):
        cluster_crew("tcp://127.0.0.1:9")
    with pytest.raises(BadInput, match="no Dask scheduler"):
        cluster_crew("nonsense://")


def test_slurm_jobs_ask_for_one_core_and_no_threads() -> None:
    jobqueue = pytest.importorskip("dask_jobqueue")
    with jobqueue.SLURMCluster(**slurm_options()) as cluster:
        script = cluster.job_script()
    assert "#SBATCH --cpus-per-task=1" in script
    assert "export OMP_NUM_THREADS=1" in script


def test_without_slurm_it_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask_jobqueue")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(BadInput, match="sbatch"):
        slurm_crew(1)
