"""Read the centre of a box of matrices: a ``.npy`` file of real numbers, or ``.json`` rows of rationals, exactly.

Nothing is unpickled and numpy is not needed: a ``.npy`` header is matched by a pattern, the numbers are unpacked one by
one, and every float64 is taken as the dyadic rational that it is.
"""

from __future__ import annotations

import json
import math
import re
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

from theory.errors import BadInput
from theory.rationals import parse_rational

__all__ = ["LARGEST_SIDE", "centre_of", "read_centre"]

Rows = tuple[tuple[Fraction, ...], ...]

#: A network around a 32 x 32 centre has a million weights.
LARGEST_SIDE = 32
_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(r"\{'descr': '([^']{1,20})', 'fortran_order': (True|False), 'shape': \(([0-9, ]{0,60})\), \} *\n?")
#: numpy's kind and size -> how ``struct`` reads it. Every one of them fits a Fraction exactly.
_FORMATS = {"f2": "e", "f4": "f", "f8": "d"} | {f"i{k}": c for k, c in zip((1, 2, 4, 8), "bhiq", strict=True)}
_FORMATS |= {f"u{k}": c for k, c in zip((1, 2, 4, 8), "BHIQ", strict=True)}
_LARGEST_FILE = 1 << 20


def centre_of(source: Any) -> Rows:
    """Return the rows of a square matrix from a file's path, or from rows of numbers (floats are taken exactly).

    Raises:
        BadInput: If the file cannot be read, or the rows are no square matrix of finite numbers.
    """
    if isinstance(source, (str, Path)):
        return read_centre(source)
    try:
        rows = tuple(tuple(Fraction(getattr(entry, "item", lambda e=entry: e)()) for entry in row) for row in source)
    except (TypeError, ValueError, OverflowError):
        raise BadInput("the centre must be a path, or rows of finite numbers") from None
    return _square(rows, "the centre")


def _square(rows: Rows, what: str) -> Rows:
    if not 1 <= len(rows) <= LARGEST_SIDE or any(len(row) != len(rows) for row in rows):
        shape = f"{len(rows)} x {len(rows[0]) if rows else 0}"
        raise BadInput(f"{what} must be square, of side 1 to {LARGEST_SIDE}, not {shape}")
    return rows


def read_centre(path: str | Path) -> Rows:
    """Return the rows of a square matrix.

    Raises:
        BadInput: If the file is missing, damaged, not a square matrix of side 1 to 32, or an entry is not finite.
    """
    source = Path(path)
    try:
        if not source.is_file():
            raise BadInput(f"no such file: {source}")
        if source.stat().st_size > _LARGEST_FILE:
            raise BadInput(f"{source} is larger than a {LARGEST_SIDE} x {LARGEST_SIDE} matrix; give the centre alone")
        content = source.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read the centre from {source}: {error.strerror or error}") from None
    rows = _from_json(content, source) if source.suffix == ".json" else _from_npy(content, source)
    return _square(rows, f"the centre in {source}")


def _from_json(content: bytes, source: Path) -> Rows:
    try:
        document = json.loads(content, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise BadInput(f"{source} is not JSON; write rows of rationals such as [[1, 1/3], [0, 2]]") from None
    if not isinstance(document, list) or not all(isinstance(row, list) for row in document):
        raise BadInput(f'{source} is not a list of rows; write rows of rationals such as [["1/3", 0], [0, 2]]')
    return tuple(tuple(parse_rational(entry, f"an entry of {source}") for entry in row) for row in document)


def _from_npy(content: bytes, source: Path) -> Rows:
    kind, fortran, shape, start = _header(content, source)
    if len(shape) != 2:
        raise BadInput(f"the centre in {source} must be a square matrix, not an array of shape {shape}")
    rows, columns = shape
    if not 1 <= rows == columns <= LARGEST_SIDE:
        raise BadInput(f"the centre in {source} must be square, of side 1 to {LARGEST_SIDE}, not {rows} x {columns}")
    order = ">" if kind[0] == ">" else "<"
    layout = struct.Struct(f"{order}{rows * columns}{_FORMATS[kind[1:]]}")
    if len(content) - start != layout.size:
        raise BadInput(f"{source} is not a whole .npy file: {layout.size} bytes of numbers expected")
    numbers = layout.unpack_from(content, start)
    if not all(math.isfinite(number) for number in numbers):
        raise BadInput(f"the centre in {source} has an entry that is not finite")
    exact = [Fraction(number) for number in numbers]
    if fortran:
        return tuple(tuple(exact[i + rows * j] for j in range(columns)) for i in range(rows))
    return tuple(tuple(exact[i * columns : (i + 1) * columns]) for i in range(rows))


def _header(content: bytes, source: Path) -> tuple[str, bool, tuple[int, ...], int]:
    """Return type (byte order, kind, size), column-major or not, shape, and where the numbers start.

    Raises:
        BadInput: If there is no such header.
    """
    version = content[6:7]
    if content[:6] != _MAGIC or version not in (b"\x01", b"\x02", b"\x03"):
        raise BadInput(f"{source} is not a .npy file of numbers; write one with numpy.save")
    width = 2 if version == b"\x01" else 4
    start = 8 + width + int.from_bytes(content[8 : 8 + width], "little")
    match = _HEADER.fullmatch(content[8 + width : start].decode("latin-1"))
    if match is None:
        raise BadInput(f"{source} is not a plain .npy array of real numbers; write one with numpy.save")
    kind, order, places = match.groups()
    if kind[1:] not in _FORMATS or kind[0] not in "<>|=":
        raise BadInput(f"{source} holds {kind!r}, not real numbers of at most 64 bits")
    return kind, order == "True", tuple(int(size) for size in places.split(",") if size.strip()), start
