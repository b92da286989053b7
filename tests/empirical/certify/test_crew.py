"""Work comes back whole, whoever dies."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from empirical.certify.crew import Crew, WorkersLost, local_crew


def _square(value: int) -> int:
    return value * value


def _die_once(value: int, marker: str) -> int:
    """Kill the worker the first time anybody comes here."""
    path = Path(marker)
    if value == 3 and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value * value


def _die_always(value: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return value


def _fail(value: int) -> int:
    raise ZeroDivisionError(str(value))


def _nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def _never() -> bool:
    return False


def test_alone_everything_is_done_in_order() -> None:
    with local_crew(1) as crew:
        assert list(crew.run(_square, [(i,) for i in range(5)], _never)) == [(i, i * i) for i in range(5)]
        assert crew.executor is None


def test_one_task_needs_no_pool() -> None:
    with local_crew(2) as crew:
        assert list(crew.run(_square, [(7,)], _never)) == [(0, 49)]
        assert crew.executor is None


def test_a_pool_gives_the_same() -> None:
    with local_crew(2) as crew:
        assert dict(crew.run(_square, [(i,) for i in range(20)], _never)) == {i: i * i for i in range(20)}
        assert crew.executor is not None


def test_a_killed_worker_costs_nothing_but_time(tmp_path: Path) -> None:
    marker = tmp_path / "died"
    with local_crew(2) as crew:
        assert dict(crew.run(_die_once, [(i, str(marker)) for i in range(8)], _never)) == {i: i * i for i in range(8)}
    assert marker.exists()


def test_workers_that_keep_dying_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("empirical.certify.crew._REBUILDS", 2)
    crew = local_crew(2)
    with crew, pytest.raises(WorkersLost, match="lost with their workers"):
        list(crew.run(_die_always, [(1,), (2,)], _never))


def test_a_mistake_in_the_work_is_not_a_lost_worker() -> None:
    with local_crew(2) as crew, pytest.raises(ZeroDivisionError):
        list(crew.run(_fail, [(1,), (2,)], _never))


def test_stopping_leaves_the_rest() -> None:
    done: list[int] = []
    with local_crew(1) as crew:
        for index, _ in crew.run(_square, [(i,) for i in range(10)], lambda: len(done) >= 3):
            done.append(index)
    assert done == [0, 1, 2]
    with local_crew(2) as pool:
        assert not list(pool.run(_nap, [(0.01,)] * 4, lambda: True))


def test_a_crew_that_cannot_be_made_says_so() -> None:
    def refuse() -> None:
        raise OSError("no processes here")

    with Crew(refuse) as crew, pytest.raises(OSError, match="no processes"):  # type: ignore[arg-type]
        list(crew.run(_square, [(1,), (2,)], _never))
