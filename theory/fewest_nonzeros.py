"""The most linear pieces a network with so many non-zeros can have along a line (theorem scalar.nonzeros).

Let Q_l be the number of intervals on which the activations of layer l are affine, w_l its neurons that are not
constant. Behind the first layer a neuron that bends has two non-zeros at least. One with two, or one that reads a
single neuron that is not constant, changes sign at most once on every interval on which the pre-activations of the
layer before are affine: it adds Q_{l-2}. Any other adds Q_{l-1} and has three. A run of layers with w = 1 is monotone
on every interval before it, so it never has more than three times as many. What follows is a search over all such
sequences of layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

__all__ = ["fewest_nonzeros", "most_pieces"]

#: Pairs (p, q) none of which another beats: intervals on which the last pre-activations, and activations, are affine.
_Front = list[tuple[int, int]]
#: Non-zeros up to which all sequences are searched: in hundredths of a second, and in half a second. Beyond, 2 log2 P.
_SHORT, _LONG = 32, 64


@lru_cache(maxsize=8)
def most_pieces(nonzeros: int) -> tuple[int, ...]:
    """Return, for every count of non-zeros up to this one, a bound on the pieces along a line through the origin."""
    levels: list[dict[int, _Front]] = [{} for _ in range(nonzeros + 1)]
    levels[0][1] = [(1, 1)]  # the input itself: one neuron that is not constant
    best = [1] * (nonzeros + 1)
    for cost, level in enumerate(levels):
        best[cost] = max(best[cost], best[max(cost - 1, 0)])
        for width, front in level.items():
            # The output reads every neuron; in the first layer one neuron may bend, at 0, without a bias.
            total = cost + width - 1
            if total <= nonzeros:
                best[total] = max(best[total], *(q for _, q in front))
            for cheap, dear, idle in _layers(width, nonzeros - cost):
                target = levels[cost + max(2 * cheap + 3 * dear + idle, width)]
                for p, q in front:
                    wide = cheap + dear + idle
                    _keep(target.setdefault(wide, []), *_next(p, q, width, cheap, dear, wide))
    return tuple(best)


def _layers(width: int, left: int) -> Iterator[tuple[int, int, int]]:
    """Yield (cheap, dear, idle) neurons of a layer behind one of a width; idle ones help only where few others are."""
    for dear in range(left // 3 + 1 if width > 1 else 1):
        for cheap in range((left - 3 * dear) // 2 + 1):
            for idle in {0: (1, 2), 1: (0, 1)}.get(cheap + dear, (0,)):
                if max(2 * cheap + 3 * dear + idle, width) <= left and (cheap or width > 1):
                    yield cheap, dear, idle


def _next(p: int, q: int, width: int, cheap: int, dear: int, wide: int) -> tuple[int, int]:
    following = (1 + dear) * q + cheap * p
    if width == wide == 1:  # the run goes on from the same intervals
        return p, min(following, 3 * p)
    return q, following


def _keep(front: _Front, p: int, q: int) -> None:
    """Add a pair to a front unless another is as good in both."""
    if not any(a >= p and b >= q for a, b in front):
        front[:] = [(a, b) for a, b in front if a > p or b > q]
        front.append((p, q))


def fewest_nonzeros(pieces: int) -> int:
    """Return the fewest non-zero weights and biases of a network with so many pieces along a line (LOWER)."""
    for budget in (_SHORT, _LONG):
        most = most_pieces(budget)
        if most[-1] >= pieces:
            return next(count for count, reached in enumerate(most) if reached >= pieces)
    return max(_LONG + 1, 2 * (pieces - 1).bit_length())
