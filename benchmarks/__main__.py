"""``python -m benchmarks [name ...] [--json FILE]``: every benchmark, or those named; ratios of one run.

Nothing is written unless ``--json`` names a file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from importlib import import_module

from benchmarks.ratios import show
from theory.command import run_command
from theory.files import check_writable, write_whole

#: Every benchmark returns ratios with targets.
RATIOS = ("bounds", "build", "certify", "forward", "large", "batched_training", "encodings", "training")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"among {', '.join(RATIOS)} (default: all)")
    parser.add_argument("--json", metavar="FILE", help="write the ratios to a file")
    arguments = parser.parse_args(argv)
    odd = sorted(set(arguments.names) - set(RATIOS))
    if odd:
        parser.error(f"no benchmark {odd[0]!r}; choose from {', '.join(RATIOS)}")
    target = check_writable(arguments.json) if arguments.json else None
    chosen = arguments.names or RATIOS
    document = {}
    for name in chosen:
        ratios = import_module(f"benchmarks.{name}").measure()
        show(name, ratios)
        document[name] = [ratio.json() for ratio in ratios]
    if target is not None:
        write_whole(target, json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
