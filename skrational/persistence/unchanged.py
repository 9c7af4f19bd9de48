"""Whether a file of word vectors still holds what a vectorizer was fitted with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.text.vectors.loading import load_table
from skrational.text.vectors.subwords import SubwordTable
from skrational.text.vectors.tables import Table

__all__ = ["check_unchanged"]

_ROWS = 2**16


def check_unchanged(table: Table, place: str, cache: Any) -> None:
    """Raise a ValueError if the file of a table has other vectors than the table.

    A checksum of the file at the time of saving says nothing of the fit, which may have
    read another one under this name.

    Parameters
    ----------
    table : Table
        That of a fitted vectorizer, from a file.
    place : str
        What messages call the vectorizer.
    cache : bool, str or path-like
        As the parameter of `WordVectorizer`.
    """
    now = load_table(str(table.source), cache)
    if now is not table and not _are_equal(table, now):
        raise ValueError(
            f"{place} can't be saved by reference: {table.source} was changed after "
            "the fit, and holds other words or vectors. Fit again, or save with "
            "vectors='all', which keeps those of the fit."
        )


def _are_equal(table: Any, now: Any) -> bool:
    """Whether tables have the same words and the same numbers, to the bit."""
    pairs = [(table.vectors, now.vectors)]
    if isinstance(table, SubwordTable):
        if not isinstance(now, SubwordTable) or _form(table) != _form(now):
            return False
        pairs.append((table.subwords.vectors, now.subwords.vectors))
    # Words of equal rows, whatever their order in a dict.
    return table.index == now.index and all(_same_bits(*pair) for pair in pairs)


def _form(table: SubwordTable) -> tuple[Any, ...]:
    parts = table.subwords
    return parts.shortest, parts.longest, table.whole, table.alone


def _same_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return (a.dtype, a.shape) == (b.dtype, b.shape) and all(
        np.ascontiguousarray(a[i : i + _ROWS]).tobytes()
        == np.ascontiguousarray(b[i : i + _ROWS]).tobytes()
        for i in range(0, len(a), _ROWS)
    )
