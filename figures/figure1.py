"""The singular 2 x 2 matrices in two planes, with D_eps, the matrices closer to them than eps, drawn to scale.

The published figure shades the eps-neighbourhood of the curve within the plane. The nearest singular matrix need not
lie in that plane, so D_eps is wider; both are drawn.
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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CLAIM", "add_arguments", "check", "data", "draw"]

CLAIM = (
    "In a plane of 2 x 2 matrices the set D_eps of those closer than eps to a singular matrix contains the "
    "eps-neighbourhood of the singular curve within the plane, and is wider: its boundary is sigma_min = eps."
)
_REACH, _POINTS = 3.0, 121


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--eps", default="1/4", help="distance from the singular matrices, below 1/2 (default 1/4)")


def data(eps: str = "1/4") -> dict[str, Any]:
    """Return the boundaries of D_eps and the band, in the plane (c, d) at a = b = 1 and the plane (a, d) at b = c = 1.

    Raises:
        BadInput: If eps is not below 1/2.
    """
    distance = parse_positive(eps, "eps")
    if 2 * distance >= 1:
        raise BadInput("eps must be below 1/2, so that the picture has something outside D_eps")
    e = float(distance)
    return {"options": {"eps": str(distance)}, "line": _line(e), "hyperbola": _hyperbola(e)}


def _line(eps: float) -> dict[str, Any]:
    """In the plane a = b = 1: singular where d = c; the band within the plane is |d - c| <= sqrt(2) eps."""
    c = np.linspace(-_REACH, _REACH, _POINTS)
    low, high = sheets(1.0, 1.0, c, eps)
    half = np.sqrt(2.0) * eps
    return {
        "fixed": "a = b = 1",
        "singular": [c.tolist(), c.tolist()],
        "boundary": [[c.tolist(), low.tolist()], [c.tolist(), high.tolist()]],
        "band": [[c.tolist(), (c - half).tolist()], [c.tolist(), (c + half).tolist()]],
    }


def _hyperbola(eps: float) -> dict[str, Any]:
    """In the plane b = c = 1, with u = a + d and v = a - d: the branch a, d > 0 of the singular curve a d = 1.

    sigma_min = |  |u| - sqrt(v^2 + 4) | / 2 = eps at |u| = sqrt(v^2 + 4) +- 2 eps.
    """
    v = np.linspace(-2 * _REACH, 2 * _REACH, 2 * _POINTS - 1)
    centre = np.sqrt(v * v + 4)
    boundary = [(centre - 2 * eps), (centre + 2 * eps)]
    # The curve u = sqrt(v^2 + 4) in the orthonormal coordinates (u, v)/sqrt(2); unit normal (1, -v/u)/|...|.
    length = np.hypot(1.0, v / centre)
    shift = np.sqrt(2.0) * eps / length
    band = [(centre + sign * shift, v - sign * shift * v / centre) for sign in (-1, 1)]
    return {
        "fixed": "b = c = 1",
        "singular": _entries(centre, v),
        "boundary": [_entries(u, v) for u in boundary],
        "band": [_entries(u, w) for u, w in band],
    }


def _entries(u: Floats, v: Floats) -> list[list[float]]:
    return [((u + v) / 2).tolist(), ((u - v) / 2).tolist()]


def _sigma(name: str, points: list[list[float]]) -> Floats:
    first, second = (np.array(entries) for entries in points)
    return least_singular_value(1, 1, first, second) if name == "line" else least_singular_value(first, 1, 1, second)


def check(document: Mapping[str, Any]) -> None:
    """Check the claim at the points drawn. Rounding: entries are at most 20, so sigma is good to 1e-14."""
    eps = float(parse_positive(document["options"]["eps"], "eps"))
    for name in ("line", "hyperbola"):
        plane = document[name]
        require(float(_sigma(name, plane["singular"]).max()) <= 1e-12, f"{name}: the curve is not singular")
        for curve in plane["boundary"]:
            off = float(np.abs(_sigma(name, curve) - eps).max())
            require(off <= 1e-12, f"{name}: sigma_min misses eps by {off:.1e} on the boundary")
        inner = [_sigma(name, curve) for curve in plane["band"]]
        require(all(float(s.max()) <= eps + 1e-12 for s in inner), f"{name}: the band within the plane leaves D_eps")
        require(any(float(s.min()) <= 0.8 * eps for s in inner), f"{name}: D_eps is nowhere wider than the band")


def draw(document: Mapping[str, Any]) -> Figure:
    """Draw the two planes."""
    from figures.style import PAGE, new_figure, panel

    figure = new_figure(PAGE, 3.5)
    left, right = figure.subplots(1, 2)
    panel(left, "a", r"$a=b=1$: singular on the line $d=c$")
    _plane(left, document["line"], ("$c$", "$d$"), document["options"]["eps"])
    panel(right, "b", r"$b=c=1$: singular on the hyperbola $ad=1$")
    mirrored = [document["hyperbola"], _mirror(document["hyperbola"])]
    for part in mirrored:
        _plane(right, part, ("$a$", "$d$"), document["options"]["eps"])
    handles, _ = left.get_legend_handles_labels()
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _mirror(plane: Mapping[str, Any]) -> dict[str, Any]:
    """Return the other branch: sigma_min is the same at (-a, -d) when b and c are equal."""

    def turned(points: list[list[float]]) -> list[list[float]]:
        return [[-x for x in entries] for entries in points]

    return {
        "singular": turned(plane["singular"]),
        "boundary": [turned(c) for c in plane["boundary"]],
        "band": [turned(c) for c in plane["band"]],
    }


def _plane(axes: Axes, plane: Mapping[str, Any], names: tuple[str, str], eps: str) -> None:
    from figures.style import BLACK, COLOURS

    (x_low, y_low), (x_high, y_high) = plane["boundary"]
    axes.fill(
        [*x_low, *x_high[::-1]],
        [*y_low, *y_high[::-1]],
        color=COLOURS["sky"],
        alpha=0.45,
        linewidth=0,
        label=rf"$D_\varepsilon$: $\sigma_{{\min}}<\varepsilon={eps}$",
    )
    for x, y in plane["boundary"]:
        axes.plot(x, y, color=COLOURS["blue"], linewidth=0.8)
    for index, (x, y) in enumerate(plane["band"]):
        label = r"$\varepsilon$-neighbourhood within the plane" if index == 0 else None
        axes.plot(x, y, color=COLOURS["vermilion"], linestyle=(0, (4, 2)), linewidth=0.9, label=label)
    axes.plot(*plane["singular"], color=BLACK, linewidth=1.3, label="singular")
    axes.set(xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH), aspect="equal", xlabel=names[0], ylabel=names[1])
