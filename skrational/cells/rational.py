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

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.automata import Automata, draw_uniformly
from skrational.cells.base import BatchLoss, Cut, Learner, Noise, ReadoutCell
from skrational.cells.batches import Batch, Corpus
from skrational.kernels import choose_kernel
from skrational.kernels.cpu import step as kernel_step
from skrational.kernels.cpu.max_prediction import pack_automata
from skrational.kernels.cpu.passes import Documents
from skrational.kernels.cpu.prediction import PackedNetwork
from skrational.kernels.cpu.readout import apply_readout
from skrational.structures import RationalStructure
from skrational.structures.automata import ScoringRule

__all__ = ["RationalCell"]

# The name under which files of version 0.1.0 know it.
Reading = ScoringRule


_Differentiate = Callable[[Batch, Tensor, BatchLoss], "float | Tensor"]
"""Adds the gradients of a batch's loss, given factors of its scores, (B, d), on the
host, and returns the loss."""


class RationalCell(Automata, ReadoutCell):
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
        super().__init__(n_features, lengths, rule, dtype, numbers, initial_lengths)
        shape = n_outputs, len(self.lengths)
        self.A = nn.Parameter(torch.zeros(*shape, dtype=dtype))
        self.a = nn.Parameter(torch.zeros(n_outputs, dtype=dtype))

    def initialize(self, generator: torch.Generator) -> RationalCell:
        """Draw the weights uniformly, scaled by fan-in and fan-out; biases are 0.

        The bound of the automata is the authors' ``sqrt(6 / (E + d))``, that of the
        readout ``1 / sqrt(d)``.
        """
        self.draw_weights(generator)
        draw_uniformly(self.A, max(len(self.lengths), 1) ** -0.5, generator)
        return self

    def hidden(self, batch: Batch) -> Tensor:
        """Document score of each WFSA, (B, d)."""
        return self.document_scores(batch)

    def learner(self, dropout: Noise, generator: torch.Generator) -> Learner:
        """Return what adds the gradients of batches to those of the parameters.

        It is compiled, if there is a kernel: the bookkeeping of autograd takes longer
        than the recurrence.
        """
        in_general = super().learner(dropout, generator)
        kernel = choose_kernel(self.A.device.type, self.rule.semiring)
        makers = {"numba": self._learner_on_cpu, "triton": self._learner_on_cuda}
        if kernel not in makers or not self._is_plain():
            return in_general
        weights = self.W_u, self.W_f, self.b_f, self.A, self.a
        differentiate = makers[kernel](weights, list(map(_sum_of, weights)))

        def learn(batch: Batch, loss: BatchLoss) -> float | Tensor:
            if not loss.compiles:
                return in_general(batch, loss)
            batch = dropout.on_features(batch, generator)
            ones = torch.ones(len(loss.weights), len(self.lengths), dtype=self.A.dtype)
            return differentiate(batch, dropout.on_scores(ones, generator), loss)

        return learn

    def _learner_on_cpu(
        self, weights: Sequence[Tensor], sums: Sequence[Tensor]
    ) -> _Differentiate:
        learner = kernel_step.Learner(weights, sums)
        reading, final = self._reading(), self.final_weights()

        def differentiate(batch: Batch, factors: Tensor, loss: BatchLoss) -> float:
            return learner.learn(
                batch.x,
                Documents.of(batch.ids, batch.offsets, self.lengths, **reading),
                self.final_weights() if self.rule.readout == "last" else final,
                factors,
                loss.compiled(),
            )

        return differentiate

    def _learner_on_cuda(
        self, weights: Sequence[Tensor], sums: Sequence[Tensor]
    ) -> _Differentiate:
        from skrational.kernels.cuda.step import Learner

        learner = Learner(weights, sums, self.lengths, self.rule.match == "anywhere")
        reader = self._reader()

        def differentiate(batch: Batch, factors: Tensor, loss: BatchLoss) -> Tensor:
            sizes = torch.from_numpy(np.diff(batch.offsets)).clamp_min(1)
            scale = sizes.to(factors.dtype) ** -self.rule.divisor_exponent
            return learner.learn(
                batch.x,
                batch.ids,
                batch.offsets,
                self._reader() if self.rule.readout == "last" else reader,
                factors * scale[:, None],
                loss,
            )

        return differentiate

    def _reader(self) -> Tensor:
        """Weight of each state in each automaton's score, (S, d)."""
        of_wfsa = nn.functional.one_hot(self.wfsa, len(self.lengths)).to(self.A.dtype)
        return of_wfsa * self.final_weights()[:, None]

    def _is_plain(self) -> bool:
        """Whether scores are functions of W_u, W_f and b_f themselves."""
        is_summed = self.rule.readout in ("sum", "last")
        return bool(self.lengths and is_summed and self.learned_loops.all())

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
    def packed_automata(self) -> PackedNetwork:
        """Pack the automata for prediction on the CPU."""
        weights = (self.W_u, *self._loops(), self.final_weights())
        arrays = (tensor.detach().numpy() for tensor in weights)
        return pack_automata(self.lengths, self.rule, *arrays)

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
            small.fix_self_loops(loops[self.state_mask(kept_lengths)])
        return small, lambda values: self.sliced(kept_lengths, values)

    def live_structure(self, kind: str, live: NDArray[np.bool_]) -> RationalStructure:
        """Return the structure that `pruned` would leave, but for fixed self-loops."""
        return self._structure_of(self.lengths_of_live(kind, live))

    def structure(self) -> RationalStructure:
        """Return the states that are left of each WFSA."""
        return self._structure_of(self.lengths)

    def _structure_of(self, lengths: Sequence[int]) -> RationalStructure:
        return self.structure_of(lengths, len(self.a))

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

    def masked(self, kept_lengths: Sequence[int]) -> RationalCell:
        """Copy of the same shape in which states beyond the kept ones score nothing.

        The full-size twin of `compacted`, for comparison; ``kept_lengths`` has a length
        for each WFSA.
        """
        twin = deepcopy(self)
        twin.live.copy_(self.state_mask(kept_lengths))
        return twin

    def compacted(self, kept_lengths: Sequence[int]) -> RationalCell:
        """Copy of ``kept_lengths`` states of each WFSA, without WFSAs of none.

        Its tensors are slices of this cell's, copied, so that nothing of the large
        network is kept alive.
        """
        small = self.blank(self._structure_of(kept_lengths)).to(self.A.device)
        small.learned_loops.copy_(self.learned_loops[self.state_mask(kept_lengths)])
        return small.set_parameters(self.sliced(kept_lengths, list(self.parameters())))

    def sliced(
        self, kept_lengths: Sequence[int], values: Sequence[Tensor]
    ) -> list[Tensor]:
        """Cut out what belongs to the states in `compacted`.

        ``values`` are one tensor for each parameter, of its shape.
        """
        wfsas = torch.tensor(np.asarray(kept_lengths) > 0, device=self.live.device)
        return self.cut(values, self.state_mask(kept_lengths), wfsas)

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


def _sum_of(parameter: Tensor) -> Tensor:
    """Where the gradients of a parameter are added up; of no account if it is fixed."""
    if not parameter.requires_grad:
        return torch.zeros_like(parameter)
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
