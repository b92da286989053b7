"""Refuse runs that cannot fit before memory is taken: lower bounds of what a network and its data need.

The bounds count only what is certainly there at once (weights, gradients, two Adam moments, one chunk of samples), so a
run that passes may still be too large for its activations; one that is refused could not have begun.
"""

from __future__ import annotations

import os
from itertools import pairwise

import torch

from theory.errors import BadInput

__all__ = ["check_memory", "device_memory", "mlp_parameters", "training_bytes", "transformer_parameters"]

#: Weights, gradients, and Adam's two moments, in float32.
_BYTES_A_PARAMETER = 16
#: float64 copies of a sample that exist at once while its value is computed: the matrix and pairs of doubles.
_COPIES = 4


def device_memory(device: torch.device) -> int:
    """Return the bytes of memory of a device."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def transformer_parameters(
    dimension: int, layers: tuple[int, int], vocabularies: tuple[int, int], lengths: tuple[int, int], inner: int = 4
) -> int:
    """Return the parameters of an encoder-decoder: ``layers`` of either, ``vocabularies`` and ``lengths`` of either."""
    d = dimension
    attention, feed, norm = 4 * (d * d + d), 2 * inner * d * d + inner * d + d, 2 * d
    encoder, decoder = attention + feed + 2 * norm, 2 * attention + feed + 3 * norm
    tables = (sum(vocabularies) + lengths[0] + lengths[1] + 1) * d + vocabularies[1] + 2 * norm
    return layers[0] * encoder + layers[1] * decoder + tables


def mlp_parameters(widths: tuple[int, ...]) -> int:
    """Return the weights and biases of dense layers between these widths."""
    return sum((before + 1) * after for before, after in pairwise(widths))


def training_bytes(parameters: int, samples: int, entries: int) -> int:
    """Return what training needs at least: a network, and ``samples`` matrices of ``entries`` entries at once."""
    return _BYTES_A_PARAMETER * parameters + _COPIES * 8 * samples * entries


def check_memory(needed: int, device: torch.device, advice: str) -> None:
    """Check that a device has the memory.

    Args:
        needed: Bytes, a lower bound.
        device: Where.
        advice: What to make smaller, for the message.

    Raises:
        BadInput: If it has less.
    """
    there = device_memory(device)
    if needed > there:
        raise BadInput(
            f"this needs at least {needed / 2**30:,.3g} GiB and the {device.type} device has {there / 2**30:.3g}: "
            f"{advice}"
        )
