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
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.batches import Batch, Corpus
from skrational.groups import Groups, Part
from skrational.kernels import choose_kernel, document_scores
from skrational.kernels.cpu.layout import Layout
from skrational.kernels.cpu.prediction import Automata

__all__ = ["READOUTS", "RationalCell", "Reading"]

READOUTS = ("sum", "last", "rho", "rho_softmax")


@dataclass(frozen=True)
class Reading:
    """How the scores of an automaton's states become its score on a document.

    Attributes
    ----------
    semiring : {"plus-times", "max-plus", "max-times"}
    readout : {"sum", "last", "rho", "rho_softmax"}
        Over the states of a WFSA: their sum (all states are final), the last one, or
        weighted by learned ``sigmoid(rho)`` or ``softmax(rho)``.
    match : {"end", "anywhere"}
        Score at the last token (the paper's c_T), or of all tokens together.
    length_exponent : float
        With "anywhere" in plus-times, scores are divided by ``T ** length_exponent``.
    """

    semiring: str = "plus-times"
    readout: str = "sum"
    match: str = "anywhere"
    length_exponent: float = 0.5

    @property
    def divisor_exponent(self) -> float:
        """Power of the number of tokens by which scores are divided."""
        joined = self.match == "anywhere" and self.semiring == "plus-times"
        return self.length_exponent if joined else 0.0


class RationalCell(nn.Module):
    """Weighted finite-state automata with a linear readout.

    Parameters
    ----------
    n_features : int
        E, width of a feature row.
    lengths : sequence of int
        States of each WFSA.
    n_outputs : int
        Rows of the readout: 1 for two classes.
    reading : Reading
    dtype : torch.dtype
    origin : sequence of int or None, default=None
        Number of each WFSA in the network from which it was cut out; None: they are
        numbered through.
    """

    def __init__(
        self,
        n_features: int,
        lengths: Sequence[int],
        n_outputs: int,
        reading: Reading,
        dtype: torch.dtype = torch.float32,
        origin: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.lengths = tuple(int(n) for n in lengths)
        self.origin = tuple(range(len(lengths)) if origin is None else origin)
        self.reading = reading
        n_states, n_wfsas = sum(self.lengths), len(self.lengths)

        def parameter(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(*shape, dtype=dtype))

        self.W_u = parameter(n_states, n_features)
        self.W_f = parameter(n_states, n_features)
        self.b_f = parameter(n_states)
        if reading.readout.startswith("rho"):
            self.rho = parameter(n_states)
        self.A = parameter(n_outputs, n_wfsas)
        self.a = parameter(n_outputs)
        wfsa = np.repeat(np.arange(n_wfsas), self.lengths)
        self.register_buffer("wfsa", torch.from_numpy(wfsa), persistent=False)
        live = torch.ones(n_states, dtype=torch.bool)
        self.register_buffer("live", live, persistent=False)
        self.register_buffer("learned_loops", live.clone(), persistent=False)

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

    def forward(self, batch: Batch) -> Tensor:
        """Logits of a batch, (B, n_outputs)."""
        return self.classify(self.scores(batch))

    def classify(self, scores: Tensor) -> Tensor:
        """Logits from the WFSAs' scores, ``A s + a``."""
        return nn.functional.linear(scores, self.A, self.a)

    @torch.no_grad()
    def predict(self, corpus: Corpus) -> Tensor:
        """Logits of a whole corpus, (n, n_outputs), by the fastest way there is."""
        kernel = choose_kernel(self.A.device.type, self.reading.semiring)
        if kernel != "numba":
            return torch.cat([self(batch) for batch in corpus.batches()])
        automata = self.automata()
        if corpus.table is None:
            logits = automata.logits_of_tokens(
                corpus.features, corpus.rows, corpus.offsets
            )
        else:
            n_rows = len(corpus.table)
            table = np.empty((n_rows, automata.width), automata.A.dtype)
            automata.project(corpus.table.numpy(), np.arange(n_rows), table)
            logits = automata.logits(table, corpus.rows, corpus.offsets)
        return torch.from_numpy(logits).to(self.A.dtype)

    @torch.no_grad()
    def automata(self) -> Automata:
        """Pack the automata for prediction on the CPU, in plus-times."""
        layout = Layout.of(self.lengths)
        loops = self.learned_loops.to(self.b_f.dtype)
        weight, bias = layout.pack(
            self.W_u, self.W_f * loops[:, None], self.b_f * loops
        )
        return Automata(
            layout=layout,
            weight=weight,
            bias=bias,
            final=self.final_weights().numpy(),
            wfsa=self.wfsa.numpy(),
            A=self.A.detach().numpy().copy(),
            a=self.a.detach().numpy().copy(),
            anywhere=self.reading.match == "anywhere",
            length_exponent=self.reading.divisor_exponent,
        )

    def scores(self, batch: Batch) -> Tensor:
        """Document score of each WFSA, (B, d)."""
        if not self.lengths:
            return self.A.new_zeros(len(batch.offsets) - 1, 0)
        W_f: Tensor = self.W_f
        b_f: Tensor = self.b_f
        if not self.learned_loops.all():
            loops = self.learned_loops.to(b_f.dtype)
            W_f, b_f = W_f * loops[:, None], b_f * loops
        return document_scores(
            batch.x,
            self.W_u,
            W_f,
            b_f,
            self.final_weights(),
            batch.ids,
            batch.offsets,
            self.lengths,
            anywhere=self.reading.match == "anywhere",
            semiring=self.reading.semiring,
            length_exponent=self.reading.divisor_exponent,
        )

    def final_weights(self) -> Tensor:
        """Weight of each state in its WFSA's score, (S,)."""
        live = self.live.to(self.b_f.dtype)
        readout = self.reading.readout
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

    def kept_lengths(self, kind: str, live: NDArray[np.bool_]) -> tuple[int, ...]:
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

    def fix_self_loops(self, live: NDArray[np.bool_]) -> None:
        """Fix the self-loops that are not live at the weight of an empty one, 1/2."""
        self.learned_loops.logical_and_(torch.from_numpy(live).to(self.W_f.device))
        with torch.no_grad():
            self.W_f.mul_(self.learned_loops[:, None])
            self.b_f.mul_(self.learned_loops)

    def masked(self, kept: Sequence[int]) -> RationalCell:
        """Copy of the same shape in which states beyond ``kept`` score nothing.

        The full-size twin of `compacted`, for comparison.
        """
        twin = RationalCell(
            self.W_u.shape[1],
            self.lengths,
            len(self.A),
            self.reading,
            self.A.dtype,
            self.origin,
        )
        twin.load_state_dict(self.state_dict())
        twin.live.copy_(self._kept_mask(kept))
        twin.learned_loops.copy_(self.learned_loops)
        return twin.to(self.A.device)

    def compacted(self, kept: Sequence[int]) -> RationalCell:
        """Copy without the states beyond ``kept`` and without WFSAs of length 0.

        Its tensors are slices of this cell's, copied, so that nothing of the large
        network is kept alive.
        """
        mask = self._kept_mask(kept)
        small = RationalCell(
            self.W_u.shape[1],
            [n for n in kept if n > 0],
            len(self.A),
            self.reading,
            self.A.dtype,
            [i for i, n in zip(self.origin, kept, strict=True) if n > 0],
        ).to(self.A.device)
        small.learned_loops.copy_(self.learned_loops[mask])
        slices = self.sliced(kept, list(self.parameters()))
        with torch.no_grad():
            for parameter, values in zip(small.parameters(), slices, strict=True):
                parameter.copy_(values)
        return small

    def sliced(self, kept: Sequence[int], values: Sequence[Tensor]) -> list[Tensor]:
        """Cut out what belongs to the states in `compacted`.

        ``values`` are one tensor for each parameter, of its shape.
        """
        states = self._kept_mask(kept)
        wfsas = torch.tensor(np.asarray(kept) > 0, device=states.device)
        cuts = {"A": (slice(None), wfsas), "a": (slice(None),)}
        return [
            value.detach()[cuts.get(name, (states,))]
            for (name, _), value in zip(self.named_parameters(), values, strict=True)
        ]

    def _kept_mask(self, kept: Sequence[int]) -> Tensor:
        numbers = np.concatenate([np.arange(n) for n in (*self.lengths, 0)])
        limits = np.repeat(np.asarray(kept, dtype=int), self.lengths)
        return torch.from_numpy(numbers < limits).to(self.live.device)

    def to_arrays(self) -> dict[str, NDArray[np.floating]]:
        """Parameters as numpy copies."""
        return {
            name: tensor.detach().cpu().numpy().copy()
            for name, tensor in self.named_parameters()
        }

    @classmethod
    def from_arrays(
        cls,
        arrays: dict[str, NDArray[np.floating]],
        lengths: Sequence[int],
        reading: Reading,
        origin: Sequence[int] | None = None,
    ) -> RationalCell:
        """Rebuild a cell from `to_arrays`."""
        n_outputs = len(arrays["a"])
        cell = cls(
            arrays["W_u"].shape[1],
            lengths,
            n_outputs,
            reading,
            torch.from_numpy(arrays["a"][:0].copy()).dtype,
            origin,
        )
        with torch.no_grad():
            for name, tensor in cell.named_parameters():
                tensor.copy_(torch.from_numpy(np.array(arrays[name])))
        return cell
