"""The tables of a fitted vectorizer: with it while it lives, and found again after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skrational.text.vectors.corpus import LearnedTable, learn_vectors
from skrational.text.vectors.joined import JoinedTable
from skrational.text.vectors.loading import check_width, reload_tables
from skrational.text.vectors.tables import Table
from skrational.text.vectors.word_rows import SharedRows
from skrational.text.vectors.word_source import WordSource
from skrational.text.words.encoded_texts import EncodedTexts
from skrational.text.words.lexicon import Lexicon
from skrational.utils.moved import with_new_parameters

__all__ = ["KeepsTables", "joined_words"]


def joined_words(words: Iterable[str]) -> tuple[str, NDArray[np.int32]]:
    """Return words as one str, with their ends: quick to pickle.

    Examples
    --------
    >>> joined_words(["a", "bc"])
    ('abc', array([1, 3], dtype=int32))
    """
    listed = list(words)
    ends = np.cumsum([len(word) for word in listed], dtype=np.int32)
    return "".join(listed), ends


class KeepsTables:
    """For a vectorizer of word vectors: keeps its tables, but not in a pickle.

    A pickle holds where tables are, and those that were learned or came with a model.
    """

    vectors: Any
    cache: Any
    unit_norm: bool
    n_features: int
    window: int
    min_count: int
    n_features_out_: int
    special_vectors_: Mapping[str, NDArray[np.float32]]
    unknown_vector_: NDArray[np.float32] | None

    _rows: SharedRows
    _table: Table
    _learned: LearnedTable | None = None
    _stored: Sequence[Table | None] = ()
    """Tables that came with a saved model; None stands for one that is elsewhere."""

    _training_words: tuple[str, NDArray[np.int32]] | None = None
    """The words of the texts of fit that tables have, joined, and their ends; None: of
    learned vectors, which are those of these words, and of earlier versions."""

    _source: Any
    _fingerprint: Any

    def _keep(self, tables: Sequence[Table], is_known: Mapping[str, bool]) -> None:
        words = [word for word, known in is_known.items() if known]
        self._table = self._join(tables)
        learned = (table for table in tables if isinstance(table, LearnedTable))
        self._learned = next(learned, None)
        self._source = [table.source for table in tables]
        self._fingerprint = [table.fingerprint for table in tables]
        self.__dict__.pop("_stored", None)
        is_needed = len(tables) > 1 or self._learned is None
        self._training_words = joined_words(words) if is_needed else None

    def _sharing_tables(self) -> Self:
        """Return a copy with the same tables in memory, and rows of its own."""
        new = object.__new__(type(self))
        vars(new).update(vars(self))
        new._rows = SharedRows()
        return new

    def _known_training_words(self) -> list[str] | None:
        """Return the words of the texts of fit that have vectors; None: who knows."""
        if self._training_words is None:
            return None if self._learned is None else list(self._learned.index)
        joined, ends = self._training_words
        return [joined[start:end] for start, end in pairwise([0, *ends.tolist()])]

    def _learn(self, encoded: EncodedTexts, lexicon: Lexicon) -> LearnedTable:
        return learn_vectors(
            encoded, lexicon, self.n_features, self.window, self.min_count
        )

    def _join(self, tables: Sequence[Table]) -> Table:
        return tables[0] if len(tables) == 1 else JoinedTable(tables, self.unit_norm)

    def _open_table(self) -> Table:
        """Return the table of fit, read again if this is an unpickled copy."""
        if "_table" in vars(self):
            return self._table
        table = self._rows.table(self.vectors, self._reload)
        return check_width(table, self.n_features_out_)

    def _open_source(self) -> WordSource:
        return WordSource(
            self._open_table(),
            self.special_vectors_,
            self.unknown_vector_,
            self.unit_norm,
        )

    def _reload(self) -> Table:
        sources, fingerprints = self._source, self._fingerprint
        if not isinstance(sources, list):  # as version 0.1.0 kept one table
            sources, fingerprints = [sources], [fingerprints]
        kept = list(zip(sources, fingerprints, strict=True))
        here = self._stored or [
            self._learned if self._is_learned(fingerprint) else None
            for fingerprint in fingerprints
        ]
        return self._join(reload_tables(self.vectors, kept, self.cache, here))

    def _is_learned(self, fingerprint: str | None) -> bool:
        return self._learned is not None and self._learned.is_known_as(fingerprint)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[call-overload]
        for name in ("_table", "_rows"):
            state.pop(name, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(with_new_parameters(type(self), state))  # type: ignore[misc]
        self._rows = SharedRows()
