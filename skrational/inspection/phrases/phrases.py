"""The phrases of a corpus that each WFSA scores highest and lowest.

A phrase is the single path by which a WFSA matches a document best, or worst: what
Table 1 of Dodge et al. (EMNLP 2019) shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skrational.inspection.tables import (
    Cell,
    Column,
    Table,
    WFSATables,
    three_digits,
)
from skrational.utils.optional import data_frame

__all__ = ["Phrase", "Phrases"]


@dataclass(frozen=True)
class Phrase:
    """A phrase that a WFSA scores high or low.

    Attributes
    ----------
    wfsa : int
        The WFSA, counted from 0 among those that are left (a column of ``coef_``).
    side : {"top", "bottom"}
        Whether it is among the highest or the lowest scoring ones.
    rank : int
        From 1, the most extreme one.
    score : float
        Its path's score, of several documents' paths the most extreme one. It is that
        of `Path`, times -1 where the WFSA's sign is turned: see `Phrases`.
    count : int
        Documents whose best (worst) path in this WFSA reads so.
    document : int
        The first document with this score.
    main_path : tuple of str
        The token of each main-path transition, as it stands in the document.
    cells : tuple of str
        The same, each with the tokens that the self-loop behind it takes, as
        `Path.cells` writes them; "[?]" stands behind unknown words.

    Examples
    --------
    >>> phrase = Phrase(
    ...     wfsa=0,
    ...     side="top",
    ...     rank=1,
    ...     score=2.1,
    ...     count=3,
    ...     document=7,
    ...     main_path=("not", "worth"),
    ...     cells=("not (really)", "worth"),
    ... )
    >>> phrase.main_path
    ('not', 'worth')
    """

    wfsa: int
    side: str
    rank: int
    score: float
    count: int
    document: int
    main_path: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Phrases(WFSATables):
    """The phrases that WFSAs score highest and lowest; prints and shows as tables.

    The sign of the readout is folded into the scores: a WFSA whose weight in the
    classifier's ``coef_`` is negative is shown with its scores and its weights
    multiplied by -1, so that high scores always speak for something. With two classes
    that is the second class, with more the class of the largest weight, in size, less
    the mean weight of all classes. In max-plus and max-times, where a maximum is taken
    over paths, nothing is multiplied; the heading says what high scores speak for.

    Attributes
    ----------
    rows : tuple of Phrase
        By WFSA, the top ones before the bottom ones, by rank. Iterating over Phrases
        yields them.
    wfsas : tuple of int
        The WFSAs that were asked for, columns of ``coef``.
    lengths, numbers : tuple of int, length d
        Transitions of each WFSA that is left, and its number before pruning.
    coef : ndarray of shape (n_outputs, d)
        Weights of the scores as they are shown: the classifier's ``coef_``, its columns
        times -1 where the scores are. With two classes, a positive score times a
        positive weight speaks for the second class.
    classes : tuple, length n_classes

    Examples
    --------
    >>> import numpy as np
    >>> worth = Phrase(0, "top", 1, 2.1, 3, 7, ("not", "worth"), ("not (a)", "worth"))
    >>> phrases = Phrases(
    ...     rows=(worth,),
    ...     wfsas=(0,),
    ...     lengths=(2,),
    ...     numbers=(0,),
    ...     coef=np.array([[-1.5]]),
    ...     classes=("bad", "good"),
    ... )
    >>> phrases.class_of(0, worth.score)
    'bad'
    >>> print(phrases)
    WFSA 0: 2 transitions, weight -1.50: high scores speak for 'bad', ...
           score  count  transition 1  transition 2
      top   2.10      3  not (a)       worth
    """

    rows: tuple[Phrase, ...]

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, a row for each phrase.

        Returns
        -------
        DataFrame
            Columns wfsa, side, rank, score, count, document, and transition_1 to
            transition_K, where K is the longest WFSA's length; "" where a phrase has
            none.

        Raises
        ------
        ImportError
            If pandas isn't installed.
        """
        names = ("wfsa", "side", "rank", "score", "count", "document")
        columns = self._columns(names)
        for k in range(max(self.lengths[wfsa] for wfsa in self.wfsas)):
            columns[f"transition_{k + 1}"] = [
                "".join(row.cells[k : k + 1]) for row in self.rows
            ]
        return data_frame(columns)

    def _table(self, wfsa: int) -> Table:
        length = self.lengths[wfsa]
        columns = [Column(""), Column("score", True), Column("count", True)]
        columns += [Column(f"transition {k + 1}") for k in range(length)]
        rows = []
        for row in self.rows:
            if row.wfsa == wfsa:
                cells = [
                    Cell(token, cell[len(token) :])
                    for token, cell in zip(row.main_path, row.cells, strict=True)
                ]
                cells += [Cell("")] * (length - len(cells))
                side = Cell(row.side if row.rank == 1 else "")
                colour = self.colour_of(wfsa, row.score)
                score = Cell(three_digits(row.score), colour=colour)
                rows.append([side, score, Cell(str(row.count)), *cells])
        return Table(self._heading(wfsa), columns, rows, "No document has a path.")
