"""The tables of a `WordVectorizer` in a saved model: with it, or where they are.

``"used"`` keeps the vectors of the words of the training texts in half precision,
``"all"`` whole tables as they are, and ``"reference"`` the path and the SHA-256 of each
file; what is in no file is kept whole then.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skrational.persistence.encoding import Encoder, Place, state_of
from skrational.persistence.unchanged import check_unchanged
from skrational.text.vectors.joined import JoinedTable
from skrational.text.vectors.kept_vectors import KeptVectors
from skrational.text.vectors.loading import CORPUS, load_table
from skrational.text.vectors.subwords import SubwordTable
from skrational.text.vectors.tables import Table, VectorTable
from skrational.text.word_vectors import WordVectorizer
from skrational.text.words.lexicon import Lexicon

__all__ = ["ALL_WORDS", "VectorEncoder", "Vectors", "file_digest"]

Vectors = Literal["used", "all", "reference"]

_PRIVATE = ("_learned", "_stored", "_source", "_fingerprint", "_training_words")
ALL_WORDS = "all words of the tables"
"""Stands for training words that are those of the tables."""
_STEP = 2**20
_MOST_ROUNDING = 2.0**-10
"""Rounding to half precision moves a vector by less than this share of its length."""


@dataclass(frozen=True)
class VectorEncoder:
    """Encodes vectorizers with their tables.

    Parameters
    ----------
    vectors : {"used", "all", "reference"}
    texts : sequence of str, or None
        Whose words are used; None: those of ``fit``.
    """

    vectors: Vectors
    texts: Sequence[Any] | None
    _nodes: dict[bytes, dict[str, Any]] = field(default_factory=dict)

    def __call__(
        self, encoder: Encoder, vectorizer: WordVectorizer, place: Place
    ) -> dict[str, Any]:
        """Return the parts of a vectorizer's node."""
        parameters, attributes = state_of(vectorizer)
        for name in _PRIVATE:
            attributes.pop(name, None)
        given = parameters.pop("vectors")
        is_list = isinstance(given, list | tuple)
        parts = list(given) if is_list else [given]
        node = encoder.estimator(vectorizer, parameters, attributes, place)
        if "n_features_out_" in attributes:
            tables: list[Table | None] = [*_tables_of(vectorizer)]
        else:
            tables = [None if _is_path(part) else load_table(part) for part in parts]
        if len(tables) != len(parts):
            raise ValueError(
                f"{place} can't be saved: its parameter vectors holds {len(parts)} "
                f"tables, and it was fitted with {len(tables)}. Fit it again."
            )
        if self.vectors == "reference":
            for table, part in zip(tables, parts, strict=True):
                if table is not None and _is_of_file(table, part):
                    check_unchanged(table, str(place), vectorizer.cache)
        words = self._words(vectorizer, tables, place)
        node["tables"] = {
            "listed": is_list,
            "tables": [
                self._table(encoder, table, part, words, place.part(f"vectors[{i}]"))
                for i, (table, part) in enumerate(zip(tables, parts, strict=True))
            ],
            "training_words": self._training_words(encoder, vectorizer, words, place),
        }
        return node

    def _words(
        self, vectorizer: WordVectorizer, tables: list[Any], place: Place
    ) -> list[str] | None:
        """Return the words to keep; None: all of them."""
        if self.vectors != "used" or all(table is None for table in tables):
            return None
        framing = (vectorizer.start_token, vectorizer.end_token)
        special = [token for token in framing if token is not None]
        if self.texts is not None:
            lexicon = Lexicon()
            vectorizer._encode(self.texts, lexicon)
            return [*special, *lexicon.words(np.arange(len(lexicon)))]
        found = vectorizer._known_training_words()
        if found is None and "n_features_out_" not in vars(vectorizer):
            raise ValueError(
                f"{place} isn't fitted, and vectors='used' is about the words of the "
                "texts of fit. Give texts=, or vectors='all'."
            )
        if found is None:
            raise ValueError(
                f"{place} was fitted by an earlier version, which didn't keep the "
                "words of its texts, and vectors='used' is about these. Give texts=, "
                "or vectors='all' or 'reference'."
            )
        return [*special, *found]

    def _training_words(
        self,
        encoder: Encoder,
        vectorizer: WordVectorizer,
        words: list[str] | None,
        place: Place,
    ) -> Any:
        """Return what tells of the training words, for who saves the model again.

        Parameters
        ----------
        encoder : Encoder
        vectorizer : WordVectorizer
        words : list of str or None
            Those that are kept; None: all.
        place : Place
        """
        if "n_features_out_" not in vars(vectorizer):
            return None
        if words is not None:
            return ALL_WORDS
        known = vectorizer._known_training_words()
        if known is None or vectorizer._training_words is None:
            return None
        return encoder.words(known, place.part("training_words"))

    def _shared(
        self, encoder: Encoder, words: list[str], rows: NDArray[Any], place: Place
    ) -> dict[str, Any]:
        """Return the nodes of words and vectors, the same for equal ones.

        Parameters
        ----------
        encoder : Encoder
        words : list of str
        rows : ndarray of shape (n_words, n_features)
        place : Place
        """
        key = _digest(words, rows)
        if key not in self._nodes:
            self._nodes[key] = {
                "words": encoder.words(words, place.part("words")),
                "rows": encoder.encode(rows, place.part("rows")),
            }
        return self._nodes[key]

    def _table(
        self,
        encoder: Encoder,
        table: Table | None,
        part: Any,
        words: list[str] | None,
        place: Place,
    ) -> dict[str, Any]:
        """Return the node of one of the tables.

        Parameters
        ----------
        encoder : Encoder
        table : Table or None
            None of a vectorizer that isn't fitted, and names a file.
        part : object
            The parameter ``vectors``, or an item of it.
        words : list of str or None
            Those to keep.
        place : Place
        """
        if table is None:
            return {"given": os.fspath(part)}
        if self.vectors == "reference" and _is_of_file(table, part):
            return _reference(table, part)
        node: dict[str, Any] = {"given": _short_name(part)}
        kept = _in_order(table, words) if words is not None else list(table.words)
        if not kept:
            raise ValueError(
                f"{place} has none of the words to keep: give other texts."
            )
        rows = _rows(table, kept, half=words is not None)
        node |= self._shared(encoder, kept, rows, place)
        if isinstance(table, SubwordTable) and words is None:
            node["subwords"] = _subwords(encoder, table, kept, place)
        return node


def _digest(words: list[str], rows: NDArray[Any]) -> bytes:
    digest = hashlib.sha256(repr((rows.dtype.str, rows.shape)).encode())
    digest.update(repr(words).encode())
    digest.update(np.ascontiguousarray(rows).data.cast("B"))
    return digest.digest()


def _tables_of(vectorizer: WordVectorizer) -> list[Table]:
    table = vectorizer._open_table()
    return list(table.tables) if isinstance(table, JoinedTable) else [table]


def _is_path(part: Any) -> bool:
    return isinstance(part, str | os.PathLike)


def _is_of_file(table: Table, part: Any) -> bool:
    return _is_path(part) and os.path.isfile(table.source or "")


def _short_name(part: Any) -> str | None:
    """Return a path without its folders, which are nobody else's business."""
    if isinstance(part, KeptVectors):
        return part.name
    if not _is_path(part):
        return None
    name = os.fspath(part)
    return name if name == CORPUS else os.path.basename(name)


def _in_order(table: Table, words: Iterable[str]) -> list[str]:
    """Return the words that a table has, in its order, each once."""
    found = {word: table.find(word) for word in words}
    rank = {word: i for i, word in enumerate(table.words)}
    last = len(rank)
    known = [word for word, form in found.items() if form is not None]
    return sorted(known, key=lambda word: rank.get(str(found[word]), last))


def _rows(table: Table, words: list[str], half: bool) -> NDArray[Any]:
    """Return the vectors of words, in half precision if that is asked for and near."""
    own = getattr(table, "vectors", None)
    rows = table.take(words)
    if isinstance(own, np.ndarray) and own.dtype == np.float16:
        return rows.astype(np.float16)  # which it came from
    if not half:
        return rows
    with np.errstate(over="ignore", under="ignore"):
        rounded = rows.astype(np.float16)
        errors = np.linalg.norm(rounded.astype(float) - rows, axis=1)
        lengths = np.linalg.norm(rows.astype(float), axis=1)
    # NaN is no number below anything.
    return rounded if (errors <= _MOST_ROUNDING * lengths).all() else rows


def _subwords(
    encoder: Encoder, table: SubwordTable, words: list[str], place: Place
) -> dict[str, Any]:
    """Return the node of a table's n-grams, and the vectors of words without them."""
    parts = np.asarray(table.subwords.vectors)
    if not np.isfinite(parts).all():
        raise ValueError(
            f"{place}: vectors of n-grams hold NaN or infinity; save with "
            "vectors='used' or 'reference'."
        )
    own = np.asarray(table.vectors)[[table.index[word] for word in words]]
    return {
        "own": encoder.encode(own, place.part("own")),
        "parts": encoder.encode(parts, place.part("parts")),
        "lengths": [table.subwords.shortest, table.subwords.longest],
        "whole": table.whole,
        "alone": table.alone,
    }


def _reference(table: Table, part: Any) -> dict[str, Any]:
    path = Path(str(table.source))
    return {
        "given": os.fspath(part),
        "path": str(path),
        "fingerprint": table.fingerprint,
        "bytes": path.stat().st_size,
        "sha256": file_digest(path),
        "kind": type(table).__name__ if isinstance(table, VectorTable) else None,
    }


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_STEP):
            digest.update(block)
    return digest.hexdigest()
