"""Explanations of networks of several layers: what the last layer's paths read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skrational.inspection.explaining.explanations import Explanation
from skrational.inspection.explaining.records import path_record, plain
from skrational.inspection.matching.layers import read_by_last, token_scores
from skrational.inspection.matching.paths import Path, Paths, extreme_paths
from skrational.inspection.matching.weighted_tokens import weighted_tokens
from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata

__all__ = ["LayeredExplanation", "Reading", "readings_of"]

_MOST_READ = 3
_LEAST_SHARE = 0.1


class Reading(NamedTuple):
    """What a main-path transition of the last layer reads of an automaton below.

    Attributes
    ----------
    token : int
        Where the transition is.
    wfsa : int
        The automaton of the layer below, from 0 among those that are left.
    share : float
        Its share of ``W_u`` times the scores of that layer at the token, of which the
        transition's weight is made. Over all automata they add up to 1.
    path : Path or None
        The single path of the automaton that ends at the token and scores most (least,
        if its score is negative); None where there is none.
    """

    token: int
    wfsa: int
    share: float
    path: Path | None


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LayeredExplanation(Explanation):
    """Why a network of several layers predicts what it predicts for a document.

    An `Explanation` whose WFSAs are those of the last layer, with ``readings`` of what
    their paths read. Logits, contributions, ``effects`` and ``probabilities_without``
    are exact through all layers. Paths, ``shares`` and the weights of tokens are exact
    given the scores of the layer below: they tell where the transitions of the last
    layer are, not how far back the automata below have looked, which ``readings`` tell.

    Attributes
    ----------
    readings : tuple of tuple of tuple of Reading
        For each WFSA of the last layer, for each main-path transition of the path that
        leads, the automata of the layer below that give most of its weight: up to
        three, of those that have a tenth of it. The gate of the transition, which
        reads the same scores, is taken as it is.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> from skrational.inspection import explain
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(
    ...     n_layers=2, n_wfsas=8, random_state=0, max_epochs=5
    ... ).fit(data.X, data.y)
    >>> explanation = explain(clf, data.X[:1])[0]
    >>> leader = explanation.order[0]
    >>> reading = explanation.readings[leader][0][0]
    >>> reading.token == explanation.paths[leader].entries[0]
    True
    """

    readings: tuple[tuple[tuple[Reading, ...], ...], ...] = ()

    def to_text(self) -> str:
        """Write the explanation for a terminal, with what the layer below adds."""
        lines = [
            f"  WFSA {k} reads {', then '.join(map(self._told, self.readings[k]))}"
            for k in self.order
            if self.readings[k]
        ]
        head = ["what the last layer reads of the layer below:"] if lines else []
        return "\n".join([super().to_text(), *head, *lines])

    def _told(self, readings: tuple[Reading, ...]) -> str:
        """Say what a transition reads."""
        told = [
            f"{r.share:.2f} of WFSA {r.wfsa}"
            + (f' ("{" ".join(r.path.cells(self.marked_words))}")' if r.path else "")
            for r in readings
        ]
        return " and ".join(told) or "nothing"

    def _wfsas(self) -> list[dict[str, Any]]:
        words = self.marked_words
        return [
            known | {"readings": _reading_records(readings, words)}
            for known, readings in zip(super()._wfsas(), self.readings, strict=True)
        ]


def _reading_records(
    readings: tuple[tuple[Reading, ...], ...], words: Sequence[str]
) -> list[list[dict[str, Any]]]:
    return [
        [
            {
                "token": r.token,
                "wfsa": r.wfsa,
                "share": plain(r.share),
                "path": path_record(r.path, words),
            }
            for r in of_transition
        ]
        for of_transition in readings
    ]


def readings_of(
    layers: tuple[WeightedAutomata, ...], X: SequenceArray, leading: Paths
) -> list[tuple[tuple[tuple[Reading, ...], ...], ...]]:
    """Find what the transitions of the leading paths read, for each document.

    Parameters
    ----------
    layers : tuple of WeightedAutomata
        From the first layer on.
    X : SequenceArray
        n documents.
    leading : Paths
        Of the last layer in these documents.
    """
    *_, below, last = layers
    given = read_by_last(layers[:-1], X)
    scores = token_scores(below, given)
    found = []
    for i in range(len(X)):
        own = scores[X.offsets[i] : X.offsets[i + 1]]
        shares = [_shares(last, path, own) for path in leading[i]]
        tokens = {token for each in shares for token, _, _ in each}
        known = _paths_to(below, given[i : i + 1], sorted(tokens), own)
        found.append(
            tuple(
                _of_path(path, each, known)
                for path, each in zip(leading[i], shares, strict=True)
            )
        )
    return found


def _of_path(
    path: Path | None,
    shares: list[tuple[int, int, float]],
    known: dict[int, list[Path | None]],
) -> tuple[tuple[Reading, ...], ...]:
    """Readings of each main-path transition of a path.

    Parameters
    ----------
    path : Path or None
    shares : list of (int, int, float)
        From `_shares`.
    known : dict from int to list of Path or None
        From `_paths_to`.
    """
    return tuple(
        tuple(
            Reading(token, wfsa, share, known[token][wfsa])
            for token, wfsa, share in shares
            if token == entry
        )
        for entry in (() if path is None else path.entries)
    )


def _shares(
    last: WeightedAutomata, path: Path | None, scores: Any
) -> list[tuple[int, int, float]]:
    """Tokens, automata below and shares of the transitions of a path."""
    shares = []
    for k, token in enumerate(() if path is None else path.entries):
        assert path is not None
        row = last.starts[path.wfsa] + k
        parts = last.W_u[row].astype(np.float64) * scores[token]
        total = parts.sum()
        if total == 0:
            continue
        order = np.argsort(-np.abs(parts), kind="stable")[:_MOST_READ]
        shares += [
            (token, int(w), float(parts[w] / total))
            for w in order
            if abs(parts[w] / total) >= _LEAST_SHARE
        ]
    return shares


def _paths_to(
    automata: WeightedAutomata, document: SequenceArray, tokens: list[int], scores: Any
) -> dict[int, list[Path | None]]:
    """For each token the leading path of each automaton that ends there.

    Parameters
    ----------
    automata : WeightedAutomata
    document : SequenceArray
        A single one.
    tokens : list of int
        Each once.
    scores : ndarray of shape (n_tokens, d)
        Of the automata after each token.
    """
    if not tokens:
        return {}
    rows = document.row_numbers()
    prefixes = SequenceArray(
        document.features,
        np.cumsum([0, *(t + 1 for t in tokens)]),
        np.concatenate([rows[: t + 1] for t in tokens]),
    )
    parts = [
        extreme_paths(automata, part) for part in weighted_tokens(automata, prefixes)
    ]
    best, worst = (Paths.concatenate(side) for side in zip(*parts, strict=True))
    leading = Paths.where(scores[tokens] >= 0, best, worst)
    return {t: list(leading[n]) for n, t in enumerate(tokens)}
