"""The phrases of a corpus that each WFSA scores highest and lowest.

A phrase is the single path by which a WFSA matches a document best, or worst: what
Table 1 of Dodge et al. (EMNLP 2019) shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.matching.paths import Path, Paths, extreme_paths
from skrational.inspection.matching.weighted_tokens import weighted_tokens
from skrational.inspection.model import open_model, token_names
from skrational.inspection.phrases.keys import phrase_keys, token_codes
from skrational.inspection.tables import (
    Column,
    Table,
    WFSATables,
    choose_wfsas,
    facts,
    three_digits,
)
from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata
from skrational.utils.checks import check_count
from skrational.utils.optional import data_frame

__all__ = ["Phrase", "Phrases", "top_phrases"]


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
        Its path's score, of several documents' paths the most extreme one.
    count : int
        Documents whose best (worst) path in this WFSA reads so.
    document : int
        The first document with this score.
    main_path : tuple of str
        The token of each main-path transition.
    cells : tuple of str
        The same, each with the tokens that the self-loop behind it takes, as
        `Path.cells` writes them.
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
        Weights of their scores. With two classes, a positive score times a positive
        weight speaks for the second class.
    classes : tuple, length n_classes
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
        columns = {name: [getattr(row, name) for row in self.rows] for name in names}
        for k in range(max(self.lengths[wfsa] for wfsa in self.wfsas)):
            columns[f"transition_{k + 1}"] = [
                "".join(row.cells[k : k + 1]) for row in self.rows
            ]
        return data_frame(columns)

    def _table(self, wfsa: int) -> Table:
        length = self.lengths[wfsa]
        columns = [Column(""), Column("score", True), Column("count", True)]
        columns += [Column(f"transition {k + 1}") for k in range(length)]
        rows: list[list[str | tuple[str, str]]] = []
        for row in self.rows:
            if row.wfsa == wfsa:
                cells = [
                    (token, cell[len(token) :])
                    for token, cell in zip(row.main_path, row.cells, strict=True)
                ]
                cells += [("", "")] * (length - len(cells))
                side = row.side if row.rank == 1 else ""
                rows.append([side, three_digits(row.score), str(row.count), *cells])
        return Table(self.heading(wfsa), columns, rows, "No document has a path.")


def top_phrases(
    estimator: Any, X: Any, n: int = 4, *, wfsas: Any = None, merge: bool = True
) -> Phrases:
    """Find the phrases of a corpus that each WFSA scores highest and lowest.

    In each document the path of the highest and that of the lowest score are taken, as
    `find_paths` finds them; documents too short for a path, such as empty ones, are
    left out. Of equal scores the first document's comes first.

    Parameters
    ----------
    estimator : SparseRationalClassifier, Pipeline or search
        A fitted classifier, a pipeline that ends with one, or a search over either.
    X : SequenceArray or array-like
        Documents: what the classifier reads or, with a pipeline, what that reads.
        Without labels, tokens are shown by their positions, as "#3".
    n : int, default=4
        Phrases of each side, at most.
    wfsas : sequence of int, default=None
        Columns of ``coef_``, in the order to be shown. None: all.
    merge : bool, default=True
        Whether phrases that read the same are shown once, with their count and the most
        extreme score. False: a row is the path of one document.

    Returns
    -------
    Phrases

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError, ValueError
        If the estimator holds no such classifier or no WFSA is left, X isn't what it
        reads, n isn't an integer from 1 upwards, or a WFSA doesn't exist.

    Notes
    -----
    A score may be negative, and then speaks against what high scores speak for. Memory
    is 16 bytes for each document and WFSA, besides the documents themselves.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 4 and Table 1. :arxiv:`1909.03011`

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> phrases = top_phrases(clf.fit(data.X, data.y), data.X, n=2, wfsas=[0])
    >>> [(phrase.side, phrase.rank) for phrase in phrases]
    [('top', 1), ('top', 2), ('bottom', 1), ('bottom', 2)]
    >>> print(phrases)
    WFSA 0 ... transitions, weight ...
    """
    model = open_model(estimator)
    n, chosen = check_count("n", n), choose_wfsas(model, wfsas)
    sequences = model.read(X)
    sides = _search(model.automata, sequences, n, chosen, merge)
    names = token_names(sequences)
    rows = tuple(
        _phrase(side.name, rank, candidate, count, names(candidate.document))
        for wfsa in chosen
        for side in sides
        for rank, (candidate, count) in enumerate(side.counted(wfsa), 1)
    )
    return Phrases(rows=rows, wfsas=chosen, **facts(model))


class _Candidate(NamedTuple):
    """A document's path that may be shown."""

    cost: float
    key: np.uint64
    document: int
    path: Path


class _Side:
    """The most extreme phrases of one side so far, and how all documents read."""

    def __init__(self, name: str, wfsas: tuple[int, ...], n: int) -> None:
        self.name, self._n = name, n
        self._kept: dict[int, list[_Candidate]] = {wfsa: [] for wfsa in wfsas}
        self._keys: list[NDArray[np.uint64]] = []

    def add(self, start: int, paths: Paths, keys: NDArray[np.uint64]) -> None:
        """Take note of the paths of the documents from ``start`` on."""
        self._keys.append(keys)
        costs = -paths.scores if self.name == "top" else paths.scores
        for wfsa, kept in self._kept.items():
            cost, key = costs[:, wfsa], keys[:, wfsa]
            for i in _cheapest(cost, key, self._n):
                path = paths.path(i, wfsa)
                assert path is not None  # its score is a number
                kept.append(_Candidate(cost[i], key[i], start + int(i), path))
            cost = np.array([candidate.cost for candidate in kept])
            key = np.array([candidate.key for candidate in kept], np.uint64)
            kept[:] = [kept[i] for i in _cheapest(cost, key, self._n)]

    def counted(self, wfsa: int) -> list[tuple[_Candidate, int]]:
        """Return the phrases of a WFSA, with the documents that read so."""
        keys = np.concatenate([part[:, wfsa] for part in self._keys])
        return [(c, int(np.count_nonzero(keys == c.key))) for c in self._kept[wfsa]]


def _search(
    automata: WeightedAutomata,
    X: SequenceArray,
    n: int,
    wfsas: tuple[int, ...],
    merge: bool,
) -> tuple[_Side, _Side]:
    sides = _Side("top", wfsas, n), _Side("bottom", wfsas, n)
    codes = token_codes(X)
    for part in weighted_tokens(automata, X):
        part_codes = codes(part.start, part.stop)
        for side, paths in zip(sides, extreme_paths(automata, part), strict=True):
            if merge:
                keys = phrase_keys(paths, part_codes, part.offsets)
            else:
                documents = np.arange(part.start, part.stop, dtype=np.uint64)
                keys = np.broadcast_to(documents[:, None], paths.scores.shape)
            side.add(part.start, paths, keys)
    return sides


def _phrase(
    side: str, rank: int, found: _Candidate, count: int, tokens: list[str]
) -> Phrase:
    path = found.path
    main_path = tuple(tokens[t] for t in path.entries)
    cells = tuple(path.cells(tokens))
    where = count, found.document
    return Phrase(path.wfsa, side, rank, path.score, *where, main_path, cells)


def _cheapest(
    costs: NDArray[np.float64], keys: NDArray[np.uint64], n: int
) -> NDArray[np.intp]:
    """Positions of the n lowest costs of different keys, the first of equal ones."""
    order = np.argsort(costs, kind="stable")  # NaN, no path, comes last
    order = order[: len(order) - np.count_nonzero(np.isnan(costs))]
    _, first = np.unique(keys[order], return_index=True)
    return order[np.sort(first)[:n]]
