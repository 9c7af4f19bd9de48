"""The group lasso: lambda times the sum of the groups' Euclidean norms.

Dodge et al., EMNLP 2019, section 2, equation 2; all groups there are of one size, so
there is no factor for the size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skrational.groups import Groups
from skrational.penalties.newton import norms_after, shrink
from skrational.penalties.soft_threshold import soft_threshold_
from skrational.utils.devices import runs_triton

__all__ = ["GroupLasso"]


@dataclass(frozen=True)
class GroupLasso:
    r"""Charge each group its norm.

    .. math:: \lambda \sum_g \omega_g \lVert w_g \rVert_2

    where :math:`\omega_g` is the group's `Groups.omega`, 1 by default.

    Parameters
    ----------
    lambda_ : float
        Strength, at least 0.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019. :arxiv:`1909.03011`
    .. [2] Deleu, Bengio, "Structured Sparsity Inducing Adaptive Optimizers for Deep
       Learning", 2021. :arxiv:`2102.03869`

    Examples
    --------
    >>> import torch
    >>> from skrational.groups import Groups, Part
    >>> weight = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    >>> groups = Groups((Part((weight,), torch.arange(2)),), 2)
    >>> penalty = GroupLasso(lambda_=1.0)
    >>> penalty.value(groups)
    tensor(5.5000)
    >>> penalty.prox_(groups, [torch.ones_like(weight)], step_size=1.0)
    >>> weight
    tensor([[2.4000, 3.2000],
            [0.0000, 0.0000]])
    """

    lambda_: float

    def value(self, groups: Groups) -> Tensor:
        """Return the penalty, a differentiable scalar."""
        norms = groups.norms()
        if groups.omega is not None:
            norms = norms * groups.omega
        return self.lambda_ * norms.sum()

    def scaled(self, share: float) -> GroupLasso:
        """Return the penalty at a share of its strength."""
        return GroupLasso(self.lambda_ * share)

    @torch.no_grad()
    def prox_(self, groups: Groups, metric: Sequence[Tensor], step_size: float) -> None:
        r"""Shrink the groups, in place, in a diagonal metric D.

        Solves, for each group,

        .. math::
            \min_w \tfrac{1}{2 \eta} \sum_j D_j (w_j - \tilde w_j)^2
            + \lambda \omega_g \lVert w \rVert_2 .

        The solution is exactly zero iff
        :math:`\lVert D \tilde w \rVert \le c` with
        :math:`c = \eta \lambda \omega_g`, else
        :math:`w_j = D_j \theta \tilde w_j / (D_j \theta + c)` where
        :math:`\theta = \lVert w \rVert` is the root of
        :math:`\phi(\theta) = \sum_j (D_j \tilde w_j / (D_j \theta + c))^2 = 1`.

        Parameters
        ----------
        groups : Groups
        metric : sequence of Tensor
            D, positive, packed for each part as its parameters are. Ones give the
            soft threshold; Adam's metric is ``sqrt(v_hat) + eps`` [2]_.
        step_size : float
            The learning rate eta.

        Raises
        ------
        ValueError
            If the groups overlap: the operators of overlapping groups are applied one
            after the other, each to groups of its own.
        """
        if groups.overlaps:
            raise ValueError(
                "GroupLasso.prox_ can't be used with groups that overlap. Charge for "
                "each kind of groups by itself."
            )
        if step_size * self.lambda_ == 0:
            return
        if groups.are_entries and groups.omega is None:
            threshold = step_size * self.lambda_
            soft_threshold_(groups, metric, [threshold] * len(groups.parts))
            return
        device = metric[0].device
        if device.type != "cpu" and not runs_triton(device):
            self._shrink_by_tensors(groups, metric, step_size)
            return
        weights = _stack([part.pack(part.parameters) for part in groups.parts])
        by_kernel = (
            self._shrink_on_cpu if device.type == "cpu" else self._shrink_on_cuda
        )
        by_kernel(groups, weights, _stack(metric), step_size)
        row = 0
        for part, d in zip(groups.parts, metric, strict=True):
            part.set_(weights[row : row + len(d), : d.shape[1]])
            row += len(d)

    def _shrink_on_cpu(
        self, groups: Groups, weights: Tensor, metric: Tensor, step_size: float
    ) -> None:
        """Apply the operator to stacked weights, in place.

        Parameters
        ----------
        groups : Groups
        weights, metric : Tensor of shape (n_slices, m)
        step_size : float
        """
        thresholds = np.full(groups.n_groups, step_size * self.lambda_)
        if groups.omega is not None:
            thresholds *= groups.omega.numpy()
        arrays = weights.numpy(), metric.numpy(), *groups.slices_by_group
        shrink(*arrays, thresholds)

    def _shrink_on_cuda(
        self, groups: Groups, weights: Tensor, metric: Tensor, step_size: float
    ) -> None:
        """Apply the operator on a GPU; the parameters are `_shrink_on_cpu`'s."""
        from skrational.penalties import newton_cuda

        thresholds = self._thresholds(groups, [metric], step_size)
        arrays = weights, metric, *groups.slices_on_device
        newton_cuda.shrink(*arrays, thresholds)

    def _thresholds(
        self, groups: Groups, metric: Sequence[Tensor], step_size: float
    ) -> Tensor:
        """Step size times lambda times omega of each group, where the weights are."""
        thresholds = metric[0].new_full((groups.n_groups,), step_size * self.lambda_)
        return thresholds if groups.omega is None else thresholds * groups.omega

    def _shrink_by_tensors(
        self, groups: Groups, metric: Sequence[Tensor], step_size: float
    ) -> None:
        """Apply the operator on any device; the parameters are `prox_`'s."""
        thresholds = self._thresholds(groups, metric, step_size)
        theta = norms_after(groups, metric, thresholds)
        for part, d in zip(groups.parts, metric, strict=True):
            of_slices = (v[part.group_of_slices][:, None] for v in (theta, thresholds))
            norm, threshold = of_slices
            pulled = d * norm
            part.scale_(torch.where(threshold > 0, pulled / (pulled + threshold), 1.0))

    @torch.no_grad()
    def slopes(self, groups: Groups) -> list[Tensor]:
        r"""Return the sizes of the penalty's own gradient.

        That of a group has the norm :math:`\lambda \omega_g`; in a network without any
        other, Adam's metric would be its root mean square over the n numbers of the
        group, :math:`\lambda \omega_g / \sqrt n`. Of a strength beyond 1, which is more
        than the loss of classes can hold against, it is that of 1: it empties at once.

        Returns
        -------
        list of Tensor of shape (n_slices, 1)
            For each part, that of the group of each slice.

        Examples
        --------
        >>> import torch
        >>> from skrational.groups import Groups, Part
        >>> rows = Groups((Part((torch.ones(2, 4),), torch.arange(2)),), 2)
        >>> GroupLasso(lambda_=1.0).slopes(rows)
        [tensor([[0.5000],
                [0.5000]])]
        """
        slopes = min(self.lambda_, 1.0) / groups.sizes.clamp_min(1).sqrt()
        if groups.omega is not None:
            slopes = slopes * groups.omega
        return [slopes[part.group_of_slices][:, None] for part in groups.parts]


def _stack(parts: Sequence[Tensor]) -> Tensor:
    """Put packed parts below each other, padded by 0 to one width."""
    if len(parts) == 1:
        return parts[0]
    stacked = parts[0].new_zeros(sum(map(len, parts)), max(p.shape[1] for p in parts))
    row = 0
    for part in parts:
        stacked[row : row + len(part), : part.shape[1]] = part
        row += len(part)
    return stacked
