r"""What gated cells compute: the definition that every other kernel must equal.

The LSTM, with :math:`\sigma` the logistic function and all products of vectors entry by
entry, starts each document at :math:`h_0 = c_0 = 0`:

.. math::
    i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i) \\
    f_t &= \sigma(W_f x_t + U_f h_{t-1} + b_f) \\
    g_t &= \tanh(W_g x_t + U_g h_{t-1} + b_g) \\
    o_t &= \sigma(W_o x_t + U_o h_{t-1} + b_o) \\
    c_t &= f_t c_{t-1} + i_t g_t, \qquad h_t = o_t \tanh(c_t)

The GRU:

.. math::
    r_t &= \sigma(W_r x_t + U_r h_{t-1} + b_r) \\
    z_t &= \sigma(W_z x_t + U_z h_{t-1} + b_z) \\
    n_t &= \tanh(W_n x_t + b_n + r_t (U_n h_{t-1} + b_{hn})) \\
    h_t &= (1 - z_t) n_t + z_t h_{t-1}

Of the weights ``W_ih`` (W) and ``W_hh`` (U), only the rows of learned gates are given.
The other rows are zero: such a gate is a constant, the activation of its bias.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.recurrent.steps import run_steps

__all__ = ["gru_states", "lstm_states"]


def lstm_states(
    x: Tensor,
    W_ih: Tensor,
    W_hh: Tensor,
    b: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    learned: NDArray[np.bool_],
) -> Tensor:
    """Compute the hidden state of an LSTM after every token.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
        Feature rows.
    W_ih : Tensor of shape (M, E)
        Input weights of the learned gates, in the order of ``np.flatnonzero(learned)``.
    W_hh : Tensor of shape (M, H)
        Recurrent weights of the same gates.
    b : Tensor of shape (4, H)
        Biases of the gates i, f, g, o.
    ids : ndarray of shape (n_tokens,), int32
        The row of x of each token.
    offsets : ndarray of shape (n_documents + 1,), int64
        Where documents begin in ``ids``.
    learned : ndarray of shape (4, H), bool
        Which gates depend on the input; there are M.

    Returns
    -------
    Tensor of shape (n_tokens, H)
    """
    n_units = b.shape[1]
    W = with_constants(W_ih, learned)
    U = with_constants(W_hh, learned)
    projected = x @ W.T + b.flatten()  # (n_rows, 4 H)

    def step(row: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        a = (projected[row] + h @ U.T).unflatten(1, (4, n_units))
        i, f, g, o = a.unbind(1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    return run_steps(step, x.new_zeros(2, len(offsets) - 1, n_units), ids, offsets)


def gru_states(
    x: Tensor,
    W_ih: Tensor,
    W_hh: Tensor,
    b: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    learned: NDArray[np.bool_],
) -> Tensor:
    """Compute the hidden state of a GRU after every token.

    Parameters
    ----------
    x, W_ih, W_hh, ids, offsets
        As for `lstm_states`.
    b : Tensor of shape (4, H)
        Biases b_r, b_z, b_n and b_hn.
    learned : ndarray of shape (3, H), bool
        Which of the gates r, z and n depend on the input. The b_hn of a candidate n
        that doesn't counts for nothing.

    Returns
    -------
    Tensor of shape (n_tokens, H)
    """
    n_units = b.shape[1]
    W = with_constants(W_ih, learned)
    U = with_constants(W_hh, learned)
    projected = x @ W.T + b[:3].flatten()  # (n_rows, 3 H)
    b_hn = b[3] * torch.from_numpy(learned[2]).to(b)

    def step(row: Tensor, h: Tensor) -> tuple[Tensor]:
        from_x = projected[row].unflatten(1, (3, n_units))
        from_h = (h @ U.T).unflatten(1, (3, n_units))
        r, z = (from_x + from_h)[:, :2].sigmoid().unbind(1)
        n = torch.tanh(from_x[:, 2] + r * (from_h[:, 2] + b_hn))
        return ((1 - z) * n + z * h,)

    return run_steps(step, x.new_zeros(1, len(offsets) - 1, n_units), ids, offsets)


def with_constants(weights: Tensor, learned: NDArray[np.bool_]) -> Tensor:
    """Put the rows of the learned gates among rows of zeros, one for each gate."""
    rows = torch.from_numpy(np.flatnonzero(learned)).to(weights.device)
    zeros = weights.new_zeros(learned.size, weights.shape[1])
    return zeros.index_copy(0, rows, weights)
