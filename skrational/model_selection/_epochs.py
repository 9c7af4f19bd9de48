"""How long a path is trained under each lambda, and each of its points finetuned."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

from skrational.estimators._recipe import spread_lengths
from skrational.estimators.rational import SparseRationalClassifier

__all__ = ["PathEpochs", "check_count"]

_SMALL = 0.1
"""Share of the dense network's transitions that makes a small network."""


@dataclass(frozen=True)
class PathEpochs:
    """Epochs of a path.

    Small networks go on learning where large ones begin to overfit, and their epochs
    are cheap.

    Attributes
    ----------
    per_lambda : int
    most, least : int
        Of finetuning: for points of up to ``small`` transitions, and for any point.
    small : float
    """

    per_lambda: int
    most: int
    least: int
    small: float

    @classmethod
    def of(
        cls,
        estimator: SparseRationalClassifier,
        per_lambda: Any = None,
        finetune: Any = None,
    ) -> PathEpochs:
        """Take what is given, and the rest from the estimator's epochs."""
        if per_lambda is None:
            per_lambda = max(1, estimator.max_epochs // 10)
        per_lambda = check_count("epochs_per_lambda", per_lambda, 1)
        lengths = spread_lengths(estimator.n_states, estimator.n_wfsas)
        small = _SMALL * sum(lengths)
        if finetune is not None:
            finetune = check_count("finetune_epochs", finetune, 0)
            return cls(per_lambda, finetune, finetune, small)
        most, least = (-(-estimator.finetune_epochs // part) for part in (2, 10))
        return cls(per_lambda, most, least, small)

    def of_point(self, n_transitions: int) -> int:
        """Epochs of finetuning of a network of so many transitions.

        Examples
        --------
        >>> epochs = PathEpochs(per_lambda=2, most=10, least=2, small=9.6)
        >>> [epochs.of_point(n) for n in (1, 9, 24, 48, 96)]
        [10, 10, 4, 2, 2]
        """
        share = self.small / max(n_transitions, self.small)
        return max(self.least, round(self.most * share))


def check_count(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(
            f"{name} must be an integer of at least {least}; got {value!r}."
        )
    return int(value)
