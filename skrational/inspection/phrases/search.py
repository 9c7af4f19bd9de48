"""The search for the phrases that each WFSA scores highest and lowest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.matching.paths import Path, Paths, extreme_paths
from skrational.inspection.matching.weighted_tokens import weighted_tokens
from skrational.inspection.model import open_model, token_names
from skrational.inspection.phrases.keys import phrase_keys, token_codes
from skrational.inspection.phrases.phrases import Phrase, Phrases
from skrational.inspection.tables import choose_wfsas, facts
from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata
from skrational.utils.checks import check_count

__all__ = ["top_phrases"]


def top_phrases(
    estimator: Any, X: Any, n: int = 4, *, wfsas: Any = None, merge: bool = True
) -> Phrases:
    """Find the phrases of a corpus that each WFSA scores highest and lowest.

    In each document the path of the highest and that of the lowest score are taken, as
    `find_paths` finds them; documents too short for a path, such as empty ones, are
    left out. Of equal scores the first document's comes first.

    Parameters
    ----------
    estimator : SparseRationalClassifier, or an estimator that holds one
        A fitted classifier, a pipeline that ends with one, or a search or another
        wrapper around either, as `explain` takes it.
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
        self._best: dict[int, list[_Candidate]] = {wfsa: [] for wfsa in wfsas}
        self._keys: list[NDArray[np.uint64]] = []

    def add(self, start: int, paths: Paths, keys: NDArray[np.uint64]) -> None:
        """Take note of the paths of the documents from ``start`` on."""
        self._keys.append(keys)
        costs = -paths.scores if self.name == "top" else paths.scores
        for wfsa, best in self._best.items():
            cost, key = costs[:, wfsa], keys[:, wfsa]
            for i in _cheapest(cost, key, self._n):
                path = paths.path(i, wfsa)
                assert path is not None  # its score is a number
                best.append(_Candidate(cost[i], key[i], start + int(i), path))
            cost = np.array([candidate.cost for candidate in best])
            key = np.array([candidate.key for candidate in best], np.uint64)
            best[:] = [best[i] for i in _cheapest(cost, key, self._n)]

    def counted(self, wfsa: int) -> list[tuple[_Candidate, int]]:
        """Return the phrases of a WFSA, with the documents that read so."""
        keys = np.concatenate([part[:, wfsa] for part in self._keys])
        return [(c, int(np.count_nonzero(keys == c.key))) for c in self._best[wfsa]]


def _search(
    automata: WeightedAutomata,
    X: SequenceArray,
    n: int,
    wfsas: tuple[int, ...],
    merge: bool,
) -> tuple[_Side, _Side]:
    """Go through a corpus for the most extreme phrases of each side.

    Parameters
    ----------
    automata : WeightedAutomata
    X : SequenceArray
    n : int
        Phrases of each side and WFSA, at most.
    wfsas : tuple of int
    merge : bool
        Whether phrases that read the same are one.

    Returns
    -------
    top, bottom : _Side
    """
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
    """Write a document's path as a phrase.

    Parameters
    ----------
    side : {"top", "bottom"}
    rank : int
    found : _Candidate
    count : int
        Documents that read so.
    tokens : list of str
        Of the path's document.

    Returns
    -------
    Phrase
    """
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
