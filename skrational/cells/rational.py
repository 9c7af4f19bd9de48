r"""The rational cell: automata side by side, and a linear readout of their scores.

======== ==================== ============== =========================================
paper    code                 shape          meaning
======== ==================== ============== =========================================
x_t      row of ``x``         (E,)           word vector of token t
d        ``len(lengths)``                    number of automata (WFSAs)
K        ``lengths[i]``                      main-path transitions of WFSA i
W_u, W_f ``W_u``, ``W_f``     (S, E)         main-path and self-loop weights; row s is
                                             state k of WFSA i, S = sum of lengths
b_f      ``b_f``              (S,)           self-loop bias
f_t, u_t table of the kernels (n_rows, S)    sigmoid(W_f x + b_f), (1 - f) * (W_u x)
c_t      state scores         (B, S)         forward score of state k; c_0 = 1
rho      ``rho``              (S,)           weight of a final state, if learned
w_g      row s of W_u, W_f,   (2E + 1,)      all that enters one state: one group
         b_f
s_i      ``scores``           (B, d)         document score of WFSA i
A, a     ``A``, ``a``         (n_outputs, d) logits = A s + a
======== ==================== ============== =========================================

Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse Regularization",
EMNLP 2019, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.base import Cut, ReadoutCell
from skrational.cells.batches import Batch, Corpus
from skrational.groups import Groups, Part
from skrational.kernels import choose_kernel, document_scores
from skrational.kernels.cpu.prediction import PackedAutomata
from skrational.kernels.cpu.readout import apply_readout
from skrational.structures import RationalStructure
from skrational.structures.automata import ScoringRule

__all__ = ["RationalCell"]

# The name under which files of version 0.1.0 know it.
Reading = ScoringRule


class RationalCell(ReadoutCell):
    """Weighted finite-state automata with a linear readout.

    Parameters
    ----------
    n_features : int
        E, width of a feature row.
    lengths : sequence of int
        States of each WFSA.
    n_outputs : int
        Rows of the readout: 1 for two classes.
    rule : ScoringRule
    dtype : torch.dtype
    numbers : sequence of int or None, default=None
        Number of each WFSA before pruning; None: they are numbered through.
    initial_lengths : sequence of int or None, default=None
        States of each WFSA before pruning; None: ``lengths``.
    """

    def __init__(
        self,
        n_features: int,
        lengths: Sequence[int],
        n_outputs: int,
        rule: ScoringRule,
        dtype: torch.dtype = torch.float32,
        numbers: Sequence[int] | None = None,
        initial_lengths: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.lengths = tuple(int(n) for n in lengths)
        self.numbers = tuple(range(len(lengths)) if numbers is None else numbers)
        self.initial_lengths = tuple(initial_lengths or self.lengths)
        self.rule = rule
        n_states, n_wfsas = sum(self.lengths), len(self.lengths)

        def parameter(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(*shape, dtype=dtype))

        self.W_u = parameter(n_states, n_features)
        self.W_f = parameter(n_states, n_features)
        self.b_f = parameter(n_states)
        if rule.readout.startswith("rho"):
            self.rho = parameter(n_states)
        self.A = parameter(n_outputs, n_wfsas)
        self.a = parameter(n_outputs)
        wfsa = np.repeat(np.arange(n_wfsas), self.lengths)
        self.register_buffer("wfsa", torch.from_numpy(wfsa), persistent=False)
        live = torch.ones(n_states, dtype=torch.bool)
        self.register_buffer("live", live, persistent=False)
        self.register_buffer("learned_loops", live.clone())

    wfsa: Tensor
    live: Tensor
    learned_loops: Tensor

    def initialize(self, generator: torch.Generator) -> RationalCell:
        """Draw the weights uniformly, scaled by fan-in and fan-out; biases are 0.

        The bound of the automata is the authors' ``sqrt(6 / (E + d))``, that of the
        readout ``1 / sqrt(d)``.
        """
        n_wfsas = len(self.lengths)
        bound = (6 / (self.W_u.shape[1] + n_wfsas)) ** 0.5
        with torch.no_grad():
            for weight, size in (
                (self.W_u, bound),
                (self.W_f, bound),
                (self.A, max(n_wfsas, 1) ** -0.5),
            ):
                drawn = torch.rand(
                    weight.shape, generator=generator, dtype=torch.float64
                )
                weight.copy_((2 * drawn - 1) * size)
        return self

    def hidden(self, batch: Batch) -> Tensor:
        """Document score of each WFSA, (B, d)."""
        if not self.lengths:
            return self.A.new_zeros(len(batch.offsets) - 1, 0)
        return document_scores(
            batch.x,
            self.W_u,
            *self._loops(),
            self.final_weights(),
            batch.ids,
            batch.offsets,
            self.lengths,
            anywhere=self.rule.match == "anywhere",
            semiring=self.rule.semiring,
            length_exponent=self.rule.divisor_exponent,
        )

    @torch.no_grad()
    def predict(self, corpus: Corpus) -> Tensor:
        """Logits of a whole corpus, (n, n_outputs), by the fastest way there is."""
        kernel = choose_kernel(self.A.device.type, self.rule.semiring)
        if kernel != "numba":
            return super().predict(corpus)
        scores = corpus.scored_by(self.packed_automata())
        logits = apply_readout(scores, self.A.numpy(), self.a.numpy())
        return torch.from_numpy(logits).to(self.A.dtype)

    @torch.no_grad()
    def packed_automata(self) -> PackedAutomata:
        """Pack the automata for prediction on the CPU, in plus-times."""
        weights = (self.W_u, *self._loops(), self.final_weights())
        arrays = (tensor.detach().numpy() for tensor in weights)
        return PackedAutomata.of(self.lengths, self.rule, *arrays)

    def _loops(self) -> tuple[Tensor, Tensor]:
        """Weights and biases of the self-loops, 0 of those that are fixed."""
        if self.learned_loops.all():
            return self.W_f, self.b_f
        loops = self.learned_loops.to(self.b_f.dtype)
        return self.W_f * loops[:, None], self.b_f * loops

    def final_weights(self) -> Tensor:
        """Weight of each state in its WFSA's score, (S,)."""
        live = self.live.to(self.b_f.dtype)
        readout = self.rule.readout
        if readout == "last":
            return self._is_last().to(live)
        if readout == "rho":
            return torch.sigmoid(self.rho) * live
        if readout == "rho_softmax":
            powers = torch.exp(self.rho) * live
            totals = powers.new_zeros(len(self.lengths)).index_add(0, self.wfsa, powers)
            return powers / totals[self.wfsa].clamp_min(torch.finfo(live.dtype).tiny)
        return live

    def _is_last(self) -> Tensor:
        """Mask of the last reachable state of each WFSA, (S,).

        While the penalty empties states, the one before becomes the last.
        """
        gone = ~self.live | (self.W_u == 0).all(dim=1)
        n_gone = gone.cumsum(0)
        starts = torch.tensor(np.cumsum([0, *self.lengths])[:-1], device=gone.device)
        before = torch.cat([n_gone.new_zeros(1), n_gone])[starts]
        reachable = n_gone == before[self.wfsa]
        following = torch.zeros_like(reachable)
        following[:-1] = reachable[1:] & (self.wfsa[1:] == self.wfsa[:-1])
        return reachable & ~following

    def groups(self, kind: str) -> Groups:
        """Groups of parameters that the penalty drops together.

        Parameters
        ----------
        kind : {"states", "wfsas", "transitions"}
            All that enters a state (the paper's), all states of a WFSA, or each
            transition by itself: the main-path transitions in order, then the
            self-loops.

        Returns
        -------
        Groups
            Of S, d or 2 S groups.
        """
        n_states = len(self.b_f)
        state = torch.arange(n_states, device=self.b_f.device)
        if kind == "transitions":
            main_path = Part((self.W_u,), state)
            self_loop = Part((self.W_f, self.b_f), n_states + state)
            return Groups((main_path, self_loop), 2 * n_states)
        by_wfsa = kind == "wfsas"
        rows = Part((self.W_u, self.W_f, self.b_f), self.wfsa if by_wfsa else state)
        return Groups((rows,), len(self.lengths) if by_wfsa else n_states)

    def lengths_of_live(self, kind: str, live: NDArray[np.bool_]) -> tuple[int, ...]:
        """Length of each WFSA when only the live groups remain.

        A state behind a removed one cannot be reached: what remains of a WFSA is its
        leading run of live states.
        """
        n_states = len(self.b_f)
        wfsa = self.wfsa.cpu().numpy()
        states = live[wfsa] if kind == "wfsas" else live[:n_states]
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        return tuple(
            int(np.cumprod(states[start:stop]).sum())
            for start, stop in pairwise(starts)
        )

    def pruned(
        self, kind: str, live: NDArray[np.bool_]
    ) -> tuple[RationalCell, Cut | None]:
        """Slice out what is left if only the live groups of a kind remain.

        A self-loop that isn't live, of a state that is, is fixed at the weight of an
        empty one, 1/2.
        """
        kept_lengths = self.lengths_of_live(kind, live)
        small = self.compacted(kept_lengths)
        if kind == "transitions":
            loops = torch.from_numpy(live[len(self.b_f) :]).to(self.live.device)
            small.fix_self_loops(loops[self._state_mask(kept_lengths)])
        return small, lambda values: self.sliced(kept_lengths, values)

    def live_structure(self, kind: str, live: NDArray[np.bool_]) -> RationalStructure:
        """Return the structure that `pruned` would leave, but for fixed self-loops."""
        return self._structure_of(self.lengths_of_live(kind, live))

    def structure(self) -> RationalStructure:
        """Return the states that are left of each WFSA."""
        return self._structure_of(self.lengths)

    def _structure_of(self, lengths: Sequence[int]) -> RationalStructure:
        kept_lengths = [0] * len(self.initial_lengths)
        for number, length in zip(self.numbers, lengths, strict=True):
            kept_lengths[number] = length
        mask = self._state_mask(lengths)
        return RationalStructure(
            self.initial_lengths,
            tuple(kept_lengths),
            n_features=self.W_u.shape[1],
            n_outputs=len(self.a),
            n_readout_parameters_per_state=int(hasattr(self, "rho")),
            n_fixed_self_loops=int((~self.learned_loops[mask]).sum()),
            all_final=self.rule.readout != "last",
        )

    def emptied(self) -> tuple[RationalCell, Tensor]:
        """Return a copy without any transition, and its W_u: states grow by that."""
        cell = deepcopy(self)
        with torch.no_grad():
            for weight in (cell.W_u, cell.W_f, cell.b_f):
                weight.zero_()
        if cell.rule.readout == "last":
            # The last state that can be reached: the first to grow.
            cell.rule = replace(cell.rule, readout="sum")
        return cell, cell.W_u

    def fix_self_loops(self, live: Tensor) -> None:
        """Fix the self-loops that are not live, (S,), at the weight of an empty one."""
        self.learned_loops.logical_and_(live)
        with torch.no_grad():
            self.W_f.mul_(self.learned_loops[:, None])
            self.b_f.mul_(self.learned_loops)

    def masked(self, kept_lengths: Sequence[int]) -> RationalCell:
        """Copy of the same shape in which states beyond the kept ones score nothing.

        The full-size twin of `compacted`, for comparison; ``kept_lengths`` has a length
        for each WFSA.
        """
        twin = deepcopy(self)
        twin.live.copy_(self._state_mask(kept_lengths))
        return twin

    def compacted(self, kept_lengths: Sequence[int]) -> RationalCell:
        """Copy of ``kept_lengths`` states of each WFSA, without WFSAs of none.

        Its tensors are slices of this cell's, copied, so that nothing of the large
        network is kept alive.
        """
        small = self.blank(self._structure_of(kept_lengths)).to(self.A.device)
        small.learned_loops.copy_(self.learned_loops[self._state_mask(kept_lengths)])
        return small.set_parameters(self.sliced(kept_lengths, list(self.parameters())))

    def sliced(
        self, kept_lengths: Sequence[int], values: Sequence[Tensor]
    ) -> list[Tensor]:
        """Cut out what belongs to the states in `compacted`.

        ``values`` are one tensor for each parameter, of its shape.
        """
        wfsas = torch.tensor(np.asarray(kept_lengths) > 0, device=self.live.device)
        return self.cut(values, self._state_mask(kept_lengths), wfsas)

    def _state_mask(self, kept_lengths: Sequence[int]) -> Tensor:
        """Mask, (S,), of the first ``kept_lengths`` states of each WFSA."""
        places = np.concatenate([np.arange(n) for n in (*self.lengths, 0)])
        limits = np.repeat(np.asarray(kept_lengths, dtype=int), self.lengths)
        return torch.from_numpy(places < limits).to(self.live.device)

    def blank(self, structure: RationalStructure) -> RationalCell:
        """Make a cell of a structure that scores alike, with all parameters 0."""
        return self.of_structure(structure, self.rule, self.A.dtype)

    @classmethod
    def of_structure(
        cls, structure: RationalStructure, rule: ScoringRule, dtype: torch.dtype
    ) -> RationalCell:
        """Make a cell of a structure, with all parameters 0."""
        return cls(
            structure.n_features,
            structure.lengths,
            structure.n_outputs,
            rule,
            dtype,
            structure.survivors,
            structure.initial_lengths,
        )

    @classmethod
    def from_arrays(
        cls,
        arrays: dict[str, NDArray[Any]],
        structure: RationalStructure,
        rule: ScoringRule,
    ) -> RationalCell:
        """Rebuild a cell from `to_arrays`."""
        dtype = torch.from_numpy(arrays["a"][:0].copy()).dtype
        return cls.of_structure(structure, rule, dtype).set_arrays(arrays)
