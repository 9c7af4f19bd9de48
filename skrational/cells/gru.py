r"""The GRU cell, with the same nested groups as the LSTM.

======== ================== ============== ==========================================
symbol   code               shape          meaning
======== ================== ============== ==========================================
x_t      row of ``x``       (E,)           feature vector of token t
r z n    rows of ``varies`` (3, H)         reset gate, update gate, candidate, in
                                           PyTorch's order
W        ``W_ih``           (M, E)         weights from the features, a row for each
                                           of the M gates of units that vary
U        ``W_hh``           (M, H)         weights from the hidden units
b        ``b``              (3, H)         biases of r, z and n
b_hn     ``b_hn``           (M_n,)         bias inside the product with r, of the M_n
                                           candidates that vary
h_t      ``states``         (n_tokens, H)  n_t = tanh(W_n x + b_n + r (U_n h + b_hn)),
                                           h_t = (1 - z) n_t + z h_{t-1}
G        row of W_ih, W_hh  (E + H,)       all weights that enter a gate of a unit, and
                                           the candidate's b_hn
======== ================== ============== ==========================================

PyTorch's candidate has a bias of its own, b_hn, inside the product with the reset gate.
A candidate without weights, tanh(b_n + r b_hn), would still follow r: it is constant
only without b_hn. So b_hn goes with the weights of the candidate: once nothing enters
that, b_hn counts for nothing, and neither does the reset gate. The cell of a masked
network and its compact twin agree on that, so that the bookkeeping is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.compaction import Mask, Remains
from skrational.cells.gated import GatedCell
from skrational.groups import Part
from skrational.kernels.gated import gru_states
from skrational.kernels.gated.prediction import PackedGRU
from skrational.structures.gated import GRUStructure

__all__ = ["GRUCell"]

_R, _Z, _N = range(3)


class GRUCell(GatedCell):
    """A gated recurrent unit with a linear readout of its hidden states.

    ``b_hn`` has an entry for each candidate that varies.
    """

    structure_type: ClassVar = GRUStructure
    states_of: ClassVar = staticmethod(gru_states)
    packed_type: ClassVar = PackedGRU
    weight_names: ClassVar = (*GatedCell.weight_names, "b_hn")

    def __init__(self, structure: GRUStructure, *args: Any) -> None:
        super().__init__(structure, *args)
        n_candidates = int(self.varies[_N].sum())
        self.b_hn = nn.Parameter(self.b.new_zeros(n_candidates))

    def biases(self) -> Tensor:
        """Biases of r, z and n, and b_hn, (4, H); b_hn is 0 where n is constant."""
        unit = torch.from_numpy(np.flatnonzero(self.varies[_N])).to(self.b.device)
        b_hn = self.b.new_zeros(self.b.shape[1]).index_copy(0, unit, self.b_hn)
        return torch.cat([self.b, b_hn[None]])

    @torch.no_grad()
    def constants(self) -> NDArray[np.float64]:
        """Value of each gate, (3, H), if nothing enters it: act(b)."""
        return self._activations(self.b.double()).astype(np.float64)

    def _activations(self, b: Tensor) -> NDArray[np.floating]:
        values = torch.cat([torch.sigmoid(b[:_N]), torch.tanh(b[_N:])])
        return np.asarray(values.cpu().numpy())

    def _stirred(self) -> Mask:
        """Candidates with a b_hn that isn't 0: they follow the reset gate."""
        stirred = np.zeros_like(self.varies)
        stirred[_N, self.varies[_N]] = self.b_hn.detach().cpu().numpy() != 0
        return stirred

    def _needed(self, varies: Mask, recurrent: Mask) -> Mask:
        """Leave out reset gates that have nothing to reset: U_n h + b_hn is 0."""
        needed = varies.copy()
        needed[_R] &= varies[_N] & (recurrent | self._stirred())[_N]
        return needed

    @torch.no_grad()
    def _silent(self, varies: Mask) -> Mask:
        """Mask of the units, (H,), whose n is the constant 0, or whose z is 1."""
        acted = self._activations(self.b)
        silent: Mask = ~varies[_N] & (acted[_N] == 0) | ~varies[_Z] & (acted[_Z] == 1)
        return silent

    def _entering_gates(self) -> list[Part]:
        rows = torch.arange(len(self.W_hh), device=self.b.device)
        return [Part((self.b_hn,), self._of_candidates(rows))]

    def _of_candidates(self, values: Tensor) -> Tensor:
        """Those of values for each row of weights: candidates' rows come last."""
        return values[len(values) - len(self.b_hn) :]

    def fold(
        self, weights: Mapping[str, Tensor], factors: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Multiply weights, and b_hn, by factors of their groups."""
        folded = super().fold(weights, factors)
        if "gates" in factors:
            factor = self._of_candidates(factors["gates"])
            folded["b_hn"] = folded["b_hn"] * factor
        return folded

    def cuts(self, left: Remains) -> dict[str, Callable[[Tensor], Tensor]]:
        """How parameters, b_hn among them, are cut to what is left."""
        candidates = torch.from_numpy(left.varies[_N][self.varies[_N]])
        candidates = candidates.to(self.b.device)
        return super().cuts(left) | {"b_hn": lambda w: w[candidates]}

    def emptied(self) -> tuple[Self, Tensor]:
        """Return a copy all of whose gates are constant, and the W_ih of it."""
        cell, entrance = super().emptied()
        with torch.no_grad():
            cell.b_hn.zero_()
        return cell, entrance
