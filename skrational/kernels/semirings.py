"""Semirings: what "along a path" and "over all paths" mean for an automaton.

The forward algorithm is written once, over any of these (Schwartz, Thomson, Smith,
"SoPa", ACL 2018, section 2; Dodge et al., EMNLP 2019, section 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["SEMIRINGS", "Semiring"]


def _gated(z_u: Tensor, f: Tensor) -> Tensor:
    return (1 - f) * z_u


def _squashed(z_u: Tensor, f: Tensor) -> Tensor:
    return torch.sigmoid(z_u)


@dataclass(frozen=True)
class Semiring:
    """A semiring, and how a transition's weight is made from its pre-activation.

    Attributes
    ----------
    name : str
    zero, one : float
        Neutral elements of ``plus`` and ``times``; no path has weight ``zero``.
    plus, times : callable of two tensors
        ``times`` joins the transitions of a path, ``plus`` joins paths.
    self_loop : callable of a tensor
        f from ``W_f x + b_f``.
    main_path : callable of two tensors
        u from ``W_u x`` and ``sigmoid(W_f x + b_f)``.
    """

    name: str
    zero: float
    one: float
    plus: Callable[[Tensor, Tensor], Tensor]
    times: Callable[[Tensor, Tensor], Tensor]
    self_loop: Callable[[Tensor], Tensor]
    main_path: Callable[[Tensor, Tensor], Tensor]

    def with_zeros(self, scores: Tensor) -> Tensor:
        """Let the score of a state be 0 that no path has reached."""
        if self.zero == 0:
            return scores  # a path may have weight 0, and a gradient
        return torch.where(scores == self.zero, 0.0, scores)


SEMIRINGS = {
    semiring.name: semiring
    for semiring in (
        Semiring("plus-times", 0.0, 1.0, torch.add, torch.mul, torch.sigmoid, _gated),
        Semiring(
            "max-plus",
            float("-inf"),
            0.0,
            torch.maximum,
            torch.add,
            torch.nn.functional.logsigmoid,
            _squashed,
        ),
        Semiring(
            "max-times", 0.0, 1.0, torch.maximum, torch.mul, torch.sigmoid, _squashed
        ),
    )
}
