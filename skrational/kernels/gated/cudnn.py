"""The gated recurrences for CUDA: cuDNN's, through torch.

cuDNN knows no constant gates: it is given a row of zeros for each of them, as the
reference says that they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.gated.reference import with_constants
from skrational.kernels.recurrent.cudnn import ONE_LAYER, Layer, run_layer

__all__ = ["gru_states", "lstm_states"]


def lstm_states(x: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor, *args: Any) -> Tensor:
    """Run an LSTM; see `skrational.kernels.gated.reference.lstm_states`."""

    def run(tokens: Tensor, sizes: Tensor, h: Tensor, *weights: Tensor) -> Tensor:
        return torch.lstm(tokens, sizes, (h, h), weights, *ONE_LAYER)[0]

    return _states(run, x, W_ih, W_hh, (b, torch.zeros_like(b)), *args)


def gru_states(x: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor, *args: Any) -> Tensor:
    """Run a GRU; see `skrational.kernels.gated.reference.gru_states`."""
    learned = args[-1]
    b_hn = b[3] * torch.from_numpy(learned[2]).to(b)
    inner = torch.cat([torch.zeros_like(b[:2]), b_hn[None]])

    def run(tokens: Tensor, sizes: Tensor, h: Tensor, *weights: Tensor) -> Tensor:
        return torch.gru(tokens, sizes, h, weights, *ONE_LAYER)[0]

    return _states(run, x, W_ih, W_hh, (b[:3], inner), *args)


def _states(
    run: Layer,
    x: Tensor,
    W_ih: Tensor,
    W_hh: Tensor,
    biases: tuple[Tensor, Tensor],
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    learned: NDArray[np.bool_],
) -> Tensor:
    """Run a layer with the constant gates among the learned ones.

    Parameters
    ----------
    run : Layer
    x : Tensor of shape (n_rows, E)
    W_ih, W_hh : Tensor of shape (M, E) and (M, H)
    biases : tuple of Tensor
        Those of the input and of the state, of as many numbers as there are gates.
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    learned : ndarray of bool
    """
    b_ih, b_hh = (b.flatten() for b in biases)
    dense = with_constants(W_ih, learned), with_constants(W_hh, learned)
    return run_layer(run, x, (*dense, b_ih, b_hh), ids, offsets)
