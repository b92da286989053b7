"""The centre of a box: every float is taken exactly, every order and type is read, everything else is one line."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from theory.centres import LARGEST_SIDE, read_centre
from theory.errors import BadInput


@given(
    st.integers(1, 5).flatmap(lambda n: npst.arrays(np.float64, (n, n), elements=st.floats(-1e300, 1e300))),
    st.sampled_from(["<f8", ">f8"]),
    st.booleans(),
)
def test_floats_are_read_as_the_dyadic_rationals_they_are(tmp_path_factory, matrix, dtype, fortran) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.mktemp("centre") / "A0.npy"
    stored = matrix.astype(dtype)
    np.save(path, np.asfortranarray(stored) if fortran else stored)
    assert read_centre(path) == tuple(tuple(Fraction(float(entry)) for entry in row) for row in matrix)


@pytest.mark.parametrize("dtype", ["f2", "f4", "i1", "i2", "i4", "i8", "u1", "u8"])
def test_every_real_type_is_read(tmp_path: Path, dtype: str) -> None:
    matrix = np.array([[1, 2], [3, 100]], dtype=dtype)
    np.save(tmp_path / "A0.npy", matrix)
    assert read_centre(tmp_path / "A0.npy") == ((1, 2), (3, 100))


def test_json_rows_are_rationals(tmp_path: Path) -> None:
    path = tmp_path / "A0.json"
    path.write_text('[["1/3", 0.1], [0, -2]]')
    assert read_centre(path) == ((Fraction(1, 3), Fraction(1, 10)), (0, -2))


def _saved(value: object) -> bytes:
    from io import BytesIO

    stream = BytesIO()
    np.save(stream, value, allow_pickle=True)  # type: ignore[arg-type]
    return stream.getvalue()


BAD = {
    "missing.npy": (None, "no such file"),
    "text.npy": (b"1 2\n3 4\n", "not a .npy file"),
    "cut.npy": (_saved(np.eye(3))[:-5], "not a whole .npy file"),
    "nan.npy": (_saved(np.array([[np.nan]])), "not finite"),
    "vector.npy": (_saved(np.ones(4)), "square matrix"),
    "wide.npy": (_saved(np.ones((2, 3))), "2 x 3"),
    "empty.npy": (_saved(np.ones((0, 0))), "0 x 0"),
    "large.npy": (_saved(np.eye(LARGEST_SIDE + 1)), "33 x 33"),
    "complex.npy": (_saved(np.eye(2, dtype=complex)), "not real numbers"),
    "pickle.npy": (_saved(np.array([[object()]], dtype=object)), "not real numbers"),
    "huge-claim.npy": (_saved(np.eye(2)).replace(b"(2, 2), }   ", b"(2, 9999), }"), "2 x 9999"),
    "record.npy": (_saved(np.zeros((2, 2), dtype=[("a", "f8")])), "plain .npy array"),
    "not.json": (b"{", "not JSON"),
    "deep.json": (b"[" * 100_000, "not JSON"),
    "word.json": (b'[["two"]]', "rational"),
    "flat.json": (b"[1, 2]", "list of rows"),
    "ragged.json": (b"[[1, 2], [3]]", "square"),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_else_is_answered_in_one_line(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=re.escape(message)) as caught:
        read_centre(tmp_path / name)
    assert "\n" not in str(caught.value)
