"""Learning rates over the epochs of a phase."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["Schedule"]

_PATIENCE, _FACTOR, _THRESHOLD = 3, 0.5, 1e-4


class Schedule:
    """The learning rate of each epoch.

    Parameters
    ----------
    kind : {"constant", "cosine", "plateau"}
        "cosine" falls to zero over the epochs; "plateau" halves the rate after more
        than three epochs in a row in which the monitored value did not improve by a
        ten-thousandth.
    learning_rate : float
        Of the first epoch.
    epochs : int

    Attributes
    ----------
    learning_rate : float
        Of the present epoch.

    Examples
    --------
    >>> schedule = Schedule("cosine", learning_rate=0.1, epochs=2)
    >>> schedule.end_epoch(monitored=1.0)
    >>> round(schedule.learning_rate, 6)
    0.05
    """

    def __init__(self, kind: str, learning_rate: float, epochs: int) -> None:
        # Numpy's numbers would compute in their own precision, and JSON has none.
        self.learning_rate = self._initial = float(learning_rate)
        self._kind, self._epochs = kind, int(epochs)
        self._epoch = 0
        self._best, self._n_bad = math.inf, 0

    def end_epoch(self, monitored: float) -> None:
        """Go on to the next epoch, knowing the value that should fall."""
        self._epoch += 1
        if self._kind == "cosine":
            share = (1 + math.cos(math.pi * self._epoch / self._epochs)) / 2
            self.learning_rate = self._initial * share
        elif self._kind == "plateau":
            self._watch(monitored)

    def state(self) -> dict[str, Any]:
        """Return what `set_state` needs to go on in the present epoch."""
        return dict(vars(self))

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on in the epoch of a `state`."""
        vars(self).update(state)

    def _watch(self, monitored: float) -> None:
        if monitored < self._best - _THRESHOLD * abs(self._best) or math.isinf(
            self._best
        ):
            self._best, self._n_bad = monitored, 0
            return
        self._n_bad += 1
        if self._n_bad > _PATIENCE:
            self.learning_rate *= _FACTOR
            self._n_bad = 0
