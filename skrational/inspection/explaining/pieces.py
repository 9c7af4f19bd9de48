"""An explained document cut into pieces, which together are the user's own text."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import merge
from typing import NamedTuple

import numpy as np

from skrational.inspection.explaining.prediction import ExplainedPrediction
from skrational.inspection.explaining.tokens import shown_tokens
from skrational.sequences import Original, is_unknown

__all__ = ["Piece", "pieces_of", "shown_pieces"]

_LONGEST_GAP = 2000


class Piece(NamedTuple):
    """A part of a text that is shown in one way.

    Attributes
    ----------
    text : str
    tokens : tuple of int
        The tokens that stand for it, mostly one; none of what is between words.
    is_own : bool
        Whether it's part of the document: not "<s>", and not "…" in place of more.
    is_unknown : bool
        Whether the word has no vector of its own.
    is_unread : bool
        Whether it holds words that no token stands for, such as those beyond the most
        that a vectorizer reads.
    """

    text: str
    tokens: tuple[int, ...] = ()
    is_own: bool = True
    is_unknown: bool = False
    is_unread: bool = False


_MORE = Piece("…", is_own=False)


def pieces_of(explanation: ExplainedPrediction) -> list[Piece]:
    """Cut a document into pieces: all its characters, each once and in order.

    Of a document whose text isn't known, it's the tokens with a space between them.

    Parameters
    ----------
    explanation : ExplainedPrediction

    Returns
    -------
    list of Piece
    """
    labels = explanation.tokens
    original = explanation.original or _joined(labels)
    marks = [
        Piece(labels[t], (t,), is_own=False)
        for t in np.flatnonzero(original.spans[:, 0] < 0).tolist()
    ]
    body: list[Piece] = []
    place = 0
    for start, stop, token in _words(original):
        begin = max(start, place)
        body += _between(original.text[place:begin])
        tokens = () if token is None else (token,)
        is_new = token is None or is_unknown(labels[token])
        if stop <= begin and body and body[-1].tokens:
            # Several tokens are parts of one character.
            text, others, _, is_old, _ = body.pop()
            body.append(Piece(text, others + tokens, is_unknown=is_old or is_new))
        else:
            body.append(Piece(original.text[begin:stop], tokens, is_unknown=is_new))
        place = max(stop, begin)
    body += _between(original.text[place:])
    n_before = original.n_before
    return [*marks[:n_before], *body, *marks[n_before:]]


def _between(text: str) -> list[Piece]:
    """Return what stands beside words as a piece, if it's anything."""
    return [Piece(text, is_unread=any(map(str.isalnum, text)))] if text else []


def _joined(tokens: tuple[str, ...]) -> Original:
    ends = np.cumsum([len(token) + 1 for token in tokens], dtype=np.int64) - 1
    lengths = np.array([len(token) for token in tokens], np.int64)
    spans = np.stack([ends - lengths, ends], axis=1)
    return Original(" ".join(tokens), spans, np.empty((0, 2), np.int64))


def _words(original: Original) -> list[tuple[int, int, int | None]]:
    """Where words begin and end, and the token of each, None if it was left out."""
    spans = original.spans.tolist()
    tokens = [(*span, t) for t, span in enumerate(spans) if span[0] >= 0]
    left_out = [(*span, None) for span in original.left_out.tolist()]
    # Tokens never go back, and neither do words that were left out.
    return list(merge(tokens, left_out, key=lambda word: word[0]))


def shown_pieces(
    explanation: ExplainedPrediction, wfsas: Iterable[int], max_tokens: int
) -> list[Piece]:
    """Choose pieces to show: all or, of too many tokens, those around what matters.

    Parameters
    ----------
    explanation : ExplainedPrediction
    wfsas, max_tokens
        As for `shown_tokens`.

    Returns
    -------
    list of Piece
        Among them "…" where some are left out.
    """
    chosen = {t for t in shown_tokens(explanation, wfsas, max_tokens) if t is not None}
    pieces = [_shortened(piece) for piece in pieces_of(explanation)]
    if len(chosen) == len(explanation.tokens):
        return pieces
    shown: list[Piece] = []
    for i, piece in enumerate(pieces):
        beside = [*pieces[max(i - 1, 0) : i], *pieces[i + 1 : i + 2]]
        near = [piece] if piece.tokens else beside
        tokens = [t for one in near for t in one.tokens]
        if chosen.issuperset(tokens) and tokens:
            shown.append(piece)
        elif not shown or shown[-1] is not _MORE:
            shown.append(_MORE)
    return shown


def _shortened(piece: Piece) -> Piece:
    """Cut what stands between words, such as all that a vectorizer didn't read."""
    if piece.tokens or len(piece.text) <= _LONGEST_GAP:
        return piece
    return piece._replace(text=piece.text[:_LONGEST_GAP] + "…", is_own=False)
