"""Plain ReLU networks from the entries of a matrix to numbers."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from theory.errors import BadInput

__all__ = ["PUBLISHED_WIDTHS", "Mlp"]

#: Hidden widths of the published baseline.
PUBLISHED_WIDTHS = (128, 256, 512, 1024, 512, 256, 128)


class Mlp(nn.Module):
    """inputs - widths - outputs with ReLU, and dropout behind every hidden layer.

    Args:
        inputs: Number of inputs.
        outputs: Number of outputs.
        widths: Hidden widths.
        dropout: Share of hidden values dropped in training.
    """

    def __init__(
        self, inputs: int, outputs: int, widths: Sequence[int] = PUBLISHED_WIDTHS, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if not (0 <= dropout < 1) or min(inputs, outputs, *widths) < 1:
            raise BadInput("a network needs widths of at least 1 and a dropout of 0 or more, below 1")
        layers: list[nn.Module] = []
        for before, after in zip((inputs, *widths), widths, strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
            if dropout:
                layers.append(nn.Dropout(dropout))
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1] if widths else inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs) to (batch, outputs)."""
        return self.layers(x)
