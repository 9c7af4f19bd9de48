"""What an estimator tells of its epochs: rows that print in a line, and a frame."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sklearn.utils.validation import check_is_fitted

from skrational.utils.optional import data_frame

__all__ = ["History", "HistoryMixin"]


class History(list[dict[str, Any]]):
    """A row for each epoch of a fit; prints in a line.

    Examples
    --------
    >>> row = {"phase": "warmup", "epoch": 0, "loss": 0.7, "n_transitions": 96}
    >>> History([row, row | {"loss": 0.25, "n_transitions": 17}])
    History of 2 epochs: warmup 2; loss 0.7 to 0.25, 17 transitions
    """

    def __repr__(self) -> str:
        if not self:
            return "History of 0 epochs"
        phases = groupby(self, key=lambda row: row["phase"])
        counts = ", ".join(f"{name} {len(list(rows))}" for name, rows in phases)
        last = self[-1]
        size = next((name for name in last if name.startswith("n_")), None)
        left = "" if size is None else f", {last[size]} {size[2:]}"
        return (
            f"History of {len(self)} epochs: {counts}; loss {self[0]['loss']:.4g} to "
            f"{last['loss']:.4g}{left}"
        )


class HistoryMixin:
    """For an estimator that keeps a row of each epoch.

    A pickle holds the rows as a plain list.
    """

    @property
    def history_(self) -> History:
        """A row for each epoch."""
        if "history_" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no history_ before fit.")
        return History(vars(self)["history_"])

    @history_.setter
    def history_(self, rows: Iterable[dict[str, Any]]) -> None:
        vars(self)["history_"] = list(rows)

    def history_frame(self) -> Any:
        """Return ``history_`` as a data frame.

        Returns
        -------
        DataFrame
            Of pandas; a row for each epoch, with the columns that ``history_`` has.

        Raises
        ------
        NotFittedError
            If the estimator isn't fitted.
        ImportError
            If pandas isn't installed.
        """
        check_is_fitted(self)
        return data_frame(list(self.history_))
