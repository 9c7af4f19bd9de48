"""What magnitude pruning left of a recurrent network, as a value.

A mask says of each weight matrix which weights are left. Where the hidden units lie on
a manifold, their positions, the distances of their pairs and what a weight between two
of them costs tell why these are left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from reprlib import repr as cut_repr
from types import MappingProxyType
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from skrational.structures.array_values import (
    Mask,
    Numbers,
    array_from_record,
    array_record,
    mask,
    numbers,
)
from skrational.structures.base import JSONStructure, register_structure
from skrational.structures.gate_checks import count
from skrational.structures.mask_words import mask_html, say_mask
from skrational.utils.cached import cached_property

__all__ = ["MaskStructure"]

_INDEX_BYTES = 4
_OF_UNITS = {"positions": np.float64, "distances": np.float32, "costs": np.float32}


@register_structure
@dataclass(frozen=True, repr=False, eq=False)
class MaskStructure(JSONStructure):
    """The weights that pruning left of a recurrent network.

    Rows of the recurrent matrix are those of an Elman network, one for each of H hidden
    units, or of a gated one, gate by gate: 4H of an LSTM, 3H of a GRU. Column k holds
    the weights by which the others hear unit k.

    Parameters
    ----------
    masks : mapping of str to array-like of bool
        Which weights are left of each matrix, all True for one that isn't pruned:
        "W_ih" of shape (n_rows, n_features), "W_hh" of shape (n_rows, H), "A", the
        readout, of shape (n_outputs, H), and any others, such as the embedding of a
        language model. Stored read-only, as are all arrays.
    n_biases : int, default=0
        Biases of the network and of its readout; none is pruned.
    positions : array-like of shape (H, d), default=None
        Coordinates of the units, float64; None if they don't lie anywhere.
    distances : array-like of shape (H, H), default=None
        Of each pair of units, float32.
    costs : array-like of shape (H, H), default=None
        What a weight costs of each pair of units, float32: row j and column k are those
        of the weight by which unit j hears unit k.
    manifold, inhibitor : str, default=None
        What the positions lie on, and the function of distances that gave the costs.
    itemsize : int, default=4
        Bytes of a stored number.

    Raises
    ------
    ValueError
        If an array is of another shape than the recurrent matrix asks for, or holds
        what it can't, or a count is out of range.

    Notes
    -----
    ``size`` counts the weights that are left of all matrices, since a cut over all of
    them moves weights from one to another; ``sparsity`` is that of the recurrent matrix
    alone, which geometry is about.

    References
    ----------
    Mackey, Schizas, Deighton, Boothe, Maroulas (2024), "Geometric sparsification in
    recurrent neural networks", arXiv:2406.06290, section 2.

    Examples
    --------
    >>> structure = MaskStructure(
    ...     {"W_ih": np.ones((3, 2), bool), "W_hh": np.eye(3, k=1, dtype=bool),
    ...      "A": [[True, True, False]]},
    ...     positions=[[0], [1], [3]], distances=[[0, 1, 3], [1, 0, 2], [3, 2, 0]],
    ...     manifold="r1",
    ... )
    >>> structure
    2 of 9 recurrent weights, 10 of 18 weights in all
    >>> print(structure.reading())
    22.2 % of 9 recurrent weights are left: 2.
    Of the other matrices are left: 100 % of W_ih, 66.7 % of A.
    Into a unit lead 0.667 of them on average, 0 to 1.
    Manifold r1: their mean distance is 1.5, of those that are gone 1.29.
    >>> structure.links()
    (array([1, 2]), array([0, 1]))
    >>> MaskStructure.from_json(structure.to_json()) == structure
    True
    """

    masks: Mapping[str, Mask]
    n_biases: int = 0
    positions: Numbers | None = None
    distances: Numbers | None = None
    costs: Numbers | None = None
    manifold: str | None = None
    inhibitor: str | None = None
    itemsize: int = 4

    size_name: ClassVar[str] = "weights"
    size_label: ClassVar[str] = "weights that are left"
    part_name: ClassVar[str] = "in-degree"

    def __post_init__(self) -> None:
        adopt = object.__setattr__  # the way into a frozen dataclass
        adopt(self, "masks", _checked_masks(self.masks))
        adopt(self, "n_biases", count("n_biases", self.n_biases, 0, None))
        adopt(self, "itemsize", count("itemsize", self.itemsize, 1, 16))
        n = self.n_units_initial
        for name, shape, least in (
            ("positions", (n, None), -np.inf),
            ("distances", (n, n), 0.0),
            ("costs", (n, n), 0.0),
        ):
            if (value := getattr(self, name)) is not None:
                dtype = _OF_UNITS[name]
                adopt(self, name, numbers(name, value, shape, dtype, least))
        for name in ("manifold", "inhibitor"):
            if not isinstance(value := getattr(self, name), str | None):
                raise ValueError(f"{name} is {cut_repr(value)}; expected a name.")

    @property
    def mask(self) -> Mask:
        """Which recurrent weights are left: ndarray of shape (n_rows, H), bool."""
        return self.masks["W_hh"]

    @property
    def n_units_initial(self) -> int:
        """H, hidden units before pruning."""
        return self.mask.shape[1]

    @property
    def n_gates_per_unit(self) -> int:
        """Rows that the recurrent matrix has for each unit: 4 of an LSTM."""
        return len(self.mask) // self.n_units_initial

    @property
    def n_features(self) -> int:
        """Length of a feature vector."""
        return self.masks["W_ih"].shape[1]

    @property
    def n_outputs(self) -> int:
        """Rows of the readout."""
        return len(self.masks["A"])

    @cached_property
    def units(self) -> tuple[int, ...]:
        """Numbers of the units whose state reaches the readout, by itself or others."""
        hears = np.logical_or.reduce(self._mask_of_units(), axis=0)
        reaches = np.logical_or.reduce(self.masks["A"], axis=0)
        while (hears[reaches].any(axis=0) & ~reaches).any():
            reaches = reaches | hears[reaches].any(axis=0)
        return tuple(np.flatnonzero(reaches).tolist())

    @property
    def n_units(self) -> int:
        """Units whose state reaches the readout."""
        return len(self.units)

    @property
    def n_links(self) -> int:
        """Recurrent weights that are left."""
        return int(self.mask.sum())

    @property
    def n_links_initial(self) -> int:
        """Recurrent weights before pruning."""
        return self.mask.size

    @property
    def density(self) -> float:
        """Share of the recurrent weights that is left, 0 to 1."""
        return self.n_links / self.n_links_initial

    @property
    def sparsity(self) -> float:
        """Share of the recurrent weights that is gone, 0 to 1."""
        return 1 - self.density

    @property
    def size(self) -> int:
        """Weights that are left, of all matrices."""
        return sum(int(mask.sum()) for mask in self.masks.values())

    @property
    def size_initial(self) -> int:
        """Weights before pruning."""
        return sum(mask.size for mask in self.masks.values())

    @property
    def is_empty(self) -> bool:
        """Whether no unit reaches the readout, so that only the intercept decides."""
        return not self.units

    @property
    def n_parameters(self) -> int:
        """Weights and biases left."""
        return self.size + self.n_biases

    @property
    def n_bytes(self) -> int:
        """Bytes of the weights and biases in the smallest form.

        A matrix is stored as compressed sparse rows (CSR), with indices of four bytes,
        or dense if that takes fewer.
        """
        sizes = (
            min(_csr_bytes(mask, self.itemsize), self.itemsize * mask.size)
            for mask in self.masks.values()
        )
        return sum(sizes) + self.itemsize * self.n_biases

    @property
    def n_bytes_initial(self) -> int:
        """Bytes of the weights and biases before pruning."""
        return self.itemsize * (self.size_initial + self.n_biases)

    def counts(self) -> Mapping[str, int]:
        """Return the numbers of units that reach the readout, and of links."""
        return {"units": self.n_units, "links": self.n_links}

    def links(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the units between which a recurrent weight is left.

        Returns
        -------
        sources, targets : ndarrays of shape (n_links,)
            The unit that is heard and the one that hears it, in the order of
            ``W_hh[mask]``; in a gated network a pair may stand there once for each
            gate.
        """
        rows, sources = np.nonzero(self.mask)
        return sources, rows % self.n_units_initial

    def link_distances(self) -> tuple[Numbers, Numbers]:
        """Return between which distances recurrent weights are left, and are gone.

        Returns
        -------
        left, gone : ndarrays of shape (n_links,) and (n_links_initial - n_links,)

        Raises
        ------
        ValueError
            If the structure has no distances.
        """
        if self.distances is None:
            raise ValueError("The structure has no distances: distances is None.")
        links = self._mask_of_units()
        of_links = np.broadcast_to(self.distances, links.shape)
        return of_links[links], of_links[~links]

    def in_degrees(self) -> NDArray[np.intp]:
        """Count the recurrent weights into each unit, of all its gates: (H,)."""
        return self._mask_of_units().sum(axis=(0, 2))

    def parts(self) -> tuple[int, ...]:
        """Return the in-degree of each unit that reaches the readout, in powers of two.

        It is the number of recurrent weights into the unit, rounded down to 0, 1, 2, 4,
        8, ...: units of 9 and of 10 weights are alike.
        """
        degrees = self.in_degrees()[list(self.units)].tolist()
        return tuple(1 << n.bit_length() >> 1 for n in degrees)

    def possible_parts(self) -> Sequence[int]:
        """Return the in-degrees that a unit can have, in powers of two."""
        return [0, *(1 << k for k in range(len(self.mask).bit_length()))]

    def diff(self, other: Self) -> tuple[tuple[str, int, int], ...]:
        """Say of which matrices another structure keeps other weights.

        Returns
        -------
        tuple of (str, int, int)
            The name of the matrix, and how many weights are left only here and only
            there.

        Raises
        ------
        TypeError
            If ``other`` is not a MaskStructure.
        ValueError
            If it is of other matrices.
        """
        if not isinstance(other, MaskStructure):
            raise TypeError(
                f"other is a {type(other).__name__}; expected a MaskStructure."
            )
        here, there = ({k: m.shape for k, m in s.masks.items()} for s in (self, other))
        if here != there:
            raise ValueError(f"other has the matrices {there}; expected {here}.")
        pairs = [(name, m, other.masks[name]) for name, m in self.masks.items()]
        rows = [(name, int((a > b).sum()), int((b > a).sum())) for name, a, b in pairs]
        return tuple(row for row in rows if any(row[1:]))

    def reading(self) -> str:
        """Say in words what is left: one line for each thing worth knowing.

        Returns
        -------
        str
        """
        return say_mask(self)

    def _mask_of_units(self) -> Mask:
        """Recurrent mask of each gate: (n_gates_per_unit, H, H), target by source."""
        n = self.n_units_initial
        return self.mask.reshape(-1, n, n)

    def __repr__(self) -> str:
        return (
            f"{self.n_links} of {self.n_links_initial} recurrent weights, "
            f"{self.size} of {self.size_initial} weights in all"
        )

    def _repr_html_(self) -> str:
        return mask_html(self)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._content() == cast(Self, other)._content()

    def __hash__(self) -> int:
        return hash(frozenset((name, m.tobytes()) for name, m in self.masks.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        # Arrays come out of a pickle writeable, and a view of a mapping not at all.
        return self.from_json, (self.to_json(),)

    def __getstate__(self) -> dict[str, Any]:  # for skops
        return self._content()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(vars(self._of_content(state)))

    def _content(self) -> dict[str, Any]:
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        content["masks"] = {k: array_record(m) for k, m in self.masks.items()}
        for name in _OF_UNITS:
            if content[name] is not None:
                content[name] = array_record(content[name])
        return content

    @classmethod
    def _of_content(cls, content: dict[str, Any]) -> Self:
        masks = {
            name: array_from_record(f"masks[{name!r}]", record, bool)
            for name, record in content["masks"].items()
        }
        arrays = {
            name: array_from_record(name, content[name], dtype)
            for name, dtype in _OF_UNITS.items()
            if content[name] is not None
        }
        return cls(**{**content, **arrays, "masks": masks})


def _checked_masks(masks: Any) -> Mapping[str, Mask]:
    """Copy masks, and check that their shapes go together."""
    if not isinstance(masks, Mapping) or not {"W_ih", "W_hh", "A"} <= set(masks):
        raise ValueError(
            f"masks is {cut_repr(masks)}; expected a mapping with W_ih, W_hh and A."
        )
    copies = {str(name): mask(f"masks[{name!r}]", m) for name, m in masks.items()}
    n_rows, n_units = copies["W_hh"].shape
    for name, axis, length, expected in (
        ("W_hh", 0, -(-n_rows // n_units) * n_units, "a multiple of its columns"),
        ("W_ih", 0, n_rows, "as many as of W_hh"),
        ("A", 1, n_units, "as many as of W_hh"),
    ):
        if (found := copies[name].shape[axis]) != length:
            raise ValueError(
                f"masks[{name!r}] has {found} {('rows', 'columns')[axis]}; expected "
                f"{expected}, such as {length}."
            )
    return MappingProxyType(copies)


def _csr_bytes(mask: Mask, itemsize: int) -> int:
    """Bytes of the weights, of their columns and of where each row starts."""
    n_left = int(mask.sum())
    return n_left * (itemsize + _INDEX_BYTES) + (len(mask) + 1) * _INDEX_BYTES
