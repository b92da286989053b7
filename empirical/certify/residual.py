"""Upper bounds of +-(N - f) over boxes, entry by entry: the relaxed chain and the target's Taylor model together.

For the row of an output entry k and a sign, +-(N_k - f_k)(C + d) <= constant + a.d + (remainder), where a is the
difference of the network's relaxed slope and the target's: what both share cancels before absolute values are taken.
The maximum over the box is constant + sum |a_i| radius_i + remainder, and for every d of the box
    +-(N_k - f_k)(C + d)  <=  bound - sum |a_i| (radius_i - sign(a_i) d_i),
so the part of the box where the right side is below a threshold needs no further look (``Residual.keep``).

Tilting. The quadratic part of the remainder is d'Gd, G symmetric. With s = sign(a), sigma_i = s_i d_i, every ordered
pair contributes G_ij s_i s_j sigma_i sigma_j. If G_ij s_i s_j >= 0 it is at most |G_ij| r_i r_j. If not, then for any
theta in [0, 1]
    -|G_ij| sigma_i sigma_j <= |G_ij| (r_i r_j - theta (r_j sigma_i + r_i sigma_j)),
a convex combination of the constant (theta = 0) and the tangent (McCormick) plane at the corner sigma = r (theta = 1).
So d'Gd <= sum |G_ij| r_i r_j - sum s_i w_i d_i,  w_i = 2 sum_j theta_ij |G_ij| r_j over the negative pairs, theta
symmetric, and a becomes a - s w. With theta_ij = min(tau_i, tau_j), tau_i = min(1, |a_i| / w_i at theta = 1), no sign
flips, so the bound falls by sum w_i r_i: at the corner where the linear part peaks the bad pairs are then exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from empirical.certify.chain import Budget, ReluChain
from empirical.certify.expansion import Expansion
from empirical.certify.relaxation import Relaxation, backward
from empirical.certify.rounding import TINY, Floats, above, gamma

__all__ = ["Residual", "residual_bounds", "tilt"]

_PAIR_FLOATS = 1 << 21


@dataclass(frozen=True)
class Residual:
    """Bounds of +(N - f) in rows 0 .. K-1 and of -(N - f) in rows K .. 2K-1, for every box.

    Args:
        linear: Bounds without the target's remainder, rounding included, (batch, 2K).
        bound: Proved upper bounds, (batch, 2K).
        slope: The coefficients a, (batch, 2K, inputs).
        bend: sum_j |G_ij| radius_j radius_i where the row was tilted, else 0, (batch, 2K, inputs): guides splitting.
    """

    linear: Floats
    bound: Floats
    slope: Floats
    bend: Floats

    def keep(self, radius: Floats, threshold: float) -> tuple[Floats, Floats]:
        """Lowest and highest d outside of which every row is at most ``threshold``, each (batch, inputs)."""
        active = self.bound > threshold
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # Two roundings, so three steps up.
            depth = above(above(above((self.bound[:, :, None] - threshold) / np.abs(self.slope))))
        depth = np.where(np.isfinite(depth), depth, np.inf)
        edge = radius[:, None, :]
        low = np.where(self.slope > 0, np.maximum(-edge, -above(depth - edge)), -edge)
        high = np.where(self.slope < 0, np.minimum(edge, above(depth - edge)), edge)
        low = np.where(active[:, :, None], low, np.inf).min(axis=1)
        high = np.where(active[:, :, None], high, -np.inf).max(axis=1)
        return low, high


def residual_bounds(
    chain: ReluChain, budget: Budget, relaxation: Relaxation, expansion: Expansion, centre: Floats, radius: Floats
) -> Residual:
    """Bound all entries of +-(N - f) over the boxes centre +- radius, without tilting."""
    weight, bias = chain.weights[-1], chain.biases[-1]
    constant = np.concatenate([bias - expansion.value, expansion.value - bias], axis=1)
    if relaxation.lines:
        rows = np.concatenate([weight, -weight])[None]
        constant, slope = backward(chain, relaxation.lines, relaxation.offset, rows, constant)
        slope = slope - np.concatenate([expansion.slope, -expansion.slope], axis=1)
    else:
        image = centre @ weight.T
        constant = constant + np.concatenate([image, -image], axis=1)
        slope = np.concatenate([weight - expansion.slope, expansion.slope - weight], axis=1)
    reach = np.abs(expansion.value) + (np.abs(expansion.slope) @ radius[..., None])[..., 0]
    # The relaxation's theorem covers the chain; value and slope join by sums no longer than the chain's own.
    slack = budget.slack(len(chain.weights) - 1) + budget.factor * reach
    linear = constant + (np.abs(slope) @ radius[..., None])[..., 0] + np.concatenate([slack, slack], axis=1)
    rest = np.concatenate([-expansion.low, expansion.high], axis=1)
    bound = above(linear + rest)
    bound = np.where(np.isnan(bound), np.inf, bound)
    return Residual(linear, bound, slope, np.zeros_like(slope))


def tilt(residual: Residual, expansion: Expansion, radius: Floats, wanted: npt.NDArray[np.bool_]) -> Residual:
    """Return the residual with the wanted (batch, 2K) bounds tightened by tilting; see the module's derivation."""
    boxes, rows = np.nonzero(wanted & np.isfinite(residual.bound))
    if expansion.curvature is None or not len(boxes):
        return residual
    entries = expansion.value.shape[1]
    bounds, slopes, bends = residual.bound.copy(), residual.slope.copy(), residual.bend.copy()
    block = max(1, _PAIR_FLOATS // radius.shape[1] ** 2)
    for start in range(0, len(boxes), block):
        box, row = boxes[start : start + block], rows[start : start + block]
        form = np.where(row < entries, -1.0, 1.0)[:, None, None] * expansion.curvature(box, row % entries)
        change, slope, bend = _tilted(form, residual.slope[box, row], radius[box])
        bound = above(above(residual.linear[box, row] + change) + expansion.tail[box, row % entries])
        bends[box, row] = bend
        better = bound < residual.bound[box, row]
        bounds[box[better], row[better]] = bound[better]
        slopes[box[better], row[better]] = slope[better]
    return Residual(residual.linear, bounds, slopes, bends)


def _tilted(form: Floats, slope: Floats, radius: Floats) -> tuple[Floats, Floats, Floats]:
    """Change of the bound, new slopes and bend for forms G (pairs, inputs, inputs); slope, radius (pairs, inputs)."""
    sign = np.where(slope >= 0, 1.0, -1.0)
    size = np.abs(form)
    opposed = np.where(form * sign[:, :, None] * sign[:, None, :] < 0, size, 0.0)
    full = 2 * (opposed @ radius[:, :, None])[..., 0]
    ratio = np.divide(np.abs(slope), full, out=np.ones_like(full), where=full > 0)
    share = np.minimum(ratio, 1.0)
    theta = np.minimum(share[:, :, None], share[:, None, :])
    weight = 2 * ((theta * opposed) @ radius[:, :, None])[..., 0]
    tilted = slope - sign * weight
    bend = (size @ radius[:, :, None])[..., 0] * radius
    whole = bend.sum(axis=1)
    change = whole + ((np.abs(tilted) - np.abs(slope)) * radius).sum(axis=1)
    # Inner products of length N and sums of N terms, none larger than |slope| r + 4 sum |G| r r.
    magnitude = (np.abs(slope) * radius).sum(axis=1) + 4 * whole
    return change + gamma(2 * radius.shape[1] + 16) * magnitude + TINY, tilted, bend
