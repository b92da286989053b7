"""``python -m empirical COMMAND``: a command is a module with ``add_arguments`` and ``run``, loaded when asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from theory.command import OneLineParser
from theory.errors import BadInput

__all__ = ["COMMANDS", "main"]

#: Command -> (module with ``add_arguments(parser)`` and ``run(arguments) -> exit code``, one line of help).
COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("empirical.list_cli", "the experiments there are"),
    "run": ("empirical.run_cli", "run an experiment and store what it measured"),
    "show": ("empirical.show_cli", "print a stored record as a table"),
    "eval": ("empirical.eval_cli", "measure a checkpoint on fresh samples"),
    "encode": ("empirical.encode_cli", "write matrices as tokens"),
    "decode": ("empirical.decode_cli", "turn tokens back into matrices"),
    "witness": ("empirical.witness_cli", "a matrix that a trained inverse network gets wrong, confirmed exactly"),
    "certify": ("empirical.certify.cli", "proved bounds on the worst error of a trained network over a box"),
    "moments": ("empirical.moments_cli", "moments of the inverse near singular matrices, beside the proved rates"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Raises:
        BadInput: If there is no such command.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: python -m empirical COMMAND [--help]\n")
        for name, (_, text) in COMMANDS.items():
            print(f"  {name:<10} {text}")
        return 0
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        raise BadInput(f"no command {name!r}; choose from {', '.join(COMMANDS)}")
    module = import_module(COMMANDS[name][0])
    parser = OneLineParser(prog=f"python -m empirical {name}", description=module.__doc__)
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(rest)))
