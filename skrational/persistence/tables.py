"""The tables of a loaded `WordVectorizer`: those of its folder, and files elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from reprlib import repr as cut_repr
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import ModelFileError
from skrational.persistence.building import build_estimator
from skrational.persistence.registry import KNOWN
from skrational.persistence.vectors import ALL_WORDS, file_digest
from skrational.text.vectors.corpus import LearnedTable
from skrational.text.vectors.kept import joined_words
from skrational.text.vectors.kept_vectors import KeptVectors
from skrational.text.vectors.loading import CORPUS, fetch_vectors
from skrational.text.vectors.subwords import Subwords, SubwordTable
from skrational.text.vectors.tables import Table, VectorTable
from skrational.text.vectors.word_rows import SharedRows
from skrational.utils.files import expanded

if TYPE_CHECKING:
    from skrational.persistence.decoding import Decoder
    from skrational.text.word_vectors import WordVectorizer

__all__ = ["VectorDecoder"]

_SOURCE = "the vectors of the model"
_TABLES = {"listed", "tables", "training_words"}
_REFERENCE = {"given", "path", "fingerprint", "bytes", "sha256", "kind"}


@dataclass
class VectorDecoder:
    """Builds vectorizers with their tables.

    Parameters
    ----------
    moved : list of path
        Where the files are now that the model refers to, one after the other; those
        that aren't named are where they were.
    """

    moved: list[str | os.PathLike[str]]

    def __call__(self, decoder: Decoder, node: dict[str, Any]) -> WordVectorizer:
        """Return the vectorizer of a node."""
        parts = {
            name: decoder.decode(node.get(name) or {})
            for name in ("parameters", "attributes")
        }
        requests = decoder.decode(node["requests"]) if "requests" in node else None
        stored = node.get("tables")
        if not isinstance(stored, dict) or set(stored) != _TABLES:
            raise ValueError("a WordVectorizer has no tables")
        nodes = stored["tables"]
        if not isinstance(nodes, list) or not nodes:
            raise ValueError("a WordVectorizer has no tables")
        found = [self._table(decoder, one) for one in nodes]
        given = [one.given for one in found]
        parts["parameters"]["vectors"] = given if stored["listed"] else given[0]
        vectorizer: WordVectorizer = build_estimator(
            KNOWN["WordVectorizer"], **parts, requests=requests
        )
        if "n_features_out_" in parts["attributes"]:
            _adopt(vectorizer, found)
            _adopt_words(vectorizer, found, decoder, stored["training_words"])
        elif any(one.source or isinstance(one.table, LearnedTable) for one in found):
            raise ValueError("a WordVectorizer that isn't fitted has tables of fit")
        return vectorizer

    def _table(self, decoder: Decoder, node: Any) -> _Found:
        if not isinstance(node, dict):
            raise ValueError(f"{cut_repr(node)} is no table")
        given = node.get("given")
        if not isinstance(given, str | None):
            raise ValueError(f"a table was given as {cut_repr(given)}")
        if set(node) == {"given"} and given is not None:
            return _Found(given, None, None, None)
        if set(node) == _REFERENCE and given is not None:
            return self._reference(node)
        if (
            not {"given", "words", "rows"}
            <= set(node)
            <= {
                "given",
                "words",
                "rows",
                "subwords",
            }
        ):
            raise ValueError(f"a table has {cut_repr(sorted(node))}")
        table, rows = _stored_table(decoder, node)
        if isinstance(table, LearnedTable):
            return _Found(given, table, None, None)
        if given is None and not isinstance(table, SubwordTable):
            vectors: Any = dict(zip(table.index, rows, strict=True))
        else:
            vectors = KeptVectors(table, given)
        return _Found(vectors, table, None, None)

    def _reference(self, node: dict[str, Any]) -> _Found:
        """Find a file, and make sure that it's the one."""
        given, digest = node["given"], node["sha256"]
        candidates = [self.moved.pop(0)] if self.moved else [given, node["path"]]
        path = _find(candidates)
        if path.stat().st_size != node["bytes"] or file_digest(path) != digest:
            raise ModelFileError(
                f"{path} is not the file of vectors that the model was saved with "
                f"(SHA-256 {cut_repr(digest)})."
            )
        fingerprint = node["fingerprint"]
        if not isinstance(fingerprint, str):
            raise ValueError(f"the fingerprint is {cut_repr(fingerprint)}")
        return _Found(str(path), None, str(path), fingerprint)


@dataclass(frozen=True)
class _Found:
    """A table of a model.

    Attributes
    ----------
    given : object
        What the parameter ``vectors`` is.
    table : VectorTable or None
    source, fingerprint : str or None
        Of a table that is elsewhere.
    """

    given: Any
    table: VectorTable | None
    source: str | None
    fingerprint: str | None


def _find(candidates: Sequence[str | os.PathLike[str]]) -> Path:
    for candidate in candidates:
        path = expanded(candidate)
        if path.is_file():
            return path.resolve()
    first = os.fspath(candidates[0])
    if first == os.path.basename(first) and "-" in first:
        return fetch_vectors(first)
    raise FileNotFoundError(
        f"The model refers to vectors in {os.fspath(candidates[-1])}, which isn't "
        "there. Put the file back, or say where it is by load(folder, vectors=...)."
    )


def _stored_table(
    decoder: Decoder, node: dict[str, Any]
) -> tuple[VectorTable, NDArray[Any]]:
    """Return a table, and the vectors of its words."""
    words = decoder.words(node["words"])
    rows = _checked(decoder.array(node["rows"]), (len(words), None))
    index = {word: row for row, word in enumerate(words)}
    if len(index) < len(words):
        raise ValueError("a table has a word twice")
    if node["given"] == CORPUS:
        return LearnedTable(index, rows, "the texts of fit"), rows
    if "subwords" not in node:
        return VectorTable(index, rows, _SOURCE), rows
    facts = node["subwords"]
    if not isinstance(facts, dict) or set(facts) != {
        "own",
        "parts",
        "lengths",
        "whole",
        "alone",
    }:
        raise ValueError("the n-grams of a table are damaged")
    own = _checked(decoder.array(facts["own"]), rows.shape)
    parts = _checked(decoder.array(facts["parts"]), (None, rows.shape[1]))
    lengths, whole, alone = (facts[name] for name in ("lengths", "whole", "alone"))
    sound = isinstance(lengths, list) and len(lengths) == 2
    if not sound or not all(type(n) is int and 0 < n < 100 for n in lengths):
        raise ValueError(f"n-grams have the lengths {cut_repr(lengths)}")
    if type(whole) is not bool or not isinstance(alone, str | None):
        raise ValueError("the n-grams of a table are damaged")
    subwords = Subwords(parts, *lengths)
    table = SubwordTable(
        index, own, _SOURCE, subwords=subwords, whole=whole, alone=alone
    )
    return table, rows


def _checked(rows: NDArray[Any], shape: tuple[int | None, int | None]) -> NDArray[Any]:
    fits = rows.ndim == 2 and all(
        need in (None, have) for need, have in zip(shape, rows.shape, strict=True)
    )
    if not fits or rows.dtype.kind != "f" or not rows.size:
        raise ValueError(
            f"vectors of shape {rows.shape} and type {rows.dtype}; expected {shape}"
        )
    if not np.isfinite(rows).all():
        raise ValueError("vectors hold NaN or infinity")
    return rows


def _adopt(vectorizer: WordVectorizer, found: list[_Found]) -> None:
    """Let a vectorizer have its tables, as if it had been fitted with them."""
    tables: list[Table | None] = [one.table for one in found]
    learned = [table for table in tables if isinstance(table, LearnedTable)]
    widths = [table.n_features for table in tables if table is not None]
    expected = vectorizer.n_features_out_
    whole = len(widths) == len(tables)
    if (sum(widths) != expected) if whole else (sum(widths) >= expected):
        raise ValueError(f"vectors are {sum(widths)} wide; expected {expected}")
    _check_widths(vectorizer, expected)
    vectorizer._learned = learned[0] if learned else None
    vectorizer._source = [
        one.source or getattr(one.table, "source", None) for one in found
    ]
    vectorizer._fingerprint = [
        one.fingerprint or (one.table.fingerprint if one.table is not None else None)
        for one in found
    ]
    vectorizer._rows = SharedRows()
    if any(table is not None and table not in learned for table in tables):
        vectorizer._stored = tables
    if whole:
        vectorizer._table = vectorizer._join([t for t in tables if t is not None])


def _adopt_words(
    vectorizer: WordVectorizer, found: list[_Found], decoder: Decoder, told: Any
) -> None:
    """Let a vectorizer know the words that it was trained on.

    Parameters
    ----------
    vectorizer : WordVectorizer
    found : list of _Found
    decoder : Decoder
    told : object
        What the file says of them.
    """
    if told is None:
        return
    if told == ALL_WORDS:
        indices = (one.table.index for one in found if one.table is not None)
        words = dict.fromkeys(chain.from_iterable(indices))
    else:
        words = dict.fromkeys(decoder.words(told))
    if vectorizer._stored or vectorizer._learned is None:
        vectorizer._training_words = joined_words(words)


def _check_widths(vectorizer: WordVectorizer, expected: int) -> None:
    vectors = [*vectorizer.special_vectors_.values(), vectorizer.unknown_vector_]
    for vector in vectors:
        if vector is not None and vector.shape != (expected,):
            raise ValueError(
                f"the vector of a token has the shape {vector.shape}; expected "
                f"({expected},)"
            )
