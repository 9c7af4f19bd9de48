"""The words that a graph knows, and what the files beside it say of texts.

`WordVectorizer` looks words up as they are, then as they look; so does the tokenizer
that goes with a graph, in one dict: a spelling of which a word of the table is an alias
has the number of that word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from skrational.deployment.onnx.network import Array, Network
from skrational.sequences import SequenceArray
from skrational.text.vectors.canonical import aliases
from skrational.text.vectors.corpus import LearnedTable
from skrational.text.vectors.word_source import WordSource
from skrational.text.word_vectors import WordVectorizer
from skrational.text.words.lexicon import Lexicon

__all__ = ["Vectors", "Vocabulary", "rows_of", "settings_of", "table_of"]

Vectors = Literal["all", "used"]

_ROWS = 4096


@dataclass(frozen=True)
class Vocabulary:
    """Words by their numbers.

    Attributes
    ----------
    words : list of str
    aliases : dict of str to int
        Numbers of other spellings.
    unknown : int or None
        The number of all other words; None if they are left out.
    """

    words: list[str]
    aliases: dict[str, int]
    unknown: int | None

    @classmethod
    def of(
        cls,
        vectorizer: WordVectorizer,
        vectors: Vectors,
        texts: Iterable[Any] | None,
    ) -> Vocabulary:
        """Choose the words that a graph knows.

        Parameters
        ----------
        vectorizer : WordVectorizer
            Fitted.
        vectors : {"all", "used"}
        texts : iterable of str, or of lists of str; or None
            Those whose words are used.

        Raises
        ------
        ValueError
            If nobody knows which words were used, or the table has none of them.
        """
        source = vectorizer._open_source()
        framing = (vectorizer.start_token, vectorizer.end_token)
        special = [token for token in framing if token is not None]
        used = _used(vectorizer, source, texts) if vectors == "used" else None
        known = (
            source.table.words if used is None else filter(source.__contains__, used)
        )
        stop_words = vectorizer._stop_words
        read = (word for word in known if word not in stop_words)
        words = list(dict.fromkeys([*special, *read]))
        if len(words) == len(set(special)):
            raise ValueError(
                "The vectorizer's table has none of the words of texts, so that the "
                "graph would know none; give other texts, or vectors='all'."
            )
        number = {word: i for i, word in enumerate(words)}
        others = {
            form: number[word]
            for form, word in aliases(words).items()
            if form not in number
        }
        unknown = None if source.unknown is None else len(words)
        return cls(words, others, unknown)

    def to_json(self) -> dict[str, Any]:
        """Return what the file ``vocabulary.json`` holds."""
        return {"words": self.words, "aliases": self.aliases}


def _used(
    vectorizer: WordVectorizer, source: WordSource, texts: Iterable[Any] | None
) -> list[str] | None:
    """Return the words of texts, or of those of fit; None: all of the table."""
    if texts is not None:
        lexicon = Lexicon()
        vectorizer._encode(texts, lexicon)
        return lexicon.words(np.arange(len(lexicon)))
    if isinstance(source.table, LearnedTable):
        return None
    known = vectorizer._known_training_words()
    if known is None:
        raise ValueError(
            "vectors='used' is about the words of the training texts, which this "
            "vectorizer didn't keep. Give texts=, such as those of fit, or "
            "vectors='all'."
        )
    return list(known)


def settings_of(vectorizer: WordVectorizer, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what a tokenizer has to know beside the words."""
    splits = vectorizer.tokenizer is str.split
    return {
        "split": "whitespace" if splits else "skrational",
        "lowercase": bool(vectorizer.lowercase),
        "start_token": vectorizer.start_token,
        "end_token": vectorizer.end_token,
        "max_length": (
            None if vectorizer.max_length is None else int(vectorizer.max_length)
        ),
        "keep": vectorizer.keep,
        "stop_words": sorted(vectorizer._stop_words.forms),
        "unknown": vocabulary.unknown,
    }


def rows_of(vectorizer: WordVectorizer, vocabulary: Vocabulary) -> Iterator[Array]:
    """Yield the vectors of words, and of the unknown one, some at a time."""
    source = vectorizer._open_source()
    words: list[str | None] = [*vocabulary.words]
    if vocabulary.unknown is not None:
        words.append(None)
    for start in range(0, len(words), _ROWS):
        yield source.take(words[start : start + _ROWS])


def table_of(network: Network, steps: tuple[Any, ...], rows: Iterable[Array]) -> Array:
    """Project vectors: what the loop reads of each, (n_rows, width).

    Parameters
    ----------
    network : Network
    steps : tuple of TimeStepTransformer
        What transforms the vectors first.
    rows : iterable of ndarray of shape (n, n_features)
    """
    parts = []
    for part in rows:
        X = SequenceArray(part, np.arange(len(part) + 1))
        for step in steps:
            X = step.transform(X)
        z = X.features.astype(np.float64) @ network.weight.T + network.bias
        parts.append(network.projected(z).astype(network.dtype))
    return np.concatenate(parts)
