"""What a run tells: a bar that fills on a terminal, plain lines in a file, nothing when quiet."""

from __future__ import annotations

import io

import pytest

from empirical.progress import Progress


class FakeStatus:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def update(self, line: str) -> None:
        self.lines.append(line)


def test_the_bar_fills_with_the_run():
    progress = Progress()
    progress._status = status = FakeStatus()
    for done in (0, 5, 10, 12):
        progress.update("steps", done, 10, 3.0, mean_error=0.25)
    filled = [line.count("━") for line in status.lines]
    assert filled == [0, 10, 20, 20]
    assert all(line.count("━") + line.count("╌") == 20 for line in status.lines)
    assert status.lines[1].endswith("steps: 5/10 (50%), 3 examples/s, mean error 0.25")
    progress.update("nothing to do", 0, 0)
    assert "0/0" in status.lines[-1]


@pytest.mark.parametrize("quiet", [True, False])
def test_elsewhere_lines_are_plain_and_few(quiet):
    stream = io.StringIO()
    with Progress(quiet=quiet, every=3600.0, stream=stream) as progress:
        for done in range(1, 11):
            progress.update("steps", done, 10)
        progress.say("the end")
    lines = stream.getvalue().splitlines()
    assert lines == ([] if quiet else ["steps: 1/10 (10%)", "steps: 10/10 (100%)", "the end"])
