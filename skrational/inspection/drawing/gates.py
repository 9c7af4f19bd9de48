"""Which gates of a gated network vary, and what the others are, as a picture."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skrational.inspection.drawing.artists import set_up_axes, write
from skrational.inspection.model import open_any_model
from skrational.structures.gated import GatedStructure
from skrational.utils.figures import COLOURS, check_drawable

__all__ = ["GateDisplay"]

# Inches in a figure of its own.
_ROW, _CELL = 0.22, 0.42
_NUMBER, _WEIGHT = 0.45, 0.48
_GAP, _EDGE = 0.35, 0.05
_HEAD, _CAPTION_ROOM, _TITLE = 0.25, 0.6, 0.4
_MIN_WIDTH = 5.2

_FEW_ROWS = 16
_HEIGHT_TO_WIDTH = 0.8
_FONT_SIZE = 7.0
_DARKEST = 0.55
_POSITIVE, _NEGATIVE = COLOURS[:2]
_VARYING, _HATCH = COLOURS[4], "////"
_CAPTION = (
    "hatched: varies with the tokens · number: constant, blue above 0, vermilion below",
    "weight: in the readout",
)
_OF_CLASSES = ", for the class where it is largest"


class GateDisplay:
    """Draw the gates of the units that pruning has left of a gated network.

    A row is a unit, with its number before pruning; a column is a gate. A gate that
    varies with the tokens is hatched; of a constant one the value is written, on a
    ground that is the darker, the further it is from 0. Units whose same gates vary
    stand together, those of most gates first and, among them, those of the largest
    weight in the readout.

    Parameters
    ----------
    structure : GatedStructure
        A classifier's ``learned_structure_``.
    coef : array-like of shape (n_outputs, n_units), default=None
        Weights of the readout, such as a classifier's ``coef_``. None: they aren't
        shown, and units of the same gates are in the order of their numbers.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    order_ : list of int
        The places of the rows' units in ``structure.units``, from the top.
    varying_, constant_ : list of Rectangle
        The cells, unit by unit in that order.
    values_ : list of Annotation
        What is written in the constant cells.

    Raises
    ------
    TypeError
        If the structure is something else.
    ValueError
        If ``coef`` isn't of the shape of the readout.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from skrational.structures.gated import LSTMStructure
    >>> structure = LSTMStructure(
    ...     n_units_initial=4, n_features=50, n_outputs=1, units=(0, 3),
    ...     constants=((0.9, 0.99, None, 0.7), (None, None, None, 0.5)),
    ...     inputs=range(50), n_weights=180,
    ... )
    >>> display = GateDisplay(structure).plot(ax=Figure().subplots())
    >>> display.order_, len(display.varying_), len(display.constant_)
    ([1, 0], 4, 4)
    """

    def __init__(
        self, structure: GatedStructure, coef: ArrayLike | None = None
    ) -> None:
        if not isinstance(structure, GatedStructure):
            raise TypeError(
                f"structure is a {type(structure).__name__}; expected a "
                "GatedStructure, such as the learned_structure_ of a "
                "SparseLSTMClassifier. StructureDisplay draws a RationalStructure."
            )
        self.structure = structure
        self.coef = None if coef is None else np.array(coef, float)
        shape = structure.n_outputs, structure.n_units
        if self.coef is not None and self.coef.shape != shape:
            raise ValueError(f"coef has shape {self.coef.shape}; expected {shape}.")

    def plot(self, ax: Any = None) -> GateDisplay:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; what is there stays, its axes are hidden, and letters shrink if
            there isn't room enough. None makes a new figure, as large as it takes.

        Returns
        -------
        GateDisplay

        Raises
        ------
        ValueError
            If there are too many gates to draw.
        ImportError
            If matplotlib isn't installed.
        """
        structure = self.structure
        n_units, n_gates = structure.n_units, len(structure.gate_names)
        check_drawable(n_units * n_gates, "gates")
        self.order_ = self._order()
        column = _NUMBER + _CELL * n_gates + _WEIGHT * (self.coef is not None)
        n_rows = _n_rows(n_units, column + _GAP)
        n_columns = math.ceil(n_units / n_rows)
        table = (column + _GAP) * n_columns - _GAP
        width = max(table + 2 * _EDGE, _MIN_WIDTH)
        height = _HEAD + _ROW * n_rows + _CAPTION_ROOM
        limits = width, -height, 0.0
        title = (
            f"{structure.n_gates} of {structure.n_gates_initial} gates vary, in "
            f"{n_units} of {structure.n_units_initial} units"
        )
        ax, scale = set_up_axes(ax, limits, title, (0.3, _TITLE))
        self.varying_: list[Any] = []
        self.constant_: list[Any] = []
        self.values_: list[Any] = []
        first = (width - table) / 2
        for i in range(n_columns):
            self._write_head(ax, first + (column + _GAP) * i, scale)
        for i, unit in enumerate(self.order_):
            x = first + (column + _GAP) * (i // n_rows)
            self._draw_row(ax, unit, x, -_HEAD - _ROW * (i % n_rows + 1), scale)
        self._write_caption(ax, width / 2, -height, scale)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> GateDisplay:
        """Draw what is left of a fitted classifier, with the weights of its readout.

        Parameters
        ----------
        estimator : SparseLSTMClassifier, or an estimator that holds one
            A fitted classifier, a pipeline that ends with one, or a search or another
            wrapper around either, as `explain` takes it.
        ax : matplotlib Axes, default=None
            As for `plot`.

        Returns
        -------
        GateDisplay

        Raises
        ------
        NotFittedError
            If the estimator isn't fitted.
        TypeError
            If the estimator holds no such classifier.
        ValueError
            If there are too many gates to draw.
        ImportError
            If matplotlib isn't installed.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from skrational.datasets import make_planted_patterns
        >>> from skrational.estimators.lstm import SparseLSTMClassifier
        >>> data = make_planted_patterns(n_documents=60, n_features=5, random_state=0)
        >>> clf = SparseLSTMClassifier(n_units=4, max_epochs=1, random_state=0)
        >>> display = GateDisplay.from_estimator(
        ...     clf.fit(data.X, data.y), ax=Figure().subplots()
        ... )
        >>> len(display.varying_) == clf.n_gates_
        True
        """
        classifier = open_any_model(estimator, ("n_gates_",)).classifier
        return cls(classifier.learned_structure_, classifier.coef_).plot(ax)

    def _largest_weights(self) -> Any:
        """Weight of each unit in the logit in which it is largest, (n_units,)."""
        assert self.coef is not None
        places = np.abs(self.coef).argmax(axis=0)
        return self.coef[places, np.arange(self.coef.shape[1])]

    def _order(self) -> list[int]:
        """Units of the same gates together, those of the most gates first."""
        varies = self.structure.varies
        size = np.zeros(varies.shape[1])
        if self.coef is not None:
            size = np.abs(self._largest_weights())
        # The last key counts most.
        keys = [-size, *~varies[::-1], -varies.sum(axis=0)]
        return np.lexsort(keys).tolist()

    def _write_head(self, ax: Any, left: float, scale: float) -> None:
        look: dict[str, Any] = {"fontsize": scale * _FONT_SIZE, "va": "center"}
        right = {**look, "ha": "right"}
        write(ax, left + _NUMBER - 0.08, -_HEAD / 2, "unit", **right)
        for k, letter in enumerate(self.structure.gate_names):
            x = left + _NUMBER + _CELL * (k + 0.5)
            write(ax, x, -_HEAD / 2, letter, ha="center", fontweight="bold", **look)
        if self.coef is not None:
            x = left + _NUMBER + _CELL * len(self.structure.gate_names) + _WEIGHT
            write(ax, x, -_HEAD / 2, "weight", **right)

    def _draw_row(
        self, ax: Any, unit: int, left: float, bottom: float, scale: float
    ) -> None:
        """Draw the cells of a unit, between its number and its weight.

        Parameters
        ----------
        ax : matplotlib Axes
        unit : int
            Its place among those that are left.
        left, bottom : float
            Lower left corner of the row.
        scale : float
            What letters shrink by.
        """
        y, row = bottom + _ROW / 2, self.structure.constants[unit]
        look: dict[str, Any] = {"fontsize": scale * _FONT_SIZE, "va": "center"}
        number = str(self.structure.units[unit])
        write(ax, left + _NUMBER - 0.08, y, number, ha="right", **look)
        for k, value in enumerate(row):
            x = left + _NUMBER + _CELL * k
            if value is None:
                self.varying_.append(_cell(ax, x, bottom, _VARYING, scale, varies=True))
                continue
            colour = _POSITIVE if value > 0 else _NEGATIVE, _DARKEST * abs(value)
            self.constant_.append(_cell(ax, x, bottom, colour, scale))
            written = f"{value:z.2f}".replace("-", "−")
            text = write(ax, x + _CELL / 2, y, written, ha="center", **look)
            self.values_.append(text)
        if self.coef is not None:
            weight = f"{self._largest_weights()[unit]:+z.2f}"
            x = left + _NUMBER + _CELL * len(row) + _WEIGHT
            write(ax, x, y, weight.replace("-", "−"), ha="right", **look)

    def _write_caption(self, ax: Any, x: float, bottom: float, scale: float) -> None:
        look: dict[str, Any] = {"fontsize": scale * _FONT_SIZE, "ha": "center"}
        structure = self.structure
        if structure.is_empty:
            nothing = "no unit is left: only the intercept decides"
            write(ax, x, bottom / 2, nothing, va="center", **look)
            return
        names = zip(structure.gate_names, structure.gate_titles, strict=True)
        lines = [" · ".join(f"{letter}: {title}" for letter, title in names)]
        lines += _CAPTION[: 1 if self.coef is None else 2]
        if self.coef is not None and len(self.coef) > 1:
            lines[-1] += _OF_CLASSES
        write(ax, x, bottom, "\n".join(lines), va="bottom", linespacing=1.5, **look)


def _n_rows(n_units: int, column: float) -> int:
    """Rows of as few columns as make a picture that is not too high."""
    n_columns = 1
    while _ROW * math.ceil(n_units / n_columns) > _HEIGHT_TO_WIDTH * column * n_columns:
        n_columns += 1
    n_columns = min(n_columns, math.ceil(n_units / _FEW_ROWS))
    return math.ceil(n_units / max(n_columns, 1)) or 1


def _cell(
    ax: Any, x: float, y: float, colour: Any, scale: float, *, varies: bool = False
) -> Any:
    """Draw the ground of a gate.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y : float
        Lower left corner.
    colour : colour
    scale : float
        What lines shrink by.
    varies : bool, default=False
        Whether to hatch it.

    Returns
    -------
    Rectangle
    """
    from matplotlib.patches import Rectangle

    look: dict[str, Any] = {"facecolor": colour, "edgecolor": "none", "linewidth": 0}
    if varies:
        look |= {"hatch": _HATCH, "edgecolor": "black"}
    inset = 0.01
    size = _CELL - 2 * inset, _ROW - 2 * inset
    return ax.add_patch(Rectangle((x + inset, y + inset), *size, **look))
