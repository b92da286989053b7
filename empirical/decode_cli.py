"""Turn lines of tokens back into matrices: one line gives one matrix, several of one shape a stack."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory.errors import BadInput
from theory.files import check_writable, whole_file

if TYPE_CHECKING:
    from empirical.encodings.encoding import Encoding

__all__ = ["add_arguments", "decode_lines", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("tokens", nargs="?", help="a text file of token lines (default: standard input)")
    parser.add_argument("--encoding", required=True, help="P10, P1000, B1999 or FP15")
    parser.add_argument("--out", required=True, type=Path, help="the .npy file to write")


def run(arguments: argparse.Namespace) -> int:
    """Write the matrices.

    Raises:
        BadInput: If the lines cannot be read, or spell no matrices.
    """
    from empirical.encodings import check_name

    check_name(arguments.encoding)
    out = check_writable(arguments.out)
    try:
        text = sys.stdin.read() if arguments.tokens in (None, "-") else Path(arguments.tokens).read_text("utf-8")
    except OSError as error:
        raise BadInput(f"cannot read {arguments.tokens}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{arguments.tokens or 'standard input'} is not text; give lines of tokens") from None
    from empirical.encodings import get_encoding

    matrices = decode_lines(get_encoding(arguments.encoding), text.splitlines())
    import numpy as np

    with whole_file(out) as temporary, temporary.open("wb") as file:
        np.save(file, matrices if len(matrices) > 1 else matrices[0], allow_pickle=False)
    return 0


def decode_lines(encoding: Encoding, lines: Iterable[str]) -> Any:
    """Return the float64 stack that lines of token names spell; empty lines are skipped.

    Raises:
        BadInput: If there are no lines, their shapes differ, or one spells no matrix.
    """
    import torch

    from empirical.encodings.encoding import END, LARGEST, PAD

    rows = {number: encoding.tokens(line.split()) for number, line in enumerate(lines, start=1) if line.strip()}
    if not rows:
        raise BadInput("no tokens to decode; give a line for each matrix, starting with V<rows> V<columns>")
    shapes = {number: [token - END for token in row[:2]] for number, row in rows.items()}
    for number, shape in shapes.items():
        if len(shape) < 2 or not all(1 <= size <= LARGEST for size in shape):
            raise BadInput(f"line {number} does not start with V<rows> V<columns>")
        if shape != next(iter(shapes.values())):
            raise BadInput(f"line {number} is a matrix of another shape than the first; decode each shape by itself")
    length = max(map(len, rows.values()))
    tokens = torch.tensor([row + [PAD] * (length - len(row)) for row in rows.values()])
    height, width = next(iter(shapes.values()))
    values = encoding.decode(tokens, height, width)
    # A saturated number is spelt correctly and reads as NaN; whatever else reads as NaN is misspelt.
    saturated = {encoding.numbers[name] for name in encoding.overflow}
    for (number, row), matrix in zip(rows.items(), values, strict=True):
        if int(matrix.isnan().sum()) != sum(token in saturated for token in row):
            raise BadInput(f"line {number} does not spell a {height} by {width} matrix in {encoding.name}")
    return values.numpy()
