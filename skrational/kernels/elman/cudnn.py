"""The Elman recurrence for CUDA: cuDNN's, through torch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.recurrent.cudnn import ONE_LAYER, run_layer

__all__ = ["elman_states"]


def elman_states(
    x: Tensor,
    W_ih: Tensor,
    W_hh: Tensor,
    b: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    activation: str,
) -> Tensor:
    """Run an Elman network; see `skrational.kernels.elman.reference.elman_states`."""
    layer = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}[activation]

    def run(tokens: Tensor, sizes: Tensor, h: Tensor, *weights: Tensor) -> Tensor:
        return layer(tokens, sizes, h, weights, *ONE_LAYER)[0]

    weights = W_ih, W_hh, b, torch.zeros_like(b)
    return run_layer(run, x, weights, ids, offsets)
