"""What is left of a gated network, as a value: which gates of which units vary.

A gate of a unit into which no weight leads any more is a constant, the activation of
its bias. A table of units by gates, with the value of each constant, says what pruning
has left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np

from skrational.structures.base import LARGEST, JSONStructure, register_structure
from skrational.structures.gate_checks import checked_constants, count, rising
from skrational.structures.gate_words import (
    GateTable,
    counted,
    memories,
    say_gate,
    table_html,
)
from skrational.utils.cached import cached_property

__all__ = ["GRUStructure", "GatedStructure", "LSTMStructure", "StateReadout"]

_RANGES = {
    "n_units_initial": (1, 2**16),
    "n_features": (1, LARGEST),
    "n_outputs": (1, LARGEST),
    "n_weights": (0, None),
    "itemsize": (1, 16),
}


@dataclass(frozen=True)
class StateReadout:
    """Which hidden states the linear readout reads of a document.

    Attributes
    ----------
    readout : {"last", "anywhere", "every"}
        The state after the last token, or the sum of those after every token, or, in a
        language model, each of these by itself.
    length_exponent : float
        The sum is divided by the number of tokens to this power.
    """

    readout: str
    length_exponent: float


@dataclass(frozen=True, repr=False)
class GatedStructure(JSONStructure):
    """The units that pruning left of a gated network, and their gates.

    Parameters
    ----------
    n_units_initial : int
        H, hidden units before pruning, at most 2**16.
    n_features : int
        E, length of a feature vector, at most 2**24.
    n_outputs : int
        Rows of the readout: 1 for two classes, else the number of classes.
    units : sequence of int
        Numbers, from 0, of the units that are left; stored as a tuple.
    constants : sequence of sequence of float or None
        For each of these units the value of each gate that is constant, None for a gate
        that varies; the gates in the order of ``gate_names``. Stored as tuples.
    inputs : sequence of int
        Numbers, from 0, of the features that a gate reads; stored as a tuple.
    n_weights : int
        Weights that aren't zero, those of the readout included.
    itemsize : int, default=4
        Bytes of a stored number.

    Raises
    ------
    ValueError
        If a count is not an integer or out of range, numbers of units or inputs aren't
        rising, or the table isn't of their shape.

    References
    ----------
    Lobacheva, Chirkova, Markovich, Vetrov (2020), "Structured sparsification of gated
    recurrent neural networks", AAAI, arXiv:1911.05585.
    """

    n_units_initial: int
    n_features: int
    n_outputs: int
    units: tuple[int, ...]
    constants: tuple[tuple[float | None, ...], ...]
    inputs: tuple[int, ...]
    n_weights: int
    itemsize: int = 4

    size_name: ClassVar[str] = "gates"
    size_label: ClassVar[str] = "gates that are not constant"
    part_name: ClassVar[str] = "unit"
    gate_names: ClassVar[tuple[str, ...]]
    """Letters of the gates, in the order in which they are stored."""
    gate_titles: ClassVar[tuple[str, ...]]
    """What the gates are called."""
    n_biases_per_unit: ClassVar[int]

    def __post_init__(self) -> None:
        adopt = object.__setattr__  # the way into a frozen dataclass
        for name, limits in _RANGES.items():
            adopt(self, name, count(name, getattr(self, name), *limits))
        adopt(self, "units", rising("units", self.units, self.n_units_initial))
        adopt(self, "inputs", rising("inputs", self.inputs, self.n_features))
        shape = len(self.units), len(self.gate_names)
        adopt(self, "constants", checked_constants(self.constants, *shape))
        most = self._most_weights()
        if self.n_weights > most:
            raise ValueError(
                f"n_weights is {self.n_weights}; expected at most {most}, as many as "
                "what is left has room for."
            )

    def _most_weights(self) -> int:
        """Weights that are stored, zeros among them."""
        n_units = len(self.units)
        return self.n_outputs * n_units + self.size * (len(self.inputs) + n_units)

    @cached_property
    def varies(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which gates vary: ndarray of shape (n_gates_of_a_unit, n_units), bool."""
        table = [[value is None for value in row] for row in self.constants]
        return np.array(table, bool).reshape(len(self.units), len(self.gate_names)).T

    @property
    def n_units(self) -> int:
        """Units left."""
        return len(self.units)

    @property
    def n_gates(self) -> int:
        """Gates that are not constant, of all units."""
        return sum(value is None for row in self.constants for value in row)

    @property
    def n_gates_initial(self) -> int:
        """Gates before pruning."""
        return len(self.gate_names) * self.n_units_initial

    @property
    def n_weights_initial(self) -> int:
        """Weights before pruning; biases don't count."""
        rows = self.n_gates_initial
        width = self.n_features + self.n_units_initial
        return rows * width + self.n_outputs * self.n_units_initial

    @property
    def n_biases(self) -> int:
        """Biases left, from which the constants follow, and those of the readout."""
        return self.n_biases_per_unit * self.n_units + self.n_outputs

    @property
    def n_biases_initial(self) -> int:
        """Biases before pruning."""
        return self.n_biases_per_unit * self.n_units_initial + self.n_outputs

    @property
    def n_parameters(self) -> int:
        """Weights and biases left, those of the readout included."""
        return self.n_weights + self.n_biases

    @property
    def size(self) -> int:
        """``n_gates``, what the sparsity is about."""
        return self.n_gates

    @property
    def size_initial(self) -> int:
        """``n_gates_initial``."""
        return self.n_gates_initial

    @property
    def is_empty(self) -> bool:
        """Whether no unit is left: units whose gates are constant still count time."""
        return not self.units

    @property
    def compression(self) -> float:
        """Weights before pruning divided by weights left, as the paper counts.

        Biases, constants and lists of what is left don't count; infinite if no weight
        is left.
        """
        if not self.n_weights:
            return float("inf")
        return self.n_weights_initial / self.n_weights

    @property
    def n_bytes(self) -> int:
        """Bytes that the fitted arrays take.

        The rows of the gates that vary over the inputs and units that are left, zeros
        among them included; biases; the readout; a byte for each gate of the table and
        four for each input that is left.
        """
        n_stored = self._most_weights() + self.n_biases
        n_index = len(self.gate_names) * self.n_units + 4 * len(self.inputs)
        return self.itemsize * n_stored + n_index

    @property
    def n_bytes_initial(self) -> int:
        """Bytes of the weights and biases before pruning."""
        return self.itemsize * (self.n_weights_initial + self.n_biases_initial)

    def gates_by_kind(self) -> dict[str, int]:
        """Count the gates that vary, by their letter."""
        counts = self.varies.sum(axis=1).tolist()
        return dict(zip(self.gate_names, counts, strict=True))

    def counts(self) -> Mapping[str, int]:
        """Return the numbers of units, inputs and weights that are left."""
        return {
            "units": self.n_units,
            "inputs": len(self.inputs),
            "weights": self.n_weights,
        }

    def parts(self) -> tuple[str, ...]:
        """Return the letters of the gates that vary, for each unit; "-" for none."""
        return tuple(
            "".join(
                letter
                for letter, value in zip(self.gate_names, row, strict=True)
                if value is None
            )
            or "-"
            for row in self.constants
        )

    def possible_parts(self) -> Sequence[str]:
        """Return all sets of gates, from none to all."""
        n = len(self.gate_names)
        chosen = (c for k in range(n + 1) for c in combinations(self.gate_names, k))
        return ["".join(letters) or "-" for letters in chosen]

    def diff(self, other: Self) -> tuple[tuple[int, str, str], ...]:
        """Say which units differ in their gates, of either structure.

        Returns
        -------
        tuple of (int, str, str)
            The number of the unit, its gates that vary here and there; "" where the
            unit is gone.
        """
        here, there = (
            dict(zip(s.units, s.parts(), strict=True)) for s in (self, other)
        )
        numbers = sorted({*here, *there})
        rows = ((k, here.get(k, ""), there.get(k, "")) for k in numbers)
        return tuple(row for row in rows if row[1] != row[2])

    def __repr__(self) -> str:
        by_kind = ", ".join(f"{k}: {n}" for k, n in self.gates_by_kind().items())
        return (
            f"{self.n_gates} of {self.n_gates_initial} gates ({by_kind}) in "
            f"{self.n_units} of {self.n_units_initial} units"
        )

    def _repr_html_(self) -> str:
        return table_html(self.reading(), self.gate_names, self._table())

    def _table(self) -> GateTable:
        return dict(zip(self.units, self.constants, strict=True))

    def to_frame(self) -> Any:
        """Return the table of units by gates, a pandas DataFrame.

        Constants are numbers; gates that vary are NaN.

        Raises
        ------
        ImportError
            If pandas isn't installed.
        """
        from skrational.utils.optional import data_frame

        table = np.array(self.constants, float).reshape(-1, len(self.gate_names))
        columns = dict(zip(self.gate_names, table.T, strict=True))
        return data_frame({"unit": list(self.units), **columns}).set_index("unit")

    def reading(self) -> str:
        """Say in words what is left: one line for each thing worth knowing.

        Returns
        -------
        str
        """
        if self.is_empty:
            return (
                f"0 of {self.n_units_initial} units are left: only the intercept "
                "decides."
            )
        are = "unit is" if self.n_units_initial == 1 else "units are"
        lines = [
            f"{self.n_units} of {self.n_units_initial} {are} left; "
            f"{self.n_gates} of {self.n_gates_initial} gates vary."
        ]
        if len(self.inputs) < self.n_features:
            lines.append(f"{len(self.inputs)} of {self.n_features} features are read.")
        columns = zip(*self.constants, strict=True)
        gates = zip(self.gate_names, self.gate_titles, columns, strict=True)
        lines += [say_gate(*gate) for gate in gates]
        return "\n".join([*lines, *self._roles()])

    def _roles(self) -> list[str]:
        """What some of the units do, told by their constants."""
        clocks = [k for k, row in self._table().items() if None not in row]
        one, many = "a clock, which counts tokens", "clocks, which count tokens"
        return counted(clocks, one, many, "no gate varies")


@register_structure
@dataclass(frozen=True, repr=False)
class LSTMStructure(GatedStructure):
    """The units that pruning left of an LSTM, and their gates.

    The gates are those of the paper, the information flow g among them: i, f, g, o.

    Examples
    --------
    >>> structure = LSTMStructure(
    ...     n_units_initial=4, n_features=50, n_outputs=1, units=(0, 3),
    ...     constants=((0.9, 0.99, None, 0.7), (None, None, None, 0.5)),
    ...     inputs=range(50), n_weights=180,
    ... )
    >>> structure
    4 of 16 gates (i: 1, f: 1, g: 2, o: 0) in 2 of 4 units
    >>> structure.parts()
    ('g', 'ifg')
    >>> print(structure.reading())
    2 of 4 units are left; 4 of 16 gates vary.
    input gate (i): varies in 1, constant in 1 (0.90).
    forget gate (f): varies in 1, constant in 1 (0.99).
    information flow (g): varies in 2.
    output gate (o): constant in 2 (0.50 to 0.70).
    1 unit is an accumulator (forget gate constant, 0.99): 0.
    >>> LSTMStructure.from_json(structure.to_json()) == structure
    True
    """

    gate_names: ClassVar[tuple[str, ...]] = ("i", "f", "g", "o")
    gate_titles: ClassVar[tuple[str, ...]] = (
        "input gate",
        "forget gate",
        "information flow",
        "output gate",
    )
    n_biases_per_unit: ClassVar[int] = 4

    def _roles(self) -> list[str]:
        forget = {k: row[1] for k, row in self._table().items() if None in row}
        return [*memories(forget), *super()._roles()]


@register_structure
@dataclass(frozen=True, repr=False)
class GRUStructure(GatedStructure):
    """The units that pruning left of a GRU, and their gates.

    r is the reset gate, z the update gate, n the candidate. A constant reset gate has
    no effect if its candidate is constant too, or hears no unit and has no bias there.

    Examples
    --------
    >>> structure = GRUStructure(
    ...     n_units_initial=4, n_features=50, n_outputs=1, units=(2,),
    ...     constants=((0.5, 0.9, None),), inputs=range(50), n_weights=52,
    ... )
    >>> structure
    1 of 12 gates (r: 0, z: 0, n: 1) in 1 of 4 units
    """

    gate_names: ClassVar[tuple[str, ...]] = ("r", "z", "n")
    gate_titles: ClassVar[tuple[str, ...]] = (
        "reset gate",
        "update gate",
        "candidate",
    )
    n_biases_per_unit: ClassVar[int] = 3

    @property
    def n_biases(self) -> int:
        """Biases left; a candidate that varies has one more."""
        return super().n_biases + int(self.varies[2].sum())

    @property
    def n_biases_initial(self) -> int:
        """Biases before pruning."""
        return super().n_biases_initial + self.n_units_initial
