from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from empirical.batched_mlp import BatchedMlp, Member, initial_network
from theory.errors import BadInput


def data(sources: int, inputs: int, outputs: int, batch: int, dtype=torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(sources, inputs, batch, generator=generator, dtype=dtype)
    return x, torch.randn(sources, outputs, batch, generator=generator, dtype=dtype)


@st.composite
def crews(draw):
    inputs, outputs = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    count, sources = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    hidden = st.lists(st.sampled_from([1, 3, 8]), min_size=0, max_size=3)
    return [
        Member((inputs, *draw(hidden), outputs), draw(st.integers(0, sources - 1)), draw(st.integers(0, 9)))
        for _ in range(count)
    ]


@settings(max_examples=60, deadline=None)
@given(crews(), st.integers(1, 6))
def test_gradients_are_those_of_each_network_alone(members, batch):
    model = BatchedMlp(members, dtype=torch.float64)
    x, y = data(model.sources, members[0].widths[0], members[0].widths[-1], batch)
    model.fill_gradient(x, y)
    losses, outputs = model.losses(x, y), model.outputs(x)
    found = []
    for index, member in enumerate(members):
        network = model.network(index)
        answer = network(x[member.source].T)
        loss = nn.functional.mse_loss(answer, y[member.source].T)
        loss.backward()
        # Sums of at most 8 products and 24 squares of numbers below 100: 1e-12 is thousands of roundings of 1e-16.
        torch.testing.assert_close(losses[index], loss.detach(), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(outputs[index].T, answer.detach(), rtol=1e-12, atol=1e-12)
        found.append(torch.cat([p.grad.flatten() for p in network.parameters()]))
    for index, member in enumerate(members):
        source = slice(member.source, member.source + 1)
        alone = BatchedMlp([Member(member.widths, 0, member.seed)], dtype=torch.float64)
        alone.fill_gradient(x[source], y[source])
        torch.testing.assert_close(alone.gradient, found[index], rtol=1e-12, atol=1e-12)
    # The flat gradient holds every network's own: as multisets of numbers they agree.
    together = model.gradient.sort().values
    torch.testing.assert_close(together, torch.cat(found).sort().values, rtol=1e-12, atol=1e-12)


def train_alone(member: Member, x, y, steps: int, dtype) -> nn.Sequential:
    network = initial_network(member).to(dtype)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=1e-3)
    for step in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(network(x[step, member.source].T), y[step, member.source].T).backward()
        optimizer.step()
    return network


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_trained_together_is_trained_apart_up_to_rounding(dtype, tolerance):
    # Adam divides by the gradient's size: a step of 1e-3 is off by 1e-3 times the relative error of a gradient, a few
    # hundred roundings with cancellation, and 60 steps add up: about 1e-13 in float64 and 1e-5 in float32.
    widths = [(4, 8, 4), (4, 8, 8, 4), (4, 3, 4)]
    members = [Member(w, source, seed) for w in widths for source, seed in ((0, 1), (1, 2), (2, 3))]
    x = torch.randn(60, 3, 4, 16, generator=torch.Generator().manual_seed(1), dtype=dtype)
    y = torch.stack([x.sin().flip(2), x.cos(), x.abs()]).mean(0)
    model = BatchedMlp(members, dtype=dtype)
    model.parameters.grad = model.gradient
    optimizer = torch.optim.Adam([model.parameters], lr=1e-3, weight_decay=1e-3, fused=True)
    for step in range(60):
        model.fill_gradient(x[step], y[step])
        optimizer.step()
    for index, member in enumerate(members):
        alone, together = train_alone(member, x, y, 60, dtype), model.network(index)
        moved = max(
            float((a - b).detach().abs().max())
            for a, b in zip(alone.parameters(), initial_network(member).to(dtype).parameters(), strict=True)
        )
        assert moved > 1e-2  # else the comparison below would say nothing
        for a, b in zip(alone.parameters(), together.parameters(), strict=True):
            assert float((a - b).detach().abs().max()) < tolerance


def test_equal_seeds_start_equal_and_different_ones_do_not():
    one, two, other = (initial_network(Member((4, 8, 4), 0, seed))[0].weight for seed in (3, 3, 4))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_initial_networks_leave_the_random_state_alone():
    before = torch.get_rng_state()
    initial_network(Member((4, 8, 4), 0, 3))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "make",
    [
        lambda: BatchedMlp([]),
        lambda: BatchedMlp([Member((4, 8, 4), 0, 0), Member((9, 8, 4), 0, 0)]),
        lambda: Member((4,), 0, 0),
        lambda: Member((4, 0, 4), 0, 0),
        lambda: Member((4, 4), -1, 0),
    ],
)
def test_networks_that_do_not_fit_are_refused(make):
    with pytest.raises(BadInput):
        make()
