"""The tables of a fitted vectorizer: with it while it lives, and found again after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skrational.text.vectors.corpus import LearnedTable
from skrational.text.vectors.joined import JoinedTable
from skrational.text.vectors.loading import check_width, reload_tables
from skrational.text.vectors.tables import Table
from skrational.text.vectors.word_rows import SharedRows
from skrational.utils.moved import with_new_parameters

__all__ = ["KeepsTables"]


class KeepsTables:
    """For a vectorizer of word vectors: keeps its tables, but not in a pickle.

    A pickle holds where tables are, and those that were learned.
    """

    vectors: Any
    cache: Any
    unit_norm: bool
    n_features_out_: int

    _rows: SharedRows
    _table: Table
    _learned: LearnedTable | None = None

    _source: Any
    _fingerprint: Any

    def _keep(self, tables: Sequence[Table]) -> None:
        self._table = self._join(tables)
        learned = (table for table in tables if isinstance(table, LearnedTable))
        self._learned = next(learned, None)
        self._source = [table.source for table in tables]
        self._fingerprint = [table.fingerprint for table in tables]

    def _join(self, tables: Sequence[Table]) -> Table:
        return tables[0] if len(tables) == 1 else JoinedTable(tables, self.unit_norm)

    def _open_table(self) -> Table:
        """Return the table of fit, read again if this is an unpickled copy."""
        if "_table" in vars(self):
            return self._table
        table = self._rows.table(self.vectors, self._reload)
        return check_width(table, self.n_features_out_)

    def _reload(self) -> Table:
        sources, fingerprints = self._source, self._fingerprint
        if not isinstance(sources, list):  # as version 0.1.0 kept one table
            sources, fingerprints = [sources], [fingerprints]
        kept = list(zip(sources, fingerprints, strict=True))
        return self._join(reload_tables(self.vectors, kept, self.cache, self._learned))

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[call-overload]
        for name in ("_table", "_rows"):
            state.pop(name, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(with_new_parameters(type(self), state))  # type: ignore[misc]
        self._rows = SharedRows()
