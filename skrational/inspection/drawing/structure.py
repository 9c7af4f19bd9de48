"""What pruning left of all automata, as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from skrational.inspection.drawing.artists import (
    draw_arc,
    draw_loop,
    draw_state,
    set_up_axes,
    write,
)
from skrational.inspection.drawing.captions import wrapped, write_lines
from skrational.inspection.meaning import ColouredText, meaning_of, sentence
from skrational.inspection.model import open_model
from skrational.inspection.tables import facts, plain_repr, shorten
from skrational.structures import RationalStructure
from skrational.utils.figures import check_drawable, class_colour, legible
from skrational.utils.moved import with_new_parameters

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
_CAPTION_LINE = 0.15
_TITLE = 0.4
_MIN_WIDTH = 4.5

_FEW_ROWS = 6
_HEIGHT_TO_WIDTH = 0.8
_FONT_SIZE = 7.0
_LABEL_SIZE = 7.5
_CAPTION = "solid: kept · dashed: removed · double circle: final"
_CAPTION_OF_KEPT = "double circle: final"
_CHARACTER = 0.62  # of the font's size
_MOST_NAMED, _WIDEST_NAME = 3, 16
_KEPT: dict[str, Any] = {"linewidth": 1.3, "linestyle": "solid"}
_REMOVED = {**_KEPT, "linewidth": 0.7, "linestyle": "dashed", "alpha": 0.4}


class StructureDisplay:
    """Draw all weighted finite-state automata (WFSAs) before and after pruning.

    This is Fig. 1 of [1]_: a row is a WFSA, what was kept of it solid, what was removed
    pale and dashed, in the place that it had. Before it stands its number before
    pruning and, if a state of it is left, its number among those that are left (its
    column of ``coef_``).

    Where the weights of the scores are known, as by `from_estimator`, a WFSA has the
    colour of the class that its high scores speak for most, and the classes that they
    speak for stand behind it, three at most; with two classes the caption says so for
    all. Signs are
    those of `Phrases`: high scores always speak for a class.

    Parameters
    ----------
    structure : RationalStructure
        A classifier's ``learned_structure_``.
    coef : ndarray of shape (n_outputs, n_wfsas), default=None
        Weights of the scores of the WFSAs that are left, with the signs of `Phrases`.
        None: everything has the colour of text.
    classes : sequence, default=None
        Labels of the classes, if ``coef`` is given.

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
    ValueError
        If ``coef`` doesn't have a weight for each WFSA and output, or no classes.

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

    def __init__(
        self,
        structure: RationalStructure,
        *,
        coef: Any = None,
        classes: Sequence[Any] | None = None,
    ) -> None:
        if not isinstance(structure, RationalStructure):
            raise TypeError(
                f"structure is a {type(structure).__name__}; expected a "
                "RationalStructure, such as the learned_structure_ of a "
                "SparseRationalClassifier. GateDisplay draws a GatedStructure."
            )
        self.structure = structure
        self.coef = None if coef is None else np.asarray(coef, float)
        self.classes = [] if classes is None else list(classes)
        n_classes = len(self.classes)
        expected = (1 if n_classes == 2 else n_classes), structure.n_wfsas
        if self.coef is not None and self.coef.shape != expected:
            raise ValueError(
                f"coef has the shape {self.coef.shape}; expected {expected}, a weight "
                f"for each WFSA that is left, of {n_classes} classes."
            )

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({"classes": []} | with_new_parameters(type(self), state))

    def plot(self, ax: Any = None, *, removed: bool = True) -> StructureDisplay:
        """Draw the structure.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; what is there stays, its axes are hidden, and letters shrink if
            there isn't room enough. None makes a new figure, as large as it takes.
        removed : bool, default=True
            Whether what was removed is drawn too.

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
        structure = self.structure
        check_drawable(sum(structure.initial_lengths), "states")
        drawn = (
            range(len(structure.initial_lengths)) if removed else structure.survivors
        )
        lengths = structure.initial_lengths if removed else structure.kept_lengths
        column = _NUMBER + _NAME + 2 * _RADIUS + _STEP * max(lengths) + _GAP
        column += self._room_of_names()
        n_rows = _n_rows(max(len(drawn), 1), column)
        n_columns = max(math.ceil(len(drawn) / n_rows), 1)
        width = max(column * n_columns - _GAP + 2 * _EDGE, _MIN_WIDTH)
        captions = self._captions(removed, int(72 * width / _CHARACTER / _LABEL_SIZE))
        height = _HEAD + _ROW * n_rows + _CAPTION_LINE * (len(captions) + 1)
        title, limits = repr(structure), (width, -height, 0.0)
        ax, scale = set_up_axes(ax, limits, title, (0.3, _TITLE))
        left = (width - column * n_columns + _GAP) / 2
        self.kept_states_: list[Any] = []
        self.kept_arcs_: list[Any] = []
        self.removed_states_: list[Any] = []
        self.removed_arcs_: list[Any] = []
        for i in range(n_columns if drawn else 0):
            _write_cells(ax, left + column * i, -_HEAD / 2, "before", "after", scale)
        places = {i: j for j, i in enumerate(structure.survivors)}
        for place, i in enumerate(drawn):
            y = -_HEAD - _ROW * (place % n_rows + 1) + _RADIUS + 0.02
            x = left + column * (place // n_rows)
            after = f"WFSA {places[i]}" if i in places else "–"
            _write_cells(ax, x, y, str(i), after, scale, bold=i in places)
            high = self._high(places.get(i))
            right = self._draw_row(ax, i, x, y, scale, lengths[i], high)
            if len(self.classes) > 2:
                self._write_names(ax, right, y, scale, high)
        at = {"box_alignment": (0.5, 0)}
        write_lines(ax, width / 2, -height, captions, scale * _LABEL_SIZE, **at)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Any = None, removed: bool = True
    ) -> StructureDisplay:
        """Draw what is left of a fitted classifier.

        Parameters
        ----------
        estimator : SparseRationalClassifier, or an estimator that holds one
            A fitted classifier, a pipeline that ends with one, or a search or another
            wrapper around either, as `explain` takes it.
        ax, removed
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
        model = open_model(estimator)
        about = facts(model)
        return cls(
            model.classifier.learned_structure_,
            coef=about["coef"],
            classes=about["classes"],
        ).plot(ax, removed=removed)

    def _high(self, wfsa: int | None) -> tuple[int, ...]:
        """Classes that high scores of a WFSA that is left speak for."""
        if self.coef is None or wfsa is None:
            return ()
        return meaning_of(self.coef[:, wfsa]).high

    def _names(self) -> list[str]:
        return [shorten(plain_repr(label), _WIDEST_NAME) for label in self.classes]

    def _room_of_names(self) -> float:
        """Inches for the names of classes behind each WFSA."""
        if self.coef is None or len(self.classes) <= 2:
            return 0.0
        names = self._names()
        shown = [
            [names[i] for i in self._high(wfsa)[:_MOST_NAMED]]
            for wfsa in range(self.structure.n_wfsas)
        ]
        longest = max((len(", ".join(row)) for row in shown), default=0)
        return (longest + 6) * _CHARACTER * _LABEL_SIZE / 72

    def _write_names(
        self, ax: Any, x: float, y: float, scale: float, high: tuple[int, ...]
    ) -> None:
        """Write the classes that high scores speak for, in their colours.

        Parameters
        ----------
        ax : matplotlib Axes
        x, y : float
            Left end and middle of the text.
        scale : float
            What letters shrink by.
        high : tuple of int
        """
        names, n_classes = self._names(), len(self.classes)
        pieces: list[ColouredText] = []
        for i in high[:_MOST_NAMED]:
            pieces += [ColouredText(", ")] if pieces else []
            pieces.append(ColouredText(names[i], class_colour(i, n_classes)))
        pieces += [ColouredText(", …")] if len(high) > _MOST_NAMED else []
        if pieces:
            at = {"box_alignment": (0, 0.5)}
            write_lines(ax, x, y, [pieces], scale * _LABEL_SIZE, **at)

    def _captions(self, removed: bool, most: int) -> list[list[ColouredText]]:
        """What lines and colours mean, in lines of so many characters."""
        captions = [[ColouredText(_CAPTION if removed else _CAPTION_OF_KEPT)]]
        if not self.structure.n_wfsas:
            return captions if removed else [[ColouredText("no WFSA is left")]]
        if self.coef is None:
            return captions
        if len(self.classes) == 2:
            return captions + wrapped(sentence(np.ones(1), self._names()), most)
        return [*captions, [ColouredText("colour and names: classes of high scores")]]

    def _draw_row(
        self,
        ax: Any,
        i: int,
        left: float,
        y: float,
        scale: float,
        n_states: int,
        high: tuple[int, ...],
    ) -> float:
        """Draw a WFSA, to the right of its numbers; return where it ends.

        Parameters
        ----------
        ax : matplotlib Axes
        i : int
            Its number before pruning.
        left, y : float
            Left end and middle of the row.
        scale : float
            What letters and lines shrink by.
        n_states : int
            Those to draw, without the start.
        high : tuple of int
            Classes that give what is kept its colour; none: that of text.
        """
        from matplotlib import rcParams

        structure, text = self.structure, rcParams["text.color"]
        kept = legible(class_colour(high[0], len(self.classes)), ax) if high else text
        n_kept = structure.kept_lengths[i]
        first, head = left + _NUMBER + _NAME + _RADIUS, 6 * scale
        for k in range(n_states + 1):
            x = first + _STEP * k
            final = 0 < k <= n_kept and (structure.all_final or k == n_kept)
            states, arcs, look = (
                (self.kept_states_, self.kept_arcs_, _KEPT | {"color": kept})
                if k <= n_kept > 0
                else (
                    self.removed_states_,
                    self.removed_arcs_,
                    _REMOVED | {"color": text},
                )
            )
            look = look | {"linewidth": scale * look["linewidth"]}
            size = {"fontsize": scale * _FONT_SIZE, **look}
            states.append(draw_state(ax, x, y, _RADIUS, str(k), final=final, **size))
            if k > 0:
                ends = x - _STEP + _RADIUS, x - _RADIUS
                arcs.append(draw_arc(ax, *ends, y, mutation_scale=head, **look))
                arcs.append(draw_loop(ax, x, y, _RADIUS, mutation_scale=head, **look))
        return first + _STEP * n_states + 2 * _RADIUS


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
