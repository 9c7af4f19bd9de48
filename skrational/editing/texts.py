"""The text of a document, in whatever form documents are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrational.sequences import SequenceArray

__all__ = ["text_of"]


def text_of(X: Any, i: int) -> str | None:
    """Return the text of a document; None if it has none.

    Parameters
    ----------
    X : sequence of documents
        Texts, lists of tokens, a `SequenceArray` that was made of them, or others.
    i : int

    Examples
    --------
    >>> text_of(["good", ["not", "bad"], 1.0], 1)
    'not bad'
    """
    if isinstance(X, SequenceArray):
        original = X.original(i)
        return None if original is None else original.text
    if getattr(X, "ndim", 1) != 1 or hasattr(X, "columns"):
        return None
    document = X.iloc[i] if hasattr(X, "iloc") else X[i]
    if isinstance(document, str):
        return str(document)
    if isinstance(document, (list, tuple, np.ndarray)):
        words = list(document)
        return " ".join(words) if all(isinstance(w, str) for w in words) else None
    as_py = getattr(document, "as_py", None)  # a string of Arrow
    return text_of([as_py()], 0) if as_py is not None else None
