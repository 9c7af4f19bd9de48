"""The group lasso: lambda times the sum of the groups' Euclidean norms.

Dodge et al., EMNLP 2019, section 2, equation 2; all groups there are of one size, so
there is no factor for the size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from skrational.groups import Groups

__all__ = ["GroupLasso"]

_NEWTON_STEPS = 30


@dataclass(frozen=True)
class GroupLasso:
    r"""Charge each group its norm.

    .. math:: \lambda \sum_g \lVert w_g \rVert_2

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
        return self.lambda_ * groups.norms().sum()

    def scaled(self, share: float) -> GroupLasso:
        """Return the penalty at a share of its strength."""
        return GroupLasso(self.lambda_ * share)

    @torch.no_grad()
    def prox_(self, groups: Groups, metric: Sequence[Tensor], step_size: float) -> None:
        r"""Shrink the groups, in place, in a diagonal metric D.

        Solves, for each group,

        .. math::
            \min_w \tfrac{1}{2 \eta} \sum_j D_j (w_j - \tilde w_j)^2
            + \lambda \lVert w \rVert_2 .

        The solution is exactly zero iff
        :math:`\lVert D \tilde w \rVert \le \eta \lambda`, else
        :math:`w_j = D_j \theta \tilde w_j / (D_j \theta + \eta \lambda)` where
        :math:`\theta = \lVert w \rVert` is the root of
        :math:`\phi(\theta) = \sum_j (D_j \tilde w_j / (D_j \theta + \eta \lambda))^2
        = 1`.

        Parameters
        ----------
        groups : Groups
        metric : sequence of Tensor
            D, positive, packed for each part as its parameters are. Ones give the
            soft threshold; Adam's metric is ``sqrt(v_hat) + eps`` [2]_.
        step_size : float
            The learning rate eta.
        """
        cut = step_size * self.lambda_
        if cut == 0:
            return
        weights = [part.pack(part.parameters) for part in groups.parts]
        pulls = [d * w for d, w in zip(metric, weights, strict=True)]
        alive = groups.sum_rows([p.square() for p in pulls]) > cut**2
        theta = _norm_after_prox(groups, weights, metric, pulls, alive, cut)
        for part, d in zip(groups.parts, metric, strict=True):
            pulled = d * theta[part.group][:, None]
            part.scale_(pulled / (pulled + cut))


def _norm_after_prox(
    groups: Groups,
    weights: Sequence[Tensor],
    metric: Sequence[Tensor],
    pulls: Sequence[Tensor],
    alive: Tensor,
    cut: float,
) -> Tensor:
    """Norm of each group after the proximal step, 0 for a group that it empties.

    Newton's method on ``phi(theta) ** -0.5 - 1``, which is nearly linear: from the norm
    before the step it converges in a few iterations.
    """
    before = groups.sum_rows([w.square() for w in weights]).sqrt()
    theta = torch.where(alive, before, 1.0)
    tolerance = 4 * torch.finfo(theta.dtype).eps
    for _ in range(_NEWTON_STEPS):
        squares, slopes = [], []
        for part, d, pull in zip(groups.parts, metric, pulls, strict=True):
            inverse = (d * theta[part.group][:, None]).add_(cut).reciprocal_()
            square = (pull * inverse).square_()
            squares.append(square)
            slopes.append(inverse.mul_(d).mul_(square))
        phi = groups.sum_rows(squares)
        step = (phi**1.5 - phi) / groups.sum_rows(slopes)
        step = torch.where(alive, step, 0.0)
        theta = torch.where(theta + step > 0, theta + step, theta / 2)
        if bool((step.abs() <= tolerance * theta).all()):
            break
    return theta * alive
