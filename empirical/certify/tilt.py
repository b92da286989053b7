"""Bounding a linear plus a quadratic function over a box: trading some of the one's slope for the other's bad pairs.

The maximum of a.d + d'Gd over |d| <= r, G symmetric, is at most sum |a_i| r_i + sum |G_ij| r_i r_j. With s = sign(a)
and sigma_i = s_i d_i, every ordered pair contributes G_ij s_i s_j sigma_i sigma_j. If G_ij s_i s_j >= 0 it is at most
|G_ij| r_i r_j. If not, then for any theta in [0, 1]
    -|G_ij| sigma_i sigma_j <= |G_ij| (r_i r_j - theta (r_j sigma_i + r_i sigma_j)),
a convex combination of the constant (theta = 0) and McCormick's tangent plane at the corner sigma = r (theta = 1).
So d'Gd <= sum |G_ij| r_i r_j - sum s_i w_i d_i,  w_i = 2 sum_j theta_ij |G_ij| r_j over the negative pairs, theta
symmetric, and a becomes a - s w. With theta_ij = min(tau_i, tau_j), tau_i = min(1, |a_i| / w_i at theta = 1), no sign
flips, so the bound falls by sum w_i r_i: at the corner where the linear part peaks the bad pairs are then exact.
"""

from __future__ import annotations

import numpy as np

from empirical.certify.rounding import TINY, Floats, gamma

__all__ = ["tilted"]


def tilted(form: Floats, slope: Floats, radius: Floats) -> tuple[Floats, Floats, Floats]:
    """Tilt slopes a towards forms G over boxes of radius r.

    Args:
        form: G, symmetric, (batch, inputs, inputs).
        slope: a, (batch, inputs).
        radius: r, (batch, inputs).

    Returns:
        The change c of the bound, (batch,), the new slopes a', and sum_j |G_ij| r_i r_j for every input (both (batch,
        inputs)): for all |d| <= r, a.d + d'Gd <= (sum |a_i| r_i + c) - sum |a'_i| (r_i - sign(a'_i) d_i), with c
        rounded so that this holds whatever the order the two sums are taken in.
    """
    sign = np.where(slope >= 0, 1.0, -1.0)
    size = np.abs(form)
    opposed = np.where(form * sign[:, :, None] * sign[:, None, :] < 0, size, 0.0)
    full = 2 * (opposed @ radius[:, :, None])[..., 0]
    share = np.minimum(np.divide(np.abs(slope), full, out=np.ones_like(full), where=full > 0), 1.0)
    theta = np.minimum(share[:, :, None], share[:, None, :])
    weight = 2 * ((theta * opposed) @ radius[:, :, None])[..., 0]
    new = slope - sign * weight
    bend = (size @ radius[:, :, None])[..., 0] * radius
    whole = bend.sum(axis=1)
    change = whole + ((np.abs(new) - np.abs(slope)) * radius).sum(axis=1)
    # Inner products of length N and sums of N terms, none larger than |slope| r + 4 sum |G| r r.
    magnitude = (np.abs(slope) * radius).sum(axis=1) + 4 * whole
    return change + gamma(2 * radius.shape[1] + 16) * magnitude + TINY, new, bend
