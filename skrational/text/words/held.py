"""Documents that are held on to, for the day when their sequences are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from skrational.sequences import Original, Originals, SequenceArray, is_unknown
from skrational.text.words.documents import elements

__all__ = ["examples_of_unknown", "hold_originals"]

# Documents that are looked at for examples.
_MOST_SEEN = 20


class _HeldDocuments(Sequence[Original | None]):
    """Documents by reference, in which tokens are found one document at a time.

    Parameters
    ----------
    documents : sequence or column
    find : callable
        From a document to its Original, or None.
    """

    def __init__(self, documents: Any, find: Callable[[Any], Original | None]) -> None:
        self._documents, self._find = documents, find

    def __len__(self) -> int:
        return len(self._documents)

    def __getitem__(self, i: Any) -> Any:
        if not isinstance(self._documents, tuple):
            self._documents = tuple(elements(self._documents))
        return self._find(self._documents[i])


def hold_originals(
    X: Iterable[Any], find: Callable[[Any], Original | None] | None
) -> Originals | None:
    """Return the originals of documents, if these can be looked at again.

    The documents of a list are the same objects as the user's; columns and arrays are
    held as they are, so that nothing is copied.

    Parameters
    ----------
    X : iterable
        Documents as they were given.
    find : callable or None
        From a document to its Original, or None.

    Returns
    -------
    Originals or None
        None of an iterator, which has been read, or if nothing finds tokens.

    Examples
    --------
    >>> nothing = np.empty((0, 2), int)
    >>> held = hold_originals(["a", "b"], lambda text: Original(text, nothing, nothing))
    >>> held.find(1).text
    'b'
    >>> hold_originals(iter("ab"), lambda text: None) is None
    True
    """
    if find is None:
        return None
    if isinstance(X, (list, tuple)):
        # What is done to the list afterwards doesn't matter.
        return Originals((_HeldDocuments(tuple(X), find),))
    is_column = any(hasattr(X, name) for name in ("to_list", "to_pylist"))
    if is_column or isinstance(X, (np.ndarray, Sequence)):
        return Originals((_HeldDocuments(X, find),))
    return None


def examples_of_unknown(sequences: SequenceArray) -> tuple[str, ...]:
    """Return unknown words of the first documents, each once.

    Parameters
    ----------
    sequences : SequenceArray
        With labels.

    Returns
    -------
    tuple of str
        None if the documents aren't held.
    """
    found: dict[str, None] = {}
    for i in range(min(len(sequences), _MOST_SEEN)):
        original = sequences.original(i)
        if original is not None and sequences.labels is not None:
            labels = sequences.labels[sequences.rows(i)]
            unknown = original.spans[[is_unknown(label) for label in labels]]
            for start, stop in [*unknown.tolist(), *original.left_out.tolist()]:
                found[original.text[start:stop]] = None
    return tuple(filter(None, found))
