"""One automaton as a picture: its states, and the words on its arcs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skrational.inspection.drawing.arcs import (
    Arc,
    arcs_dot,
    arcs_legend,
    main_path_arcs,
    self_loop_arcs,
)
from skrational.inspection.drawing.artists import (
    LINE_SPACING,
    draw_labelled,
    draw_state,
    set_up_axes,
)
from skrational.inspection.drawing.captions import wrapped, write_lines
from skrational.inspection.meaning import ColouredText, meaning_of, sentence
from skrational.inspection.model import Model, check_wfsa, open_model
from skrational.inspection.tables import facts, plain_repr, shorten
from skrational.inspection.transitions.strengths import (
    Words,
    read_words,
    words_and_strengths,
)
from skrational.utils.checks import check_count
from skrational.utils.figures import check_drawable, class_colour
from skrational.utils.moved import with_new_parameters

__all__ = ["AutomatonDisplay"]

# Inches in a figure of its own.
_STEP_OF_POINT = 0.26
_RADIUS = 0.24
_MARGIN = 0.7
_MIN_WIDTH = 5.5
_TITLE = 0.45
_CHARACTER = 0.62  # of the font's size


class AutomatonDisplay:
    r"""Draw one weighted finite-state automaton (WFSA), after Fig. 1 of [1]_.

    States stand in a line, those in which a path may end as double circles. Under a
    main-path arc are the words of the largest absolute weight u, over the self-loop of
    a state those of the highest weight f, which it skips, and of the lowest, at which a
    match breaks. The loop of the start, of weight one for every word, is thin: a path
    may begin anywhere.

    Arcs are as wide as they are strong, from 0.8 to 4 points, in proportion to
    ``main_path_strengths`` or ``self_loop_strengths`` over the largest of them. A
    main-path arc is solid if all its words have weights of at least 0, dashed if all
    are negative, else it has dashes and dots. If any weight is negative, all are
    written with their signs, the negative ones last. A legend says so.

    Colour stands for a class, and only what speaks for one by itself has it. The words
    of an automaton of a single transition do: each is a path. On a longer one a path
    multiplies the weights of several words, and each negative one turns the sign of
    its score, so that no word speaks for a class without the others: they and their
    arcs have the colour of text. What scores speak for is in the legend, with the
    classes in their colours.

    The sign of the readout is folded into the automaton, so that high scores speak for
    a class: where it is negative, the weights u of the first transition, which every
    path takes, are shown multiplied by -1. In max-plus and max-times nothing is: a
    maximum over paths doesn't keep a sign. Displays are made by `from_estimator`.

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
    coef : array-like of shape (n_outputs,), default=None
        Weights of its scores in the logits, as the words are shown: one for two
        classes, that of the second, else one for each class. None: the legend doesn't
        say what scores speak for, and nothing has a colour.
    classes : sequence, default=None
        Labels of the classes, if ``coef`` is given.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    states_ : list of K + 1 Circle
        From the start on; final states have a second circle inside.
    main_path_arcs_ : list of K FancyArrowPatch
    self_loop_arcs_ : list of K + 1 FancyArrowPatch
        That of the start is the first.
    legend_ : AnnotationBbox

    Raises
    ------
    ValueError
        If the parameters don't all have as many states, or ``coef`` and ``classes``
        don't go together.

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
    ...     coef=[1.4],
    ...     classes=("bad", "good"),
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
        coef: ArrayLike | None = None,
        classes: Sequence[Any] | None = None,
    ) -> None:
        self.main_path_words = [list(words) for words in main_path_words]
        self.skipped_words = [list(words) for words in skipped_words]
        self.breaking_words = [list(words) for words in breaking_words]
        self.main_path_strengths = np.array(main_path_strengths, float)
        self.self_loop_strengths = np.array(self_loop_strengths, float)
        self.final = np.array(final, float)
        for name, values in vars(self).items():
            if len(values) != len(self.final):
                raise ValueError(
                    f"{name} has {len(values)} states and final has "
                    f"{len(self.final)}; expected as many."
                )
        self.wfsa = wfsa
        self.title = f"WFSA {wfsa}" if title is None else title
        self.coef = None if coef is None else np.array(coef, float)
        self.classes = None if classes is None else list(classes)
        n_outputs = 0 if self.coef is None else self.coef.size
        n_classes = 0 if self.classes is None else len(self.classes)
        if n_outputs != (1 if n_classes == 2 else n_classes):
            raise ValueError(
                f"coef has {n_outputs} weights, and there are {n_classes} classes; "
                "expected one weight for two classes, or one for each of more."
            )

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(with_new_parameters(type(self), state))

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
        lines = self._legend(int(72 * width / (_CHARACTER * fontsize)))
        line = LINE_SPACING * fontsize / 72
        bottom = -1.5 * _RADIUS - under - line * len(lines)
        limits = width, bottom, 3 * _RADIUS + over
        ax, scale = set_up_axes(ax, limits, self.title, (0, _TITLE))
        place = {"box_alignment": (0.5, 0)}
        self.legend_ = write_lines(
            ax, width / 2, bottom, lines, scale * fontsize, **place
        )
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
            Its title names the classes that high scores speak for, with the weights
            that `Phrases` shows.

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
        words = read_words(model, X, n_words, min_count)
        return cls._of(model, words, wfsa, n_words).plot(ax, **kwargs)

    @classmethod
    def _of(cls, model: Model, words: Any, wfsa: int, n_words: int) -> AutomatonDisplay:
        """Make the display of one of a model's automata.

        Parameters
        ----------
        model : Model
        words : (list of str, ndarray)
            By `read_words`.
        wfsa : int
        n_words : int
        """
        about = facts(model)
        coef, classes = about["coef"][:, wfsa], about["classes"]
        names = [plain_repr(label) for label in classes]
        pieces = sentence(coef, names, between="\n")
        high, *_ = "".join(piece.text for piece in pieces).split("\n")
        weight = f" (weight {coef[0]:.2f})" if len(coef) == 1 else ""
        return cls(
            *words_and_strengths(model, words, wfsa, n_words),
            model.automata.final[model.automata.states(wfsa)],
            wfsa=wfsa,
            title=f"WFSA {wfsa}: {high}{weight}",
            coef=coef,
            classes=classes,
        )

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
            main_path_arcs(
                self.main_path_words, self.main_path_strengths, self._colours()
            ),
            self_loop_arcs(*loop_words, self.self_loop_strengths),
        )

    def _colours(self) -> tuple[str, str] | None:
        """Colours of positive and of negative words, if one word is a path."""
        if self.coef is None or self.classes is None or len(self.final) > 1:
            return None
        high, low = (
            class_colour(side[0] if side else None, len(self.classes))
            for side in meaning_of(self.coef)
        )
        return high, low

    def _legend(self, most: int) -> list[list[ColouredText]]:
        """What the looks of arcs mean, in lines of so many characters."""
        lines = arcs_legend(self.main_path_words, self.skipped_words)
        pieces = [[ColouredText(line)] for line in lines]
        if self.coef is None or self.classes is None:
            return pieces
        names = [shorten(plain_repr(label)) for label in self.classes]
        begin, between = "Scores above 0 speak for ", ", below 0 for "
        return pieces + wrapped(sentence(self.coef, names, begin, between), most)
