"""Embeddings that begin as functions of numbers: what tokens mean, and that near numbers get near vectors."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from empirical.encodings import NAMES, get_encoding
from empirical.encodings.meaning import Meaning, meaning
from empirical.models.numeric import numeric_embedding
from empirical.transformer_task import TransformerSettings, TransformerTask
from theory.errors import BadInput


@pytest.mark.parametrize("name", NAMES)
def test_meanings_are_what_the_encoding_reads(name):
    """Mantissa times power of ten, put together from the tokens' own numbers, is what decoding gives."""
    encoding = get_encoding(name)
    said = meaning(encoding)
    values = torch.tensor([0.0, 0.00123, -4.5, 999.0, -1234.0, 0.0607], dtype=torch.float64)
    tokens = encoding.encode_numbers(values)
    for row, value in zip(tokens.tolist(), encoding.read(tokens.mT).tolist(), strict=True):
        names = [encoding.vocabulary[token] for token in row]
        digits = [int(said.mantissas[token]) for token in row if not said.mantissas[token].isnan()]
        (exponent,) = [float(said.exponents[token]) for token in row if not said.exponents[token].isnan()]
        mantissa = int("".join(map(str, digits)))
        sign = -1.0 if "-" in names else 1.0
        # Two roundings: of the power of ten, and of the product.
        assert sign * mantissa * 10.0**exponent == pytest.approx(value, rel=3e-16)


@pytest.mark.parametrize("name", NAMES)
def test_only_numbers_mean_something(name):
    encoding = get_encoding(name)
    said = meaning(encoding)
    silent = [encoding.vocabulary[token] for token in (said.mantissas.isnan() & said.exponents.isnan()).nonzero()[:, 0]]
    special = set(encoding.vocabulary) - set(encoding.symbols)
    assert set(silent) == special | ({"+", "-", "NaN", "-NaN"} & set(encoding.vocabulary))


def test_a_meaning_needs_both_parts():
    with pytest.raises(ValueError, match="every token"):
        Meaning(torch.zeros(3), torch.zeros(2))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dimension", [16, 20, 64])
def test_vectors_have_the_size_of_random_ones_and_tell_tokens_apart(name, dimension):
    encoding = get_encoding(name)
    vectors = numeric_embedding(encoding, dimension, torch.Generator().manual_seed(0))
    assert vectors.shape == (len(encoding.vocabulary), dimension)
    assert float(vectors.square().sum(1).mean()) == pytest.approx(1, rel=0.2)  # 100 special tokens are random
    assert len(torch.unique(vectors, dim=0)) == len(vectors)


@pytest.mark.parametrize(("name", "near", "far"), [("B1999", "N235", "N734"), ("FP15", "N235e6", "N235e8")])
def test_near_numbers_begin_near(name, near, far):
    encoding = get_encoding(name)
    vectors = numeric_embedding(encoding, 64, torch.Generator().manual_seed(0))
    here, there, away = (vectors[encoding.numbers[t]] for t in ("N234" if name == "B1999" else "N234e6", near, far))
    assert float((here - there).norm()) < 0.25 * float((here - away).norm())


def test_a_task_starts_from_them_and_is_decided_by_its_seed():
    settings = TransformerSettings(
        n=2, dimension=16, heads=2, encoder_layers=1, batch=4, examples=16, samples=4, probe=4, embedding="numeric"
    )
    one, other = (TransformerTask(settings, torch.device("cpu")).model for _ in range(2))
    random = TransformerTask(replace(settings, embedding="random"), torch.device("cpu")).model
    assert torch.equal(one.source_embedding.weight, other.source_embedding.weight)
    assert not torch.equal(one.target_embedding.weight, random.target_embedding.weight)
    fp15 = get_encoding("FP15")
    again = numeric_embedding(fp15, 16, torch.Generator().manual_seed(5))
    token = fp15.numbers["N234e6"]
    assert torch.equal(one.source_embedding.weight[token], again[token])  # numbers need no randomness
    assert torch.equal(one.encoder[0].feed.up.weight, random.encoder[0].feed.up.weight)


@pytest.mark.parametrize("bad", [{"embedding": "onehot"}, {"embedding": "numeric", "dimension": 18, "heads": 2}])
def test_bad_embeddings_are_refused(bad):
    with pytest.raises(BadInput):
        TransformerSettings(**bad)
