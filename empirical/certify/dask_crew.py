"""Crews on Dask clusters, for boxes that one machine cannot finish: an address, or Slurm jobs."""

from __future__ import annotations

import shutil
from concurrent.futures import CancelledError, Executor
from typing import Any

from empirical.certify.crew import Crew
from theory.errors import BadInput

__all__ = ["cluster_crew", "slurm_crew", "slurm_options"]

_CONNECT_SECONDS = "20s"


def cluster_crew(address: str) -> Crew:
    """Return a crew on the Dask scheduler at ``address`` (this package must be importable on its workers).

    A missing package or a scheduler that does not answer is bad input.
    """
    distributed = _distributed()
    return _crew(distributed, _connect(distributed, address))


def slurm_crew(jobs: int) -> Crew:
    """Return a crew of Slurm jobs, one core each; queue, account and such come from dask-jobqueue's own configuration.

    Raises:
        BadInput: If dask-jobqueue is missing, or jobs cannot be submitted from this machine.
    """
    distributed = _distributed()
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise BadInput("--slurm needs dask-jobqueue; install it with: pip install 'funmnet[cluster]'") from None
    if shutil.which("sbatch") is None:
        raise BadInput("--slurm submits jobs with sbatch, which is not on this machine's path")
    try:
        cluster = SLURMCluster(**slurm_options())
        cluster.scale(jobs=jobs)
        client = distributed.Client(cluster)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise BadInput(f"cannot start Slurm jobs from here: {error}") from None
    return _crew(distributed, client, cluster)


def slurm_options() -> dict[str, Any]:
    """What each Slurm job asks for unless dask-jobqueue's configuration says more."""
    threads = [f"export {name}=1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")]
    # Port 0: any free one; two searches on one login node must not fight for the dashboard's.
    scheduler = {"dashboard_address": ":0"}
    return {"cores": 1, "processes": 1, "memory": "4GB", "job_script_prologue": threads, "scheduler_options": scheduler}


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise BadInput("a Dask cluster needs distributed; install it with: pip install 'funmnet[cluster]'") from None
    return distributed


def _connect(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"no Dask scheduler answers at {address}: {' '.join(str(error).split())[:120]}") from None


def _crew(distributed: Any, client: Any, *owned: Any) -> Crew:
    """A crew on a client; the scheduler moves work from dead workers itself, and what it gives up on is sent again."""
    from distributed.scheduler import KilledWorker

    def make() -> Executor:
        executor: Executor = client.get_executor(pure=False)
        return executor

    def close(executor: Executor) -> None:
        executor.shutdown(wait=False)

    def end() -> None:
        for part in (client, *owned):
            part.close()

    return Crew(make, lost=(KilledWorker, CancelledError, distributed.CancelledError), close=close, end=end)
