from __future__ import annotations

import math
import struct
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.encodings import NAMES, get_encoding
from empirical.encodings.encoding import BEGIN, END, PAD
from empirical.encodings.grid import Grid, in_pieces
from tests.naive.naive_encodings import decode_matrix, encode_matrix, encode_number
from theory.errors import BadInput

SCIENTIFIC = ("P10", "P1000", "B1999")
any_float = st.floats(allow_nan=False, allow_infinity=False)


def words(name: str, numbers: list[float]) -> list[list[str]]:
    return get_encoding(name).names(get_encoding(name).encode_numbers(torch.tensor(numbers, dtype=torch.float64)))


def midpoints() -> st.SearchStrategy[float]:
    """Floats at and next to the halves between two three-digit numbers, where rounding is decided."""

    def near(odd: int, exponent: int, steps: int) -> float:
        x = float(f"{odd}e{exponent}") / 2
        for _ in range(abs(steps)):
            x = math.nextafter(x, math.inf if steps > 0 else 0.0)
        return x

    return st.builds(near, st.integers(99, 1000).map(lambda m: 2 * m + 1), st.integers(-110, 102), st.integers(-2, 2))


def plain(x: float) -> float:
    """What three significant digits leave of a number."""
    return float(format(x, ".2e"))


def test_published_examples():
    expected = {
        "P10": ["+ 2 3 4 E-3", "- 4 5 0 E-2", "+ 0 E0", "+ 1 2 3 E1"],
        "P1000": ["+ 234 E-3", "- 450 E-2", "+ 0 E0", "+ 123 E1"],
        "B1999": ["N234 E-3", "N-450 E-2", "N0 E0", "N123 E1"],
        "FP15": ["N234e6", "N-450e7", "N0e0", "N123e10"],
    }
    for name, texts in expected.items():
        assert [" ".join(row) for row in words(name, [0.23423, -4.5, 0.0, 1234.0])] == texts
    assert words("FP15", [-8.5e-8, 1e9, -1e12, 9.99e8]) == [["N-85e0"], ["NaN"], ["-NaN"], ["N999e15"]]


def test_sizes_of_the_vocabularies():
    # 2 signs, 10 digits, 201 exponents; 1,000 mantissas; 1,999 signed mantissas; and the published 29,001.
    sizes = {"P10": 213, "P1000": 1203, "B1999": 2200, "FP15": 29_001}
    for name, size in sizes.items():
        symbols = get_encoding(name).symbols
        assert len(symbols) == len(set(symbols)) == size


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150)
@given(numbers=st.lists(any_float | midpoints() | st.floats(-10, 10) | midpoints().map(lambda x: -x), min_size=1))
def test_every_float_is_written_as_the_naive_encoder_writes_it(name, numbers):
    encoding = get_encoding(name)
    usable = [x for x in numbers if name == "FP15" or abs(x) < 9.995e102]
    assert encoding.representable(torch.tensor(numbers, dtype=torch.float64)).tolist() == [
        abs(x) < (9.995e8 if name == "FP15" else 9.995e102) for x in numbers
    ]
    if usable:
        assert words(name, usable) == [encode_number(name, x) for x in usable]


@pytest.mark.parametrize("name", SCIENTIFIC)
@given(st.lists(st.floats(1e-98, 9.99e102) | midpoints().filter(lambda x: 1e-98 <= x < 9.99e102), min_size=1))
def test_round_trip_keeps_exactly_three_digits(name, numbers):
    encoding = get_encoding(name)
    values = torch.tensor([*numbers, *(-x for x in numbers)], dtype=torch.float64)
    back = encoding.read(encoding.encode_numbers(values).mT)
    assert back.tolist() == [plain(x) for x in values.tolist()]


@given(st.lists(st.floats(1e-7, 9.99e8) | midpoints().filter(lambda x: 1e-7 <= x < 9.99e8), min_size=1))
def test_round_trip_of_fp15(numbers):
    encoding = get_encoding("FP15")
    assert encoding.read(encoding.encode_numbers(torch.tensor(numbers, dtype=torch.float64)).mT).tolist() == [
        plain(x) for x in numbers
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_grid_number_comes_back_exactly(name):
    encoding = get_encoding(name)
    mantissas, exponents = encoding.grid.decimals()
    numbers = [float(f"{m}e{e}") for m, e in zip(mantissas.tolist(), exponents.tolist(), strict=True)]
    values = torch.tensor(numbers, dtype=torch.float64)
    for signed in (values, -values):
        back = encoding.read(encoding.encode_numbers(signed).mT)
        assert torch.equal(back, signed)
        assert not (back[0].signbit())  # minus zero is written as zero
    assert len(values) == encoding.grid.size
    assert torch.equal(encoding.grid.index(values), torch.arange(encoding.grid.size, dtype=torch.int32))


def test_every_boundary_is_the_first_float_to_round_up():
    # All of FP15's and every 50th of the others': the float below rounds down, by Python's own formatting.
    for grid, step in ((Grid(-9, 6, gradual=True), 1), (Grid(-100, 100, gradual=False), 50)):
        for position, boundary in list(enumerate(grid.boundaries(), start=1))[::step]:
            pair = torch.tensor([math.nextafter(boundary, 0), boundary], dtype=torch.float64)
            assert grid.index(pair).tolist() == [position - 1, position]
            if boundary >= 10.0 ** (grid.lowest + 2) * 1.01:
                assert plain(pair[0].item()) < plain(boundary)


def test_what_happens_at_the_edges():
    tiny = [5e-324, -2.2e-308, -0.0, 9.9e-99, 9.994e-99]
    for name in SCIENTIFIC:
        assert words(name, tiny) == [encode_number(name, 0.0)] * len(tiny)
        assert words(name, [9.996e-99])[0][-1] == "E-100"
        for bad in (math.nan, math.inf, -math.inf, 9.995e102, -1e300):
            with pytest.raises(BadInput, match="no token"):
                get_encoding(name).encode_numbers(torch.tensor([1.0, bad], dtype=torch.float64))
    fp15 = words("FP15", [5e-324, -0.0, 4.9e-10, 5.1e-10, 9.996e-8, 9.994e8, 9.995e8, math.inf, -math.inf, math.nan])
    wanted = ["N0e0", "N0e0", "N0e0", "N1e0", "N100e0", "N999e15", "NaN", "NaN", "-NaN", "NaN"]
    assert [row[0] for row in fp15] == wanted
    encoding = get_encoding("FP15")
    assert encoding.read(torch.tensor([encoding.tokens(["NaN", "-NaN"])])).isnan().all()


matrices = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda shape: st.lists(
        st.lists(
            st.lists(st.floats(-9, 9) | st.sampled_from([0.0, -0.0, 1.0, 1e-7]), min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        ),
        min_size=shape[2],
        max_size=shape[2],
    )
)


@pytest.mark.parametrize("name", NAMES)
@given(batch=matrices)
def test_whole_matrices_match_the_naive_encoder_both_ways(name, batch):
    encoding = get_encoding(name)
    tokens = encoding.encode(torch.tensor(batch, dtype=torch.float64))
    assert encoding.names(tokens) == [encode_matrix(name, matrix) for matrix in batch]
    back = encoding.decode(tokens, len(batch[0]), len(batch[0][0]))
    assert back.tolist() == [decode_matrix(name, row) for row in encoding.names(tokens)]
    # A network's answer: the sequence's end is marked, and anything may follow.
    ended = torch.nn.functional.pad(tokens, (0, 3), value=PAD)
    ended.scatter_(1, (tokens != PAD).sum(1, keepdim=True), END)
    ended[:, -1] = BEGIN
    assert torch.equal(encoding.decode(ended, len(batch[0]), len(batch[0][0])), back)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_matrix_reads_as_nan(name):
    encoding = get_encoding(name)
    whole = encoding.encode(torch.tensor([[[0.0, -2.5], [3.25, 0.0]]]))
    whole = whole[:, : int((whole != PAD).sum())]
    assert encoding.decode(whole, 2, 2).isfinite().all()
    assert encoding.decode(whole, 1, 4).isnan().all()  # another shape
    assert encoding.decode(whole[:, :-1], 2, 2).isnan().any()  # cut short
    assert encoding.decode(torch.cat([whole, whole[:, 3:4]], 1), 2, 2).isnan().any()  # too long
    for position in range(whole.shape[1]):
        for intruder in (BEGIN, PAD, END, END + 50):
            spoilt = whole.clone()
            spoilt[0, position] = intruder
            read = encoding.decode(spoilt, 2, 2)
            assert read.isnan().any(), (name, position, intruder)


@pytest.mark.parametrize("name", NAMES)
@given(st.lists(st.integers(0, 150), min_size=22, max_size=22))
def test_any_tokens_can_be_read(name, tokens):
    encoding = get_encoding(name)
    first = encoding.numbers[encoding.symbols[0]]
    sequence = torch.tensor([[END + 2, END + 2, *(first + token for token in tokens)]])
    assert encoding.decode(sequence, 2, 2).shape == (1, 2, 2)


def test_shorter_mantissas_are_read():
    assert get_encoding("P1000").read(torch.tensor([get_encoding("P1000").tokens(["-", "5", "E0"])]).mT).tolist() == [
        -5.0
    ]
    p10 = get_encoding("P10")
    for text, value in (("+ 5 E0", 5.0), ("- 4 2 E-1", -4.2), ("+ 0 0 7 E2", 700.0)):
        tokens = p10.tokens(["V1", "V1", *text.split()])
        assert p10.decode(torch.tensor([tokens]), 1, 1).tolist() == [[[value]]]


def test_long_tensors_are_cut_and_nothing_is_lost():
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(70_001, dtype=torch.float64, generator=generator)
    encoding = get_encoding("B1999")
    tokens = encoding.encode_numbers(values)
    assert torch.equal(in_pieces(encoding.encode_numbers, values), tokens)
    matrices = values[:70_000].reshape(-1, 2, 1)
    sequences = encoding.encode(matrices)
    assert torch.equal(sequences[:, 2:].reshape(-1, 2), tokens[:70_000])
    assert torch.equal(encoding.decode(sequences, 2, 1).flatten(), encoding.read(tokens[:70_000].mT))


def test_bad_requests():
    with pytest.raises(BadInput, match="P1000"):
        get_encoding("P100")
    with pytest.raises(BadInput, match="no token"):
        get_encoding("P10").tokens(["+", "1000"])
    with pytest.raises(BadInput, match="rows and columns"):
        get_encoding("P10").encode(torch.zeros(1, 101, 1))
    with pytest.raises(ValueError, match="range"):
        Grid(-320, 0, gradual=False)


def test_cells_hold_at_most_one_boundary():
    # The look-up table rests on this: neighbouring boundaries differ in the leading 21 bits below the sign.
    for grid in (Grid(-9, 6, gradual=True), Grid(-100, 100, gradual=False)):
        cells = [struct.unpack("<q", struct.pack("<d", boundary))[0] >> 42 for boundary in grid.boundaries()]
        assert all(first < second for first, second in pairwise(cells))
