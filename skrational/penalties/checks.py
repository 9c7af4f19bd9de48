"""Checks of what a user's own function returns."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["check_nonnegative"]


def check_nonnegative(
    source: str, values: Any, shape: torch.Size, dtype: torch.dtype
) -> Tensor:
    """Return values if they are a tensor of a shape, finite and at least 0.

    Parameters
    ----------
    source : str
        What returned them, for messages.
    values : Tensor of that shape
    shape : torch.Size
    dtype : torch.dtype
        What integers and booleans become.

    Raises
    ------
    ValueError
        If they aren't.

    Examples
    --------
    >>> costs = torch.tensor([1, -2])
    >>> check_nonnegative("inhibitor", costs, costs.shape, torch.float32)
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
    if values.is_complex():
        raise ValueError(f"{source} returned complex numbers; expected real ones.")
    if not values.is_floating_point():
        values = values.to(dtype)
    wrong = values.detach()[~((values >= 0) & values.isfinite())]
    if len(wrong):
        raise ValueError(
            f"{source} returned {wrong[0].item()}; expected numbers from 0 upwards."
        )
    return values
