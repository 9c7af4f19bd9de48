"""The price of a posterior that a log-uniform prior would rather not have.

Molchanov, Ashukha, Vetrov, "Variational Dropout Sparsifies Deep Neural Networks", ICML
2017, section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from skrational.groups import Groups

__all__ = ["LogUniformKL"]

_K1, _K2, _K3 = 0.63576, 1.87320, 1.48695
_DROWNED = 8.0
"""Log alpha from where on more noise is no cheaper. Else noise that nothing hears would
grow to infinity, and a mean that passes 0 would have an infinite gradient."""


@dataclass(frozen=True)
class LogUniformKL:
    r"""Charge each normal posterior its divergence from the log-uniform prior.

    .. math:: \lambda \sum_j k_1 \sigma(-k_2 - k_3 \log \alpha_j)
        + \tfrac{1}{2} \log(1 + \alpha_j^{-1}),
        \qquad \alpha_j = \sigma_j^2 / \mu_j^2,

    with the constants that Molchanov et al. [1]_ fitted to the integral, which has no
    closed form: it is within 0.01 of it. The prior being improper, a constant is free;
    as in [1]_ the divergence is 0 where noise drowns the mean
    (:math:`\alpha \to \infty`) and positive elsewhere. A mean of exactly 0 is one that
    was removed: it costs nothing.

    Parameters
    ----------
    lambda_ : float
        Strength, at least 0. 1 is the evidence lower bound.
    is_prior : bool, default=True
        Whether it is paid once for all examples; see
        `skrational.penalties.base.PriorPenalty`.

    References
    ----------
    .. [1] Molchanov, Ashukha, Vetrov, "Variational Dropout Sparsifies Deep Neural
       Networks", ICML 2017, section 4.2. :arxiv:`1701.05369`

    Examples
    --------
    The groups hold two parameters, means and log sigmas, of which an entry each makes a
    group.

    >>> import torch
    >>> from skrational.groups import Groups, Part
    >>> mean, log_sigma = torch.tensor([1.0, 0.1]), torch.tensor([-3.0, 0.0])
    >>> groups = Groups((Part((mean, log_sigma), torch.arange(2), axis=None),), 2)
    >>> LogUniformKL(lambda_=1.0).value(groups)
    tensor(3.6415)
    """

    lambda_: float
    is_prior: bool = True

    def value(self, groups: Groups) -> Tensor:
        """Return the penalty, a differentiable scalar."""
        packed = [part.pack(part.parameters) for part in groups.parts]
        mean, log_sigma = torch.cat(packed).unbind(dim=1)
        removed = mean == 0
        log_alpha = 2 * (log_sigma - mean.masked_fill(removed, 1.0).abs().log())
        log_alpha = log_alpha.clamp_max(_DROWNED)
        divergence = _K1 * torch.sigmoid(-_K2 - _K3 * log_alpha)
        divergence = divergence + 0.5 * torch.nn.functional.softplus(-log_alpha)
        return self.lambda_ * divergence.masked_fill(removed, 0.0).sum()

    def scaled(self, share: float) -> LogUniformKL:
        """Return the penalty at a share of its strength."""
        return LogUniformKL(self.lambda_ * share, self.is_prior)
