"""What every command line here shares: one clear line for bad input, exit code 2, no traceback."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from theory.errors import BadInput

__all__ = ["OneLineParser", "run_command"]


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that answers bad input with exactly one line on stderr and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Print one line and leave.

        Raises:
            SystemExit: Always, with code 2.
        """
        print(f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def run_command(main: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None = None) -> int:
    """Run a command's main; bad input becomes one line and code 2, an interrupt 130, a closed pipe 0."""
    try:
        code = main(argv)
        sys.stdout.flush()
        return code
    except BadInput as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader went away (`| head`): not an error of ours, and Python must not complain at shutdown either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
