"""Certificates of torch modules, attacked: random modules, far pairs, near pairs, automatic Jacobians, ascent."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from empirical.lipschitz import certificate_of, norm_bound, spectral_bound
from theory.errors import BadInput
from theory.lipschitz import Certificate

torch.set_num_threads(1)


class Residual(nn.Module):
    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.block(x)


class Gated(nn.Module):
    """A product of two maps, a concatenation, a constant and a slice."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(width, width), nn.Linear(width, width)
        self.offset = nn.Parameter(torch.zeros(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = torch.sigmoid(self.left(x)) * self.right(x) / 2
        both = torch.cat([gate + self.offset, functional.gelu(x)], dim=-1)
        return both[..., : x.shape[-1]] - 3 * x.tanh()


class Scores(nn.Module):
    """Attention written by hand: the product rule and softmax alone certify it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = torch.matmul(self.query(x), self.key(x).transpose(-2, -1)) / 2
        return torch.matmul(torch.softmax(scores, dim=-1), x)


class Last(nn.Module):
    """The common way to unpack a recurrent layer, and a slice of its outputs."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs, _ = self.layer(x)
        return outputs[-1]


def dense(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, 5), nn.ReLU(), nn.Linear(5, width))


#: Name -> (module of a width, shape of its input).
FAMILIES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "relu": (lambda: dense(4), (4,)),
    "deep": (lambda: nn.Sequential(dense(3), nn.Tanh(), dense(3), nn.GELU("tanh"), nn.LeakyReLU(0.3)), (3,)),
    "sigmoid": (lambda: nn.Sequential(nn.Linear(3, 6), nn.Sigmoid(), nn.Linear(6, 2), nn.Softmax(dim=-1)), (2, 3)),
    "norm": (lambda: nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4, eps=1e-3), nn.GELU(), nn.Linear(4, 1)), (3, 4)),
    "conv1d": (lambda: nn.Sequential(nn.Conv1d(2, 3, 3, padding=1, dilation=2), nn.ReLU(), nn.Flatten(0)), (2, 7)),
    "conv2d": (lambda: nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2), nn.Tanh()), (1, 2, 5, 4)),
    "residual": (lambda: nn.Sequential(Residual(dense(4)), Residual(nn.Sequential(nn.Tanh(), dense(4)))), (4,)),
    "gated": (lambda: nn.Sequential(Gated(3), Gated(3)), (2, 3)),
    "scores": (lambda: Scores(3), (4, 3)),
    "rnn": (lambda: Last(nn.RNN(3, 4)), (5, 3)),
    "rnn-relu": (lambda: nn.RNN(3, 4, nonlinearity="relu", batch_first=True), (2, 4, 3)),
    "lstm": (lambda: nn.LSTM(3, 4), (5, 3)),
    "attention": (lambda: nn.MultiheadAttention(4, 2), (5, 4)),
    "attention-batch": (lambda: nn.MultiheadAttention(4, 2, batch_first=True), (2, 3, 4)),
    "encoder": (lambda: nn.TransformerEncoderLayer(4, 2, 8, 0.0, activation="gelu", layer_norm_eps=0.1), (3, 4)),
    "encoder-first": (lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, norm_first=True).eval(), (3, 4)),
    "encoders": (
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 1, 6, dropout=0.0, layer_norm_eps=0.1), 2, enable_nested_tensor=False
        ),
        (3, 4),
    ),
}


Map = Callable[[torch.Tensor], torch.Tensor]


def build(family: str, seed: int, size: float) -> tuple[Map, Certificate, tuple[int, ...]]:
    make, shape = FAMILIES[family]
    module = make().double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(size * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    certificate = certificate_of(module, shape)

    def apply(x: torch.Tensor) -> torch.Tensor:
        output = module(x, x, x) if isinstance(module, nn.MultiheadAttention) else module(x)
        return output[0] if isinstance(output, tuple) else output

    return apply, certificate, shape


def above(value: float) -> Fraction:
    """A rational at least the norm whose float value this is: a sum of under 100 squares loses less than 2^-45."""
    return Fraction(value) * (1 + Fraction(1, 2**45))


def slack(certificate: Certificate, s: Fraction, t: Fraction) -> float:
    """Rounding in the evaluation of g(x) and g(y): fewer than 40 operations deep, each with sums of under 40 terms.

    One operation errs by at most 40u times what its own norm bound allows, the later ones amplify it by their moduli,
    and the certificate multiplies the same numbers: 40·40·2^-53 < 2e-13 of the bound on the ball, twice for two points.
    """
    radius = max(s, t, Fraction(1))
    return 4e-13 * float(certificate.bound_on_ball(radius) + certificate.constant_on_ball(radius) * radius)


def check_pair(family: str, seed: int, size: float, at: float, apart: float) -> None:
    apply, certificate, shape = build(family, seed, size)
    generator = torch.Generator().manual_seed(seed + 1)
    x = at * torch.randn(shape, generator=generator, dtype=torch.float64)
    y = x + apart * torch.randn(shape, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        found, size_x = (apply(x) - apply(y)).norm(), apply(x).norm()
        at_zero = apply(torch.zeros_like(x)).norm()
    s, t, distance = above(float(x.norm())), above(float(y.norm())), above(float((x - y).norm()))
    margin = slack(certificate, s, t)
    assert float(found) <= float(certificate.difference_bound(s, t, distance)) + margin
    assert float(size_x) <= float(certificate.bound_on_ball(s)) + margin
    assert float(at_zero) <= float(certificate.at_zero) + margin


families = st.sampled_from(sorted(FAMILIES))
seeds = st.integers(0, 2**20)
sizes = st.sampled_from([0.2, 1.0, 3.0])


@settings(max_examples=150)
@given(families, seeds, sizes, st.floats(0.01, 100), st.floats(0.1, 100))
def test_the_inequality_never_fails_on_far_pairs(family: str, seed: int, size: float, at: float, apart: float) -> None:
    check_pair(family, seed, size, at, apart)


@settings(max_examples=150)
@given(families, seeds, sizes, st.floats(0.01, 10), st.integers(0, 24))
def test_the_inequality_never_fails_on_near_pairs(family: str, seed: int, size: float, at: float, shift: int) -> None:
    check_pair(family, seed, size, at, 2.0**-shift)


@settings(max_examples=100)
@given(families, seeds, sizes, st.floats(0.01, 10))
def test_automatic_jacobians_stay_below_the_modulus(family: str, seed: int, size: float, at: float) -> None:
    apply, certificate, shape = build(family, seed, size)
    x = at * torch.randn(shape, generator=torch.Generator().manual_seed(seed + 2), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(apply, x).reshape(-1, x.numel())
    s = above(float(x.norm()))
    # float64 derivatives and singular values: a relative 1e-9 is far above 40·40·2^-53.
    assert certificate.exponent == 1
    assert float(torch.linalg.matrix_norm(jacobian, 2)) <= float(certificate.modulus(s, s)) * (1 + 1e-9)


@pytest.mark.parametrize("family", ["attention", "scores", "lstm", "rnn", "encoder", "gated"])
def test_climbing_the_ratio_does_not_break_the_certificate(family: str) -> None:
    """Gradient ascent on the worst ratio found/bound; the bound is differentiated through its polynomial."""
    apply, certificate, shape = build(family, 7, 0.8)
    generator = torch.Generator().manual_seed(3)
    worst = 0.0
    for at in (0.1, 1.0, 5.0):
        x = (at * torch.randn(shape, generator=generator, dtype=torch.float64)).requires_grad_()
        y = (x.detach() + 0.1 * torch.randn(shape, generator=generator, dtype=torch.float64)).requires_grad_()
        optimiser = torch.optim.Adam([x, y], lr=0.03)
        for _ in range(60):
            s, t = x.norm(), y.norm()
            bound = sum(float(a) * s**i * t**j for (i, j), a in certificate.modulus.terms) * (x - y).norm()
            ratio = (apply(x) - apply(y)).norm() / bound
            worst = max(worst, float(ratio.detach()))
            optimiser.zero_grad()
            (-ratio.log()).backward()
            optimiser.step()
    assert 0 < worst <= 1 + 1e-9  # evaluation in float64, see slack


class First(nn.Module):
    """The first result of attention or of a recurrent layer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[0]


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.layer = nn.MultiheadAttention(width, heads)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x, x, x, need_weights=False)[0]


#: Layers from sequences of 3 vectors of length 4 to such sequences: any order of them is a model.
STACKABLE: list[Callable[[], nn.Module]] = [
    lambda: nn.Linear(4, 4), lambda: nn.Linear(4, 4, bias=False), nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU,
    lambda: nn.LayerNorm(4, eps=0.1), lambda: nn.Softmax(dim=-1), lambda: nn.Softmax(dim=0), lambda: Residual(dense(4)),
    lambda: Gated(4), lambda: Scores(4), lambda: SelfAttention(4, 2), lambda: First(nn.RNN(4, 4)),
    lambda: First(nn.LSTM(4, 4)), lambda: nn.TransformerEncoderLayer(4, 2, 6, 0.0, layer_norm_eps=0.1),
    lambda: nn.Conv1d(3, 3, 3, padding=1), lambda: Residual(SelfAttention(4, 1)),
]  # fmt: skip


@settings(max_examples=200)
@given(
    st.lists(st.integers(0, len(STACKABLE) - 1), min_size=1, max_size=5),
    seeds,
    st.sampled_from([0.3, 1.0]),
    st.floats(0.01, 5),
    st.integers(-2, 16),
)
def test_no_stack_of_layers_breaks_its_certificate(
    kinds: list[int], seed: int, size: float, at: float, shift: int
) -> None:
    module = nn.Sequential(*(STACKABLE[kind]() for kind in kinds)).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(size * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    certificate = certificate_of(module, (3, 4))
    x = at * torch.randn((3, 4), generator=generator, dtype=torch.float64)
    y = x + 2.0**-shift * torch.randn((3, 4), generator=generator, dtype=torch.float64)
    with torch.no_grad():
        found = float((module(x) - module(y)).norm())
    s, t, distance = above(float(x.norm())), above(float(y.norm())), above(float((x - y).norm()))
    assert found <= float(certificate.difference_bound(s, t, distance)) + slack(certificate, s, t)
    jacobian = torch.autograd.functional.jacobian(module, x).reshape(-1, 12)
    # Five layers deep the float64 derivative errs by a relative 1e-9 at most of what the certificate multiplies out.
    assert float(torch.linalg.matrix_norm(jacobian, 2)) <= float(certificate.modulus(s, s)) * (1 + 1e-9)


def test_a_dense_layer_attains_its_constant() -> None:
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(6, 4).double()
    with torch.no_grad():
        layer.weight.copy_(torch.randn(4, 6, generator=generator, dtype=torch.float64))
    exact = float(torch.linalg.matrix_norm(layer.weight.detach(), 2))
    constant = float(certificate_of(layer).constant_on_ball(1))
    assert exact * (1 - 1e-14) <= constant <= exact * (1 + 1e-8)


@given(seeds, st.integers(1, 6), st.integers(1, 6), st.sampled_from([1e-200, 1e-3, 1.0, 1e200]))
def test_norm_bounds_lie_above_exact_norms(seed: int, rows: int, columns: int, size: float) -> None:
    matrix = np.random.default_rng(seed).standard_normal((rows, columns)) * size
    exact_square = sum(Fraction(float(w)) ** 2 for w in matrix.ravel())
    assert norm_bound(matrix) ** 2 >= exact_square
    bound = spectral_bound(matrix)
    assert bound**2 <= exact_square * (1 + Fraction(1, 10**12))
    # For every rational vector v: ‖Wv‖ <= bound·‖v‖; the leading singular vector, rounded, is the hardest.
    v = [Fraction(float(a)) for a in np.linalg.svd(matrix / size)[2][0]]
    image = [sum((Fraction(float(w)) * a for w, a in zip(row, v, strict=True)), Fraction(0)) for row in matrix]
    assert sum(a * a for a in image) <= bound**2 * sum(a * a for a in v)


def test_post_norm_and_pre_norm_encoders_stay_simple() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0)
    post = nn.TransformerEncoder(layer, 12, enable_nested_tensor=False)
    assert certificate_of(post, (5, 8)).modulus.degree == 2
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, norm_first=True)
    pre = nn.TransformerEncoder(layer, 12, enable_nested_tensor=False)
    assert certificate_of(pre, (5, 8)).modulus.is_constant


class Strange(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(x)


class Branching(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


class ReluLookalike(nn.ReLU):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x**5


class TwoInputs(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


class LastState(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LSTM(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, (h, _) = self.layer(x)
        return h


def hooked() -> nn.Module:
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(lambda module, inputs, output: output**3)
    return nn.Sequential(layer)


class AddsInPlace(nn.Module):
    """y and z are one tensor: adding to one changes the other, and the trace does not say so."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x * 2
        z = y
        y += x.relu()
        return y + z


def integers() -> nn.Module:
    layer = nn.Linear(2, 2, bias=False)
    layer.weight = nn.Parameter(torch.ones(2, 2, dtype=torch.int64), requires_grad=False)
    return layer


def nan_norm() -> nn.Module:
    layer = nn.LayerNorm(3)
    with torch.no_grad():
        layer.weight[1] = float("nan")
    return layer


def infinite() -> nn.Module:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight[0, 0] = float("inf")
    return layer


REFUSED: list[tuple[Callable[[], nn.Module], tuple[int, ...] | None, str]] = [
    (lambda: nn.Sequential(nn.Linear(2, 2), nn.Softplus()), None, "Softplus at '1'"),
    (lambda: nn.Sequential(nn.Linear(2, 2), Strange()), None, "'exp'"),
    (lambda: Branching(), (2,), "cannot trace Branching"),
    (lambda: nn.Sequential(nn.Linear(2, 2), ReluLookalike()), None, "'pow'"),
    (lambda: TwoInputs(), (2,), "more than one input"),
    (lambda: LastState(), (3, 2), "only the first result"),
    (hooked, None, "forward hooks"),
    (lambda: Residual(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(2, 2))), (2,), "in place"),
    (lambda: AddsInPlace(), (2,), "does not compute what torch.fx traces"),
    (integers, None, "int64"),
    (lambda: nan_norm(), None, "not finite"),
    (infinite, None, "not finite"),
    (lambda: nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)), None, "training mode"),
    (lambda: nn.TransformerEncoderLayer(4, 2, 8), (3, 4), "training mode"),
    (lambda: nn.MultiheadAttention(4, 2, add_bias_kv=True), (3, 4), "add_bias_kv"),
    (lambda: nn.LSTM(2, 2, num_layers=2), (3, 2), "several layers"),
    (lambda: nn.RNN(2, 2), (3,), "length, features"),
    (lambda: nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular"), (1, 5), "padding_mode"),
    (lambda: nn.Conv1d(1, 1, 3), None, "give input_shape"),
    (lambda: nn.Sequential(nn.Linear(2, 2), nn.Linear(3, 2)), None, "does not take the shape"),
    (lambda: nn.LayerNorm(3, eps=0.0), None, "eps = 0"),
    (lambda: nn.Sequential(nn.LSTM(2, 2), nn.Linear(2, 2)), (3, 2), "tuple of results"),
]


@pytest.mark.parametrize(("make", "shape", "named"), REFUSED, ids=[named for _, _, named in REFUSED])
def test_what_has_no_certificate_is_named(
    make: Callable[[], nn.Module], shape: tuple[int, ...] | None, named: str
) -> None:
    with pytest.raises(BadInput, match=named) as caught:
        certificate_of(make(), shape)
    assert "\n" not in str(caught.value)
