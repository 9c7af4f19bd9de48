"""The protocol of a cell: what training needs of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.batches import Batch, Corpus
from skrational.groups import Groups
from skrational.structures import Structure

__all__ = ["Cell", "Cut", "copy_parameters", "parameters_as_arrays"]

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


def parameters_as_arrays(module: nn.Module) -> dict[str, NDArray[np.floating]]:
    """Return the parameters of a module, by name, as numpy copies."""
    return {
        name: tensor.detach().cpu().numpy().copy()
        for name, tensor in module.named_parameters()
    }


@torch.no_grad()
def copy_parameters(module: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Set the parameters of a module to those of `parameters_as_arrays`."""
    for name, tensor in module.named_parameters():
        tensor.copy_(torch.from_numpy(np.array(arrays[name])))
