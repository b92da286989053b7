"""2 x 2 matrices with a = 1: the singular surface d = bc, D_eps between its two sheets, and a ball clear of it.

sigma_min is 1-Lipschitz in the Frobenius norm, so the ball around the identity of radius 1 - eps keeps off D_eps; it
touches D_eps at diag(1, eps), so it is the largest there. All to scale.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.claim import require
from figures.singular_geometry import Floats, least_singular_value, sheets
from theory.errors import BadInput
from theory.rationals import parse_positive

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d.axes3d import Axes3D

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "Among 2 x 2 matrices with a = 1 the set D_eps lies between two sheets around the singular surface d = bc, and the "
    "ball of radius 1 - eps around the identity, where training data may live, touches it in one point, diag(1, eps)."
)
_REACH, _RINGS, _SPOKES = 1.3, 11, 73


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--eps", default="1/4", help="distance from the singular matrices, below 1/2 (default 1/4)")


def data(eps: str = "1/4") -> dict[str, Any]:
    """Return the singular surface and the two sheets of D_eps over a disc of (b, c), and the ball.

    Raises:
        BadInput: If eps is not below 1/2.
    """
    distance = parse_positive(eps, "eps")
    if 2 * distance >= 1:
        raise BadInput("eps must be below 1/2, so that the picture has something outside D_eps")
    rings, spokes = np.meshgrid(np.linspace(0, _REACH, _RINGS), np.linspace(0, 2 * np.pi, _SPOKES), indexing="ij")
    b, c = rings * np.cos(spokes), rings * np.sin(spokes)
    low, high = sheets(1.0, b, c, float(distance))
    return {
        "options": {"eps": str(distance)},
        "fixed": "a = 1",
        "b": b.tolist(),
        "c": c.tolist(),
        "singular": (b * c).tolist(),
        "sheets": [low.tolist(), high.tolist()],
        "ball": {"centre": {"b": 0.0, "c": 0.0, "d": 1.0}, "radius": float(1 - distance)},
    }


def _ball(document: Mapping[str, Any], points: int) -> tuple[Floats, Floats, Floats]:
    """Return the ball's surface as arrays b, c, d."""
    radius = document["ball"]["radius"]
    around, down = np.meshgrid(np.linspace(0, 2 * np.pi, 2 * points), np.linspace(0, np.pi, points), indexing="ij")
    b, c = radius * np.sin(down) * np.cos(around), radius * np.sin(down) * np.sin(around)
    return b, c, 1.0 + radius * np.cos(down)


def check(document: Mapping[str, Any]) -> None:
    """Check the claim on the disc and on the ball. Rounding: entries are at most 4, sigma is good to 1e-14."""
    eps = float(parse_positive(document["options"]["eps"], "eps"))
    b, c = np.array(document["b"]), np.array(document["c"])
    require(
        float(least_singular_value(1, b, c, np.array(document["singular"])).max()) <= 1e-12,
        "the surface is not singular",
    )
    for sheet in document["sheets"]:
        off = float(np.abs(least_singular_value(1, b, c, np.array(sheet)) - eps).max())
        require(off <= 1e-12, f"sigma_min misses eps by {off:.1e} on a sheet")
    on_ball = least_singular_value(1, *_ball(document, 60))
    require(float(on_ball.min()) >= eps - 1e-12, "the ball enters D_eps")
    touching = float(least_singular_value(1, 0, 0, 1 - document["ball"]["radius"]))
    require(abs(touching - eps) <= 1e-12, "the ball does not touch D_eps")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw the surface, the sheets as nets, and the ball."""
    from matplotlib.patches import Patch

    from figures.style import COLOURS, COLUMN, new_figure

    figure = new_figure(COLUMN, 3.5)
    axes: Axes3D = figure.add_subplot(projection="3d", computed_zorder=False)
    b, c = np.array(document["b"]), np.array(document["c"])
    low, high = (np.array(sheet) for sheet in document["sheets"])
    surface = np.array(document["singular"])
    full: dict[str, Any] = {"rstride": 1, "cstride": 1, "linewidth": 0, "antialiased": False}
    # Seen from above: lower sheet, singular surface, upper sheet, ball.
    axes.plot_surface(b, c, low, color=COLOURS["sky"], alpha=0.35, shade=False, zorder=1, **full)
    axes.plot_surface(b, c, surface, color=COLOURS["blue"], alpha=0.9, zorder=2, **full)
    axes.plot_surface(b, c, high, color=COLOURS["sky"], alpha=0.35, shade=False, zorder=3, **full)
    for order, sheet, colour in ((1, low, "sky"), (2, surface, "blue"), (3, high, "sky")):
        axes.plot(b[-1], c[-1], sheet[-1], color=COLOURS[colour], linewidth=1.0, zorder=order)
    axes.plot_surface(*_ball(document, 40), color=COLOURS["yellow"], zorder=4, **full)
    _finish(axes)
    axes.set_position((0.02, 0.0, 0.92, 0.92))
    eps = document["options"]["eps"]
    names = (
        (COLOURS["yellow"], "feasible ball around the identity"),
        (COLOURS["blue"], "singular surface, $d=bc$ (and $a=1$)"),
        (COLOURS["sky"], rf"sheets $\sigma_{{\min}}=\varepsilon={eps}$, $D_\varepsilon$ between them"),
    )
    handles = [Patch(color=colour, label=text) for colour, text in names]
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.01, 1.0), handlelength=1.2)
    return figure


def _finish(axes: Axes3D) -> None:
    """Set equal scales, the view and few ticks."""
    axes.set(
        xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), zlim=(-1.5, 2.0), xticks=(-1, 0, 1), yticks=(-1, 0, 1), zticks=(-1, 0, 1, 2)
    )
    axes.set_aspect("equal")
    axes.view_init(elev=20, azim=-48)
    for axis, name in ((axes.xaxis, "$b$"), (axes.yaxis, "$c$"), (axes.zaxis, "$d$")):
        axis.set_label_text(name)
        axis.labelpad = -8
        axis.set_tick_params(pad=-3)
