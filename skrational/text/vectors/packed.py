"""Dicts of equal vectors, pickled as one array.

A pickle treats each vector of a dict by itself. `joblib.hash`, by which scikit-learn's
``Pipeline(memory=...)`` knows an estimator again, does so in Python, some 20 us each.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PackedWhenPickled"]

_KINDS: dict[str, Callable[[NDArray[Any]], Any]] = {
    "ndarray": list,
    "list": np.ndarray.tolist,
    "tuple": lambda rows: map(tuple, rows.tolist()),
}


class PackedWhenPickled:
    """Stands around a dict, of which its pickle holds the words and one array.

    Unpickled it is a dict again, of equal vectors of the same types.

    Examples
    --------
    >>> import pickle
    >>> vectors = {"good": np.ones(2), "bad": np.zeros(2)}
    >>> packed = PackedWhenPickled.around(vectors)
    >>> pickle.loads(pickle.dumps(packed))
    {'good': array([1., 1.]), 'bad': array([0., 0.])}
    """

    def __init__(self, vectors: dict[str, Any]) -> None:
        self.vectors = vectors

    @classmethod
    def around(cls, vectors: Any) -> Any:
        """Return the dict with this around it; something else as it is."""
        return cls(vectors) if type(vectors) is dict else vectors

    @classmethod
    def inside(cls, vectors: Any) -> Any:
        """Return what `around` was given."""
        return vectors.vectors if isinstance(vectors, cls) else vectors

    def __reduce__(self) -> tuple[Any, ...]:
        packed = _pack(self.vectors)
        return (dict, (self.vectors,)) if packed is None else (_unpack, packed)


def _pack(vectors: dict[Any, Any]) -> tuple[str, NDArray[Any], str, Any] | None:
    """Return the words in one str, their ends, and the kind and the rows of vectors.

    None if they are not all of one kind, type and length.
    """
    kinds = set(map(type, vectors.values()))
    if set(map(type, vectors)) != {str} or len(kinds) != 1:
        return None
    kind, dtype = kinds.pop(), None
    if kind is np.ndarray:
        forms = {(row.dtype, row.shape) for row in vectors.values()}
        dtype = next(iter(forms))[0]
        fits = len(forms) == 1 and not dtype.hasobject
    else:
        fits = (
            kind in (list, tuple)
            and len(set(map(len, vectors.values()))) == 1
            and set(map(type, chain.from_iterable(vectors.values()))) == {float}
        )
    if not fits:
        return None
    ends = np.cumsum(np.fromiter(map(len, vectors), np.int64, len(vectors)))
    rows = np.array(list(vectors.values()), dtype)
    return "".join(vectors), ends, kind.__name__, rows


def _unpack(
    joined: str, ends: NDArray[np.int64], kind: str, rows: NDArray[Any]
) -> dict[str, Any]:
    """Return the dict that `_pack` was given.

    Parameters
    ----------
    joined : str
        The words, one behind the other.
    ends : ndarray of shape (n_words,), int64
        Where they end.
    kind : {"ndarray", "list", "tuple"}
        What a vector is.
    rows : ndarray of shape (n_words, n_features)
    """
    words = (joined[start:end] for start, end in pairwise([0, *ends.tolist()]))
    return dict(zip(words, _KINDS[kind](rows), strict=True))
