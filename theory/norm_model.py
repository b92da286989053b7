"""How a domain measures matrices: the submultiplicative norm its analysis runs in, and what entries and norms follow.

- Box ``|a_ij| <= M``: nu(X) = n max|x_ij|, submultiplicative since max|XY| <= n max|X| max|Y|. It dominates the
  Frobenius, 2-, infinity- and 1-norm, and nu / n is the max-entry norm.
- Box around a centre: the same norm.
- Ball ``||A||_2 <= R``: ranges are measured in the 2-norm, errors in the Frobenius norm, for
  ``||X E||_F <= ||X||_2 ||E||_F`` and ``||E E'||_F <= ||E||_F ||E'||_F``; entries are at most the 2-norm.

In both, entrywise errors of at most d make an error of at most n d, and errors of products obey
``D(LR) <= b_L D_R + D_L b_R + D_L D_R``.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb

from theory.evaluate import as_ball
from theory.problem import Around, Ball, Box, CentredBall, Domain, KDelta, Norm, SignDomain

__all__ = ["NormModel"]


@dataclass(frozen=True)
class NormModel:
    """The analysis norm of a domain for n x n matrices, the blocks of larger ones where grid > 1 stand on a side."""

    n: int
    domain: Domain
    grid: int = 1

    @property
    def theta(self) -> arb:
        """The radius of the domain in the analysis norm: nM on the box, R on a ball about its centre, nu for sign."""
        match self.domain:
            case Box(M):
                return arb(self.n) * as_ball(M)
            case Around():
                return arb(self.n) * as_ball(self.domain.largest)
            case Ball(radius) | CentredBall(radius=radius) | KDelta(radius=radius):
                return as_ball(radius)
            case SignDomain(nu=nu):
                return as_ball(nu)

    @property
    def input_entry(self) -> arb:
        """A bound on the entries of the network's input."""
        shift = abs(as_ball(self.domain.centre)) if isinstance(self.domain, CentredBall) else arb(0)
        return self.entry(self.theta) + shift

    @property
    def _is_box(self) -> bool:
        return isinstance(self.domain, Box | Around)

    @property
    def identity(self) -> arb:
        """The norm of the identity matrix."""
        return arb(self.n if self._is_box else 1)

    def entry(self, size: arb) -> arb:
        """Return a bound on entries from a bound in the analysis norm (ranges and errors alike)."""
        return size / self.n if self._is_box else size

    def partial(self, terms: int) -> arb:
        """Return what a product that sums only some inner indices keeps of the bound ``b_L b_R``.

        On the box a sum of t terms is at most t max|L| max|R| = (t/n) nu(L) nu(R) / n an entry; on a ball leaving
        columns out does not raise a 2-norm, and no more is claimed.
        """
        return arb(terms) / self.n if self._is_box else arb(1)

    @property
    def truncation_factor(self) -> arb:
        """From the majorant series' tail (a 2-norm on the ball) to the norm errors are measured in."""
        return arb(1) if self._is_box else arb(self.n).sqrt()

    def in_norm(self, error: arb, norm: Norm) -> arb:
        """Return a bound in the norm asked for, from one in the norm errors are measured in."""
        if norm == "max":
            return self.entry(error)
        if self._is_box:
            return self.grid * error
        if norm == "inf":
            return arb(self.n).sqrt() * error
        return error
