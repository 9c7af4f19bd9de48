r"""Automata in layers: the second layer reads the scores of the first, token by token.

========= ============================== ============== ==============================
paper     code                           shape          meaning
========= ============================== ============== ==============================
x_t       row of ``x``                   (E,)           word vector of token t
s_t^1     ``layer1.token_scores``        (n_tokens,     score of each WFSA of the first
                                         d_1)           layer after token t: the sum
                                                        of all paths that end there
x_t^2     the same                       (d_1,)         what the second layer reads
s^2       ``layer2.document_scores``     (B, d_2)       scores on whole documents
w_g       row of ``W_u``, ``W_f``,       (2E + 1,) or   all that enters a state: one
          ``b_f`` of a layer             (2 d_1 + 1,)   group; that of a state of the
                                                        second layer has its weights
                                                        on automata of the first
A, a      ``A``, ``a``                   (n_outputs,    logits = A s^2 + a
                                         d_2)
========= ============================== ============== ==============================

Within a layer all is as in `skrational.cells.rational`. Dodge, Schwartz, Peng, Smith,
"RNN Architecture Learning with Sparse Regularization", EMNLP 2019, section 2: "equally
applicable to multi-layer models"; that the next layer reads the score of each token is
from their code.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.automata import Automata, draw_uniformly
from skrational.cells.base import Cut, ReadoutCell
from skrational.cells.batches import Batch
from skrational.groups import Groups
from skrational.structures.automata import ScoringRule
from skrational.structures.layered import LayeredStructure

__all__ = ["LayeredCell"]

Lengths = tuple[tuple[int, ...], ...]
"""States of each WFSA, for each layer."""


class LayeredCell(ReadoutCell):
    """Layers of weighted finite-state automata with a linear readout of the last.

    Parameters
    ----------
    layers : sequence of Automata, at least two
        From the first layer on; each reads as many features as the one before it has
        automata.
    n_outputs : int
        Rows of the readout: 1 for two classes.
    """

    def __init__(self, layers: Sequence[Automata], n_outputs: int) -> None:
        super().__init__()
        for number, layer in enumerate(layers, 1):
            self.add_module(f"layer{number}", layer)
        like = layers[-1].W_u
        self.A = nn.Parameter(like.new_zeros(n_outputs, len(layers[-1].lengths)))
        self.a = nn.Parameter(like.new_zeros(n_outputs))

    @property
    def layers(self) -> tuple[Automata, ...]:
        """The layers, from the first on."""
        return cast(tuple[Automata, ...], tuple(self.children()))

    @property
    def rule(self) -> ScoringRule:
        """How scores are made; ``match`` is about the last layer."""
        return self.layers[-1].rule

    @classmethod
    def dense(
        cls,
        n_features: int,
        lengths: Lengths,
        n_outputs: int,
        rule: ScoringRule,
        dtype: torch.dtype = torch.float32,
    ) -> LayeredCell:
        """Make a cell that hasn't been pruned, with all parameters 0.

        Parameters
        ----------
        n_features : int
            E, width of a feature row.
        lengths : tuple of tuple of int
            States of each WFSA, for each layer.
        n_outputs : int
        rule : ScoringRule
        dtype : torch.dtype
        """
        widths = (n_features, *map(len, lengths))
        layers = [
            Automata(width, of_layer, rule, dtype)
            for width, of_layer in zip(widths, lengths, strict=False)
        ]
        return cls(layers, n_outputs)

    @classmethod
    def of_structure(
        cls, structure: LayeredStructure, rule: ScoringRule, dtype: torch.dtype
    ) -> LayeredCell:
        """Make a cell of a structure, with all parameters 0."""
        layers = [
            Automata(
                layer.n_features,
                layer.lengths,
                rule,
                dtype,
                layer.survivors,
                layer.initial_lengths,
            )
            for layer in structure.layers
        ]
        return cls(layers, structure.n_outputs)

    def blank(self, structure: LayeredStructure) -> LayeredCell:
        """Make a cell of a structure that scores alike, with all parameters 0."""
        return self.of_structure(structure, self.rule, self.A.dtype)

    def initialize(self, generator: torch.Generator) -> LayeredCell:
        """Draw the weights of each layer as those of a single one."""
        for layer in self.layers:
            layer.draw_weights(generator)
        draw_uniformly(self.A, max(self.A.shape[1], 1) ** -0.5, generator)
        return self

    def hidden(self, batch: Batch) -> Tensor:
        """Document score of each WFSA of the last layer, (B, d)."""
        *below, last = self.layers
        if not last.lengths:
            return self.A.new_zeros(len(batch.offsets) - 1, 0)
        for layer in below:
            batch = _read_by_next(layer.token_scores(batch), batch)
        return last.document_scores(batch)

    def final_weights(self) -> Tensor:
        """Weight of each state in its WFSA's score, layer after layer."""
        return torch.cat([layer.final_weights() for layer in self.layers])

    def groups(self, kind: str) -> Groups:
        """Groups that the penalty drops together: those of the layers, one by one.

        Parameters
        ----------
        kind : {"states", "wfsas", "transitions"}
            As `skrational.cells.automata.Automata.groups` has them.
        """
        return Groups.joined(layer.groups(kind) for layer in self.layers)

    def pruned(
        self, kind: str, live: NDArray[np.bool_]
    ) -> tuple[LayeredCell, Cut | None]:
        """Slice out what is left if only the live groups of a kind remain.

        An automaton that no state of the next layer reads goes as well, and so do
        states that nothing enters, as the automata that they read are gone; see
        `kept_lengths`.
        """
        kept = self.kept_lengths(kind, live)
        small = self.blank(self._structure_of(kept)).to(self.A.device)
        small.set_parameters(self._sliced(kept, list(self.parameters())))
        loops = self._live_loops(kind, live)
        for layer, own, lengths, alive in zip(
            self.layers, small.layers, kept, loops, strict=True
        ):
            own.fix_self_loops(alive[layer.state_mask(lengths)])
        return small, lambda values: self._sliced(kept, values)

    def live_structure(self, kind: str, live: NDArray[np.bool_]) -> LayeredStructure:
        """Return the structure that `pruned` would leave, but for fixed self-loops."""
        return self._structure_of(self.kept_lengths(kind, live))

    def structure(self) -> LayeredStructure:
        """Return the states that are left of each WFSA."""
        return self._structure_of(tuple(layer.lengths for layer in self.layers))

    def kept_lengths(self, kind: str, live: NDArray[np.bool_]) -> Lengths:
        """Lengths of the WFSAs of each layer when only the live groups remain.

        Up to a fixed point, an automaton goes that no state of the next layer reads,
        and in plus-times a state whose main path reads no automaton that is left: its
        weight is then 0. Where a layer is empty, all layers are.
        """
        kept = tuple(
            layer.lengths_of_live(kind, own)
            for layer, own in zip(self.layers, self._by_layer(kind, live), strict=True)
        )
        loops = self._live_loops(kind, live)
        while True:
            trimmed = self._trimmed(kept, loops)
            if trimmed == kept:
                return kept
            kept = trimmed

    def _trimmed(self, kept: Lengths, loops: Sequence[Tensor]) -> Lengths:
        """Take away once what isn't read, and what isn't entered.

        ``loops`` are masks of the self-loops that live, (S,), of each layer.
        """
        if not all(map(any, kept)):
            return tuple((0,) * len(lengths) for lengths in kept)
        new = [list(lengths) for lengths in kept]
        for i, above in enumerate(self.layers[1:]):
            is_left = torch.tensor(kept[i]) > 0
            enters = (above.W_u.detach() != 0).cpu() & is_left
            loops_read = (above.W_f.detach() != 0).cpu() & loops[i + 1].cpu()[:, None]
            mask = above.state_mask(kept[i + 1]).cpu()
            is_read = (enters | loops_read)[mask].any(dim=0).tolist()
            new[i] = [n * read for n, read in zip(new[i], is_read, strict=True)]
            if self.rule.semiring != "plus-times":
                continue  # a transition that reads nothing has a weight there
            entered = enters.any(dim=1).numpy()
            reached = above.lengths_of_live("states", entered)
            new[i + 1] = list(map(min, new[i + 1], reached))
        return tuple(map(tuple, new))

    def _by_layer(self, kind: str, live: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
        """Split a mask of the groups of all layers."""
        sizes = [layer.groups(kind).n_groups for layer in self.layers]
        return np.split(live, np.cumsum(sizes)[:-1])

    def _live_loops(self, kind: str, live: NDArray[np.bool_]) -> list[Tensor]:
        """Masks of the self-loops, (S,), that are learned and stay so, by layer."""
        loops = [layer.learned_loops for layer in self.layers]
        if kind != "transitions":
            return loops
        return [
            own & torch.from_numpy(alive[len(own) :]).to(own.device)
            for own, alive in zip(loops, self._by_layer(kind, live), strict=True)
        ]

    def _sliced(self, kept: Lengths, values: Sequence[Tensor]) -> list[Tensor]:
        """Cut out what belongs to the states that are kept.

        ``values`` are one tensor for each parameter, of its shape.
        """
        masks = [v.state_mask(n) for v, n in zip(self.layers, kept, strict=True)]
        automata = [torch.tensor(n, device=self.a.device) > 0 for n in kept]
        cut = []
        for (name, _), value in zip(self.named_parameters(), values, strict=True):
            layer, _, own_name = name.removeprefix("layer").partition(".")
            if not own_name:
                cut.append(value.detach()[:, automata[-1]] if name == "A" else value)
                continue
            part = value.detach()[masks[int(layer) - 1]]
            reads = own_name in ("W_u", "W_f") and layer != "1"
            cut.append(_columns(part, automata[int(layer) - 2]) if reads else part)
        return cut

    def _structure_of(self, kept: Lengths) -> LayeredStructure:
        n_outputs = [0] * (len(kept) - 1) + [len(self.a)]
        parts = [
            layer.structure_of(lengths, n)
            for layer, lengths, n in zip(self.layers, kept, n_outputs, strict=True)
        ]
        for i, below in enumerate(parts[:-1]):
            parts[i + 1] = replace(parts[i + 1], n_features=max(below.n_wfsas, 1))
        return LayeredStructure(tuple(parts))

    def emptied(self) -> tuple[LayeredCell, Tensor]:
        """Return a copy whose last layer is empty, and the W_u of that.

        Layers below it stay: of what nobody reads there is no gradient.
        """
        cell = deepcopy(self)
        last = cell.layers[-1]
        with torch.no_grad():
            for weight in (last.W_u, last.W_f, last.b_f):
                weight.zero_()
        if last.rule.readout == "last":
            last.rule = replace(last.rule, readout="sum")
        return cell, last.W_u

    def masked(self, kept: Lengths) -> LayeredCell:
        """Copy of the same shape in which states beyond the kept ones score nothing."""
        twin = deepcopy(self)
        for layer, lengths in zip(twin.layers, kept, strict=True):
            layer.live.copy_(layer.state_mask(lengths))
        return twin

    @classmethod
    def from_arrays(
        cls,
        arrays: dict[str, NDArray[Any]],
        structure: LayeredStructure,
        rule: ScoringRule,
    ) -> LayeredCell:
        """Rebuild a cell from `to_arrays`."""
        dtype = torch.from_numpy(arrays["a"][:0].copy()).dtype
        return cls.of_structure(structure, rule, dtype).set_arrays(arrays)


def _columns(value: Tensor, read: Tensor) -> Tensor:
    """Columns of what is read; one of zeros if nothing is."""
    return value[:, read] if read.any() else value.new_zeros(len(value), 1)


def _read_by_next(scores: Tensor, batch: Batch) -> Batch:
    """What the next layer reads: each token has a row of its own."""
    ids = np.arange(len(scores), dtype=np.int32)
    return Batch(scores, ids, batch.offsets)
