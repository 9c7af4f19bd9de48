"""The protocol of a cell: what training needs of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.batches import Batch, Corpus
from skrational.groups import Groups
from skrational.kernels import batch_loss as kernels_batch_loss
from skrational.kernels.cpu.losses import Targets
from skrational.structures import Structure

__all__ = ["BatchLoss", "Cell", "Cut", "Learner", "Noise", "ReadoutCell"]

Learner: TypeAlias = Callable[[Batch, "BatchLoss"], float | Tensor]

Cut: TypeAlias = Callable[[Sequence[Tensor]], list[Tensor]]
"""Takes a tensor of the shape of each parameter; returns what pruning leaves of it."""


class Cell(Protocol):
    """A recurrent network with a linear readout; also a `torch.nn.Module`.

    Its prose is a glossary that ties every symbol to the paper. It knows its groups and
    its structure, so that loop, penalties and pruners need not know what it is.
    """

    # Of torch.nn.Module.
    def parameters(self) -> Iterator[nn.Parameter]: ...  # noqa: D102
    def state_dict(self) -> Any: ...  # noqa: D102
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any: ...  # noqa: D102
    def to(self, device: Any) -> Self: ...  # noqa: D102

    def hidden(self, batch: Batch) -> Tensor:
        """Return what the readout reads of each document, (B, d)."""
        ...

    def readout(self, hidden: Tensor) -> Tensor:
        """Return the outputs, (B, n_outputs), for hidden values that may have noise."""
        ...

    def predict(self, corpus: Corpus) -> Tensor:
        """Return the outputs of a whole corpus, (n, n_outputs), without gradients."""
        ...

    def predict_parts(self, corpus: Corpus) -> Iterator[tuple[slice, Tensor]]:
        """Yield stretches of documents with their outputs, until all have come."""
        ...

    def groups(self, kind: str) -> Groups:
        """Return the groups of a kind; the parameters themselves, not views."""
        ...

    def pruned(self, kind: str, live: NDArray[np.bool_]) -> tuple[Self, Cut | None]:
        """Return the cell without the groups of a kind that aren't live.

        Parameters
        ----------
        kind : str
        live : ndarray of shape (n_groups,), bool

        Returns
        -------
        cell : Cell
            A smaller copy that keeps nothing of the large tensors alive; or this cell
            itself, where pruned weights stay as zeros: training then keeps them zero.
        cut : Cut or None
            Cuts an optimizer's moments as the parameters were cut; None where they
            begin anew.
        """
        ...

    def live_structure(self, kind: str, live: NDArray[np.bool_]) -> Structure:
        """Return the structure that `pruned` would leave."""
        ...

    def noisy_outputs(
        self, batch: Batch, dropout: Noise, generator: torch.Generator
    ) -> Tensor:
        """Return the outputs of a batch in training, (B, n_outputs).

        Parameters
        ----------
        batch : Batch
        dropout : Noise
            On features and on what the readout reads.
        generator : torch.Generator
            On the CPU; draws whatever noise there is.
        """
        ...

    def learner(self, dropout: Noise, generator: torch.Generator) -> Learner:
        """Return what adds the gradients of batches to those of the parameters.

        It is called with a batch and its `BatchLoss`, and returns the loss. It serves
        as long as nobody puts other tensors in the place of parameters and gradients.

        Parameters
        ----------
        dropout, generator
            As for `noisy_outputs`.
        """
        ...

    def constrained(self) -> Iterable[nn.Parameter]:
        """Return parameters that are no weights, but points of a set, as of a sphere.

        Weight decay leaves them alone.
        """
        ...

    def after_step(self) -> None:
        """Bring them back to their set, in place, after a step of the optimizer."""
        ...

    def settled(self) -> Cell:
        """Return the cell without what served to learn its structure only.

        This cell itself, if there is no such thing; or, of one whose weights are drawn,
        a cell of their means.
        """
        ...

    unstructured: tuple[str, ...]
    """Kinds of groups of which dead ones stay, as zeros, in a cell that was cut: what
    remains after pruning holds them at zero."""

    def emptied(self) -> tuple[Self, Tensor]:
        """Return a copy whose prunable weights are zero, as if all had been pruned.

        Returns
        -------
        cell : Cell
        entrance : Tensor of shape (n_units, ...)
            The parameter of it through which its units grow again, a row for each: a
            penalty above the norms of its rows' gradients keeps them empty.
        """
        ...

    def set_prior(self, outputs: NDArray[np.floating]) -> None:
        """Set the bias of the readout to constant outputs, (n_outputs,)."""
        ...

    def structure(self) -> Structure:
        """Return what is left of the network."""
        ...

    def blank(self, structure: Any) -> Self:
        """Return a cell like this one, of a structure, on the CPU, all parameters 0."""
        ...

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the parameters as numpy copies.

        Those of the readout are called ``A``, (n_outputs, d), and ``a``, (n_outputs,).
        """
        ...

    def set_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Set the parameters to those of `to_arrays`, and return this cell."""
        ...


class Noise(Protocol):
    """Dropout as a cell sees it; see `skrational.training.noise.Dropout`."""

    def on_features(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Drop words and columns of a batch."""
        ...

    def on_scores(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        """Drop some of what the readout reads, (B, d)."""
        ...


class BatchLoss(kernels_batch_loss.BatchLoss, Protocol):
    """The loss of a batch as a cell sees it; see `skrational.training.losses`."""

    @property
    def compiles(self) -> bool:
        """Whether it is one of the compiled losses, of one output for each document."""
        ...

    def compiled(self) -> Targets:
        """Return the targets for the compiled losses."""
        ...


class ReadoutCell(nn.Module):
    """What cells have in common: parameters as arrays, and the linear readout.

    A subclass makes its own parameters, then ``A`` (n_outputs, d) and ``a``
    (n_outputs,), and computes `Cell.hidden`.
    """

    A: nn.Parameter
    a: nn.Parameter
    hidden: Callable[[Batch], Tensor]
    unstructured: tuple[str, ...] = ()

    def forward(self, batch: Batch) -> Tensor:
        """Outputs of a batch, (B, n_outputs)."""
        return self.readout(self.hidden(batch))

    def readout(self, hidden: Tensor) -> Tensor:
        """Outputs from hidden values, ``A s + a``."""
        return nn.functional.linear(hidden, self.A, self.a)

    def noisy_outputs(
        self, batch: Batch, dropout: Noise, generator: torch.Generator
    ) -> Tensor:
        """Outputs of a batch with dropout, (B, n_outputs)."""
        hidden = self.hidden(dropout.on_features(batch, generator))
        return self.readout(dropout.on_scores(hidden, generator))

    def learner(self, dropout: Noise, generator: torch.Generator) -> Learner:
        """Return what adds the gradients of batches to those of the parameters."""

        def learn(batch: Batch, loss: BatchLoss) -> Tensor:
            value = loss(self.noisy_outputs(batch, dropout, generator))
            value.backward()
            return value.detach()

        return learn

    def constrained(self) -> Iterable[nn.Parameter]:
        """Return nothing: all parameters are weights."""
        return ()

    def after_step(self) -> None:
        """Do nothing."""

    def settled(self) -> Self:
        """Return this cell."""
        return self

    @torch.no_grad()
    def predict(self, corpus: Corpus) -> Tensor:
        """Outputs of a whole corpus, (n, n_outputs)."""
        return torch.cat([self(batch) for batch in corpus.batches()])

    def predict_parts(self, corpus: Corpus) -> Iterator[tuple[slice, Tensor]]:
        """Yield all documents, with their outputs, at once."""
        yield slice(None), self.predict(corpus)

    @torch.no_grad()
    def set_prior(self, outputs: NDArray[np.floating]) -> None:
        """Set the bias of the readout to constant outputs, (n_outputs,)."""
        self.a.copy_(torch.from_numpy(outputs))

    def cut(
        self, values: Iterable[Tensor], rows: Tensor, units: Tensor
    ) -> list[Tensor]:
        """Cut out what belongs to some of the units.

        Parameters
        ----------
        values : iterable of Tensor
            One for each parameter, of its shape.
        rows : Tensor of bool
            Mask of the rows that stay of all parameters but the readout's.
        units : Tensor of shape (d,), bool
            Mask of the units, which are the columns of A.

        Returns
        -------
        list of Tensor
        """
        cuts = {"A": (slice(None), units), "a": (slice(None),)}
        return [
            value.detach()[cuts.get(name, (rows,))]
            for (name, _), value in zip(self.named_parameters(), values, strict=True)
        ]

    @torch.no_grad()
    def set_parameters(self, values: Iterable[Tensor]) -> Self:
        """Copy values, one for each parameter, into this cell, and return it."""
        for parameter, value in zip(self.parameters(), values, strict=True):
            if parameter.shape != value.shape:
                raise ValueError(
                    f"{type(self).__name__} has a parameter of the shape "
                    f"{tuple(parameter.shape)}; got values of {tuple(value.shape)}."
                )
            parameter.copy_(value)
        return self

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the parameters, by name, as numpy copies."""
        return {
            name: tensor.detach().cpu().numpy().copy()
            for name, tensor in self.named_parameters()
        }

    def set_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Set the parameters to those of `to_arrays`, and return this cell."""
        named = (np.array(arrays[name]) for name, _ in self.named_parameters())
        return self.set_parameters(map(torch.from_numpy, named))
