"""The gated recurrences, LSTM and GRU, by the fastest kernel for a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skrational.kernels.recurrent import choose_kernel, kernel_for

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["choose_kernel", "gru_states", "lstm_states"]


def lstm_states(x: Tensor, *args: Any) -> Tensor:
    """Run an LSTM; see `skrational.kernels.gated.reference.lstm_states`."""
    return kernel_for(x.device.type, __name__).lstm_states(x, *args)


def gru_states(x: Tensor, *args: Any) -> Tensor:
    """Run a GRU; see `skrational.kernels.gated.reference.gru_states`."""
    return kernel_for(x.device.type, __name__).gru_states(x, *args)
