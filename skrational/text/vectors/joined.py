"""Several tables of word vectors as one: a word has the vectors of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from skrational.text.vectors.tables import Table
from skrational.text.vectors.word_source import scale_rows

__all__ = ["JoinedTable"]


class JoinedTable(Table):
    """Tables side by side.

    A word that some of the tables lack has zeros in their columns.

    Parameters
    ----------
    tables : sequence of Table
    unit_norm : bool
        Whether to scale the vectors of each table to Euclidean length 1 before they
        are joined, so that none outweighs another.

    Examples
    --------
    >>> from skrational.text.vectors.loading import load_table
    >>> first, second = {"good": [2.0], "bad": [-2.0]}, {"good": [3.0]}
    >>> joined = JoinedTable([load_table(first), load_table(second)], unit_norm=True)
    >>> joined.take(["good", "bad"]).tolist()
    [[1.0, 1.0], [-1.0, 0.0]]
    """

    source = None

    def __init__(self, tables: Sequence[Table], unit_norm: bool) -> None:
        self.tables, self.unit_norm = tuple(tables), unit_norm
        self.n_features = sum(table.n_features for table in tables)
        self.vectors = tuple(table.vectors for table in tables)
        self.fingerprint = "+".join(str(table.fingerprint) for table in tables)

    def find(self, word: str) -> str | None:
        """Return the word of the first table that has it; None: there is none."""
        found = (table.find(word) for table in self.tables)
        return next((form for form in found if form is not None), None)

    def describe_unusable(self) -> str:
        """Say which words have vectors that can't be used; see `Table`."""
        return " ".join(
            filter(None, (table.describe_unusable() for table in self.tables))
        )

    @property
    def words(self) -> Iterator[str]:
        """The words of all tables, each once: those of the first one first."""
        return iter(dict.fromkeys(chain.from_iterable(t.words for t in self.tables)))

    def take(self, words: list[str]) -> NDArray[np.float32]:
        """Return the vectors of words of some of the tables; as `Table.take`."""
        rows = np.zeros((len(words), self.n_features), np.float32)
        start = 0
        for table in self.tables:
            stop = start + table.n_features
            places = [i for i, word in enumerate(words) if word in table]
            found = table.take([words[i] for i in places])
            rows[places, start:stop] = scale_rows(found) if self.unit_norm else found
            start = stop
        return rows
