"""Automata side by side, the hidden part of a cell, or one of its layers.

`skrational.cells.rational` is the glossary.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.batches import Batch
from skrational.groups import Groups, Part
from skrational.kernels import document_scores, token_scores
from skrational.structures import RationalStructure
from skrational.structures.automata import ScoringRule
from skrational.utils.uploads import upload

__all__ = ["Automata", "draw_uniformly"]


class Automata(nn.Module):
    """Weighted finite-state automata, without what reads their scores.

    Parameters
    ----------
    n_features : int
        E, width of a feature row.
    lengths : sequence of int
        States of each WFSA.
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
        n_states = sum(self.lengths)

        def parameter(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(*shape, dtype=dtype))

        self.W_u = parameter(n_states, n_features)
        self.W_f = parameter(n_states, n_features)
        self.b_f = parameter(n_states)
        if rule.readout.startswith("rho"):
            self.rho = parameter(n_states)
        wfsa = np.repeat(np.arange(len(self.lengths)), self.lengths)
        self.register_buffer("wfsa", torch.from_numpy(wfsa), persistent=False)
        live = torch.ones(n_states, dtype=torch.bool)
        self.register_buffer("live", live, persistent=False)
        self.register_buffer("learned_loops", live.clone())

    wfsa: Tensor
    live: Tensor
    learned_loops: Tensor

    @torch.no_grad()
    def draw_weights(self, generator: torch.Generator) -> None:
        """Draw the weights uniformly, up to ``sqrt(6 / (E + d))`` as the authors do."""
        bound = (6 / (self.W_u.shape[1] + len(self.lengths))) ** 0.5
        for weight in (self.W_u, self.W_f):
            draw_uniformly(weight, bound, generator)

    def document_scores(self, batch: Batch) -> Tensor:
        """Score of each WFSA on each document, (B, d)."""
        if not self.lengths:
            return self.W_u.new_zeros(len(batch.offsets) - 1, 0)
        return document_scores(
            batch.x,
            self.W_u,
            *self._loops(),
            self.final_weights(),
            batch.ids,
            batch.offsets,
            self.lengths,
            **self._reading(),
        )

    def _reading(self) -> dict[str, Any]:
        """How documents are scored, as the kernels name it."""
        return {
            "anywhere": self.rule.match == "anywhere",
            "semiring": self.rule.semiring,
            "length_exponent": self.rule.divisor_exponent,
        }

    def token_scores(self, batch: Batch) -> Tensor:
        """Score of each WFSA after each token, of what ended there, (n_tokens, d)."""
        return token_scores(
            batch.x,
            self.W_u,
            *self._loops(),
            self.final_weights(),
            batch.ids,
            batch.offsets,
            self.lengths,
            semiring=self.rule.semiring,
        )

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
        first = torch.from_numpy(np.cumsum([0, *self.lengths])[:-1])
        starts = upload(first, gone.device)
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

    def structure_of(self, lengths: Sequence[int], n_outputs: int) -> RationalStructure:
        """Return the structure that is left if each WFSA keeps so many states.

        Parameters
        ----------
        lengths : sequence of int, length d
        n_outputs : int
            Rows of the readout, 0 where there is none.
        """
        kept_lengths = [0] * len(self.initial_lengths)
        for number, length in zip(self.numbers, lengths, strict=True):
            kept_lengths[number] = length
        mask = self.state_mask(lengths)
        return RationalStructure(
            self.initial_lengths,
            tuple(kept_lengths),
            n_features=self.W_u.shape[1],
            n_outputs=n_outputs,
            n_readout_parameters_per_state=int(hasattr(self, "rho")),
            n_fixed_self_loops=int((~self.learned_loops[mask]).sum()),
            all_final=self.rule.readout != "last",
        )

    def fix_self_loops(self, live: Tensor) -> None:
        """Fix the self-loops that are not live, (S,), at the weight of an empty one."""
        self.learned_loops.logical_and_(live)
        with torch.no_grad():
            self.W_f.mul_(self.learned_loops[:, None])
            self.b_f.mul_(self.learned_loops)

    def state_mask(self, kept_lengths: Sequence[int]) -> Tensor:
        """Mask, (S,), of the first ``kept_lengths`` states of each WFSA."""
        places = np.concatenate([np.arange(n) for n in (*self.lengths, 0)])
        limits = np.repeat(np.asarray(kept_lengths, dtype=int), self.lengths)
        return torch.from_numpy(places < limits).to(self.live.device)


@torch.no_grad()
def draw_uniformly(weight: Tensor, bound: float, generator: torch.Generator) -> None:
    """Fill a tensor with numbers from ``-bound`` to ``bound``, on any device alike."""
    drawn = torch.rand(weight.shape, generator=generator, dtype=torch.float64)
    weight.copy_((2 * drawn - 1) * bound)
