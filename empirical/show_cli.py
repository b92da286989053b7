"""Show a stored record as a table: the newest of your own runs, or else the one kept with the code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from empirical.experiments import EXPERIMENTS, load_experiment
from theory.errors import BadInput

__all__ = ["add_arguments", "print_record", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("experiment", help=", ".join(EXPERIMENTS))
    parser.add_argument("--scale", help="smoke, small or full (default: the largest there is)")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of your own runs (default: runs)")
    parser.add_argument("--stored", action="store_true", help="only the record kept with the code")


def run(arguments: argparse.Namespace) -> int:
    """Print the record's table.

    Raises:
        BadInput: If there is no such experiment, scale or record.
    """
    from empirical.experiments.request import SCALES
    from empirical.store import RESULTS, find_record, load_record

    if arguments.scale is not None and arguments.scale not in SCALES:
        raise BadInput(f"no scale {arguments.scale!r}; choose from {', '.join(SCALES)}")
    load_experiment(arguments.experiment)  # An unknown name is answered with the names there are, not a missing file.
    folders = [RESULTS] if arguments.stored else [arguments.out, RESULTS]
    path = find_record(arguments.experiment, arguments.scale, folders)
    print_record(load_record(path))
    print(f"record: {path}", file=sys.stderr)
    return 0


def print_record(record: Mapping[str, Any]) -> None:
    """Print where a record comes from and its experiment's table of it."""
    header, rows = load_experiment(record["experiment"]).table(record)
    device = record["device"]
    seeds = ", ".join(map(str, record["seeds"]))
    where = f"{device['type']} ({device['name']})"
    # The clock of a resumed run has seen its last piece alone.
    taken = f"{record['seconds']:.0f} s" + (" in the last piece" if "--resume" in record["command"] else "")
    trained = sum(result.get("train", {}).get("cpu_seconds", 0) for result in record["results"])
    taken += f", {trained:.0f} s of processor time in training" if trained else ""
    print(f"{record['experiment']} at scale {record['scale']}: {where}, seeds {seeds}, {taken}")
    print_table(header, rows)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns: the first to the left, the rest to the right."""
    table = [list(map(str, row)) for row in (header, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    for row in table:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())
