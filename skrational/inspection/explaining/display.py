"""One explanation as a picture: bars that add up to the logit, and the document."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skrational.inspection.drawing.artists import set_text, spelled_out, write
from skrational.inspection.explaining.explain import explain
from skrational.inspection.explaining.explanations import Explanation
from skrational.inspection.explaining.summands import (
    MAX_WFSAS,
    Summand,
    Summary,
    summarize,
)
from skrational.inspection.explaining.tokens import (
    MARKED,
    fill,
    phrase,
    shown_tokens,
    strengths,
)
from skrational.inspection.tables import shorten
from skrational.utils.checks import check_count
from skrational.utils.figures import COLOURS, GREY, new_axes

__all__ = ["ExplanationDisplay"]

# A figure of its own: inches, shares of the width, points.
_WIDTH = 8.0
_EDGE = 0.02
_TITLE, _BOTTOM = 44.0, 6.0

# Points.
_FONT_SIZE, _SMALL = 8.5, 7.5
_ROW, _LINE = 15.0, 17.0
_GAP, _PAD = 5.0, 3.0

_LABELS = 0.45
"""Share of the width that labels may take, with letters of a usual width."""

_FEWEST_TOKENS = 10
_DARKEST = 0.45


class ExplanationDisplay:
    """Draw the explanation of one prediction.

    Bars are the bias and what each WFSA adds to the logit; they sum to it. They are
    blue if they speak for the prediction, vermilion if against. A label says which WFSA
    it is, and the phrase of the path that leads, with self-loops in parentheses. What
    is predicted without a phrase, and the phrase's share of the score, are in
    `Explanation.to_html` and `Explanation.to_text`.

    Below are the tokens, highlighted by what each adds to the log-odds of the
    prediction, the strong ones framed: solid for it, dashed against it.

    Parameters
    ----------
    explanation : Explanation

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : BarContainer
        Of the bias, of the WFSAs in the order of size and, if there are more than
        ``max_wfsas``, of all others together.
    numbers_ : list of Annotation
        What is written beside the bars.
    phrases_ : list of Text
        The label of each bar: "bias", the WFSA with its phrase, or how many others.
    tokens_ : list of Annotation
        Those that are shown, with "…" where some are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=200, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=3, random_state=0, max_epochs=2)
    >>> display = ExplanationDisplay.from_estimator(
    ...     clf.fit(data.X, data.y), data.X[:1], ax=Figure().subplots()
    ... )
    >>> bars = sum(bar.get_width() for bar in display.bars_)
    >>> bool(np.isclose(bars, display.explanation.logits[0], atol=1e-5))
    True
    """

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation

    def plot(
        self, ax: Any = None, *, max_wfsas: int = MAX_WFSAS, max_tokens: int = 120
    ) -> ExplanationDisplay:
        """Draw the explanation.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; its axes are hidden. It shows as many tokens as it has room for.
            None makes a new figure, as high as it needs.
        max_wfsas : int, default=8
            WFSAs that have a bar of their own, the largest in size.
        max_tokens : int, default=120
            Of a longer document only the surroundings of the phrases and of the
            strongest tokens are shown.

        Returns
        -------
        ExplanationDisplay

        Raises
        ------
        ValueError
            If ``max_wfsas`` or ``max_tokens`` isn't an integer from 0 upwards.
        ImportError
            If matplotlib isn't installed.
        """
        max_wfsas = check_count("max_wfsas", max_wfsas, least=0)
        max_tokens = check_count("max_tokens", max_tokens, least=0)
        summary = summarize(self.explanation, max_wfsas)
        own = ax is None
        ax = new_axes(figsize=(_WIDTH, _WIDTH)) if own else ax
        if own:
            ax.figure.subplots_adjust(left=_EDGE, right=1 - _EDGE)
        top = _ROW * (len(summary.summands) + 1.5)
        room = math.inf if own else _size(ax)[1] - top
        lines = _write_tokens(ax, self.explanation, summary, max_tokens, room)
        if own:
            _fit_height(ax.figure, top + _LINE * len(lines))
        for i, line in enumerate(lines):
            _place(line, -top - _LINE * (i + 0.5))
        self.tokens_ = [token for line in lines for token in line]
        self.bars_, self.numbers_, self.phrases_ = _draw_bars(
            ax, self.explanation, summary
        )
        _write_captions(ax, self.explanation, summary)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_explanation(
        cls, explanation: Explanation, *, ax: Any = None, **kwargs: Any
    ) -> ExplanationDisplay:
        """Draw an explanation that was made before.

        Parameters
        ----------
        explanation : Explanation
        ax, **kwargs
            As for `plot`.

        Returns
        -------
        ExplanationDisplay

        Raises
        ------
        TypeError
            If it isn't one Explanation.
        """
        if not isinstance(explanation, Explanation):
            raise TypeError(
                f"explanation is a {type(explanation).__name__}; expected an "
                "Explanation, that of one document."
            )
        return cls(explanation).plot(ax, **kwargs)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, *, ax: Any = None, **kwargs: Any
    ) -> ExplanationDisplay:
        """Explain the prediction for one document and draw that.

        Parameters
        ----------
        estimator : SparseRationalClassifier, Pipeline or search
            A fitted classifier, a pipeline that ends with one, or a search over either.
        X : str, SequenceArray or array-like
            One document: what the classifier reads or, with a pipeline, a str or what
            that reads.
        ax, **kwargs
            As for `plot`.

        Returns
        -------
        ExplanationDisplay

        Raises
        ------
        NotFittedError
            If the estimator isn't fitted.
        TypeError, ValueError
            If the estimator holds no such classifier, or X isn't what it reads, or not
            one document.
        """
        explained = explain(estimator, X)
        if not isinstance(explained, Explanation):
            if len(explained) != 1:
                raise ValueError(
                    f"X holds {len(explained)} documents; expected exactly one."
                )
            explained = explained[0]
        return cls.from_explanation(explained, ax=ax, **kwargs)


def _size(ax: Any) -> tuple[float, float]:
    """Width and height of axes, in points."""
    width, height = ax.bbox.size * 72 / ax.figure.dpi
    return width, height


def _width(text: Any) -> float:
    """Width of a text as it is drawn, in points."""
    return text.get_window_extent().width * 72 / text.figure.dpi


def _fit_height(figure: Any, height: float) -> None:
    """Make a figure as high as what stands in its axes, and the title above."""
    total = height + _TITLE + _BOTTOM
    figure.set_size_inches(_WIDTH, total / 72)
    figure.subplots_adjust(bottom=_BOTTOM / total, top=1 - _TITLE / total)


def _write_tokens(
    ax: Any, explanation: Explanation, summary: Summary, max_tokens: int, room: float
) -> list[list[Any]]:
    """Write the document's tokens, fewer if their lines are too many.

    Parameters
    ----------
    ax : matplotlib Axes
    explanation : Explanation
    summary : Summary
    max_tokens : int
    room : float
        Height in points. At least ten tokens are written, whether they fit or not.

    Returns
    -------
    list of list of Annotation
        Lines of tokens, all still in one place.
    """
    n_tokens = min(len(explanation.tokens), max_tokens)
    strength = strengths(explanation.effects)
    look = {"fontsize": _FONT_SIZE, "va": "center", "xycoords": "axes fraction"}
    tokens = []
    for t in shown_tokens(explanation, summary.wfsas, n_tokens):
        text = "…" if t is None else shorten(explanation.tokens[t])
        frame = None if t is None else _frame(strength[t])
        tokens.append(write(ax, 0, 1, text, bbox=frame, **look))
    lines = fill(tokens, _width, _size(ax)[0] - _GAP, _GAP)
    if _LINE * len(lines) <= room or n_tokens <= _FEWEST_TOKENS:
        return lines
    for token in tokens:
        token.remove()
    return _write_tokens(ax, explanation, summary, int(0.85 * n_tokens), room)


def _place(line: list[Any], y: float) -> None:
    """Move the tokens of a line to where they belong, in points from the top left."""
    x = _GAP / 2
    for token in line:
        token.set_position((x, y))
        x += _width(token) + _GAP


def _frame(strength: float) -> dict[str, Any]:
    """Return the look of a token's box; the colour tells what the line tells."""
    colour = COLOURS[0 if strength > 0 else 1]
    return {
        "boxstyle": "square,pad=0.12",
        "facecolor": (colour, _DARKEST * abs(strength)),
        "edgecolor": colour if abs(strength) >= MARKED else "none",
        "linestyle": "-" if strength > 0 else (0, (2, 1.5)),
        "linewidth": 0.9,
    }


def _draw_bars(
    ax: Any, explanation: Explanation, summary: Summary
) -> tuple[Any, list[Any], list[Any]]:
    """Draw bars at the top of the axes, numbers beside them, and labels inside."""
    summands, (width, height) = summary.summands, _size(ax)
    rows = range(len(summands))
    amounts = np.array([summand.amount for summand in summands])
    largest = np.abs(amounts[np.isfinite(amounts)]).max(initial=0.0) or 1.0
    ends = np.clip(np.nan_to_num(amounts), -largest, largest)
    colours = [COLOURS[0 if summand.support >= 0 else 1] for summand in summands]
    bars = ax.barh(rows, ends, height=0.6, color=colours)
    written = [summand.adds for summand in summands]
    numbers = ax.bar_label(bars, written, padding=_PAD, fontsize=_FONT_SIZE)
    longest = int(_LABELS * width / (0.55 * _FONT_SIZE))
    labels = [_label(explanation, summand, longest) for summand in summands]
    look = {"fontsize": _FONT_SIZE, "parse_math": False, "usetex": False}
    ax.set_yticks(rows, [spelled_out(label) for label in labels], **look)
    phrases = ax.get_yticklabels()
    # From the left: labels, numbers of negative bars, bars, numbers of the others.
    beside = max(map(_width, numbers)) + 2 * _PAD
    low, high = min(ends.min(), 0.0), max(ends.max(), 0.0)
    high = high if high > low else largest
    labels_end = max(map(_width, phrases)) + _PAD
    start = labels_end + beside * (low < 0)
    stop = width - beside * bool((ends >= 0).any())
    scale = (high - low) / max(stop - start, 1.0)
    ax.set_xlim(low - start * scale, low + (width - start) * scale)
    ax.set_ylim(height / _ROW - 0.5, -0.5)
    ax.vlines(0, -0.5, len(rows) - 0.5, color=GREY, linewidth=0.8)
    ax.tick_params(length=0, pad=-labels_end)
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
    ax.patch.set_visible(False)
    return bars, numbers, phrases


def _write_captions(ax: Any, explanation: Explanation, summary: Summary) -> None:
    """Write the prediction above the bars, and below them what colours mean."""
    title = f"{summary.prediction} ({summary.probability})\n{summary.logit}"
    colours = f"blue, solid: for {summary.prediction}; vermilion, dashed: against it"
    notes = [
        summary.nothing,
        colours if explanation.tokens else "the document is empty",
    ]
    look = {"fontsize": _SMALL, "alpha": 0.65, "va": "center"}
    below = 0, -_ROW * (len(summary.summands) + 0.75)
    note = "; ".join(filter(None, notes))
    for text in (
        set_text(ax.set_title(" ", fontsize=10), title),
        write(ax, 0, 1, note, offset=below, xycoords="axes fraction", **look),
    ):
        # Letters are smaller where the text is wider than the axes.
        size = text.get_fontsize() * min(1.0, _size(ax)[0] / _width(text))
        text.set_fontsize(size)


def _label(explanation: Explanation, summand: Summand, most: int) -> str:
    if summand.wfsa is None:
        return summand.name
    path = summand.path
    words = "(no path)" if path is None else " | ".join(phrase(explanation, path))
    return shorten(f"{summand.name}:  {words}", most)
