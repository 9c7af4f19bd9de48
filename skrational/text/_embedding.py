"""Texts cut, read by an encoder in batches of similar length, and put together."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.text._encoders import Encoder
from skrational.text._pieces import Assembly, Document, cut, find_words
from skrational.text.word_rows import scale_rows

__all__ = ["Layers", "Recipe", "embed_texts"]

_LAST = re.compile(r"(sum|mean)_last_([1-9]\d*)")
# Texts that are tokenised at a time, in parallel.
_AT_ONCE = 64
# Texts and subwords that are worked on at a time: enough to find pieces of similar
# length, few enough for the memory.
_TEXTS, _SUBWORDS = 512, 2**16
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Layers:
    """Hidden states, added up and scaled.

    Parameters
    ----------
    numbers : tuple of int
        From 0, the embeddings, to the number of layers.
    scale : float
    """

    numbers: tuple[int, ...]
    scale: float

    @classmethod
    def read(cls, layers: Any, n_layers: int) -> Layers:
        """Read the parameter of `BertVectorizer`.

        Raises
        ------
        ValueError
            If it isn't of this form, or there is no such layer.

        Examples
        --------
        >>> Layers.read("mean_last_2", 12)
        Layers(numbers=(11, 12), scale=0.5)
        >>> Layers.read([0, -1], 12)
        Layers(numbers=(0, 12), scale=1.0)
        """
        there = (
            f"the model has layers 0 (the embeddings) to {n_layers}; expected 'last', "
            f"'sum_last_N' or 'mean_last_N' with N up to {n_layers + 1}, or a list of "
            f"different numbers from {-n_layers - 1} to {n_layers}."
        )
        if isinstance(layers, str):
            match = _LAST.fullmatch("sum_last_1" if layers == "last" else layers)
            if match is None or int(match[2]) > n_layers + 1:
                raise ValueError(f"layers is {layers!r}, but {there}")
            n = int(match[2])
            numbers = tuple(range(n_layers + 1 - n, n_layers + 1))
            return cls(numbers, 1.0 if match[1] == "sum" else 1 / n)
        given = np.atleast_1d(np.asarray(layers, dtype=object)).tolist()
        numbered = all(
            isinstance(i, (int, np.integer))
            and not isinstance(i, bool)
            and -n_layers - 1 <= i <= n_layers
            for i in given
        )
        numbers = tuple(int(i) % (n_layers + 1) for i in given) if numbered else ()
        if not numbers or len(set(numbers)) < len(numbers):
            raise ValueError(f"layers is {layers!r}, but {there}")
        return cls(tuple(sorted(numbers)), 1.0)


@dataclass(frozen=True)
class Recipe:
    """What a text's features depend on beside the model.

    Parameters
    ----------
    layers : Layers
    tokens, special_tokens, long, overlap, max_length, unit_norm, dtype
        As the parameters of `BertVectorizer`.
    """

    layers: Layers
    tokens: str
    special_tokens: bool
    long: str
    overlap: int
    max_length: int | None
    unit_norm: bool
    dtype: str

    def window(self, encoder: Encoder) -> int:
        """Return the most subwords of a piece, without special tokens.

        Raises
        ------
        ValueError
            If a parameter doesn't fit the model or its tokenizer.
        """
        if not encoder.tokenizer.is_fast:
            for name, value, fine in (
                ("tokens", self.tokens, "subwords"),
                ("long", self.long, "windows"),
            ):
                if value != fine:
                    raise ValueError(
                        f"{name}={value!r} needs to know where subwords stand in the "
                        "text, which only fast tokenizers tell; this model has "
                        f"{type(encoder.tokenizer).__name__}. Set {name}={fine!r}."
                    )
        limit = min(self.max_length or encoder.limit, encoder.limit)
        window = limit - encoder.n_special
        if window < 1:
            raise ValueError(
                f"max_length={self.max_length} is too small; expected at least "
                f"{encoder.n_special + 1}: the tokenizer puts {encoder.n_special} "
                "special tokens around each piece."
            )
        if self.overlap >= window:
            raise ValueError(
                f"overlap={self.overlap} is too large; expected less than the "
                f"{window} subwords of a window."
            )
        return window


def embed_texts(
    encoder: Encoder,
    texts: Sequence[str],
    positions: Sequence[int],
    recipe: Recipe,
    batch_size: int,
    advance: Callable[[int], None],
) -> Iterator[tuple[int, NDArray[np.floating], list[str]]]:
    """Embed the texts at some positions.

    Parameters
    ----------
    encoder : Encoder
    texts : sequence of str
    positions : sequence of int
    recipe : Recipe
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
    window = recipe.window(encoder)
    for group in _groups(encoder, texts, positions):
        documents = [document for _, document in group]
        assemblies = [
            Assembly(document, cut(document, window, recipe.overlap, recipe.long))
            for document in documents
        ]
        for n_complete in _fill(encoder, assemblies, recipe.layers, batch_size):
            advance(n_complete)
        for (position, document), assembly in zip(group, assemblies, strict=True):
            features = assembly.finish(recipe.tokens, recipe.special_tokens)
            if recipe.unit_norm:
                features = scale_rows(features)
            _check(features, position, recipe.dtype)
            labels = _labels(encoder, document, recipe)
            yield position, features.astype(recipe.dtype), labels


def _groups(
    encoder: Encoder, texts: Sequence[str], positions: Sequence[int]
) -> Iterator[list[tuple[int, Document]]]:
    """Tokenise the texts; yield groups that fit in memory."""
    group: list[tuple[int, Document]] = []
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


def _fill(
    encoder: Encoder,
    assemblies: Sequence[Assembly],
    layers: Layers,
    batch_size: int,
) -> Iterator[int]:
    """Run the encoder on all pieces, the longest first; yield how many are complete."""
    pieces = [(a, i) for a in assemblies for i in range(len(a.spans))]
    pieces.sort(key=lambda piece: len(piece[0].ids(piece[1])), reverse=True)
    for batch in _batches(pieces, batch_size, encoder.pads):
        ids = [encoder.prefix + a.ids(i) + encoder.suffix for a, i in batch]
        rows = encoder.embed(ids, layers.numbers, layers.scale)
        yield sum(
            assembly.add(i, features, len(encoder.prefix))
            for (assembly, i), features in zip(batch, rows, strict=True)
        )


def _batches(
    pieces: list[tuple[Assembly, int]], batch_size: int, pads: bool
) -> Iterator[list[tuple[Assembly, int]]]:
    """Cut pieces sorted by length into batches, of one length where padding matters."""
    if pads:
        groups = [pieces]
    else:
        by_length = itertools.groupby(pieces, lambda piece: len(piece[0].ids(piece[1])))
        groups = [list(group) for _, group in by_length]
    for group in groups:
        for start in range(0, len(group), batch_size):
            yield group[start : start + batch_size]


def _labels(encoder: Encoder, document: Document, recipe: Recipe) -> list[str]:
    if recipe.tokens == "subwords":
        labels = encoder.names(document.ids)
    else:
        labels = _words(encoder, document)
    if not recipe.special_tokens:
        return labels
    return [*encoder.names(encoder.prefix), *labels, *encoder.names(encoder.suffix)]


def _words(encoder: Encoder, document: Document) -> list[str]:
    """Return the words as they stand in the text, or else their first subwords."""
    assert document.offsets is not None
    starts = find_words(document)
    if not len(starts):
        return []
    begins = document.offsets[starts, 0]
    ends = np.maximum.reduceat(document.offsets[:, 1], starts)
    found = [
        document.text[i:j].strip()
        for i, j in zip(begins.tolist(), ends.tolist(), strict=True)
    ]
    names = encoder.names([document.ids[i] for i in starts])
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
