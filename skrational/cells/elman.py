r"""The Elman cell, a recurrent network without gates.

======== ================ ============== ============================================
symbol   code             shape          meaning
======== ================ ============== ============================================
x_t      row of ``x``     (E,)           feature vector of token t
W        ``W_ih``         (H, E)         weights from the features
W_hh     ``W_hh``         (H, H)         weights from the hidden units: entry (j, k)
                                         leads from unit k to unit j
b        ``b``            (H,)           biases, PyTorch's two in one; or constant 0
h_t      ``states``       (n_tokens, H)  h_t = phi(W x_t + W_hh h_{t-1} + b)
phi      ``activation``   ..             tanh, or max(a, 0)
A, a     ``A``, ``a``     (n_outputs, H) outputs = A h + a
======== ================ ============== ============================================

Elman, "Finding structure in time", Cognitive Science 14 (1990). The network of Mackey,
Schizas, Deighton, Boothe, Maroulas (2024), arXiv:2406.06290.
"""

from __future__ import annotations

from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from skrational.cells.batches import Batch
from skrational.cells.states import StatesCell
from skrational.kernels.elman import elman_states
from skrational.kernels.elman.prediction import PackedElman
from skrational.structures.gated import StateReadout

__all__ = ["ElmanCell"]

_NOISE = 1e-3


class ElmanCell(StatesCell):
    """An Elman network with a linear readout of its hidden states, all parameters 0.

    Parameters
    ----------
    n_features, n_units, n_outputs : int
    reading : StateReadout
    activation : {"tanh", "relu"}
    bias : bool
        Whether units have biases that are learned; else these stay 0.
    dtype : torch.dtype
    """

    weight_names: ClassVar[tuple[str, ...]] = ("W_ih", "W_hh", "A")
    """Parameters whose entries are sparsified one by one."""

    b: Tensor

    def __init__(
        self,
        n_features: int,
        n_units: int,
        n_outputs: int,
        reading: StateReadout,
        activation: str,
        bias: bool,
        dtype: torch.dtype,
    ) -> None:
        super().__init__(reading)
        self.activation = activation

        def parameter(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(*shape, dtype=dtype))

        self.W_ih = parameter(n_units, n_features)
        self.W_hh = parameter(n_units, n_units)
        if bias:
            self.b = parameter(n_units)
        else:
            zeros = torch.zeros(n_units, dtype=dtype)
            self.register_buffer("b", zeros, persistent=False)
        self.A = parameter(n_outputs, n_units)
        self.a = parameter(n_outputs)

    @torch.no_grad()
    def initialize(
        self, generator: torch.Generator, recurrent: str = "orthogonal"
    ) -> Self:
        """Draw the weights; biases are 0.

        The input weights are Glorot's uniform ones, the readout's are uniform up to
        ``1 / sqrt(H)``.

        Parameters
        ----------
        generator : torch.Generator
        recurrent : {"orthogonal", "identity"}, default="orthogonal"
            What the recurrent weights are. With the identity, rectified units keep what
            they have read (Le, Jaitly, Hinton 2015, arXiv:1504.00941). Noise of
            deviation .001 makes it that no weight is 0, as only pruned ones are.
        """
        drawn = torch.empty(self.W_ih.shape, dtype=torch.float64)
        self.W_ih.copy_(nn.init.xavier_uniform_(drawn, generator=generator))
        drawn = torch.empty(self.W_hh.shape, dtype=torch.float64)
        if recurrent == "identity":
            drawn.normal_(0, _NOISE, generator=generator).fill_diagonal_(1)
        else:
            nn.init.orthogonal_(drawn, generator=generator)
        self.W_hh.copy_(drawn)
        bound = len(self.W_hh) ** -0.5
        drawn = torch.empty(self.A.shape, dtype=torch.float64)
        self.A.copy_(drawn.uniform_(-bound, bound, generator=generator))
        return self

    def states(self, batch: Batch) -> Tensor:
        """Hidden state after every token, (n_tokens, H)."""
        return elman_states(
            batch.x,
            self.W_ih,
            self.W_hh,
            self.b,
            batch.ids,
            batch.offsets,
            self.activation,
        )

    def packed(self) -> PackedElman:
        """Pack the network for prediction on the CPU."""
        W_ih, W_hh, b = (
            w.detach().cpu().numpy() for w in (self.W_ih, self.W_hh, self.b)
        )
        return PackedElman.of(
            W_ih,
            W_hh,
            b,
            self.activation,
            self.reading.readout,
            self.reading.length_exponent,
        )
