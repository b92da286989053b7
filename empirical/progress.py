"""Progress of long runs, on stderr: a bar and a line kept up to date by rich on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, TextIO

__all__ = ["Progress"]


class Progress:
    """Tells how far a run is, how fast it goes and how accurate it is so far.

    Args:
        quiet: Tell nothing.
        every: Seconds between two plain lines.
        stream: Where lines go; stderr by default, looked up when a line is written.
    """

    def __init__(self, *, quiet: bool = False, every: float = 5.0, stream: TextIO | None = None) -> None:
        self.quiet = quiet
        self.every = every
        self._stream = stream
        self._last = float("-inf")
        self._status: Any = None

    def __enter__(self) -> Progress:
        if not self.quiet and self._stream is None and sys.stderr.isatty():
            self._status = _rich_status()
            if self._status is not None:
                self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def update(self, label: str, done: int, total: int, rate: float | None = None, **measured: float) -> None:
        """Say how far ``label`` is; plain lines appear at most once every ``every`` seconds, and at the end."""
        if self.quiet:
            return
        line = f"{label}: {done:,}/{total:,} ({done / max(total, 1):.0%})"
        if rate is not None:
            line += f", {rate:,.0f} examples/s"
        line += "".join(f", {name.replace('_', ' ')} {value:.4g}" for name, value in measured.items())
        if self._status is not None:
            self._status.update(f"{_bar(done, total)} {line}")
        elif done >= total or time.monotonic() - self._last >= self.every:
            self._last = time.monotonic()
            self.say(line)

    def say(self, line: str) -> None:
        """Write one line that stays."""
        if self.quiet:
            return
        if self._status is not None:
            self._status.console.print(line, highlight=False, markup=False)
        else:
            print(line, file=self._stream or sys.stderr, flush=True)


def _bar(done: int, total: int) -> str:
    """Return twenty cells, filled as far as the run is done."""
    filled = 20 * min(done, total) // max(total, 1)
    return "━" * filled + "╌" * (20 - filled)


def _rich_status() -> Any:
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(stderr=True).status("")
