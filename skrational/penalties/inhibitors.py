"""What a weight costs by the distance of the units that it joins.

Mackey, Schizas, Deighton, Boothe, Maroulas, "Geometric Sparsification in Recurrent
Neural Networks", 2024. The scale is the authors': but for "diffusion", which has no
bound, costs are from 0 to 100.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from skrational.utils.suggestions import did_you_mean

__all__ = ["Inhibitor", "as_inhibitor", "difference_of_gaussians"]

Inhibitor: TypeAlias = Callable[[Tensor], Tensor]
"""Takes distances, (H, H), and returns the costs, at least 0, in the same shape."""

_PEAK = 95 * 20 ** (-1 / 19)
"""Maximum of 100 (exp(-d^2/5) - exp(-4 d^2)), where d^2 = 5/19 log 20."""


def difference_of_gaussians(distances: Tensor) -> Tensor:
    """Charge for far and for very near units; the cheapest are 0.89 apart.

    The costs are ``q_max - q(d)`` with ``q(d) = 100 (exp(-d^2/5) - exp(-4 d^2))``.

    Examples
    --------
    >>> difference_of_gaussians(torch.tensor([0.0, 0.8879, 10.0]))
    tensor([81.1425,  0.0000, 81.1425])
    """
    squares = distances.square()
    gain = 100 * (torch.exp(-squares / 5) - torch.exp(-4 * squares))
    # Rounding would take some a little below 0.
    return (_PEAK - gain).clamp_min(0.0)


def _gauss(distances: Tensor) -> Tensor:
    return 100 - 100 * torch.exp(-distances.square() / 3)


def _ripple(distances: Tensor) -> Tensor:
    return 50 + 50 * torch.cos(2 * distances)


_KNOWN: dict[str, Inhibitor] = {
    "constant": torch.ones_like,
    "diffusion": torch.square,
    "dog": difference_of_gaussians,
    "gauss": _gauss,
    "ripple": _ripple,
}


def as_inhibitor(inhibitor: Any) -> Inhibitor:
    """Return a function of distances, given that or the name of one.

    ============= ===========================================================
    name          cost at distance d
    ============= ===========================================================
    "constant"    1: the penalty is plain L1, or that of another power
    "diffusion"   d^2
    "dog"         `difference_of_gaussians`
    "gauss"       100 - 100 exp(-d^2/3)
    "ripple"      50 + 50 cos(2 d)
    ============= ===========================================================

    Raises
    ------
    ValueError
        If it is neither; the message lists the known names.

    Examples
    --------
    >>> as_inhibitor("ripple")(torch.tensor([0.0, torch.pi / 2]))
    tensor([100.,   0.])
    """
    if isinstance(inhibitor, str) and inhibitor in _KNOWN:
        return _KNOWN[inhibitor]
    if callable(inhibitor) and not isinstance(inhibitor, type):
        return inhibitor
    *names, last = map(repr, _KNOWN)
    raise ValueError(
        f"inhibitor is {inhibitor!r}; expected {', '.join(names)} or {last}, or a "
        f"function of distances.{did_you_mean(str(inhibitor), _KNOWN)}"
    )
