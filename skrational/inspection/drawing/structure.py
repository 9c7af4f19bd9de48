"""What pruning left of all automata, as a picture."""

from __future__ import annotations

import math
from typing import Any

from skrational.inspection.drawing.artists import (
    draw_arc,
    draw_loop,
    draw_state,
    set_up_axes,
    write,
)
from skrational.inspection.model import open_model
from skrational.structures import RationalStructure
from skrational.utils.figures import check_drawable

__all__ = ["StructureDisplay"]

# Inches in a figure of its own.
_STEP = 0.4
_ROW = 0.46
_RADIUS = 0.115
_NUMBER = 0.35
_NAME = 0.75
_GAP = 0.2
_EDGE = 0.05
_HEAD = 0.2
_CAPTION_ROOM = 0.3
_TITLE = 0.4
_MIN_WIDTH = 4.5

_FEW_ROWS = 6
_HEIGHT_TO_WIDTH = 0.8
_FONT_SIZE = 7.0
_LABEL_SIZE = 7.5
_CAPTION = "solid: kept · dashed: removed · double circle: final"
_KEPT: dict[str, Any] = {"linewidth": 1.3, "linestyle": "solid"}
_REMOVED = {**_KEPT, "linewidth": 0.7, "linestyle": "dashed", "alpha": 0.4}


class StructureDisplay:
    """Draw all weighted finite-state automata (WFSAs) before and after pruning.

    This is Fig. 1 of [1]_: a row is a WFSA, what was kept of it solid, what was removed
    pale and dashed, in the place that it had. Before it stands its number before
    pruning and, if a state of it is left, its number among those that are left (its
    column of ``coef_``).

    Parameters
    ----------
    structure : RationalStructure
        A classifier's ``learned_structure_``.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    kept_states_, removed_states_ : list of Circle
        The start of a WFSA is kept if another state of it is.
    kept_arcs_, removed_arcs_ : list of FancyArrowPatch
        Two for each state but the start: the main-path transition and the self-loop.

    Raises
    ------
    TypeError
        If the structure is something else.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, Fig. 1. :arxiv:`1909.03011`

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> structure = RationalStructure((4, 4, 4), (2, 0, 4), n_features=300, n_outputs=1)
    >>> display = StructureDisplay(structure).plot(ax=Figure().subplots())
    >>> len(display.kept_states_), len(display.removed_states_)
    (8, 7)
    """

    def __init__(self, structure: RationalStructure) -> None:
        if not isinstance(structure, RationalStructure):
            raise TypeError(
                f"structure is a {type(structure).__name__}; expected a "
                "RationalStructure, such as the learned_structure_ of a "
                "SparseRationalClassifier. GateDisplay draws a GatedStructure."
            )
        self.structure = structure

    def plot(self, ax: Any = None) -> StructureDisplay:
        """Draw the structure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; what is there stays, its axes are hidden, and letters shrink if
            there isn't room enough. None makes a new figure, as large as it takes.

        Returns
        -------
        StructureDisplay

        Raises
        ------
        ValueError
            If there are too many states to draw.
        ImportError
            If matplotlib isn't installed.
        """
        lengths = self.structure.initial_lengths
        check_drawable(sum(lengths), "states")
        column = _NUMBER + _NAME + 2 * _RADIUS + _STEP * max(lengths) + _GAP
        n_rows = _n_rows(len(lengths), column)
        n_columns = math.ceil(len(lengths) / n_rows)
        width = max(column * n_columns - _GAP + 2 * _EDGE, _MIN_WIDTH)
        height = _HEAD + _ROW * n_rows + _CAPTION_ROOM
        title, limits = repr(self.structure), (width, -height, 0.0)
        ax, scale = set_up_axes(ax, limits, title, (0.3, _TITLE))
        left = (width - column * n_columns + _GAP) / 2
        self.kept_states_: list[Any] = []
        self.kept_arcs_: list[Any] = []
        self.removed_states_: list[Any] = []
        self.removed_arcs_: list[Any] = []
        for i in range(n_columns):
            _write_cells(ax, left + column * i, -_HEAD / 2, "before", "after", scale)
        places = {i: f"WFSA {j}" for j, i in enumerate(self.structure.survivors)}
        for i in range(len(lengths)):
            y = -_HEAD - _ROW * (i % n_rows + 1) + _RADIUS + 0.02
            x = left + column * (i // n_rows)
            _write_cells(ax, x, y, str(i), places.get(i, "–"), scale, bold=i in places)
            self._draw_row(ax, i, x, y, scale)
        look: dict[str, Any] = {"ha": "center", "va": "bottom"}
        look["fontsize"] = scale * _LABEL_SIZE
        write(ax, width / 2, -height, _CAPTION, **look)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> StructureDisplay:
        """Draw what is left of a fitted classifier.

        Parameters
        ----------
        estimator : SparseRationalClassifier, or an estimator that holds one
            A fitted classifier, a pipeline that ends with one, or a search or another
            wrapper around either, as `explain` takes it.
        ax : matplotlib Axes, default=None
            As for `plot`.

        Returns
        -------
        StructureDisplay

        Raises
        ------
        NotFittedError
            If the estimator isn't fitted.
        TypeError
            If the estimator holds no such classifier.
        ValueError
            If there are too many states to draw.
        ImportError
            If matplotlib isn't installed.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from skrational import SparseRationalClassifier
        >>> from skrational.datasets import make_planted_patterns
        >>> data = make_planted_patterns(n_documents=200, random_state=0)
        >>> clf = SparseRationalClassifier(random_state=0, max_epochs=2)
        >>> display = StructureDisplay.from_estimator(
        ...     clf.fit(data.X, data.y), ax=Figure().subplots()
        ... )
        >>> len(display.kept_states_ + display.removed_states_)
        120
        """
        return cls(open_model(estimator).classifier.learned_structure_).plot(ax)

    def _draw_row(self, ax: Any, i: int, left: float, y: float, scale: float) -> None:
        """Draw a WFSA, to the right of its numbers, in the colour of text.

        Parameters
        ----------
        ax : matplotlib Axes
        i : int
            Its number before pruning.
        left, y : float
            Left end and middle of the row.
        scale : float
            What letters and lines shrink by.
        """
        from matplotlib import rcParams

        structure, colour = self.structure, {"color": rcParams["text.color"]}
        n_kept = structure.kept_lengths[i]
        first, head = left + _NUMBER + _NAME + _RADIUS, 6 * scale
        for k in range(structure.initial_lengths[i] + 1):
            x = first + _STEP * k
            final = 0 < k <= n_kept and (structure.all_final or k == n_kept)
            states, arcs, look = (
                (self.kept_states_, self.kept_arcs_, _KEPT)
                if k <= n_kept > 0
                else (self.removed_states_, self.removed_arcs_, _REMOVED)
            )
            look = look | colour | {"linewidth": scale * look["linewidth"]}
            size = {"fontsize": scale * _FONT_SIZE, **look}
            states.append(draw_state(ax, x, y, _RADIUS, str(k), final=final, **size))
            if k > 0:
                ends = x - _STEP + _RADIUS, x - _RADIUS
                arcs.append(draw_arc(ax, *ends, y, mutation_scale=head, **look))
                arcs.append(draw_loop(ax, x, y, _RADIUS, mutation_scale=head, **look))


def _n_rows(n_wfsas: int, column: float) -> int:
    """Rows of as few columns as make a picture that is not too high."""
    n_columns = 1
    while _ROW * math.ceil(n_wfsas / n_columns) > _HEIGHT_TO_WIDTH * column * n_columns:
        n_columns += 1
    n_columns = min(n_columns, math.ceil(n_wfsas / _FEW_ROWS))
    return math.ceil(n_wfsas / n_columns)


def _write_cells(
    ax: Any,
    left: float,
    y: float,
    before: str,
    after: str,
    scale: float,
    *,
    bold: bool = False,
) -> None:
    """Write a WFSA's numbers before and after pruning, or the heads of these.

    Parameters
    ----------
    ax : matplotlib Axes
    left, y : float
        Left end and middle of the row.
    before, after : str
    scale : float
        What letters shrink by.
    bold : bool, default=False
    """
    look: dict[str, Any] = {"fontsize": scale * _LABEL_SIZE, "va": "center"}
    look["fontweight"] = "bold" if bold else "normal"
    write(ax, left + _NUMBER, y, before, ha="right", **look)
    write(ax, left + _NUMBER + 0.12, y, after, ha="left", **look)
