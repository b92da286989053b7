"""List the experiments that can be run and shown."""

from __future__ import annotations

import argparse

from empirical.experiments import EXPERIMENTS

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: there are none."""


def run(arguments: argparse.Namespace) -> int:
    """Print one line an experiment."""
    width = max((len(name) for name in EXPERIMENTS), default=0)
    for name, (_, text) in EXPERIMENTS.items():
        print(f"{name:<{width}}  {text}")
    return 0
