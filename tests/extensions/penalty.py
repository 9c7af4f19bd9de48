"""A penalty of one's own: the square of each group's norm."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Ridge:
    """Charge each group the square of its norm, times omega."""

    lambda_: float

    def value(self, groups):
        squares = groups.norms().square()
        if groups.omega is not None:
            squares = squares * groups.omega
        return self.lambda_ * squares.sum()

    def scaled(self, share):
        return Ridge(self.lambda_ * share)

    @torch.no_grad()
    def prox_(self, groups, metric, step_size):
        """Minimise (w - w_0)' D (w - w_0) / (2 step) + lambda omega |w|^2."""
        omega = groups.omega
        if omega is None:
            omega = torch.ones(groups.n_groups)
        for part, d in zip(groups.parts, metric, strict=True):
            price = 2 * step_size * self.lambda_ * omega[part.group_of_slices]
            part.scale_(d / (d + price[:, None].to(d)))
