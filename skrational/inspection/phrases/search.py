"""The search for the phrases that each WFSA scores highest and lowest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.matching.paths import Paths, extreme_paths
from skrational.inspection.matching.weighted_tokens import (
    WeightedTokens,
    weighted_tokens,
)
from skrational.inspection.meaning import readout_signs
from skrational.inspection.model import open_model
from skrational.inspection.names import mark_unknown, token_names
from skrational.inspection.phrases.keys import phrase_keys, token_codes
from skrational.inspection.phrases.phrases import Phrase, Phrases
from skrational.inspection.tables import choose_wfsas, facts
from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata
from skrational.utils.checks import check_count

__all__ = ["top_phrases"]

_SIDES = "top", "bottom"
# A phrase of fewer than one of so many documents says little of the corpus.
_DOCUMENTS_PER_PHRASE = 1000


def top_phrases(
    estimator: Any,
    X: Any,
    n: int = 4,
    *,
    wfsas: Any = None,
    merge: bool = True,
    min_count: int | None = None,
) -> Phrases:
    """Find the phrases of a corpus that each WFSA scores highest and lowest.

    In each document the path of the highest and that of the lowest score are taken, as
    `find_paths` finds them; documents too short for a path, such as empty ones, are
    left out. Of equal scores the first document's comes first. Scores are shown with
    the sign of the readout folded in, so that high ones speak for a class: see
    `Phrases`.

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
    min_count : int, default=None
        How many documents have to read so. Phrases of fewer come behind all others, if
        tables aren't full. None: one of 1,000 documents; 0: scores alone decide.

    Returns
    -------
    Phrases

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError, ValueError
        If the estimator holds no such classifier or no WFSA is left, X isn't what it
        reads, n isn't an integer from 1 upwards, ``min_count`` none from 0 upwards, or
        a WFSA doesn't exist.

    Notes
    -----
    A score may be negative, and then speaks against what high scores speak for. Memory
    is 32 bytes for each document and WFSA, besides the documents themselves.

    A phrase is shown as it stands in the first document with its score, with "[?]"
    behind words that have no vector of their own; phrases are the same if the
    classifier reads them as the same.

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
    least = None if min_count is None else check_count("min_count", min_count, least=0)
    sequences = model.read(X)
    if least is None:
        least = len(sequences) // _DOCUMENTS_PER_PHRASE
    sides = _search(model.automata, sequences, list(chosen), merge)
    found = [
        _Chosen(wfsa, number, rank, count, document)
        for j, wfsa in enumerate(chosen)
        for number, side in enumerate(sides)
        for rank, (document, count) in enumerate(side.cheapest(j, n, least), 1)
    ]
    rows = tuple(_phrases(model.automata, sequences, found))
    return Phrases(rows=rows, wfsas=chosen, **facts(model))


class _Chosen(NamedTuple):
    """A phrase that is to be shown, and where it stands."""

    wfsa: int
    side: int
    rank: int
    n_alike: int
    document: int


class _Side:
    """Costs and keys of the phrases of one side, in all documents."""

    def __init__(self) -> None:
        self._costs: list[NDArray[np.float64]] = []
        self._keys: list[NDArray[np.uint64]] = []

    def add(self, costs: NDArray[np.float64], keys: NDArray[np.uint64]) -> None:
        """Take note of the documents that follow, (n_documents, n_wfsas) each."""
        self._costs.append(costs)
        self._keys.append(keys)

    def cheapest(self, j: int, n: int, least: int) -> list[tuple[int, int]]:
        """Return the first documents of the cheapest phrases of a WFSA, with counts.

        Phrases that fewer documents than ``least`` hold come behind all others.
        """
        cost = np.concatenate([part[:, j] for part in self._costs])
        key = np.concatenate([part[:, j] for part in self._keys])
        order = np.argsort(cost, kind="stable")  # NaN, no path, comes last
        order = order[: len(order) - np.count_nonzero(np.isnan(cost))]
        _, first, count = np.unique(key[order], return_index=True, return_counts=True)
        ranked = np.lexsort((first, count < least))[:n]
        documents = order[first[ranked]].tolist()
        return list(zip(documents, count[ranked].tolist(), strict=True))


def _search(
    automata: WeightedAutomata, X: SequenceArray, wfsas: list[int], merge: bool
) -> tuple[_Side, _Side]:
    """Go through a corpus, and know the phrases of each side again.

    Parameters
    ----------
    automata : WeightedAutomata
    X : SequenceArray
    wfsas : list of int
    merge : bool
        Whether phrases that read the same are one.

    Returns
    -------
    top, bottom : _Side
    """
    top, bottom = _Side(), _Side()
    codes, signs = token_codes(X), readout_signs(automata)[wfsas]
    for part in weighted_tokens(automata, X):
        part_codes = codes(part.start, part.stop)
        extremes = _high_and_low(automata, part)
        for side, sign, paths in zip((top, bottom), (-1.0, 1.0), extremes, strict=True):
            if merge:
                keys = phrase_keys(paths, part_codes, part.offsets)
            else:
                documents = np.arange(part.start, part.stop, dtype=np.uint64)
                keys = np.broadcast_to(documents[:, None], paths.scores.shape)
            side.add(sign * signs * paths.scores[:, wfsas], keys[:, wfsas])
    return top, bottom


def _high_and_low(
    automata: WeightedAutomata, tokens: WeightedTokens
) -> tuple[Paths, Paths]:
    """The paths of the highest and the lowest score, the readout's sign folded in."""
    best, worst = extreme_paths(automata, tokens)
    is_kept = np.broadcast_to(readout_signs(automata) > 0, best.scores.shape)
    return Paths.where(is_kept, best, worst), Paths.where(is_kept, worst, best)


def _phrases(
    automata: WeightedAutomata, X: SequenceArray, chosen: list[_Chosen]
) -> Iterator[Phrase]:
    """Write the chosen phrases; their paths are found once more."""
    documents = sorted({phrase.document for phrase in chosen})
    place = {document: i for i, document in enumerate(documents)}
    some = X[documents]
    parts = [_high_and_low(automata, p) for p in weighted_tokens(automata, some)]
    sides = [Paths.concatenate(side) for side in zip(*parts, strict=True)]
    names, signs = token_names(some), readout_signs(automata)
    for wfsa, side, rank, count, document in chosen:
        i = place[document]
        path = sides[side].path(i, wfsa)
        assert path is not None  # its score is a number
        labels, original = names(i), some.original(i)
        words = tuple(labels) if original is None else original.read(labels)
        main_path = tuple(words[t] for t in path.entries)
        cells = tuple(path.cells(mark_unknown(labels, words)))
        where = count, document
        score = float(signs[wfsa] * path.score) + 0.0  # no score is -0.0
        yield Phrase(wfsa, _SIDES[side], rank, score, *where, main_path, cells)
