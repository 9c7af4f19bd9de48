"""All automata that are left in one picture, each with its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skrational.inspection.drawing.arcs import arcs_legend
from skrational.inspection.drawing.artists import LINE_SPACING, set_up_axes
from skrational.inspection.drawing.automaton import AutomatonDisplay
from skrational.inspection.drawing.captions import wrapped, write_lines
from skrational.inspection.drawing.rows import (
    CHARACTER,
    WIDTH,
    draw_row,
    names_of,
    row_height,
    write_about,
)
from skrational.inspection.meaning import ColouredText, evidence, sentence
from skrational.inspection.model import Model, open_model
from skrational.inspection.tables import choose_wfsas
from skrational.inspection.transitions.strengths import read_words
from skrational.utils.checks import check_count
from skrational.utils.figures import check_drawable

__all__ = ["AutomataDisplay"]

# Inches in a figure of its own.
_TITLE, _CAPTION_GAP = 0.4, 0.1


class AutomataDisplay:
    """Draw all weighted finite-state automata (WFSAs) that are left, with their words.

    A row is a WFSA. On its left are its name, its importance, also as a bar, and the
    classes that high and low scores speak for; with two classes the caption names them
    for all. Under each main-path arc stand the words of the largest absolute weight u,
    those of positive weights on a line that begins with +, those of negative ones,
    which turn the sign of a score, behind −. States have the colour of the class that
    high scores speak for most. Words, arcs and signs are else those of
    `AutomatonDisplay`, which draws one of them large. Displays are made by
    `from_estimator`.

    Parameters
    ----------
    automata : sequence of AutomatonDisplay
        They needn't be plotted.
    importances : array-like of shape (n_automata,)
        The most important one is drawn first.
    title : str, default=""
    importance : str, default="importance"
        What the importances are.

    Attributes
    ----------
    automata : list of AutomatonDisplay
        By falling importance.
    importances : ndarray of shape (n_automata,)
        In the same order.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    states_ : list of lists of Circle
        Of each automaton, from the start on.
    main_path_arcs_ : list of lists of FancyArrowPatch

    Raises
    ------
    ValueError
        If there is no automaton, or not one importance for each.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> words = [[("great", 1.4), ("worthless", -1.2)]]
    >>> one = AutomatonDisplay(words, [[]], [[]], [1.4], [0.6], [1])
    >>> two = AutomatonDisplay(words, [[]], [[]], [1.4], [0.6], [1], wfsa=1)
    >>> display = AutomataDisplay([one, two], [0.2, 0.7])
    >>> [automaton.wfsa for automaton in display.plot(Figure().subplots()).automata]
    [1, 0]
    """

    def __init__(
        self,
        automata: Sequence[AutomatonDisplay],
        importances: ArrayLike,
        *,
        title: str = "",
        importance: str = "importance",
    ) -> None:
        values = np.array(importances, float)
        if not len(automata) or values.shape != (len(automata),):
            raise ValueError(
                f"importances has the shape {values.shape}, and there are "
                f"{len(automata)} automata; expected one each, of at least one."
            )
        order = np.argsort(-values, kind="stable")
        self.automata = [automata[i] for i in order]
        self.importances = values[order]
        self.title = title
        self.importance = importance

    def plot(self, ax: Any = None, *, fontsize: float = 7.5) -> AutomataDisplay:
        """Draw the automata.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; what is there stays, its axes are hidden, and letters shrink if
            there isn't room enough. None makes a new figure, 9.5 inches wide and as
            high as it takes.
        fontsize : float, default=7.5
            Of words, in points.

        Returns
        -------
        AutomataDisplay

        Raises
        ------
        ValueError
            If there are too many states to draw.
        ImportError
            If matplotlib isn't installed.
        """
        check_drawable(sum(len(a.final) for a in self.automata), "states")
        line = LINE_SPACING * fontsize / 72
        captions = self._captions(int(72 * WIDTH / CHARACTER / fontsize))
        heights = [row_height(a, fontsize) for a in self.automata]
        bottom = -sum(heights) - line * len(captions) - _CAPTION_GAP
        ax, scale = set_up_axes(ax, (WIDTH, bottom, 0.0), self.title, (0, _TITLE))
        largest = np.abs(self.importances).max() or 1.0
        longest = max(len(automaton.final) for automaton in self.automata)
        self.states_: list[list[Any]] = []
        self.main_path_arcs_: list[list[Any]] = []
        y = 0.0
        for i, automaton in enumerate(self.automata):
            value = self.importances[i]
            write_about(ax, automaton, value, value / largest, y, scale, fontsize)
            states, arcs = draw_row(ax, automaton, longest, y, scale, fontsize)
            self.states_.append(states)
            self.main_path_arcs_.append(arcs)
            y -= heights[i]
        at = {"box_alignment": (0.5, 0)}
        write_lines(ax, WIDTH / 2, bottom, captions, scale * fontsize, **at)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        wfsas: Any = None,
        n_words: int = 4,
        min_count: int | None = None,
        ax: Any = None,
        fontsize: float = 7.5,
    ) -> AutomataDisplay:
        """Draw the automata of a fitted classifier.

        Parameters
        ----------
        estimator : SparseRationalClassifier, or an estimator that holds one
            A fitted classifier, a pipeline that ends with one, or a search or another
            wrapper around either, as `explain` takes it.
        X : SequenceArray or array-like, default=None
            Documents, whose words are taken. The importance of a WFSA is then what it
            adds to a logit on average over them, in size. None: words are those of the
            pipeline's vectorizer, if there is one, and the importance is the weight of
            the WFSA times the score of the strongest path that these words can make,
            or, without words, times the product of the norms of its weights.
        wfsas : sequence of int, default=None
            Columns of ``coef_``. None: all.
        n_words : int, default=4
            Words on a main-path arc.
        min_count : int, default=None
            How often a word has to occur in X, unless too few do, as for `top_words`.
        ax, fontsize
            As for `plot`.

        Returns
        -------
        AutomataDisplay

        Raises
        ------
        NotFittedError
            If the estimator isn't fitted.
        TypeError, ValueError
            If the estimator holds no such classifier or no WFSA is left of it, X isn't
            what it reads, ``n_words`` isn't an integer from 1 upwards, ``min_count``
            not one from 0 upwards, or a WFSA doesn't exist.
        ImportError
            If matplotlib isn't installed.

        Notes
        -----
        With more than two classes the weight of a WFSA is the largest of its column of
        ``coef_``, in size, less the column's mean, which softmax doesn't see.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from skrational import SparseRationalClassifier
        >>> from skrational.datasets import make_planted_patterns
        >>> data = make_planted_patterns(n_documents=200, random_state=0)
        >>> clf = SparseRationalClassifier(n_wfsas=3, random_state=0, max_epochs=2)
        >>> display = AutomataDisplay.from_estimator(
        ...     clf.fit(data.X, data.y), data.X, ax=Figure().subplots()
        ... )
        >>> len(display.automata)
        3
        """
        model = open_model(estimator)
        chosen = choose_wfsas(model, wfsas)
        check_count("n_words", n_words)
        if min_count is not None:
            check_count("min_count", min_count, least=0)
        words = read_words(model, X, n_words, min_count)
        automata = [AutomatonDisplay._of(model, words, i, n_words) for i in chosen]
        weights = [abs(evidence(model.automata.coef[:, i])).max() for i in chosen]
        if X is None:
            sizes = [_strongest_path(model, automaton) for automaton in automata]
            importance = "weight × strongest path"
        else:
            scores = model.predict(model.read(X)).scores.astype(float)
            sizes = abs(scores).mean(axis=0)[list(chosen)]
            importance = "mean |contribution|"
        return cls(
            automata,
            np.array(weights) * sizes,
            title=repr(model.classifier.learned_structure_),
            importance=importance,
        ).plot(ax, fontsize=fontsize)

    def _captions(self, most: int) -> list[list[ColouredText]]:
        """What the looks mean, in lines of so many characters."""
        main_path, skipped = (
            [words for a in self.automata for words in getattr(a, name)]
            for name in ("main_path_words", "skipped_words")
        )
        legend = arcs_legend(main_path, skipped)
        lines = [line for line in legend if not line.startswith("Words")]
        order = f"From the top by importance: {self.importance}."
        captions = [[ColouredText(line)] for line in (*lines, order)]
        coef, classes = self.automata[0].coef, self.automata[0].classes
        if coef is None or classes is None:
            return captions
        if len(classes) > 2:
            return [
                *captions,
                [ColouredText("States: the class that high scores speak for.")],
            ]
        names = names_of(self.automata[0])
        begin, between = "Scores above 0 speak for ", ", below 0 for "
        return captions + wrapped(sentence(coef, names, begin, between), most)


def _strongest_path(model: Model, automaton: AutomatonDisplay) -> float:
    """Score of the path of the strongest words, without self-loops."""
    joined = np.add if model.automata.semiring == "max-plus" else np.multiply
    scores = automaton.final * joined.accumulate(automaton.main_path_strengths)
    return float(np.abs(scores).max())
