"""What is left of a pruned model, as a value: counted, compared, stored and drawn.

A rational recurrent network is a set of weighted finite-state automata (WFSAs), each
with its states in a line. Pruning takes states from the end of a line, so that a list
of lengths says all there is to say about the structure that was learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from numbers import Integral
from reprlib import repr as cut_repr
from typing import Any, ClassVar

import numpy as np

from skrational.structures.base import LARGEST, JSONStructure, register_structure
from skrational.structures.diff import StructureDiff
from skrational.structures.drawing import automata_dot, automata_svg
from skrational.utils.checks import is_integer

__all__ = ["RationalStructure", "StructureDiff", "spread_lengths"]

_MOST_STATES = 2**20
_RANGES = {
    "n_features": (1, LARGEST),
    "n_outputs": (0, LARGEST),
    "n_readout_parameters_per_state": (0, 1),
    "n_fixed_self_loops": (0, _MOST_STATES),
}


@register_structure
@dataclass(frozen=True, repr=False)
class RationalStructure(JSONStructure):
    """The states that pruning left of each WFSA.

    Parameters
    ----------
    initial_lengths : sequence of int, length d
        States of each WFSA before pruning, without the start, a million (2**20) in all
        at most; stored as a tuple.
    kept_lengths : sequence of int, length d
        States left of each, from the start; 0 if it was removed; stored as a tuple.
    n_features : int
        Length of the word vectors (E in the paper), at most 2**24.
    n_outputs : int
        Rows of the readout: 1 for two classes, else the number of classes, at most
        2**24. 0 of a layer that another layer of automata reads.
    n_readout_parameters_per_state : int, default=0
        1 if each state has a learned final weight.
    n_fixed_self_loops : int, default=0
        Kept states whose self-loop was removed: their E + 1 parameters don't count.
    all_final : bool, default=True
        Whether every state is final, or only the last one of each WFSA.

    Raises
    ------
    ValueError
        If a count is not an integer or out of range, or the lengths do not pair up.

    Notes
    -----
    A state owns the weights of its main path (E) and of its self-loop (E and a bias),
    the group w_g of 2E + 1 parameters that is pruned as one.

    References
    ----------
    Dodge, Schwartz, Peng, Smith (2019), "RNN architecture learning with sparse
    regularization", arXiv:1909.03011, sections 2 and 3.

    Examples
    --------
    >>> structure = RationalStructure((4, 4, 4), (2, 0, 4), n_features=300, n_outputs=1)
    >>> structure
    6 of 12 transitions in 2 of 3 WFSAs
    >>> structure.survivors, structure.lengths
    ((0, 2), (2, 4))
    >>> structure.n_parameters, structure.n_parameters_initial
    (3609, 7216)
    >>> RationalStructure.from_json(structure.to_json()) == structure
    True
    """

    initial_lengths: tuple[int, ...]
    kept_lengths: tuple[int, ...]
    n_features: int
    n_outputs: int
    n_readout_parameters_per_state: int = 0
    n_fixed_self_loops: int = 0
    all_final: bool = True

    size_name: ClassVar[str] = "transitions"
    size_label: ClassVar[str] = "main-path transitions"
    part_name: ClassVar[str] = "length"

    def __post_init__(self) -> None:
        initial = _integers("initial_lengths", self.initial_lengths, least=1)
        kept = _integers("kept_lengths", self.kept_lengths, least=0)
        if not initial:
            raise ValueError("initial_lengths is empty; expected at least one WFSA.")
        if len(kept) != len(initial):
            raise ValueError(
                f"kept_lengths has {len(kept)} WFSAs and initial_lengths has "
                f"{len(initial)}; expected a length for each, 0 for one removed."
            )
        if sum(initial) > _MOST_STATES:
            raise ValueError(
                f"initial_lengths adds up to {sum(initial):,} states; expected at most "
                f"{_MOST_STATES:,}."
            )
        for i, (here, most) in enumerate(zip(kept, initial, strict=True)):
            if here > most:
                raise ValueError(f"kept_lengths[{i}] is {here}; expected 0 to {most}.")
        adopt = object.__setattr__  # the way into a frozen dataclass
        adopt(self, "initial_lengths", initial)
        adopt(self, "kept_lengths", kept)
        for name, (least, most) in _RANGES.items():
            adopt(self, name, _integer(name, getattr(self, name), least, most))
        if not isinstance(self.all_final, (bool, np.bool_)):
            raise ValueError(
                f"all_final is {cut_repr(self.all_final)}; expected True or False."
            )
        adopt(self, "all_final", bool(self.all_final))
        if self.n_fixed_self_loops > self.n_transitions:
            raise ValueError(
                f"n_fixed_self_loops is {self.n_fixed_self_loops}; expected at most "
                f"{self.n_transitions}, one a kept state."
            )

    @property
    def lengths(self) -> tuple[int, ...]:
        """States of each WFSA that is left, in the original order."""
        return tuple(n for n in self.kept_lengths if n > 0)

    @property
    def survivors(self) -> tuple[int, ...]:
        """Original index (from 0) of each WFSA that is left."""
        return tuple(i for i, n in enumerate(self.kept_lengths) if n > 0)

    @property
    def n_wfsas(self) -> int:
        """WFSAs left."""
        return len(self.survivors)

    @property
    def n_wfsas_initial(self) -> int:
        """WFSAs before pruning."""
        return len(self.initial_lengths)

    @property
    def n_transitions(self) -> int:
        """Main-path transitions left, one for each state."""
        return sum(self.kept_lengths)

    @property
    def n_transitions_initial(self) -> int:
        """Main-path transitions before pruning."""
        return sum(self.initial_lengths)

    @property
    def size(self) -> int:
        """Main-path transitions left, as `n_transitions`."""
        return self.n_transitions

    @property
    def size_initial(self) -> int:
        """Main-path transitions before pruning, as `n_transitions_initial`."""
        return self.n_transitions_initial

    def counts(self) -> dict[str, int]:
        """Return the number of WFSAs left, by its name in tables."""
        return {"WFSAs": self.n_wfsas}

    def parts(self) -> tuple[int, ...]:
        """Return the lengths of the WFSAs left, as `lengths`."""
        return self.lengths

    def possible_parts(self) -> range:
        """Return the lengths that a WFSA can have."""
        return range(1, max(self.initial_lengths) + 1)

    @property
    def n_parameters(self) -> int:
        """Parameters left, those of the readout and its bias included."""
        fixed = self.n_fixed_self_loops * (self.n_features + 1)
        return self._count(self.n_transitions, self.n_wfsas) - fixed

    @property
    def n_parameters_initial(self) -> int:
        """Parameters before pruning."""
        return self._count(self.n_transitions_initial, self.n_wfsas_initial)

    @property
    def share_pruned(self) -> float:
        """Share of the main-path transitions that was pruned, 0 to 1."""
        return 1 - self.n_transitions / self.n_transitions_initial

    @property
    def kept_states(self) -> tuple[tuple[int, int], ...]:
        """Original WFSA (from 0) and state (from 1) of each state left."""
        return tuple(
            (i, k) for i, n in enumerate(self.kept_lengths) for k in range(1, n + 1)
        )

    def diff(self, other: RationalStructure) -> StructureDiff:
        """Compare what two structures of as many WFSAs keep.

        Parameters
        ----------
        other : RationalStructure
            "There" in the result; this structure is "here".

        Raises
        ------
        TypeError
            If ``other`` is not a RationalStructure.
        ValueError
            If the two began with different numbers of WFSAs.

        Examples
        --------
        >>> here = RationalStructure((4, 4), (4, 1), n_features=10, n_outputs=1)
        >>> there = RationalStructure((4, 4), (2, 1), n_features=10, n_outputs=1)
        >>> here.diff(there)
        1 WFSA differs, -2 transitions, -42 parameters
          WFSA 0: 4 -> 2 states
        """
        if not isinstance(other, RationalStructure):
            raise TypeError(
                f"other is a {type(other).__name__}; expected a RationalStructure."
            )
        if other.n_wfsas_initial != self.n_wfsas_initial:
            raise ValueError(
                f"other began with {other.n_wfsas_initial} WFSAs; expected "
                f"{self.n_wfsas_initial}, as many as here: they pair up by index."
            )
        pairs = zip(self.kept_lengths, other.kept_lengths, strict=True)
        return StructureDiff(
            rows=tuple((i, a, b) for i, (a, b) in enumerate(pairs) if a != b),
            n_transitions=other.n_transitions - self.n_transitions,
            n_parameters=other.n_parameters - self.n_parameters,
        )

    def to_dot(self, *, removed: bool = True) -> str:
        """Write the WFSAs as Graphviz DOT: kept states bold, removed ones dashed.

        Parameters
        ----------
        removed : bool, default=True
            Whether what was removed is there too.

        Raises
        ------
        ValueError
            If there are too many states to draw.
        """
        return automata_dot(
            self.initial_lengths,
            self.kept_lengths,
            all_final=self.all_final,
            removed=removed,
        )

    def to_svg(self, *, removed: bool = True) -> str:
        """Draw the WFSAs as an SVG document, after Fig. 1 of the paper.

        Parameters
        ----------
        removed : bool, default=True
            Whether what was removed is there too.

        Raises
        ------
        ValueError
            If there are too many states to draw.
        """
        return automata_svg(
            self.initial_lengths,
            self.kept_lengths,
            all_final=self.all_final,
            removed=removed,
            title=f"{self}{': kept states solid, removed ones dashed' * removed}",
        )

    def __repr__(self) -> str:
        return (
            f"{self.n_transitions} of {self.n_transitions_initial} transitions in "
            f"{self.n_wfsas} of {self.n_wfsas_initial} WFSAs"
        )

    def _repr_html_(self) -> str:
        try:
            picture = self.to_svg()
        except ValueError as error:  # too large to draw
            picture = f"<div>{escape(str(error))}</div>"
        return f"<div><div>{escape(repr(self))}</div>\n{picture}</div>"

    def _count(self, n_transitions: int, n_wfsas: int) -> int:
        per_state = 2 * self.n_features + 1 + self.n_readout_parameters_per_state
        return n_transitions * per_state + self.n_outputs * (n_wfsas + 1)


def _integer(name: str, value: Any, least: int, most: int) -> int:
    """Check a count.

    Parameters
    ----------
    name : str
    value : object
    least, most : int
        The counts that there may be.
    """
    if not is_integer(value) or not least <= value <= most:
        raise ValueError(
            f"{name} is {cut_repr(value)}; expected an integer from {least} to "
            f"{most:,}."
        )
    return int(value)


def _integers(name: str, values: Any, least: int) -> tuple[int, ...]:
    try:
        items = list(values)
    except TypeError:
        raise ValueError(
            f"{name} is {values!r}; expected a sequence of integers, one a WFSA."
        ) from None
    return tuple(
        _integer(f"{name}[{i}]", v, least, _MOST_STATES) for i, v in enumerate(items)
    )


def spread_lengths(n_states: int | Sequence[int], n_wfsas: int) -> tuple[int, ...]:
    """Give each automaton its number of states.

    Parameters
    ----------
    n_states : int or sequence of int
    n_wfsas : int

    Returns
    -------
    tuple of int, of length n_wfsas
        Lengths in the order of ``n_states``, as equally often as possible.

    Raises
    ------
    ValueError
        If a length isn't a positive integer or there are more lengths than automata.

    Examples
    --------
    >>> spread_lengths((1, 2, 3), 7)
    (1, 1, 1, 2, 2, 3, 3)
    """
    if isinstance(n_states, Integral):
        return (int(n_states),) * n_wfsas
    lengths = tuple(n_states)  # type: ignore[arg-type]
    positive = all(
        isinstance(n, Integral) and not isinstance(n, bool) and n >= 1 for n in lengths
    )
    if not lengths or not positive or len(lengths) > n_wfsas:
        raise ValueError(
            f"n_states must be a positive integer or a tuple of at most n_wfsas="
            f"{n_wfsas} of them; got {n_states!r}."
        )
    parts = np.array_split(np.arange(n_wfsas), len(lengths))
    counts = [len(part) for part in parts]
    return tuple(int(n) for n in np.repeat(lengths, counts))
