"""Texts cut, read by an encoder in batches of similar length, and put together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.encoders.encoder import Encoder
from skrational.text.encoders.pieces import (
    PieceFeatures,
    TokenizedText,
    cut_into_pieces,
    find_words,
    word_bounds,
)
from skrational.text.encoders.settings import EmbeddingSettings, Layers
from skrational.text.vectors.word_source import scale_rows

__all__ = ["embed_texts"]

# Texts that are tokenised at a time, in parallel.
_AT_ONCE = 64
# Texts and subwords that are worked on at a time: enough to find pieces of similar
# length, few enough for the memory.
_TEXTS, _SUBWORDS = 512, 2**16
_LARGEST = float(np.finfo(np.float16).max)


class _Piece(NamedTuple):
    """A piece of a text, by its number."""

    text: PieceFeatures
    number: int


def embed_texts(
    encoder: Encoder,
    texts: Sequence[str],
    positions: Sequence[int],
    settings: EmbeddingSettings,
    batch_size: int,
    advance: Callable[[int], None],
) -> Iterator[tuple[int, NDArray[np.floating], list[str]]]:
    """Embed the texts at some positions.

    Parameters
    ----------
    encoder : Encoder
    texts : sequence of str
    positions : sequence of int
        Which of the texts; no other is read.
    settings : EmbeddingSettings
    batch_size : int
        Number of pieces.
    advance : callable
        Is told the number of texts that are done.

    Yields
    ------
    position : int
    features : ndarray of shape (n_tokens, n_features)
    labels : list of str

    Raises
    ------
    ValueError
        If a feature is NaN, or too large for the dtype; the message names the text.
    """
    window = settings.window(encoder)
    overlap = settings.overlap_in(window)
    for group in _groups(encoder, texts, positions):
        documents = [document for _, document in group]
        collected = [
            PieceFeatures(
                document, cut_into_pieces(document, window, overlap, settings.long)
            )
            for document in documents
        ]
        for n_complete in _embed_pieces(
            encoder, collected, settings.layers, batch_size
        ):
            advance(n_complete)
        for (position, document), pieces in zip(group, collected, strict=True):
            features = pieces.finish(settings.tokens, settings.special_tokens)
            if settings.unit_norm:
                features = scale_rows(features)
            _check(features, position, settings.dtype)
            labels = _labels(encoder, document, settings)
            yield position, features.astype(settings.dtype), labels


def _groups(
    encoder: Encoder, texts: Sequence[str], positions: Sequence[int]
) -> Iterator[list[tuple[int, TokenizedText]]]:
    """Tokenise the texts; yield groups that fit in memory."""
    group: list[tuple[int, TokenizedText]] = []
    n_subwords = 0
    for start in range(0, len(positions), _AT_ONCE):
        some = positions[start : start + _AT_ONCE]
        documents = encoder.tokenize([texts[i] for i in some])
        for position, document in zip(some, documents, strict=True):
            group.append((position, document))
            n_subwords += len(document.ids)
            if len(group) >= _TEXTS or n_subwords >= _SUBWORDS:
                yield group
                group, n_subwords = [], 0
    if group:
        yield group


def _embed_pieces(
    encoder: Encoder,
    collected: Sequence[PieceFeatures],
    layers: Layers,
    batch_size: int,
) -> Iterator[int]:
    """Run the encoder on all pieces of some texts, the longest pieces first.

    Parameters
    ----------
    encoder : Encoder
    collected : sequence of PieceFeatures
        One a text; they take the features of their pieces.
    layers : Layers
    batch_size : int
        Number of pieces.

    Yields
    ------
    int
        How many texts a batch has completed.
    """
    pieces = [_Piece(text, i) for text in collected for i in range(len(text.spans))]
    pieces.sort(key=_length, reverse=True)
    for batch in _batches(pieces, batch_size, encoder.pads):
        ids = [encoder.prefix + text.ids(i) + encoder.suffix for text, i in batch]
        rows = encoder.embed(ids, layers.numbers, layers.scale)
        yield sum(
            text.add(i, features, len(encoder.prefix))
            for (text, i), features in zip(batch, rows, strict=True)
        )


def _length(piece: _Piece) -> int:
    return len(piece.text.ids(piece.number))


def _batches(
    pieces: list[_Piece], batch_size: int, pads: bool
) -> Iterator[list[_Piece]]:
    """Cut pieces sorted by length into batches, of one length where padding matters."""
    if pads:
        groups = [pieces]
    else:
        groups = [list(group) for _, group in itertools.groupby(pieces, _length)]
    for group in groups:
        for start in range(0, len(group), batch_size):
            yield group[start : start + batch_size]


def _labels(
    encoder: Encoder, document: TokenizedText, settings: EmbeddingSettings
) -> list[str]:
    if settings.tokens == "subwords":
        labels = encoder.names(document.ids)
    else:
        labels = _words(encoder, document)
    if not settings.special_tokens:
        return labels
    return [*encoder.names(encoder.prefix), *labels, *encoder.names(encoder.suffix)]


def _words(encoder: Encoder, document: TokenizedText) -> list[str]:
    """Return the words as they stand in the text, or else their first subwords."""
    found = [document.text[i:j].strip() for i, j in word_bounds(document)]
    names = encoder.names([document.ids[i] for i in find_words(document)])
    return [word or name for word, name in zip(found, names, strict=True)]


def _check(features: NDArray[np.float32], position: int, dtype: str) -> None:
    if not np.isfinite(features).all():
        raise ValueError(f"The model makes NaN or infinity of text {position} of X.")
    largest = np.abs(features).max(initial=0)
    if dtype == "float16" and largest > _LARGEST:
        raise ValueError(
            f"A feature of text {position} of X is {largest:.6g}; float16 ends at "
            f"{_LARGEST:.0f}. Set dtype='float32' or unit_norm=True."
        )
