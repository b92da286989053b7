from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.mlp_task import MlpSettings, MlpTask
from empirical.models.mlp import Mlp
from empirical.models.transformer import Transformer, TransformerSize
from empirical.train_memory import check_memory, device_memory, mlp_parameters, training_bytes, transformer_parameters
from empirical.transformer_task import TransformerSettings, TransformerTask
from theory.errors import BadInput

CPU = torch.device("cpu")
small = st.integers(1, 4)


def count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@settings(max_examples=20)
@given(small, small, small, small, st.tuples(*[st.integers(4, 30)] * 4))
def test_parameters_of_a_transformer_are_counted_right(heads, encoder, decoder, inner, sizes):
    model = Transformer(TransformerSize(2 * heads, heads, encoder, decoder, inner), *sizes)
    assert transformer_parameters(2 * heads, (encoder, decoder), sizes[:2], sizes[2:], inner) == count(model)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_parameters_of_a_chain_are_counted_right(widths):
    assert mlp_parameters(tuple(widths)) == count(Mlp(widths[0], widths[-1], widths[1:-1]))


def test_the_refusal_is_at_the_device_memory():
    there = device_memory(CPU)
    check_memory(there, CPU, "")
    with pytest.raises(BadInput, match="fewer lemons"):
        check_memory(there + 1, CPU, "fewer lemons")
    # 3 samples of 2 entries: 4 copies of 8 bytes; 5 parameters: 16 bytes.
    assert training_bytes(5, 3, 2) == 5 * 16 + 4 * 8 * 6


def test_nothing_is_allocated_before_the_refusal(monkeypatch):
    monkeypatch.setattr("empirical.train_memory.device_memory", lambda device: 1)
    for name in ("Transformer", "Mlp"):
        module = "transformer_task" if name == "Transformer" else "mlp_task"
        monkeypatch.setattr(f"empirical.{module}.{name}", lambda *_, **__: pytest.fail("a network was made"))
    with pytest.raises(BadInput, match="GiB"):
        TransformerTask(TransformerSettings(dimension=8, heads=1, encoder_layers=1), CPU)
    with pytest.raises(BadInput, match="GiB"):
        MlpTask(MlpSettings(), CPU)


def test_the_published_run_passes_on_a_large_gpu(monkeypatch):
    monkeypatch.setattr("empirical.train_memory.device_memory", lambda device: 80 * 10**9)
    d = 512
    # 8 + 1 layers at n = 3 with FP15: under a gibibyte of weights and moments, and two million samples' worth a chunk.
    parameters = transformer_parameters(d, (8, 1), (29_104, 29_104), (11, 11))
    assert 5e7 < parameters < 7e7
    check_memory(training_bytes(parameters, 64 * 1024, 9), CPU, "")
