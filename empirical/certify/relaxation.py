"""Linear bounds of a ReLU chain over boxes, by backward substitution, with all rounding paid for.

Lines. On l <= y <= u with l < 0 < u, for any float s in [0, 1] and t >= max(-s l, u - s u): relu(y) <= s y + t (the
difference is convex in y, so its maximum is at an end). For any float a in [0, 1]: relu(y) >= a y. Stable neurons
have s = a = 1 or s = a = 0, and t = 0. (Zhang et al., "Efficient Neural Network Robustness Certification with General
Activation Functions", NeurIPS 2018, section 3, with a = 1 where u > -l, else 0.) A neuron decided to be non-negative,
or non-positive, is stable on the part of the box where it is.

Backward pass. For a row of floats r on the post-activations z = relu(y) of layer l, with positive part r+ and
negative part r-, and any weights b >= 0 on constraints sigma y >= 0 of decided neurons,
    r.z <= (r+ s + r- a + b sigma).y + r+.t,    y = W z' + b',
so the row c = r+ s + r- a + b sigma continues as c W on the layer below and c.b' + r+.t joins the constant. At the
first layer y = W_1 d + (W_1 C + b_1) with x = C + d, |d| <= radius, and the bound is constant + sum |c W_1| radius.
(The constraints' weights are those of Wang et al., "Beta-CROWN", NeurIPS 2021, section 3.)

Theorem (rounding). Let M_l be as in ``chain.Budget``, and M = M_l for a row of layer l, M = |F|.M_L for a functional F
of the outputs, plus in either case the sum of b_j M_{l,j} over all constraints used. Computed in float64 by the steps
above, with pre-activation bounds clipped to [-M_l, M_l], the bound misses what exact arithmetic would make valid by
at most factor M + TINY; so does the linear function constant + (c W_1).d at every d of the box.
Proof. The computed row c at each level is taken as it is: only the local error counts, times what it multiplies. By
the model in ``rounding``, |computed c - c| <= 2u (|r| + b), which multiplies y, |y| <= M_l; |computed c W - c W| <=
gamma_w |c| |W|, which multiplies z', |z'| <= M_{l-1}; a functional's F W_L costs gamma_w |F| |W_L| likewise. As
0 <= s, a <= 1, the computed |c| at level j are below (1 + gamma_{w+2})^L A_j, where A_j = |row| |W_{l-1}| ... |W_{j+1}|
and constraints of layers i >= j add b |W_i| ... |W_{j+1}| to it; and A_j M_j = A_j (|W_j| M_{j-1} + |b'_j|) <= M. So
one level costs at most 1.01 (2 gamma_{w+2}) M. The inner products c.b' and r+.t have |b'| <= M_j and 0 <= t <=
(1 + 8u) M_j, so cost at most 1.01 (2.1 gamma_w) M a level; adding up the 2 L + 4 terms, each at most 1.1 M, costs at
most (2 L + 4)^2 1.2 u M; |W_1 C + b_1| and the last sum over the box cost gamma_{w+1} M each, since |C| + radius <=
M_0. Altogether less than a fifth of 32 (L + 2)^2 (w + 8) u M; adding the slack itself, and interval bounds obtained
forward, fit in the rest. Underflow is below TINY / 2^50.  []
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from empirical.certify.chain import Budget, ReluChain
from empirical.certify.rounding import UNIT, Floats

__all__ = ["Lines", "Relaxation", "backward", "lines_of", "relax"]


@dataclass(frozen=True)
class Lines:
    """Lines of one layer's neurons, each array (batch, neurons): lower y <= relu(y) <= upper y + shift.

    Args:
        upper: Slopes of the upper lines.
        lower: Slopes of the lower lines; any in [0, 1] would do where ``open``.
        shift: Intercepts of the upper lines.
        open: Neither stable nor decided.
    """

    upper: Floats
    lower: Floats
    shift: Floats
    open: npt.NDArray[np.bool_]

    def taken(self, chosen: npt.NDArray[np.intp]) -> Lines:
        """The lines of some boxes of the batch."""
        return Lines(self.upper[chosen], self.lower[chosen], self.shift[chosen], self.open[chosen])


@dataclass(frozen=True)
class Relaxation:
    """A chain relaxed over a batch of boxes.

    Args:
        lines: One entry for each hidden layer.
        offset: W_1 C + b_1, (batch, neurons): the first layer in the variable d = x - C.
        slopes: For each hidden layer the sensitivity of its pre-activations to the inputs, (boxes, neurons, inputs),
            one box alone where all share it; used to choose where to split, never in a bound. Never copied: one box
            of 16 x 16 matrices and 2048 neurons takes 4 MiB.
        origin: Which of the boxes in ``slopes`` each one is, (batch,).
        empty: Boxes where the decided signs are proved impossible, (batch,).
    """

    lines: tuple[Lines, ...]
    offset: Floats
    slopes: tuple[Floats, ...]
    origin: npt.NDArray[np.intp]
    empty: npt.NDArray[np.bool_]

    def taken(self, chosen: npt.NDArray[np.intp]) -> Relaxation:
        """The relaxation of some boxes of the batch."""
        lines = tuple(line.taken(chosen) for line in self.lines)
        return Relaxation(lines, self.offset[chosen], self.slopes, self.origin[chosen], self.empty[chosen])

    def sensitivity(self, layer: int) -> Floats:
        """The slopes of a hidden layer at each box, (batch or 1, neurons, inputs)."""
        slopes = self.slopes[layer]
        return slopes if len(slopes) == 1 else slopes[self.origin]


def lines_of(low: Floats, high: Floats) -> Lines:
    """Return valid lines for pre-activations between ``low`` and ``high``."""
    off = high <= 0
    on = (low >= 0) & ~off
    open_ = ~(on | off)
    slope = np.clip(np.divide(high, high - low, out=np.zeros_like(high), where=open_), 0.0, 1.0)
    # Three roundings of at most u max(|l|, |u|) each: 8 u of it covers them.
    shift = np.maximum(-slope * low, high - slope * high) + 8 * UNIT * np.maximum(-low, high)
    return Lines(
        upper=np.where(open_, slope, on.astype(np.float64)),
        lower=np.where(open_, high > -low, on).astype(np.float64),
        shift=np.where(open_, shift, 0.0),
        open=open_,
    )


def _inner(rows: Floats, vectors: Floats) -> Floats:
    return np.asarray((rows @ vectors[..., None])[..., 0])


def backward(
    chain: ReluChain, lines: tuple[Lines, ...], offset: Floats, rows: Floats, constant: Floats
) -> tuple[Floats, Floats]:
    """Bound rows . z + constant from above by a linear function of d, z the last relaxed layer's post-activations.

    Args:
        chain: The network.
        lines: Lines of hidden layers 1, ..., k.
        offset: The first layer's W_1 C + b_1, (batch, neurons).
        rows: (batch or 1, rows, neurons of layer k).
        constant: (batch or 1, rows).

    Returns:
        The constant (batch, rows) and the coefficients (batch, rows, inputs); rounding as the module's theorem says.
    """
    for layer in reversed(range(len(lines))):
        line = lines[layer]
        positive = np.maximum(rows, 0)
        constant = constant + _inner(positive, line.shift)
        rows = positive * line.upper[:, None, :] + (rows - positive) * line.lower[:, None, :]
        constant = constant + _inner(rows, offset if layer == 0 else chain.biases[layer])
        weight = chain.weights[layer]
        rows = (rows.reshape(-1, weight.shape[0]) @ weight).reshape(*rows.shape[:-1], weight.shape[1])
    return constant, rows


def relax(
    chain: ReluChain, budget: Budget, centre: Floats, radius: Floats, decided: npt.NDArray[np.int8]
) -> Relaxation:
    """Relax every hidden layer over the boxes centre +- radius (batch, inputs), first layer first.

    Args:
        chain: The network.
        budget: Its rounding budget on a box that holds all of these.
        centre: Centres of the boxes.
        radius: Their radii.
        decided: Signs of decided neurons, 0 for the others, all hidden layers in one row, (batch, neurons).
    """
    batch = len(centre)
    offset = centre @ chain.weights[0].T + chain.biases[0]
    lines: list[Lines] = []
    slopes: list[Floats] = []
    empty = np.zeros(batch, dtype=bool)
    low = high = np.empty(0)
    start = 0
    for layer, width in enumerate(chain.hidden):
        weight = chain.weights[layer]
        slack, limit = budget.slack(layer), budget.magnitudes[layer]
        if layer == 0:
            spread = radius @ np.abs(weight).T
            low, high = offset - spread, offset + spread
            slopes.append(weight[None])
        else:
            low, high, slope = _hidden_bounds(chain, tuple(lines), offset, radius, low, high, layer)
            slopes.append(slope)
        low, high = np.clip(low - slack, -limit, limit), np.clip(high + slack, -limit, limit)
        signs = decided[:, start : start + width]
        start += width
        low, high = np.where(signs > 0, np.maximum(low, 0), low), np.where(signs < 0, np.minimum(high, 0), high)
        empty |= (low > high).any(axis=1)
        high = np.maximum(low, high)
        lines.append(lines_of(low, high))
    return Relaxation(tuple(lines), offset, tuple(slopes), np.arange(batch), empty)


def _hidden_bounds(
    chain: ReluChain, lines: tuple[Lines, ...], offset: Floats, radius: Floats, low: Floats, high: Floats, layer: int
) -> tuple[Floats, Floats, Floats]:
    """Pre-activation bounds of a later layer: the better of backward substitution and plain intervals."""
    weight, bias = chain.weights[layer], chain.biases[layer]
    neurons = len(bias)
    rows, constant = np.concatenate([weight, -weight])[None], np.concatenate([bias, -bias])[None]
    constant, rows = backward(chain, lines, offset, rows, constant)
    bound = constant + _inner(np.abs(rows), radius)
    low, high = np.maximum(low, 0), np.maximum(high, 0)
    middle, half = (low + high) / 2, (high - low) / 2
    centre, spread = middle @ weight.T + bias, half @ np.abs(weight).T
    best_high = np.minimum(bound[:, :neurons], centre + spread)
    best_low = np.maximum(-bound[:, neurons:], centre - spread)
    return best_low, best_high, rows[:, :neurons]
