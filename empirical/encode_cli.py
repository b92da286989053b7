"""Write the matrices of a .npy file as tokens: one line a matrix, published names, separated by spaces."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from theory.errors import BadInput

__all__ = ["add_arguments", "load_matrices", "run"]

_NAMES = "P10, P1000, B1999 or FP15"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--encoding", required=True, help=_NAMES)
    parser.add_argument("--matrix", required=True, type=Path, help="a .npy file: one matrix, or a stack of them")


def run(arguments: argparse.Namespace) -> int:
    """Print the lines."""
    from empirical.encodings import check_name

    check_name(arguments.encoding)
    matrices = load_matrices(arguments.matrix)
    import torch

    from empirical.encodings import get_encoding

    encoding = get_encoding(arguments.encoding)
    for row in encoding.names(encoding.encode(torch.from_numpy(matrices))):
        sys.stdout.write(" ".join(row) + "\n")
    return 0


def load_matrices(path: Path) -> Any:
    """Return the stack of float64 matrices in a .npy file; a single matrix is a stack of one.

    Raises:
        BadInput: If the file is not readable as real numbers in two or three dimensions.
    """
    import numpy as np

    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, EOFError):
        raise BadInput(f"{path} is not a .npy file of numbers; write one with numpy.save") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise BadInput(f"{path} does not hold one array of real numbers; write it with numpy.save")
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise BadInput(f"{path} has shape {array.shape}; one matrix or a stack of matrices is needed")
    return np.array(array, dtype=np.float64).reshape(-1, *array.shape[-2:])
