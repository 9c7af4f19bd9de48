r"""The LSTM cell, with the groups by which its structure is learned.

======== ================== ============== ==========================================
paper    code               shape          meaning
======== ================== ============== ==========================================
x_t      row of ``x``       (E,)           feature vector of token t
i f g o  rows of ``varies`` (4, H)         input gate, forget gate, information flow,
                                           output gate, in PyTorch's order
W^x      ``W_ih``           (M, E)         weights from the features, a row for each
                                           of the M gates of units that vary
W^h      ``W_hh``           (M, H)         weights from the hidden units
b        ``b``              (4, H)         biases, PyTorch's two in one
c_t      of the kernels     (H,)           c_t = f * c_{t-1} + i * g
h_t      ``states``         (n_tokens, H)  h_t = o * tanh(c_t)
W        entries            one each       a weight
G        row of W_ih, W_hh  (E + H,)       all weights that enter a gate of a unit;
                                           without them it is the constant act(b)
N        column of W_hh, A  (M + n_outputs,) all weights that leave a unit
..       column of W_ih     (M,)           all weights that leave a feature
A, a     ``A``, ``a``       (n_outputs, H) logits = A h + a
======== ================== ============== ==========================================

Lobacheva, Chirkova, Markovich, Vetrov, "Structured Sparsification of Gated Recurrent
Neural Networks", AAAI 2020.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from skrational.cells.compaction import Mask
from skrational.cells.gated import GatedCell
from skrational.kernels.gated import lstm_states
from skrational.kernels.gated.prediction import PackedLSTM
from skrational.structures.gated import LSTMStructure

__all__ = ["LSTMCell"]

_I, _F, _G, _O = range(4)


class LSTMCell(GatedCell):
    """A long short-term memory with a linear readout of its hidden states."""

    structure_type: ClassVar = LSTMStructure
    states_of: ClassVar = staticmethod(lstm_states)
    packed_type: ClassVar = PackedLSTM

    def _initialize_biases(self) -> None:
        self.b[_F] = 1.0

    def constants(self) -> NDArray[np.float64]:
        """Value of each gate, (4, H), if nothing enters it: act(b)."""
        b = self.b.detach().cpu().numpy().astype(np.float64)
        # SciPy's values don't depend on a number's place in the array.
        values = np.asarray(expit(b))
        values[_G] = np.tanh(b[_G])
        return values

    def _silent(self, varies: Mask) -> Mask:
        """Mask of the units, (H,), of which i, g or o is the constant 0."""
        is_zero = np.abs(self.constants()) < torch.finfo(self.b.dtype).tiny
        silent: Mask = np.any((~varies & is_zero)[[_I, _G, _O]], axis=0)
        return silent
