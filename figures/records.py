"""Stored results as figures need them: which record, what of its provenance to keep, means over seeds."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from theory.errors import BadInput

__all__ = ["NoRecord", "add_record_option", "load", "mean_and_spread", "provenance", "source_line"]

_KEPT = ("experiment", "scale", "seeds", "device", "commit", "date", "versions", "command")


class NoRecord(BadInput):
    """The experiment behind a figure has not been run, or its record is not here."""


def add_record_option(parser: argparse.ArgumentParser, experiment: str) -> None:
    """Declare ``--record``."""
    parser.add_argument(
        "--record", help=f"record to draw (default: the largest {experiment} record in empirical/results)"
    )


def load(experiment: str, record: str | None) -> dict[str, Any]:
    """Return a stored record: the named file, or the largest scale kept with the code.

    Raises:
        NoRecord: If there is none.
        BadInput: If the file is a record of another experiment.
    """
    from empirical.store import RESULTS, find_record, load_record

    if record is None:
        try:
            path = find_record(experiment, None, [RESULTS])
        except BadInput as error:
            raise NoRecord(str(error)) from None
    else:
        path = Path(record)
    found = load_record(path)
    if found["experiment"] != experiment:
        raise BadInput(f"{path} is a record of {found['experiment']}; this figure draws {experiment}")
    return found


def provenance(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a figure's own data keep of a record: what was run, where, with what."""
    return {key: record[key] for key in _KEPT if key in record}


def source_line(source: Mapping[str, Any]) -> str:
    """Return one line for a figure: scale, seeds and device."""
    seeds = len(source["seeds"])
    device = source.get("device") or {}
    where = "GPU" if device.get("type") == "cuda" else "CPU"
    return f"scale {source['scale']}, {seeds} seed{'' if seeds == 1 else 's'}, {where}"


def mean_and_spread(values: Iterable[float]) -> tuple[float, float]:
    """Return the mean and the sample standard deviation (0 for a single value).

    Raises:
        ValueError: If there is no value.
    """
    numbers: Sequence[float] = list(values)
    if not numbers:
        raise ValueError("no values to average")
    mean = math.fsum(numbers) / len(numbers)
    if len(numbers) == 1:
        return mean, 0.0
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in numbers) / (len(numbers) - 1))
