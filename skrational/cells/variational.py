r"""A gated cell whose weights are drawn, of which noise drowns what isn't needed.

============= ================= ===================================================
paper         code              meaning
============= ================= ===================================================
theta         entries           N(mu, sigma^2): a weight of W_ih, W_hh or A, or a
                                group variable
mu of weights ``cell``          the cell of the means; its biases aren't drawn
z^g           ``z["gates"]``    (M,), multiplies the weights that enter a gate
z^h           ``z["neurons"]``  (H,), multiplies the weights that leave a unit
z^x           ``z["inputs"]``   (E,), multiplies the weights that leave a feature
log sigma     ``log_sigma``     by the name of what is drawn
alpha         sigma^2 / mu^2    at log alpha >= 3 what is drawn is removed
============= ================= ===================================================

All group variables multiply weights, so what is drawn is folded into the weights of the
ordinary network, :math:`W^x_{gj} z^g_g z^x_j` and so on, which one draw a batch runs.
The forerunner draws group variables anew for each document; then no document shares a
matrix product with another.

A mean of exactly 0, with a log sigma of 0, has been removed. It isn't drawn and has no
gradient, so that it stays removed.

Chirkova, Lobacheva, Vetrov, "Bayesian Compression for Natural Language Processing",
EMNLP 2018; Lobacheva, Chirkova, Vetrov, "Bayesian Sparsification of Gated Recurrent
Neural Networks", 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from skrational.cells.base import Cut, Noise, ReadoutCell
from skrational.cells.batches import Batch, Corpus
from skrational.cells.gated import GatedCell
from skrational.groups import Groups
from skrational.structures.gated import GatedStructure, StateReadout

__all__ = ["VariationalCell"]

_LOG_SIGMA = -3.0


class VariationalCell(ReadoutCell):
    """Normal posteriors of a gated cell's weights, and of variables of its groups.

    Parameters
    ----------
    cell : GatedCell
        Its weights become the means, in place.
    kinds : sequence of str
        "weights", if each weight is drawn; "gates", "neurons" and "inputs" for the
        variables of these groups, whose means begin at 1.
    """

    def __init__(self, cell: GatedCell, kinds: Sequence[str]) -> None:
        super().__init__()
        self.cell, self._kinds = cell, tuple(kinds)
        sizes = {
            "gates": cell.W_hh.shape[0],
            "neurons": cell.W_hh.shape[1],
            "inputs": cell.W_ih.shape[1],
        }
        self.z = nn.ParameterDict(
            {
                kind: nn.Parameter(cell.b.new_ones(n))
                for kind, n in sizes.items()
                if kind in kinds
            }
        )
        self.log_sigma = nn.ParameterDict(
            {
                name: nn.Parameter(torch.full_like(self._mean(name), _LOG_SIGMA))
                for kind in kinds
                for name in self._drawn(kind)
            }
        )

    @property
    def reading(self) -> StateReadout:
        """Which hidden states the readout reads."""
        return self.cell.reading

    def _drawn(self, kind: str) -> tuple[str, ...]:
        """Names of what is drawn of a kind."""
        return self.cell.weight_names if kind == "weights" else (kind,)

    def _mean(self, name: str) -> Tensor:
        mean: Tensor = self.z[name] if name in self.z else getattr(self.cell, name)
        return mean

    def _folded(self, value: Callable[[str], Tensor]) -> dict[str, Tensor]:
        """Weights, of the value for each name, multiplied by those of their groups."""
        weights = {name: value(name) for name in self.cell.weight_names}
        return self.cell.fold(weights, {kind: value(kind) for kind in self.z})

    @torch.no_grad()
    def mean_cell(self) -> GatedCell:
        """Return a cell of the means, each weight multiplied by those of its groups."""
        cell = deepcopy(self.cell)
        for name, folded in self._folded(self._mean).items():
            getattr(cell, name).copy_(folded)
        return cell

    def hidden(self, batch: Batch) -> Tensor:
        """What the readout reads of each document, by the means, (B, H)."""
        return self._hidden_by(batch, self._folded(self._mean))

    def _hidden_by(self, batch: Batch, weights: Mapping[str, Tensor]) -> Tensor:
        """What the readout would read, (B, H), if the cell had these weights."""
        named = {f"cell.{name}": value for name, value in weights.items()}
        hidden: Tensor = functional_call(_Hidden(self.cell), named, (batch,))
        return hidden

    def readout(self, hidden: Tensor) -> Tensor:
        """Outputs from hidden values, by the means."""
        A = self._folded(self._mean)["A"]
        return nn.functional.linear(hidden, A, self.cell.a)

    @torch.no_grad()
    def predict(self, corpus: Corpus) -> Tensor:
        """Outputs of a whole corpus, (n, n_outputs), by the means."""
        return self.mean_cell().predict(corpus)

    def noisy_outputs(
        self, batch: Batch, dropout: Noise, generator: torch.Generator
    ) -> Tensor:
        """Outputs of a batch, (B, n_outputs), with weights that are drawn.

        The weights of the gates and the variables of groups are drawn once, for all
        documents and times. Those of the readout are drawn for each document, as the
        normal outputs that they make.
        """
        values = {name: self._draw(name, generator) for name in self._names_of_means()}
        batch = dropout.on_features(batch, generator)
        hidden = self._hidden_by(batch, self._folded(values.__getitem__))
        hidden = dropout.on_scores(hidden, generator) * values.get("neurons", 1.0)
        outputs = nn.functional.linear(hidden, values["A"], self.cell.a)
        if "A" not in self.log_sigma:
            return outputs
        variance = nn.functional.linear(hidden.square(), self._sigma("A").square())
        # The root has no gradient at 0, which is the variance of an empty document.
        deviation = variance.clamp_min(torch.finfo(variance.dtype).tiny).sqrt()
        return outputs + deviation * _normal(outputs, generator)

    def _names_of_means(self) -> tuple[str, ...]:
        return (*self.cell.weight_names, *self.z)

    def _draw(self, name: str, generator: torch.Generator) -> Tensor:
        """Draw a parameter of the gates, or a variable; the readout isn't."""
        mean = self._mean(name)
        if name not in self.log_sigma:
            return mean
        # No gradient brings back what has been removed.
        mean = mean * (mean != 0)
        if name == "A":
            return mean
        return mean + self._sigma(name) * _normal(mean, generator)

    def _sigma(self, name: str) -> Tensor:
        """Standard deviation of what is drawn; 0 where it has been removed."""
        return self.log_sigma[name].exp() * (self._mean(name) != 0)

    def groups(self, kind: str) -> Groups:
        """Posteriors: each group is an entry of a mean and of its log sigma.

        Parameters
        ----------
        kind : str
            One of the kinds that the cell was made with, or several, joined by "+".

        Returns
        -------
        Groups
        """
        names = (name for k in kind.split("+") for name in self._drawn(k))
        return Groups.joined(
            Groups.of_entries(self._mean(name), self.log_sigma[name]) for name in names
        )

    def pruned(self, kind: str, live: NDArray[np.bool_]) -> tuple[Self, Cut | None]:
        """Return the cell without what isn't live, and how parameters are cut.

        The copy computes the same as this cell with the rest removed: its means do, and
        so does every draw.
        """
        twin = self._without(kind, live)
        mean_cell = twin.mean_cell()
        cuts = self.cell.cuts(mean_cell.remains())
        stays = {
            name: cuts[name](twin._mean(name).detach() != 0) for name in self.log_sigma
        }
        keys = [name.rpartition(".")[2] for name, _ in self.named_parameters()]

        def cut(values: Sequence[Tensor]) -> list[Tensor]:
            # An optimizer's moments, too, are 0 of what was removed.
            return [
                cuts[key](value.detach()) * stays.get(key, 1)
                for key, value in zip(keys, values, strict=True)
            ]

        small = self.blank(mean_cell.compacted()[0].structure()).to(self.cell.b.device)
        return small.set_parameters(cut(list(twin.parameters()))), cut

    def live_structure(self, kind: str, live: NDArray[np.bool_]) -> GatedStructure:
        """Return the structure that `pruned` would leave."""
        return self._without(kind, live).settled().structure()

    def _without(self, kind: str, live: NDArray[np.bool_]) -> Self:
        """Copy the cell, with the groups that aren't live set to zero."""
        twin = deepcopy(self)
        twin.groups(kind).zero_(live)
        return twin

    def settled(self) -> GatedCell:  # type: ignore[override]
        """Return the cell of the means, without what computes nothing."""
        return self.mean_cell().compacted()[0]

    def emptied(self) -> tuple[Self, Tensor]:
        """Return a copy all of whose gates are constant, and the W_ih of it."""
        cell = deepcopy(self)
        cell.cell, entrance = self.cell.emptied()
        return cell, entrance

    def set_prior(self, outputs: NDArray[np.floating]) -> None:
        """Set the bias of the readout to constant outputs, (n_outputs,)."""
        self.cell.set_prior(outputs)

    def structure(self) -> GatedStructure:
        """Return the units of this cell, and their gates."""
        return self.mean_cell().structure()

    def blank(self, structure: GatedStructure) -> Self:
        """Make a cell of a structure that reads alike, with all parameters 0."""
        cell = type(self)(self.cell.blank(structure), self._kinds)
        for parameter in cell.parameters():
            nn.init.zeros_(parameter)
        return cell


class _Hidden(nn.Module):
    """What the readout of a cell reads, as a module to be called with other weights."""

    def __init__(self, cell: GatedCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, batch: Batch) -> Tensor:
        return self.cell.hidden(batch)


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw standard normal values, on the CPU, in the shape of a tensor."""
    drawn = torch.randn(like.shape, generator=generator, dtype=like.dtype)
    return drawn.to(like.device)
