r"""What an Elman cell computes: the definition that every other kernel must equal.

Each document starts at :math:`h_0 = 0`:

.. math::
    h_t = \phi(W x_t + U h_{t-1} + b), \qquad
    \phi = \tanh \text{ or } \phi(a) = \max(a, 0)

Elman, "Finding structure in time", Cognitive Science 14 (1990), with :math:`\phi` the
logistic function.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.recurrent.steps import run_steps

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
    """Compute the hidden state after every token.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
        Feature rows.
    W_ih : Tensor of shape (H, E)
    W_hh : Tensor of shape (H, H)
    b : Tensor of shape (H,)
    ids : ndarray of shape (n_tokens,), int32
        The row of x of each token.
    offsets : ndarray of shape (n_documents + 1,), int64
        Where documents begin in ``ids``.
    activation : {"tanh", "relu"}

    Returns
    -------
    Tensor of shape (n_tokens, H)
    """
    activate = {"tanh": torch.tanh, "relu": torch.relu}[activation]
    projected = x @ W_ih.T + b

    def step(row: Tensor, h: Tensor) -> tuple[Tensor]:
        return (activate(projected[row] + h @ W_hh.T),)

    return run_steps(step, x.new_zeros(1, len(offsets) - 1, len(b)), ids, offsets)
