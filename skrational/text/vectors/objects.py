"""Objects that hold word vectors, and what to give instead of those that don't."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np

from skrational.text.vectors.subwords import Subwords, SubwordTable
from skrational.text.vectors.tables import Table, VectorDict, VectorTable

__all__ = ["open_object"]

# What can't be written to is looked through once.
_read_only: weakref.WeakKeyDictionary[Any, VectorTable] = weakref.WeakKeyDictionary()

_PAIRS = "a dict from words to vectors, as by dict(zip(words, {}))"
_BY_MODULE = {
    "fasttext": "the path of its file, which save_model(path) writes",
    "fasttext_pybind": "the path of its file, which save_model(path) writes",
    "spacy": "a dict from words to vectors, as by "
    "{word: nlp.vocab[word].vector for word in words}",
    "torch": _PAIRS.format("embedding.weight.detach().numpy()"),
    "torchtext": _PAIRS.format("vectors.vectors.numpy()"),
    "pandas": _PAIRS.format("frame.to_numpy()"),
    "polars": _PAIRS.format("frame.to_numpy()"),
    "pyarrow": _PAIRS.format("table.to_pandas().to_numpy()"),
    "numpy": _PAIRS.format("array"),
    "scipy": _PAIRS.format("matrix.toarray()"),
    "pymagnitude": "a dict from words to vectors, as by dict(magnitude)",
}


def open_object(vectors: Any) -> Table:
    """Return the table that an object holds.

    Parameters
    ----------
    vectors : KeyedVectors or mapping

    Returns
    -------
    Table

    Raises
    ------
    TypeError
        If it's another object; the message says what to give instead.
    ValueError
        If it's empty.

    Examples
    --------
    >>> open_object({"good": [1.0, 0.0]}).n_features
    2
    >>> import numpy as np
    >>> open_object(np.eye(2))
    Traceback (most recent call last):
        ...
    TypeError: vectors must be a path, a name known to gensim, a gensim KeyedVectors or
    a dict from words to vectors; got ndarray. Give a dict from words to vectors, as by
    dict(zip(words, array)).
    """
    if isinstance(vectors, Mapping):
        return VectorDict(vectors)
    if hasattr(vectors, "key_to_index") and hasattr(vectors, "vectors"):
        return _open_keyed(vectors)
    raise TypeError(
        "vectors must be a path, a name known to gensim, a gensim KeyedVectors or a "
        f"dict from words to vectors; got {type(vectors).__name__}.{_advice(vectors)}"
    )


def _open_keyed(keyed: Any) -> VectorTable:
    known = _read_only.get(keyed)
    if (
        known is not None
        and known.vectors is keyed.vectors
        and known.index is keyed.key_to_index
    ):
        return known
    if not isinstance(keyed.vectors, np.ndarray):
        raise TypeError(
            f"vectors is a {type(keyed).__name__} whose vectors are "
            f"{type(keyed.vectors).__name__}; expected an ndarray. Give "
            f"{_PAIRS.format('array')}."
        )
    if not keyed.key_to_index:
        raise ValueError(
            f"vectors is a {type(keyed).__name__} that is empty; expected a vector for "
            "a word."
        )
    parts = getattr(keyed, "vectors_ngrams", None)
    if parts is not None and getattr(keyed, "bucket", False):
        table: VectorTable = SubwordTable(
            keyed.key_to_index,
            keyed.vectors,
            subwords=Subwords(parts, keyed.min_n, keyed.max_n),
        )
    else:
        table = VectorTable(keyed.key_to_index, keyed.vectors)
    if not keyed.vectors.flags.writeable:
        _read_only[keyed] = table
    return table


def _advice(vectors: Any) -> str:
    for name in ("wv", "kv"):
        if hasattr(vectors, name):
            return f" Give its KeyedVectors: {type(vectors).__name__.lower()}.{name}."
    if isinstance(vectors, bytes):
        return " Give the path as str."
    if hasattr(vectors, "read"):
        return " Give the path of the file, not the open file."
    for kind in type(vectors).__mro__:
        package = kind.__module__.partition(".")[0]
        if package in _BY_MODULE:
            return f" Give {_BY_MODULE[package]}."
    return ""
