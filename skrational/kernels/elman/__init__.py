"""The Elman recurrence, by the fastest kernel for a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skrational.kernels.recurrent import choose_kernel, kernel_for

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["choose_kernel", "elman_states"]


def elman_states(x: Tensor, *args: Any) -> Tensor:
    """Run an Elman network; see `skrational.kernels.elman.reference.elman_states`."""
    return kernel_for(x.device.type, __name__).elman_states(x, *args)
