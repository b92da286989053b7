"""Crews on Dask clusters, for boxes that one machine cannot finish: an address, or Slurm jobs."""

from __future__ import annotations

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
    client = _connect(distributed, address)
    return _crew(distributed, client)


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
    try:
        cluster = SLURMCluster(**slurm_options())
        cluster.scale(jobs=jobs)
        client = distributed.Client(cluster)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise BadInput(f"cannot start Slurm jobs from here: {error}") from None
    return _crew(distributed, client)


def slurm_options() -> dict[str, Any]:
    """What each Slurm job asks for unless dask-jobqueue's configuration says more."""
    threads = [f"export {name}=1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")]
    return {"cores": 1, "processes": 1, "memory": "4GB", "job_script_prologue": threads}


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


def _crew(distributed: Any, client: Any) -> Crew:
    """A crew on a client; the scheduler moves work from dead workers itself, and what it gives up on is sent again."""
    from distributed.scheduler import KilledWorker

    def make() -> Executor:
        executor: Executor = client.get_executor(pure=False)
        return executor

    # Closing an executor only cancels its work; the client, and a cluster it owns, close with the process.
    return Crew(make, lost=(KilledWorker, CancelledError, distributed.CancelledError))
