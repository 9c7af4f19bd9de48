"""One automaton as a picture: its states, and the words on its arcs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skrational.inspection.drawing.arcs import (
    Arc,
    arcs_dot,
    main_path_arcs,
    self_loop_arcs,
)
from skrational.inspection.drawing.artists import (
    LINE_SPACING,
    draw_labelled,
    draw_state,
    set_up_axes,
    write,
)
from skrational.inspection.model import Model, check_wfsa, open_model
from skrational.inspection.tables import plain_repr
from skrational.inspection.transitions.strengths import Words, words_and_strengths
from skrational.utils.checks import check_count
from skrational.utils.figures import GREY, check_drawable

__all__ = ["AutomatonDisplay"]

# Inches in a figure of its own.
_STEP_OF_POINT = 0.26
_RADIUS = 0.24
_MARGIN = 0.7
_MIN_WIDTH = 5.5
_TITLE = 0.45

_CAPTION = "Words with their weights: u under the main path, {f} over the self-loops."


class AutomatonDisplay:
    r"""Draw one weighted finite-state automaton (WFSA), after Fig. 1 of [1]_.

    States stand in a line, those in which a path may end as double circles. Under a
    main-path arc are the words of the largest absolute weight u, over the self-loop of
    a state those of the highest weight f, which it skips, and of the lowest, at which a
    match breaks. The loop of the start, of weight one for every word, is thin: a path
    may begin anywhere.

    Arcs are as wide as they are strong, from 0.8 to 4 points, in proportion to
    ``main_path_strengths`` or ``self_loop_strengths`` over the largest of them. A
    main-path arc is blue if all its words have weights of at least 0, vermilion and
    dashed if all are negative, else grey, with dots and dashes. If any weight is
    negative, all are written with their signs. Displays are made by `from_estimator`.

    Parameters
    ----------
    main_path_words : sequence of K lists of (str, float)
        Words of the transition into each state, from state 1 on, with their weights u;
        empty lists if there are no words: arcs are then labelled with their strengths.
    skipped_words, breaking_words : sequence of K lists of (str, float)
        Words of the highest and the lowest weights f of the self-loop of each state, in
        max-plus with the logarithm of f.
    main_path_strengths, self_loop_strengths : array-like of shape (K,)
        At least 0. As `from_estimator` makes them: the largest :math:`|u|` and the mean
        f of all words or, without words, the norms of the rows of W_u and W_f.
    final : array-like of shape (K,)
        Weight of a path that ends in a state; more than 0 for a final state. Weights
        are written below the states' names if any but 0 and 1 is among them.
    wfsa : int, default=0
        Its number among the WFSAs that are left (a column of ``coef_``).
    title : str, default=None
        None: "WFSA" with the number.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    states_ : list of K + 1 Circle
        From the start on; final states have a second circle inside.
    main_path_arcs_ : list of K FancyArrowPatch
    self_loop_arcs_ : list of K + 1 FancyArrowPatch
        That of the start is the first.

    Raises
    ------
    ValueError
        If the parameters don't all have as many states.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, Fig. 1. :arxiv:`1909.03011`

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> display = AutomatonDisplay(
    ...     main_path_words=[[("not", 1.9), ("hardly", 1.2)], [("worth", 1.5)]],
    ...     skipped_words=[[("really", 0.9)], [("the", 0.8)]],
    ...     breaking_words=[[("great", 0.1)], [(".", 0.2)]],
    ...     main_path_strengths=[1.9, 1.5],
    ...     self_loop_strengths=[0.6, 0.5],
    ...     final=[0, 1],
    ... )
    >>> len(display.plot(ax=Figure().subplots()).states_)
    3
    >>> print(display.to_dot())
    digraph wfsa {
    ...
    """

    def __init__(
        self,
        main_path_words: Sequence[Words],
        skipped_words: Sequence[Words],
        breaking_words: Sequence[Words],
        main_path_strengths: ArrayLike,
        self_loop_strengths: ArrayLike,
        final: ArrayLike,
        *,
        wfsa: int = 0,
        title: str | None = None,
    ) -> None:
        self.main_path_words = [list(words) for words in main_path_words]
        self.skipped_words = [list(words) for words in skipped_words]
        self.breaking_words = [list(words) for words in breaking_words]
        self.main_path_strengths = np.array(main_path_strengths, float)
        self.self_loop_strengths = np.array(self_loop_strengths, float)
        self.final = np.array(final, float)
        self.wfsa = wfsa
        self.title = f"WFSA {wfsa}" if title is None else title
        for name, values in vars(self).items():
            if name not in ("wfsa", "title") and len(values) != len(self.final):
                raise ValueError(
                    f"{name} has {len(values)} states and final has "
                    f"{len(self.final)}; expected as many."
                )

    def plot(
        self, ax: Any = None, *, fontsize: float = 8.0, **kwargs: Any
    ) -> AutomatonDisplay:
        """Draw the automaton.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; what is there stays, its axes are hidden, and letters shrink if
            there isn't room enough. None makes a new figure, large enough for words of
            14 characters; longer ones are cut.
        fontsize : float, default=8.0
            Of words, in points; a new figure grows with it.
        **kwargs
            Passed on to ``Axes.annotate`` for the words, such as ``fontfamily``, a font
            for their script: characters that a font lacks are spelled out as their
            code points.

        Returns
        -------
        AutomatonDisplay

        Raises
        ------
        ValueError
            If there are too many states to draw.
        ImportError
            If matplotlib isn't installed.
        """
        main_path, loops = self._arcs()
        under, over = (
            max(len(arc.lines) for arc in arcs) * LINE_SPACING * fontsize / 72
            for arcs in (main_path, loops)
        )
        step = _STEP_OF_POINT * fontsize
        width = max(step * len(self.final) + 2 * _MARGIN, _MIN_WIDTH)
        bottom, top = -2 * _RADIUS - under, 3 * _RADIUS + over
        limits = width, bottom, top
        ax, scale = set_up_axes(ax, limits, self.title, (0, _TITLE))
        if any(self.main_path_words):
            is_log = any(f < 0 for words in self.skipped_words for _, f in words)
            caption = _CAPTION.format(f="log f" if is_log else "f")
            look: dict[str, Any] = {"fontsize": scale * fontsize, "color": GREY}
            write(ax, width / 2, bottom, caption, ha="center", va="bottom", **look)
        left = (width - step * len(self.final)) / 2
        x = [left + step * k for k in range(len(self.final) + 1)]
        final, size = self._final_states(), 8 * scale
        self.states_ = [
            draw_state(ax, x[k], 0, _RADIUS, label, final=k in final, fontsize=size)
            for k, label in enumerate(self._state_labels())
        ]
        self.main_path_arcs_, self.self_loop_arcs_ = (
            [
                draw_labelled(ax, x, _RADIUS, arc, fontsize, scale, **kwargs)
                for arc in arcs
            ]
            for arcs in (main_path, loops)
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        wfsa: int = 0,
        n_words: int = 5,
        min_count: int | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> AutomatonDisplay:
        """Draw an automaton of a fitted classifier.

        Parameters
        ----------
        estimator : SparseRationalClassifier, or an estimator that holds one
            A fitted classifier, a pipeline that ends with one, or a search or another
            wrapper around either, as `explain` takes it.
        X : SequenceArray or array-like, default=None
            Documents, whose words are taken. None: the table of the pipeline's
            vectorizer; without one, arcs are labelled with the norms of their weights.
        wfsa : int, default=0
            Which one of those that are left (a column of ``coef_``).
        n_words : int, default=5
            Words on a main-path arc, and at most that many each that a self-loop skips
            and that break a match.
        min_count : int, default=None
            How often a word has to occur in X, unless too few do, as for `top_words`.
        ax, **kwargs
            As for `plot`.

        Returns
        -------
        AutomatonDisplay
            Its title tells the WFSA's weight in the logit of the second of two classes,
            or of the class of many in which the weight is largest.

        Raises
        ------
        NotFittedError
            If the estimator isn't fitted.
        TypeError, ValueError
            If the estimator holds no such classifier or no WFSA is left of it, a
            parameter is not an integer or out of range, or X isn't what it reads.
        ImportError
            If matplotlib isn't installed.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from skrational import SparseRationalClassifier
        >>> from skrational.datasets import make_planted_patterns
        >>> data = make_planted_patterns(n_documents=200, random_state=0)
        >>> clf = SparseRationalClassifier(random_state=0, max_epochs=2)
        >>> display = AutomatonDisplay.from_estimator(
        ...     clf.fit(data.X, data.y), data.X, n_words=3, ax=Figure().subplots()
        ... )
        >>> len(display.main_path_words[0])
        3
        """
        model = open_model(estimator)
        wfsa = check_wfsa(model, wfsa)
        check_count("n_words", n_words)
        if min_count is not None:
            check_count("min_count", min_count, least=0)
        display = cls(
            *words_and_strengths(model, X, wfsa, n_words, min_count),
            model.automata.final[model.automata.states(wfsa)],
            wfsa=wfsa,
            title=_title(model, wfsa),
        )
        return display.plot(ax, **kwargs)

    def to_dot(self) -> str:
        """Write the automaton as Graphviz DOT, with the same labels and looks.

        Returns
        -------
        str
            State k is the node ``q{k}``. Words are whole; arcs of mixed signs, dashes
            and dots in `plot`, are dotted.

        Raises
        ------
        ValueError
            If there are too many states to draw.
        """
        main_path, loops = self._arcs()
        states = self._state_labels(), self._final_states()
        return arcs_dot(self.title, *states, [*main_path, *loops])

    def _final_states(self) -> list[int]:
        return [k for k, weight in enumerate(self.final, 1) if weight > 0]

    def _state_labels(self) -> list[str]:
        plain = np.isin(self.final, (0, 1)).all()
        weights = ["" if plain else f"\n{weight:.2g}" for weight in self.final]
        return [f"q{k}{weight}" for k, weight in enumerate(["", *weights])]

    def _arcs(self) -> tuple[list[Arc], list[Arc]]:
        """Main path and loops, if they aren't too many."""
        check_drawable(len(self.final), "states")
        loop_words = self.skipped_words, self.breaking_words
        return (
            main_path_arcs(self.main_path_words, self.main_path_strengths),
            self_loop_arcs(*loop_words, self.self_loop_strengths),
        )


def _title(model: Model, wfsa: int) -> str:
    """Weight of the WFSA's score, where it counts most."""
    coef, classes = model.automata.coef[:, wfsa], model.classifier.classes_
    output = int(abs(coef).argmax())
    label = classes[1] if len(classes) == 2 else classes[output]
    weight = f"{coef[output]:+z.2f}".replace("-", "−")
    return f"WFSA {wfsa}: weight {weight} in the logit of {plain_repr(label)}"
