from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from empirical.encodings import get_encoding
from empirical.encodings.encoding import BEGIN, END, PAD
from empirical.models import Mlp, Transformer, TransformerSize
from empirical.models.attention import _attend
from empirical.models.mlp import PUBLISHED_WIDTHS
from empirical.models.transformer import teacher_forcing
from theory.errors import BadInput

SMALL = TransformerSize(dimension=16, heads=2, encoder_layers=2, decoder_layers=2)


def build(seed: int = 0, size: TransformerSize = SMALL) -> Transformer:
    torch.manual_seed(seed)
    # Weights far from their start make every path count.
    model = Transformer(size, 30, 25, 9, 7).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model.eval()


def random_sources(count: int, length: int = 9) -> Tensor:
    return torch.randint(3, 30, (count, length), generator=torch.Generator().manual_seed(1))


def naive_greedy(model: Transformer, source: Tensor) -> list[int]:
    """Decode one sequence by running the whole network again for every token."""
    said: list[int] = []
    while len(said) <= model.target_length:
        scores = model(source[None], torch.tensor([[BEGIN, *said]]))
        said.append(int(scores[0, -1].argmax()))
        if said[-1] == END:
            break
    return said


def test_greedy_decoding_with_a_cache_says_what_the_whole_network_says():
    lengths = set()
    for seed in range(4):
        model = build(seed)
        # Make </s> likely enough that some sequences end early.
        with torch.no_grad():
            model.output_bias[END] += 2.0
        sources = random_sources(12)
        said = model.greedy(sources)
        for source, row in zip(sources, said.tolist(), strict=True):
            wanted = naive_greedy(model, source)
            assert row[: len(wanted)] == wanted
            assert all(token == PAD for token in row[len(wanted) :])
            lengths.add(len(wanted))
    assert len(lengths) > 2


def test_scores_depend_on_earlier_tokens_only():
    model, sources = build(), random_sources(2)
    shown = torch.tensor([[BEGIN, 4, 5, 6, 7], [BEGIN, 8, 9, 10, 11]])
    changed = shown.clone()
    changed[:, 3] = 12
    first, second = model(sources, shown), model(sources, changed)
    # Same sums in the same order up to the changed token; blocked kernels may still reorder, hence not exact.
    assert torch.allclose(first[:, :3], second[:, :3], rtol=0, atol=1e-12)
    assert not torch.allclose(first[:, 3:], second[:, 3:], rtol=0, atol=1e-3)


def test_padding_behind_a_source_changes_nothing():
    model, short = build(), random_sources(3, length=6)
    shown = torch.tensor([[BEGIN, 4, 5]]).expand(3, -1)
    padded = functional.pad(short, (0, 3), value=PAD)
    assert torch.allclose(model(short, shown), model(padded, shown), rtol=0, atol=1e-12)
    assert not torch.allclose(model(short, shown), model(padded, shown, padded=False), rtol=0, atol=1e-3)
    assert torch.equal(model.greedy(short), model.greedy(padded))


@pytest.mark.parametrize(("causal", "masked"), [(False, False), (True, False), (False, True)])
def test_attention_in_bfloat16_is_that_in_float32_up_to_its_rounding(causal, masked):
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(3, 2, 7, 8, generator=generator).bfloat16() for _ in range(3))
    mask = (torch.arange(7) < torch.tensor([[7], [4], [1]]))[:, None, None, :] if masked else None
    exact = _attend(q.float(), k.float(), v.float(), mask, causal)
    # Queries, scores, weights and result are each rounded to 8 bits (2^-9 relative): scores of at most |q||k|/sqrt(8)
    # move by twice 2^-9 of that, weights by e to as much, and then by 2^-9, as the result does again.
    scores = float(q.float().norm(dim=-1).max() * k.float().norm(dim=-1).max() / 8**0.5)
    allowed = (2 * 2 * scores + 2) * 2**-9 * float(v.float().abs().max())
    assert float((_attend(q, k, v, mask, causal).float() - exact).abs().max()) <= allowed
    plain = functional.scaled_dot_product_attention(q.float(), k.float(), v.float(), attn_mask=mask, is_causal=causal)
    assert torch.equal(exact, plain)


def test_source_positions_matter():
    model, sources = build(), random_sources(1)
    shown = torch.tensor([[BEGIN, 4]])
    assert not torch.allclose(model(sources, shown), model(sources.flip(1), shown), rtol=0, atol=1e-3)


def test_teacher_forcing_shows_one_token_late_and_ends_each_sequence():
    tokens = get_encoding("P10").encode(torch.tensor([[[0.0]], [[1.5]]]))
    shown, wanted = teacher_forcing(tokens)
    assert shown.shape == wanted.shape == (2, 8)
    assert shown[:, 0].tolist() == [BEGIN, BEGIN]
    assert torch.equal(shown[:, 1:], tokens)
    assert wanted[0].tolist() == [*tokens[0, :5].tolist(), END, PAD, PAD]
    assert wanted[1].tolist() == [*tokens[1].tolist(), END]


def test_the_default_is_the_published_size():
    assert TransformerSize() == TransformerSize(512, 8, 8, 1, 4)
    d, heads = 16, 2
    model = Transformer(TransformerSize(d, heads, 8, 1), 30, 25, 9, 7)
    attention, feed, norm = 4 * (d * d + d), 8 * d * d + 5 * d, 2 * d
    encoder, decoder = attention + feed + 2 * norm, 2 * attention + feed + 3 * norm
    others = (30 + 25 + 9 + 7 + 1) * d + 25 + 2 * norm
    assert sum(p.numel() for p in model.parameters()) == 8 * encoder + decoder + others


def test_a_small_transformer_learns_a_few_sequences_by_heart():
    torch.manual_seed(0)
    model = Transformer(SMALL, 30, 25, 9, 7)
    sources = random_sources(8)
    targets = torch.randint(3, 25, (8, 7), generator=torch.Generator().manual_seed(2))
    shown, wanted = teacher_forcing(targets)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(110):
        optimizer.zero_grad()
        functional.cross_entropy(model(sources, shown).flatten(0, 1), wanted.flatten()).backward()
        optimizer.step()
    assert torch.equal(model.eval().greedy(sources), wanted)


def test_the_baseline_has_the_published_widths():
    network = Mlp(9, 9, dropout=0.2)
    shapes = [(layer.in_features, layer.out_features) for layer in network.layers if isinstance(layer, torch.nn.Linear)]
    ladder = (9, *PUBLISHED_WIDTHS, 9)
    assert PUBLISHED_WIDTHS == (128, 256, 512, 1024, 512, 256, 128)
    assert shapes == list(pairwise(ladder))
    assert sum(isinstance(layer, torch.nn.Dropout) for layer in network.layers) == 7
    assert Mlp(4, 2, widths=())(torch.ones(3, 4)).shape == (3, 2)


@pytest.mark.parametrize("bad", [{"dimension": 10, "heads": 4}, {"heads": 0}, {"encoder_layers": 0}])
def test_bad_sizes_are_refused(bad):
    with pytest.raises(BadInput):
        TransformerSize(**bad)
    with pytest.raises(BadInput):
        Mlp(1, 1, widths=(0,))
    with pytest.raises(BadInput):
        Mlp(1, 1, dropout=1.0)
