"""Single paths: the words that an automaton matched best, and worst.

The score of a WFSA on a document sums over all ways of matching it. One of these ways
scores highest, one lowest; they are found exactly, by the Viterbi algorithm with
back-pointers (Dodge et al., EMNLP 2019, section 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.matching.viterbi import find_extremes
from skrational.inspection.matching.weighted_tokens import (
    PathProblem,
    WeightedTokens,
    weighted_tokens,
)
from skrational.inspection.model import open_model
from skrational.structures.automata import WeightedAutomata

__all__ = [
    "SHOWN_LOOPS",
    "Path",
    "Paths",
    "cell_bounds",
    "extreme_paths",
    "find_paths",
]

SHOWN_LOOPS = 2
"""Tokens that a self-loop takes, of those that are written out."""


@dataclass(frozen=True)
class Path:
    """One way through a WFSA, over consecutive tokens of a document.

    Attributes
    ----------
    wfsa : int
        The WFSA, counted from 0 among those that are left (a column of ``coef_``).
    score : float
        Its transition weights, joined by the semiring's product, times the weight of
        the final state. Not divided by ``T ** length_exponent``.
    entries : tuple of int
        The token that takes the path into state 1, 2, ...: its main-path transitions.
        All tokens between are taken by self-loops.
    end : int
        The token after the path's last one.

    Examples
    --------
    >>> path = Path(wfsa=0, score=1.0, entries=(0, 2), end=6)
    >>> path.start, path.span
    (0, (0, 3))
    >>> path.cells("not really worth all the money".split())
    ['not (really)', 'worth (all) (the) ...']
    """

    wfsa: int
    score: float
    entries: tuple[int, ...]
    end: int

    @property
    def start(self) -> int:
        """The first token."""
        return self.entries[0]

    @property
    def span(self) -> tuple[int, int]:
        """Its phrase: from the first main-path token to after the last one.

        A path that was read at the end goes on to the document's last token, by
        self-loops that are no part of the phrase.
        """
        return self.entries[0], self.entries[-1] + 1

    def cells(self, tokens: Sequence[str]) -> list[str]:
        """Write the path, one cell for each main-path transition.

        Parameters
        ----------
        tokens : sequence of str
            All tokens of the document.

        Returns
        -------
        list of str
            The token of the transition, then in parentheses those that the self-loop
            takes: at most two of them, then "...".
        """
        cells = []
        for entry, after in cell_bounds(self):
            cell = tokens[entry]
            for token in tokens[entry + 1 : min(after, entry + 1 + SHOWN_LOOPS)]:
                cell += f" ({token})"
            if after > entry + 1 + SHOWN_LOOPS:
                cell += " ..."
            cells.append(cell)
        return cells


@dataclass(frozen=True, eq=False)
class Paths(Sequence[tuple[Path | None, ...]]):
    """A path of each WFSA in each document.

    ``paths[i]`` is a tuple of d `Path`, None where a WFSA has no path: in an empty
    document, or in one too short to reach a final state.

    Attributes
    ----------
    scores : ndarray of shape (n_documents, d), float64
        NaN where there is no path.
    ends : ndarray of shape (n_documents, d), int64
        The token after the path's last one, 0 where there is no path.
    entries : ndarray of shape (n_documents, S), int32
        The token that takes the path into each state, -1 where it doesn't get there.
    starts : ndarray of shape (d + 1,), int64
        First column of ``entries`` of each WFSA.

    Examples
    --------
    Of one document and two WFSAs, of which the second has no path:

    >>> paths = Paths(
    ...     scores=np.array([[0.5, np.nan]]),
    ...     ends=np.array([[3, 0]]),
    ...     entries=np.array([[0, 2, -1]]),
    ...     starts=np.array([0, 2, 3]),
    ... )
    >>> paths[0]
    (Path(wfsa=0, score=0.5, entries=(0, 2), end=3), None)
    >>> len(paths[:1]), paths.path(0, 1) is None
    (1, True)
    """

    scores: NDArray[np.float64]
    ends: NDArray[np.int64]
    entries: NDArray[np.int32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, i: Any) -> Any:
        """Return the paths of document i, or the `Paths` of some documents."""
        if not isinstance(i, (int, np.integer)):
            parts = self.scores[i], self.ends[i], self.entries[i]
            return Paths(*parts, self.starts)
        if not -len(self) <= i < len(self):
            raise IndexError(f"document {i} is out of range for {len(self)} documents.")
        entries, starts = self.entries[i].tolist(), self.starts.tolist()
        return tuple(
            _path(wfsa, score, entries[starts[wfsa] : starts[wfsa + 1]], end)
            for wfsa, (score, end) in enumerate(
                zip(self.scores[i].tolist(), self.ends[i].tolist(), strict=True)
            )
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Paths]) -> Paths:
        """Join the paths of consecutive documents; there is at least one part."""
        scores, ends, entries = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("scores", "ends", "entries")
        )
        return cls(scores, ends, entries, parts[0].starts)

    @classmethod
    def where(cls, chosen: NDArray[np.bool_], paths: Paths, others: Paths) -> Paths:
        """Take a path where ``chosen`` (n_documents, d) says so, else the other one."""
        by_state = np.repeat(chosen, np.diff(paths.starts), axis=1)
        return cls(
            np.where(chosen, paths.scores, others.scores),
            np.where(chosen, paths.ends, others.ends),
            np.where(by_state, paths.entries, others.entries),
            paths.starts,
        )

    def path(self, i: int, wfsa: int) -> Path | None:
        """Return the path of one WFSA in document i, None if there is none.

        Raises
        ------
        IndexError
            If there is no such document or WFSA.
        """
        if not 0 <= wfsa < self.scores.shape[1]:
            raise IndexError(
                f"wfsa is {wfsa}; expected 0 to {self.scores.shape[1] - 1}."
            )
        entries = self.entries[i, self.starts[wfsa] : self.starts[wfsa + 1]]
        score, end = self.scores[i, wfsa].item(), self.ends[i, wfsa].item()
        return _path(wfsa, score, entries.tolist(), end)


def _path(wfsa: int, score: float, entries: list[int], end: int) -> Path | None:
    """Make a path of a WFSA's columns of `Paths`.

    Parameters
    ----------
    wfsa : int
    score : float
    entries : list of int
        -1 for states that it doesn't enter.
    end : int

    Returns
    -------
    Path or None
        None if it enters no state.
    """
    entered = tuple(t for t in entries if t >= 0)
    return Path(wfsa, score, entered, end) if entered else None


def cell_bounds(path: Path) -> Iterator[tuple[int, int]]:
    """Where each main-path transition is, and where its self-loops end."""
    return zip(path.entries, (*path.entries[1:], path.end), strict=True)


def find_paths(estimator: Any, X: Any) -> tuple[Paths, Paths]:
    """Find the highest and the lowest scoring path of each WFSA in each document.

    A path may begin at any token. With ``match="end"`` it ends at the document's last
    token, with ``match="anywhere"`` at any. Its score is the product (in max-plus, the
    sum) of its transition weights, times the weight of the state it ends in. Of equal
    paths the one that ends first is taken, then the shortest. A model that ``lambda_``
    emptied has none.

    Parameters
    ----------
    estimator : SparseRationalClassifier, or an estimator that holds one
        A fitted classifier, a pipeline that ends with one, or a search or another
        wrapper around either, as `explain` takes it.
    X : SequenceArray or array-like
        Documents: what the classifier reads or, with a pipeline, what that reads.

    Returns
    -------
    best, worst : Paths of n_documents, d WFSAs each

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError, ValueError
        If the estimator holds no such classifier, or X isn't what it reads.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 4. :arxiv:`1909.03011`

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> best, worst = find_paths(clf.fit(data.X, data.y), data.X)
    >>> best.scores.shape == worst.scores.shape == (400, clf.coef_.shape[1])
    True
    >>> bool((best.scores >= worst.scores).all())
    True
    """
    model = open_model(estimator)
    automata = model.automata
    parts = [
        extreme_paths(automata, part)
        for part in weighted_tokens(automata, model.read(X))
    ]
    best, worst = (Paths.concatenate(side) for side in zip(*parts, strict=True))
    return best, worst


def extreme_paths(
    automata: WeightedAutomata,
    tokens: WeightedTokens,
    final: NDArray[np.floating] | None = None,
) -> tuple[Paths, Paths]:
    """Find the highest and the lowest scoring paths in a part of a corpus.

    Parameters
    ----------
    automata : WeightedAutomata
    tokens : WeightedTokens
    final : ndarray of shape (S,), default=None
        Weights of the final states, instead of the automata's own.

    Returns
    -------
    best, worst : Paths
    """
    n, d = len(tokens.offsets) - 1, automata.n_wfsas
    scores = np.empty((2, n, d))
    ends = np.empty((2, n, d), np.int64)
    entries = np.empty((2, n, automata.n_transitions), np.int32)
    find_extremes(PathProblem.of(automata, tokens, final), scores, ends, entries)
    best, worst = (
        Paths(scores[side], ends[side], entries[side], automata.starts)
        for side in (0, 1)
    )
    return best, worst
