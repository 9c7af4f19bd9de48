"""Documents in order, of which some are worked on at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from itertools import islice
from typing import Any

from skrational.utils.checks import is_integer

__all__ = ["parts_of"]


def parts_of(X: Iterable[Any], batch_size: int) -> Iterator[Any]:
    """Yield so many documents at a time, as a list or as a part of X.

    Parameters
    ----------
    X : iterable
        A generator is read as far as parts are asked for.
    batch_size : int

    Raises
    ------
    TypeError
        If X is a single text, or can't be iterated over in an order.
    ValueError
        If ``batch_size`` isn't an integer from 1 upwards.

    Examples
    --------
    >>> list(parts_of(iter([1, 2, 3]), 2))
    [[1, 2], [3]]
    """
    if not is_integer(batch_size) or batch_size < 1:
        raise ValueError(
            f"batch_size is {batch_size!r}; expected an integer from 1 upwards."
        )
    if isinstance(X, (str, bytes)):
        raise TypeError(f"X is a single text, {X[:40]!r}; expected texts: [text].")
    if isinstance(X, Mapping):
        raise TypeError(f"X is a {type(X).__name__}; expected documents in an order.")
    if type(X).__module__.partition(".")[0] == "dask":
        raise TypeError(
            f"X is a {type(X).__name__} of Dask; expected what is here. "
            "X.map_partitions(predict_partition, model) predicts parts where they are."
        )
    size = int(batch_size)
    rows: Any = getattr(X, "iloc", X)
    if isinstance(X, Sized) and _can_be_sliced(rows):
        return (rows[i : i + size] for i in range(0, len(X), size))
    documents = iter(X)
    return iter(lambda: list(islice(documents, size)), [])


def _can_be_sliced(rows: Any) -> bool:
    try:
        rows[:0]
    except (TypeError, KeyError):
        return False
    return True
