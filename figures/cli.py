"""``python -m figures [NAME | all] [--out DIR] [options]``: compute or load, check the claim, draw."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from figures.catalogue import FIGURES, figure_module
from figures.claim import ClaimFailed
from figures.output import DEFAULT_FOLDER, produce, ready_folder
from figures.records import NoRecord
from theory.command import OneLineParser

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """List the figures, or draw one or all of them. The exit code is 1 where a claim failed."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: python -m figures NAME [--out DIR] [--help]\n       python -m figures all [--out DIR]\n")
        for name, text in FIGURES.items():
            print(f"  {name:<22} {text}")
        return 0
    if arguments[0] == "all":
        parser = OneLineParser(prog="python -m figures all", description="Draw every figure with its default options.")
        parser.add_argument("--out", default=DEFAULT_FOLDER, help=f"folder to write to (default {DEFAULT_FOLDER})")
        folder = ready_folder(parser.parse_args(arguments[1:]).out)
        return max([_produce_or_skip(name, folder) for name in FIGURES])  # noqa: C419 - one failure stops no other figure
    name = arguments[0]
    module = figure_module(name)
    parser = OneLineParser(prog=f"python -m figures {name}", description=module.CLAIM)
    parser.add_argument("--out", default=DEFAULT_FOLDER, help=f"folder to write to (default {DEFAULT_FOLDER})")
    module.add_arguments(parser)
    options = vars(parser.parse_args(arguments[1:]))
    return _produce(name, options, ready_folder(options.pop("out")))


def _produce_or_skip(name: str, folder: Path) -> int:
    try:
        return _produce(name, {}, folder)
    except NoRecord as missing:
        print(f"{name}: not drawn, {missing}", file=sys.stderr)
        return 0


def _produce(name: str, options: dict[str, object], folder: Path) -> int:
    try:
        for path in produce(name, options, folder):
            print(path)
    except ClaimFailed as failure:
        print(f"{name}: its claim does not hold, nothing is drawn: {failure}", file=sys.stderr)
        return 1
    return 0
