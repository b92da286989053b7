"""Boxes of matrices: what is inside is decided exactly, and files that are no matrix are told so."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from empirical.certify.region import Region, read_centre
from theory.errors import BadInput

ENTRIES = st.floats(-1e6, 1e6)


@given(st.lists(ENTRIES, min_size=4, max_size=4), st.fractions(Fraction(1, 10**18), 10**6))
def test_outer_box_holds_the_exact_box_and_that_holds_the_inner_one(entries: list[float], half_width: Fraction) -> None:
    region = Region(np.array(entries).reshape(2, 2), half_width)
    for corner, sign in zip(region.outer, (-1, 1), strict=True):
        for outer, entry in zip(corner, entries, strict=True):
            assert sign * (Fraction(float(outer)) - (Fraction(entry) + sign * half_width)) >= 0
    for corner in region.inner:
        assert region.contains(corner.reshape(2, 2))


def test_a_half_width_below_the_spacing_of_floats_leaves_the_centre() -> None:
    region = Region(np.array([[1.0]]), Fraction(1, 10**30))
    assert [float(corner[0]) for corner in region.inner] == [1.0, 1.0]
    assert region.outer[0][0] < 1 < region.outer[1][0]
    assert not region.contains(np.array([[np.nextafter(1.0, 2)]]))


@pytest.mark.parametrize(
    ("centre", "half_width", "word"),
    [
        (np.zeros((2, 3)), 1, "square"),
        (np.zeros((0, 0)), 1, "between 1 and 32"),
        (np.zeros((33, 33)), 1, "between 1 and 32"),
        (np.array([[np.nan]]), 1, "finite"),
        (np.array([[1.0]]), 0, "positive"),
        (np.array([[1.0]]), Fraction(-1, 2), "positive"),
        (np.array([[1e200]]), 1, "below"),
    ],
)
def test_a_region_that_is_none_is_refused(centre: np.ndarray, half_width: int, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        Region(centre, Fraction(half_width))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8])
def test_a_centre_is_read_exactly(tmp_path: Path, dtype: type) -> None:
    np.save(tmp_path / "a.npy", np.array([[1, 2], [3, 4]], dtype=dtype))
    assert read_centre(tmp_path / "a.npy").tolist() == [[1.0, 2.0], [3.0, 4.0]]


def _saved(path: Path, content: object) -> Path:
    np.save(path, content, allow_pickle=True)  # type: ignore[arg-type]
    return path


def test_a_file_that_is_no_matrix_is_refused_in_one_line(tmp_path: Path) -> None:
    whole = _saved(tmp_path / "whole.npy", np.eye(3))
    truncated = tmp_path / "truncated.npy"
    truncated.write_bytes(whole.read_bytes()[:-8])
    text = tmp_path / "text.npy"
    text.write_text("not a matrix")
    several = tmp_path / "several.npz"
    np.savez(several, a=np.eye(2))
    broken = tmp_path / "broken.npz"
    broken.write_bytes(several.read_bytes()[:40])
    claims = tmp_path / "claims.npy"
    claims.write_bytes(whole.read_bytes().replace(b"(3, 3)", b"(9999999999, 9999999999)"))
    bad = [
        tmp_path / "absent.npy",
        tmp_path,
        truncated,
        text,
        several,
        broken,
        claims,
        _saved(tmp_path / "flat.npy", np.arange(4.0)),
        _saved(tmp_path / "wide.npy", np.zeros((2, 3))),
        _saved(tmp_path / "complex.npy", np.eye(2) * 1j),
        _saved(tmp_path / "nan.npy", np.full((2, 2), np.nan)),
        _saved(tmp_path / "object.npy", np.array([[None, 1], [2, 3]], dtype=object)),
        _saved(tmp_path / "big.npy", np.array([[2**53 + 1, 0], [0, 1]])),
        _saved(tmp_path / "large.npy", np.eye(33)),
    ]
    for path in bad:
        with pytest.raises(BadInput) as caught:
            read_centre(path)
        assert "\n" not in str(caught.value), path
