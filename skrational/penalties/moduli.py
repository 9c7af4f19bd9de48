"""Moduli regularization: a recurrent weight costs what its units' distance says.

Mackey, Schizas, Deighton, Boothe, Maroulas, "Geometric Sparsification in Recurrent
Neural Networks", 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from skrational.groups import Connections, Groups
from skrational.penalties.checks import check_nonnegative
from skrational.penalties.inhibitors import Inhibitor, as_inhibitor
from skrational.penalties.manifolds import (
    Distance,
    Manifold,
    as_manifold,
    pairwise_distances,
)
from skrational.penalties.soft_threshold import soft_threshold_
from skrational.utils.checks import check_count

__all__ = ["Moduli"]


@dataclass(frozen=True)
class Moduli:
    r"""Charge each recurrent weight by the distance of the two units that it joins.

    .. math:: \lambda \operatorname{mean}_{jk} F_{jk} |w_{jk}|^l,
        \qquad F_{jk} = f(d(x_j, x_k)),

    where :math:`x_j` is the position of unit j on a manifold with the distance d, and f
    is the inhibitor. A network with gates has the same F for each of them. It charges
    `Connections`.

    Parameters
    ----------
    lambda_ : float
        Strength, at least 0, of the mean over all weights.
    manifold : str, Manifold or callable, default="torus"
        See `skrational.penalties.manifolds.as_manifold`.
    inhibitor : str or callable, default="dog"
        See `skrational.penalties.inhibitors.as_inhibitor`. With "constant" the penalty
        is plain L1.
    power : float, default=1.0
        l, at least 1.
    scaling : {"mean", "raw"}, default="mean"
        "mean" divides F by its mean, so that a strength means the same for every
        manifold and inhibitor; the authors' costs are the raw ones, 66 to 81 on average
        for the difference of Gaussians, or about 41 on "r3" as units are drawn here. If
        positions are learned, the mean follows them: units can't make all costs small
        at once.
    permuted : int or None, default=None
        Seed of a permutation of all entries of F: the control that has the same costs
        but no geometry. None: F is as it is.
    decay : float, default=0.99
        If positions are learned, their gradient is multiplied by this once an epoch
        [1]_.
    epoch : int, default=0
        The epoch of the phase; see `at_epoch`.

    Raises
    ------
    ValueError
        If a parameter isn't what it should be.

    References
    ----------
    .. [1] Mackey, Schizas, Deighton, Boothe, Maroulas, "Geometric Sparsification in
       Recurrent Neural Networks", 2024. :arxiv:`2406.06290`

    Examples
    --------
    Two units at a distance of 1, on which the inhibitor "diffusion" puts a cost of 1.
    The weight of a unit to itself is free.

    >>> import torch
    >>> from skrational.groups import Connections
    >>> W_hh = torch.tensor([[3.0, -1.0], [0.2, 4.0]])
    >>> groups = Connections.of(W_hh, torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
    >>> penalty = Moduli(2.0, inhibitor="diffusion", scaling="raw")
    >>> penalty.value(groups)
    tensor(0.6000)
    >>> penalty.prox_(groups, [torch.ones(4, 1)], step_size=1.0)
    >>> W_hh
    tensor([[ 3.0000, -0.5000],
            [ 0.0000,  4.0000]])
    """

    lambda_: float
    manifold: str | Manifold | Distance = "torus"
    inhibitor: str | Inhibitor = "dog"
    power: float = 1.0
    scaling: str = "mean"
    permuted: int | None = None
    decay: float = 0.99
    epoch: int = 0

    is_unclipped: ClassVar[bool] = True

    def __post_init__(self) -> None:
        as_manifold(self.manifold)
        as_inhibitor(self.inhibitor)
        if not isinstance(self.power, Real) or not self.power >= 1:
            raise ValueError(f"power is {self.power!r}; expected a number from 1 on.")
        if self.scaling not in ("mean", "raw"):
            raise ValueError(f"scaling is {self.scaling!r}; expected 'mean' or 'raw'.")
        if not 0 < self.decay <= 1:
            raise ValueError(
                f"decay is {self.decay!r}; expected a number above 0, at most 1."
            )
        if self.permuted is not None:
            check_count("permuted", self.permuted, least=0)

    def value(self, groups: Groups) -> Tensor:
        """Return the penalty, a differentiable scalar."""
        connections = _checked(groups)
        sizes = connections.weights.abs()
        if self.power != 1:
            sizes = sizes**self.power
        return self.lambda_ * (self._costs_of(connections) * sizes).mean()

    def scaled(self, share: float) -> Moduli:
        """Return the penalty at a share of its strength."""
        return replace(self, lambda_=self.lambda_ * share)

    def at_epoch(self, epoch: int) -> Moduli:
        """Return the penalty as it is in an epoch, from 0: positions learn slower."""
        return replace(self, epoch=epoch)

    @torch.no_grad()
    def prox_(self, groups: Groups, metric: Sequence[Tensor], step_size: float) -> None:
        r"""Shrink each weight, in place, in a diagonal metric D.

        Solves :math:`\min_w \tfrac{1}{2 \eta} D (w - \tilde w)^2 + c |w|^l` with
        :math:`c = \lambda F_{jk} / n` of n weights: by the soft threshold
        :math:`\eta c / D` for l = 1, and by
        :math:`w = D \tilde w / (D + 2 \eta c)` for l = 2.

        Parameters
        ----------
        groups : Connections
        metric : sequence of Tensor
            D, positive, packed as the weights are, (n_rows * H, 1).
        step_size : float
            The learning rate eta.

        Raises
        ------
        ValueError
            If positions are learned, which only the gradient of the value can do, or
            the power is neither 1 nor 2.
        """
        connections = _checked(groups)
        if self.power not in (1, 2) or connections.positions.requires_grad:
            learned = "learned" if connections.positions.requires_grad else "fixed"
            raise ValueError(
                f"Moduli with power={self.power} and {learned} positions can't be used "
                "with solver='prox'; expected a power of 1 or 2 and fixed positions. "
                "Use solver='subgradient'."
            )
        share = step_size * self.lambda_ / connections.n_groups
        thresholds = share * self._costs_of(connections).reshape(-1, 1)
        if self.power == 1:
            soft_threshold_(connections, metric, [thresholds])
        else:
            connections.parts[0].scale_(metric[0] / (metric[0] + 2 * thresholds))

    def costs(self, positions: Tensor) -> Tensor:
        """Return F, (H, H), of units at positions, (H, n_coordinates).

        Raises
        ------
        ValueError
            If a user's own distance or inhibitor returns another shape, NaN or a
            negative number, or all costs are 0 and can't be scaled.
        """
        distances = pairwise_distances(as_manifold(self.manifold), positions)
        costs = check_nonnegative(
            f"The inhibitor {self.inhibitor!r}",
            as_inhibitor(self.inhibitor)(distances),
            distances.shape,
            distances.dtype,
        )
        if self.permuted is not None:
            order = np.random.default_rng(self.permuted).permutation(costs.numel())
            moved = torch.from_numpy(order).to(costs.device)
            costs = costs.reshape(-1)[moved].view(costs.shape)
        if self.scaling == "raw":
            return costs
        mean = costs.mean()
        if mean == 0:
            raise ValueError(
                f"The inhibitor {self.inhibitor!r} returned 0 for all distances; "
                "expected costs that can be scaled to a mean of 1."
            )
        return costs / mean

    def _costs_of(self, connections: Connections) -> Tensor:
        """F for each weight, (n_rows, H)."""

        def make() -> Tensor:
            # Adds 0: positions stay what they are, and their gradient shrinks.
            fixed, slow = connections.positions.detach(), self.decay**self.epoch
            positions = fixed + slow * (connections.positions - fixed)
            costs = self.costs(positions)[connections.unit_of_row]
            return costs.to(connections.weights)

        own = _Itself(self.manifold), _Itself(self.inhibitor)
        key = *own, self.scaling, self.permuted
        return connections.from_positions(key, make)


@dataclass(frozen=True, eq=False)
class _Itself:
    """A user's object as a part of a key, which it need not be hashable for."""

    value: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def _checked(groups: Groups) -> Connections:
    if not isinstance(groups, Connections):
        raise TypeError(
            f"Moduli charges Connections, which know where units are; got "
            f"{type(groups).__name__}."
        )
    return groups
