"""Checks of what a user's own function returns."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["check_nonnegative"]


def check_nonnegative(source: str, values: Any, shape: torch.Size) -> Tensor:
    """Return values if they are a tensor of a shape, finite and at least 0.

    Raises
    ------
    ValueError
        If they aren't.

    Examples
    --------
    >>> check_nonnegative("inhibitor", torch.tensor([1.0, -2.0]), torch.Size([2]))
    Traceback (most recent call last):
        ...
    ValueError: inhibitor returned -2.0; expected numbers from 0 upwards.
    """
    if not isinstance(values, Tensor):
        raise ValueError(
            f"{source} returned {type(values).__name__}; expected a Tensor of shape "
            f"{tuple(shape)}."
        )
    if values.shape != shape:
        raise ValueError(
            f"{source} returned the shape {tuple(values.shape)}; expected "
            f"{tuple(shape)}."
        )
    wrong = values.detach()[~((values >= 0) & values.isfinite())]
    if len(wrong):
        raise ValueError(
            f"{source} returned {wrong[0].item()}; expected numbers from 0 upwards."
        )
    return values
