"""Many small ReLU networks trained as one model: stacked weights, one product a layer for all of them.

A training step of a 4-32-4 network on a batch of 128 is a few microseconds of arithmetic behind a hundred of overhead.
Here networks of equal widths are stacked, a layer of all of them is one batched product, all parameters lie in one flat
tensor, so the optimizer is one kernel, and the gradient of the mean squared error is written out by hand. No network
sees another: each has its own seed, its own data and its own loss, and ends where it would have ended alone, up to the
order in which products are summed.

Values are stored column by column: a batch of inputs has shape (networks, inputs, batch). With the batch last, the thin
products of the first and last layer run several times faster on a CPU than with the features last.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from theory.errors import BadInput

__all__ = ["BatchedMlp", "Member", "initial_network"]

_Layer = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Member:
    """One network of the batch.

    Attributes:
        widths: Inputs, hidden widths, outputs.
        source: Which of the data sources it learns from.
        seed: Seed of its initial weights.
    """

    widths: tuple[int, ...]
    source: int
    seed: int

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1 or self.source < 0:
            raise BadInput("a network needs inputs and outputs, widths of at least 1 and a data source")

    @property
    def parameters(self) -> int:
        """How many weights and biases it has."""
        return sum(after * (before + 1) for before, after in pairwise(self.widths))


def initial_network(member: Member) -> nn.Sequential:
    """Return ``nn.Linear`` and ``nn.ReLU`` in turn, with torch's own initial weights from the member's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(member.seed)
        layers: list[nn.Module] = []
        for before, after in pairwise(member.widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers[:-1])


class BatchedMlp:
    """Networks of the same numbers of inputs and outputs, and any hidden widths, as one model.

    Args:
        members: The networks.
        device: Where they live.
        dtype: In what they compute.

    Attributes:
        parameters: All weights and biases, one flat tensor; layers are views of it.
        gradient: Of the same shape; ``fill_gradient`` fills it.

    Raises:
        BadInput: If there are no members, or inputs or outputs differ.
    """

    def __init__(
        self, members: Sequence[Member], device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        if not members or len({(m.widths[0], m.widths[-1]) for m in members}) > 1:
            raise BadInput("networks trained together need equal numbers of inputs and of outputs")
        self.members = tuple(members)
        self.sources = 1 + max(member.source for member in members)
        self.parameters = torch.empty(sum(m.parameters for m in members), device=device, dtype=dtype)
        self.gradient = torch.zeros_like(self.parameters)
        self._groups = _grouped(self.members, self.parameters, self.gradient, self.sources)
        self._place = {index: (group, row) for group in self._groups for row, index in enumerate(group.indices)}
        for index, member in enumerate(self.members):
            self.start_from(index, initial_network(member))

    @torch.no_grad()
    def start_from(self, index: int, network: nn.Sequential) -> None:
        """Give one network the weights of ``nn.Linear`` and ``nn.ReLU`` in turn, of its own widths."""
        group, row = self._place[index]
        for (weight, bias), linear in zip(group.layers, _linears(network), strict=True):
            weight[row].copy_(linear.weight.detach())
            bias[row, :, 0].copy_(linear.bias.detach())

    @torch.no_grad()
    def fill_gradient(self, inputs: Tensor, targets: Tensor) -> None:
        """Fill ``gradient`` with every network's gradient of its own mean squared error.

        Args:
            inputs: Shape (sources, inputs, batch).
            targets: Shape (sources, outputs, batch).
        """
        for group in self._groups:
            group.backward(group.own(inputs), group.own(targets))

    @torch.no_grad()
    def losses(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return every network's mean squared error, in the members' order, shape (members,)."""
        wanted = targets[torch.tensor([member.source for member in self.members], device=targets.device)]
        return (self.outputs(inputs) - wanted).square().mean((1, 2))

    @torch.no_grad()
    def outputs(self, inputs: Tensor) -> Tensor:
        """Return every network's outputs, shape (members, outputs, batch), at inputs (sources, inputs, batch)."""
        result = inputs.new_empty(len(self.members), self.members[0].widths[-1], inputs.shape[-1])
        for group in self._groups:
            result[group.rows] = group.forward(group.own(inputs))[-1]
        return result

    def network(self, index: int) -> nn.Sequential:
        """Return a copy of one network as ``nn.Linear`` and ``nn.ReLU`` in turn, on the CPU."""
        group, row = self._place[index]
        network = initial_network(self.members[index]).to(self.parameters.dtype)
        with torch.no_grad():
            for (weight, bias), linear in zip(group.layers, _linears(network), strict=True):
                linear.weight.copy_(weight[row])
                linear.bias.copy_(bias[row, :, 0])
        return network


def _linears(network: nn.Sequential) -> list[nn.Linear]:
    return [layer for layer in network if isinstance(layer, nn.Linear)]


@dataclass(frozen=True)
class _Group:
    """Members of equal widths.

    Attributes:
        indices: Their places among all members.
        rows: The same as a slice where they follow each other, else as a tensor.
        sources: Their data sources; None where these are all sources in order, so that nothing need be copied.
        layers: Weights (members, outputs, inputs) and biases (members, outputs, 1).
        gradients: The same for the gradient.
    """

    indices: tuple[int, ...]
    rows: slice | Tensor
    sources: Tensor | None
    layers: list[_Layer]
    gradients: list[_Layer]

    def own(self, values: Tensor) -> Tensor:
        return values if self.sources is None else values[self.sources]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the input, the values behind every hidden layer's ReLU, and the output."""
        values = [x]
        for weight, bias in self.layers[:-1]:
            values.append(torch.baddbmm(bias, weight, values[-1]).relu_())
        weight, bias = self.layers[-1]
        return [*values, torch.baddbmm(bias, weight, values[-1])]

    def backward(self, x: Tensor, y: Tensor) -> None:
        """Write the gradient of each member's mean squared error."""
        *values, output = self.forward(x)
        slope = output.sub_(y).mul_(2 / math.prod(y.shape[1:]))
        for number in reversed(range(len(self.layers))):
            weight_gradient, bias_gradient = self.gradients[number]
            torch.bmm(slope, values[number].mT, out=weight_gradient)
            torch.sum(slope, 2, keepdim=True, out=bias_gradient)
            if number:
                # ReLU's own backward kernel: a product with the mask values > 0 takes seven times as long.
                slope = torch.bmm(self.layers[number][0].mT, slope)
                slope = torch.ops.aten.threshold_backward(slope, values[number], 0)


def _grouped(members: tuple[Member, ...], parameters: Tensor, gradient: Tensor, sources: int) -> list[_Group]:
    places: dict[tuple[int, ...], list[int]] = {}
    for index, member in enumerate(members):
        places.setdefault(member.widths, []).append(index)
    groups, start = [], 0
    for widths, indices in places.items():
        own = [members[index].source for index in indices]
        consecutive = indices == list(range(indices[0], indices[-1] + 1))
        groups.append(
            _Group(
                tuple(indices),
                slice(indices[0], indices[-1] + 1)
                if consecutive
                else torch.tensor(indices, device=parameters.device),
                None if own == list(range(sources)) else torch.tensor(own, device=parameters.device),
                _views(parameters, start, len(indices), widths),
                _views(gradient, start, len(indices), widths),
            )
        )
        start += sum(members[index].parameters for index in indices)
    return groups


def _views(flat: Tensor, start: int, count: int, widths: tuple[int, ...]) -> list[_Layer]:
    layers = []
    for before, after in pairwise(widths):
        middle, end = start + count * after * before, start + count * after * (before + 1)
        layers.append((flat[start:middle].view(count, after, before), flat[middle:end].view(count, after, 1)))
        start = end
    return layers
