"""``python -m figures``."""

from figures.cli import main
from theory.command import run_command

if __name__ == "__main__":
    raise SystemExit(run_command(main))
