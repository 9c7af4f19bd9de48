"""The table of phrases as a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, zip_longest
from typing import Any, NamedTuple

import numpy as np

from skrational.inspection.drawing.artists import set_text
from skrational.inspection.meaning import ColouredText, evidence
from skrational.inspection.phrases.phrases import Phrase, Phrases
from skrational.inspection.phrases.search import top_phrases
from skrational.inspection.tables import shorten, three_digits
from skrational.utils.checks import check_count
from skrational.utils.figures import GREY, check_drawable, legible, new_axes

__all__ = ["PhraseDisplay"]

# In font sizes: from line to line, from column to column, between two words, around,
# and the widest line of a heading.
_LINE, _GAP, _SPACE, _MARGIN, _HEADING = 1.6, 1.5, 0.35, 1.2, 62
_NUMERIC = 1, 2  # columns of numbers
_N_NAME = 2  # words of the name of a WFSA
_HINTING = 1.04  # letters are at most so much wider where they are fitted to pixels
# As many as a model of two classes mostly has left.
_MOST_WFSAS = 8


class PhraseDisplay:
    """Draw the phrases that each WFSA scores highest and lowest.

    This is Table 1 of [1]_ as a figure. A score has the colour of the class for which
    it speaks, and the class stands beside it; tokens that self-loops take are in grey
    italics. The sign of the readout is folded into the scores, as `Phrases` says.
    Displays are made by `from_estimator`.

    Parameters
    ----------
    phrases : Phrases
        What `top_phrases` found.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    texts_ : list of matplotlib Text
        All that is written, line by line.
    wfsas_ : tuple of int
        The WFSAs that are drawn, from the top.

    Notes
    -----
    Of more than ``max_wfsas`` WFSAs those are drawn whose phrases change a logit most,
    the strongest one first: by the largest absolute score among its phrases times its
    weight in the readout. With more than two classes that is the largest weight, in
    size, less the mean weight of all classes.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 4 and Table 1. :arxiv:`1909.03011`

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> ax = Figure().subplots()
    >>> display = PhraseDisplay.from_estimator(
    ...     clf.fit(data.X, data.y), data.X, wfsas=[0], n=2, ax=ax
    ... )
    >>> len(display.phrases)
    4
    """

    def __init__(self, phrases: Phrases) -> None:
        self.phrases = phrases

    def plot(
        self,
        ax: Any = None,
        *,
        max_wfsas: int | None = _MOST_WFSAS,
        fontsize: float = 10.0,
    ) -> PhraseDisplay:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to; letters are made smaller if there isn't room enough. None makes a
            new figure, as wide and as high as the table.
        max_wfsas : int or None, default=8
            How many WFSAs are drawn, at most. If there are more, the strongest are
            drawn, and the first line says how many aren't. None: all.
        fontsize : float, default=10.0
            In points.

        Returns
        -------
        PhraseDisplay

        Raises
        ------
        TypeError, ValueError
            If ``max_wfsas`` isn't an integer from 1 upwards, or there are too many
            words to draw.
        ImportError
            If matplotlib isn't installed.
        """
        if max_wfsas is not None:
            check_count("max_wfsas", max_wfsas)
        drawn = _strongest(self.phrases, max_wfsas)
        check_drawable(sum(len(phrase.cells) for phrase in drawn), "words")
        own = ax is None
        ax = new_axes() if own else ax
        note = _note(len(drawn.wfsas), len(self.phrases.wfsas))
        lines = _write_lines(ax, drawn, fontsize, note)
        width, height = _place_lines(lines, fontsize)
        if own:
            ax.figure.set_size_inches(width * fontsize / 72, height * fontsize / 72)
            ax.set_position((0, 0, 1, 1))
        # Data units are font sizes, counted from the upper left corner down.
        box = ax.get_window_extent()
        per_inch = 72 / ax.figure.dpi
        size = min(
            fontsize, box.width * per_inch / width, box.height * per_inch / height
        )
        ax.set(
            xlim=(0, box.width * per_inch / size),
            ylim=(box.height * per_inch / size, 0),
        )
        ax.set_axis_off()
        self.texts_ = [text for line in lines for cell in line.cells for text in cell]
        for text in self.texts_:
            text.set_fontsize(size)
        self.ax_, self.figure_, self.wfsas_ = ax, ax.figure, drawn.wfsas
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        wfsas: Any = None,
        n: int = 4,
        merge: bool = True,
        min_count: int | None = None,
        max_wfsas: int | None = _MOST_WFSAS,
        ax: Any = None,
        fontsize: float = 10.0,
    ) -> PhraseDisplay:
        """Find the phrases of a corpus, and draw them.

        Parameters
        ----------
        estimator : SparseRationalClassifier, or an estimator that holds one
            A fitted classifier, a pipeline that ends with one, or a search or another
            wrapper around either, as `explain` takes it.
        X : SequenceArray or array-like
            Documents.
        wfsas, n, merge, min_count
            As for `top_phrases`.
        max_wfsas, ax, fontsize
            As for `plot`.

        Returns
        -------
        PhraseDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError, ImportError
            As for `top_phrases` and `plot`.
        """
        phrases = top_phrases(
            estimator, X, n, wfsas=wfsas, merge=merge, min_count=min_count
        )
        return cls(phrases).plot(ax, max_wfsas=max_wfsas, fontsize=fontsize)


def _strongest(phrases: Phrases, most: int | None) -> Phrases:
    """Return the phrases of the WFSAs that change logits most, if there are more."""
    if most is None or len(phrases.wfsas) <= most:
        return phrases
    extremes = dict.fromkeys(phrases.wfsas, 0.0)
    for phrase in phrases:
        extremes[phrase.wfsa] = max(extremes[phrase.wfsa], abs(phrase.score))
    weights = [abs(evidence(phrases.coef[:, wfsa])).max() for wfsa in phrases.wfsas]
    strengths = np.array(weights) * list(extremes.values())
    chosen = np.argsort(-strengths, kind="stable")[:most]
    wfsas = tuple(phrases.wfsas[i] for i in chosen)
    rows = tuple(phrase for phrase in phrases if phrase.wfsa in wfsas)
    return replace(phrases, wfsas=wfsas, rows=rows)


def _note(n_drawn: int, n_wfsas: int) -> str:
    """Say how many WFSAs aren't drawn, "" if all are."""
    if n_drawn == n_wfsas:
        return ""
    return (
        f"{n_drawn} of {n_wfsas} WFSAs, those whose phrases change a logit most; "
        f"{n_wfsas - n_drawn} are not shown"
    )


class _Line(NamedTuple):
    """Texts that were written, by cell.

    Attributes
    ----------
    cells : list of lists of Text
        Of a line that isn't aligned, one cell.
    aligned : bool, default=True
        Whether the cells stand in columns.
    height : float, default=1.6
        From the line before, in font sizes.
    """

    cells: list[list[Any]]
    aligned: bool = True
    height: float = _LINE


def _write_lines(ax: Any, phrases: Phrases, fontsize: float, note: str) -> list[_Line]:
    """Write the table, all of it in one place, under the note if there is one."""

    def write(text: str, **look: Any) -> Any:
        look = {"fontsize": fontsize, "va": "baseline", **look}
        if "color" in look:
            look["color"] = legible(look["color"], ax)
        return set_text(ax.text(0, 0, "", **look), text)

    most = max(phrases.lengths[wfsa] for wfsa in phrases.wfsas)
    names = ["", "score", "count", "speaks for"]
    names += [f"transition {k + 1}" for k in range(most)]
    lines = [_Line([[write(note, color=GREY)]], False)] if note else []
    lines.append(_Line([[write(name, color=GREY)] for name in names]))
    for wfsa, table in zip(phrases.wfsas, phrases.tables(), strict=True):
        lines += _write_heading(write, table.heading, fontsize)
        if not table.rows:
            lines.append(_Line([[write(table.nothing)]], False, 1.5 * _LINE))
        of_wfsa = [phrase for phrase in phrases if phrase.wfsa == wfsa]
        for phrase in of_wfsa:
            lines.append(_Line(_write_phrase(write, phrases, phrase)))
    return lines


def _write_heading(
    write: Callable[..., Any], pieces: Sequence[ColouredText], fontsize: float
) -> Iterator[_Line]:
    """Write a heading; the names of the WFSA and of classes are bold."""
    room, height = 0.0, 1.5 * _LINE
    line: list[Any] = []
    for place, (word, colour) in enumerate(_words(pieces)):
        look = {"color": colour} if colour else {}
        bold = place < _N_NAME or colour is not None
        text = write(word, weight="bold" if bold else "normal", **look)
        width = _text_width(text) / fontsize
        if line and width > room:
            yield _Line([line], False, height)
            line, height = [], _LINE
        room = (room if line else _HEADING) - width - _SPACE
        line.append(text)
    yield _Line([line], False, height)


def _words(pieces: Sequence[ColouredText]) -> Iterator[ColouredText]:
    """Split pieces into words; a name stays whole, with the comma behind it."""
    word = ColouredText("")
    for text, colour in pieces:
        first, *more = [text] if colour else text.split(" ")
        word = ColouredText(word.text + first, word.colour or colour)
        for following in more:
            yield word
            word = ColouredText(following)
    yield from [word] if word.text else []


def _write_phrase(
    write: Callable[..., Any], phrases: Phrases, phrase: Phrase
) -> list[list[Any]]:
    label = phrases.class_of(phrase.wfsa, phrase.score)
    colour = phrases.colour_of(phrase.wfsa, phrase.score)
    look = {"color": colour, "weight": "bold"}
    cells = [
        [write(phrase.side if phrase.rank == 1 else "", color=GREY)],
        [write(three_digits(phrase.score), **look)],
        [write(str(phrase.count))],
        [write("none" if label is None else shorten(repr(label)), **look)],
    ]
    for token, cell in zip(phrase.main_path, phrase.cells, strict=True):
        main_path = shorten(token)
        texts = [write(main_path)]
        if loops := shorten(cell)[len(main_path) :].strip():
            texts.append(write(loops, color=GREY, style="italic"))
        cells.append(texts)
    return cells


def _cell_width(cell: list[Any], fontsize: float) -> float:
    """Width of texts side by side, in font sizes, whatever will draw them."""
    return sum(_text_width(text) for text in cell) / fontsize + _SPACE * (len(cell) - 1)


def _text_width(text: Any) -> float:
    # Of the properties a copy, since those of a text may change.
    return _width_of(text.get_text(), text.get_fontproperties().copy())


@lru_cache(maxsize=4096)
def _width_of(text: str, properties: Any) -> float:
    """Width of letters; a table has most of its words many times."""
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(
        text, properties, ismath=False
    )
    return _HINTING * width


def _place_lines(lines: list[_Line], fontsize: float) -> tuple[float, float]:
    """Move all texts to where they belong; return the size of the page."""
    widths = [[_cell_width(cell, fontsize) for cell in line.cells] for line in lines]
    aligned = [w for w, line in zip(widths, lines, strict=True) if line.aligned]
    columns = [max(column) for column in zip_longest(*aligned, fillvalue=0.0)]
    lefts = list(accumulate((w + _GAP for w in columns), initial=_MARGIN))
    right, y = lefts[-1] - _GAP, _MARGIN
    for line, of_cells in zip(lines, widths, strict=True):
        if not line.aligned:
            right = max(right, _MARGIN + sum(of_cells))
        y += line.height
        for j, (cell, width) in enumerate(zip(line.cells, of_cells, strict=True)):
            x = lefts[j]
            if line.aligned and j in _NUMERIC:
                x += columns[j] - width
            for text in cell:
                text.set_position((x, y))
                x += _text_width(text) / fontsize + _SPACE
    return right + _MARGIN, y + _MARGIN
