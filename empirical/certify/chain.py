"""Networks of alternating affine maps and ReLU, and the one number that bounds all rounding in their relaxation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from empirical.certify.rounding import TINY, Floats, gamma
from theory.errors import BadInput

__all__ = ["Budget", "ReluChain"]

_LARGEST_MAGNITUDE = 1e150


@dataclass(frozen=True)
class ReluChain:
    """x -> W_L relu(... relu(W_1 x + b_1) ...) + b_L with float64 entries, understood as exact real numbers.

    Args:
        weights: W_1, ..., W_L, each of shape (outputs, inputs).
        biases: b_1, ..., b_L.

    Raises:
        BadInput: If there is no layer, a shape does not fit, or an entry is not finite.
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def __post_init__(self) -> None:
        if not self.weights or len(self.weights) != len(self.biases):
            raise BadInput("a network needs at least one affine layer, and one bias for each")
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if weight.ndim != 2 or bias.shape != weight.shape[:1] or 0 in weight.shape:
                raise BadInput(f"layer {index}: a weight of shape {weight.shape} and a bias of {bias.shape} do not fit")
            if index and weight.shape[1] != self.weights[index - 1].shape[0]:
                before = self.weights[index - 1].shape[0]
                raise BadInput(f"layer {index} takes {weight.shape[1]} inputs but layer {index - 1} gives {before}")
            if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
                raise BadInput(f"layer {index} has an entry that is not finite")

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.weights[0].shape[1])

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.weights[-1].shape[0])

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        return self.architecture[1:-1]

    @property
    def architecture(self) -> tuple[int, ...]:
        """Layer widths, inputs and outputs included."""
        return (self.inputs, *(int(weight.shape[0]) for weight in self.weights))

    def values(self, points: Floats) -> Floats:
        """Evaluate in plain float64; ``points`` is (batch, inputs). Not a proved value."""
        hidden = points
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = np.maximum(hidden @ weight.T + bias, 0)
        return hidden @ self.weights[-1].T + self.biases[-1]

    def pullback(self, points: Floats, cotangents: Floats) -> Floats:
        """Return the gradient of cotangent . N(x) at every point, in plain float64; shapes (batch, inputs)."""
        hidden, active = points, []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = hidden @ weight.T + bias
            active.append(hidden > 0)
            hidden = np.maximum(hidden, 0)
        rows = cotangents @ self.weights[-1]
        for weight, on in zip(reversed(self.weights[:-1]), reversed(active), strict=True):
            rows = (rows * on) @ weight
        return rows


@dataclass(frozen=True)
class Budget:
    """How much rounding the relaxation of one chain can commit on one box of inputs.

    With M_0 >= |x| on the box, M_l = |W_l| M_{l-1} + |b_l| bounds every pre-activation, and, row by row, every sum of
    absolute values of path products that a backward pass ending in that row can meet (``relaxation`` proves it). So
    all its rounding together is at most ``factor`` * M_l + TINY.

    Args:
        factor: 32 (L + 2)^2 (w + 8) u for L layers of at most w inputs each.
        magnitudes: M_1, ..., M_L, rounded up.
    """

    factor: float
    magnitudes: tuple[Floats, ...]

    @classmethod
    def of(cls, chain: ReluChain, low: Floats, high: Floats) -> Budget:
        """Budget for every sub-box of [low, high].

        Raises:
            BadInput: If values of this size could leave float64's range.
        """
        widest = max(chain.architecture)
        # 4: a sub-box's centre and radius together stay below twice the root's largest entry, with room for rounding.
        magnitude = 4 * np.maximum(np.abs(low), np.abs(high)) + TINY
        magnitudes = []
        for weight, bias in zip(chain.weights, chain.biases, strict=True):
            with np.errstate(over="ignore"):
                magnitude = (np.abs(weight) @ magnitude + np.abs(bias)) * (1 + gamma(widest + 4)) + TINY
            if not (magnitude < _LARGEST_MAGNITUDE).all():
                raise BadInput("the network's weights are so large that its values could leave float64's range")
            magnitudes.append(magnitude)
        layers = len(chain.weights)
        return cls(factor=16 * (layers + 2) ** 2 * gamma(widest + 8), magnitudes=tuple(magnitudes))

    def slack(self, layer: int) -> Floats:
        """Upper bound on the rounding committed in any bound on the rows of this layer (0 is the first)."""
        return self.factor * self.magnitudes[layer] + TINY

    def functional_slack(self, functionals: Floats, weights: Sequence[Floats]) -> Floats:
        """The same for functionals of the outputs (batch, outputs) plus constraints of all hidden layers.

        Args:
            functionals: Coefficients of the outputs, (batch, outputs).
            weights: For each hidden layer the weights of its constraints, non-negative, (batch, neurons).
        """
        total = np.abs(functionals) @ self.magnitudes[-1]
        for weight, magnitude in zip(weights, self.magnitudes, strict=False):
            total = total + weight @ magnitude
        return self.factor * total + TINY
