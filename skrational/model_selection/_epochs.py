"""How long a path is trained under each lambda, and each of its points finetuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.utils.checks import check_count

__all__ = ["PathEpochs"]

_SMALL = 0.1
"""Share of the dense network's size that makes a small network."""


@dataclass(frozen=True)
class PathEpochs:
    """Epochs of a path.

    Small networks go on learning where large ones begin to overfit, and their epochs
    are cheap.

    Attributes
    ----------
    per_lambda : int
    most, least : int
        Of finetuning: for points of up to a tenth of the dense size, and for any point.
    """

    per_lambda: int
    most: int
    least: int

    @classmethod
    def of(
        cls,
        estimator: SparseSequenceEstimator,
        per_lambda: Any = None,
        finetune: Any = None,
    ) -> PathEpochs:
        """Take what is given, and the rest from the estimator's epochs."""
        if per_lambda is None:
            per_lambda = max(1, estimator.max_epochs // 10)
        per_lambda = check_count("epochs_per_lambda", per_lambda, 1)
        if finetune is not None:
            finetune = check_count("finetune_epochs", finetune, 0)
            return cls(per_lambda, finetune, finetune)
        most, least = (-(-estimator.finetune_epochs // part) for part in (2, 10))
        return cls(per_lambda, most, least)

    def of_point(self, size: int, size_initial: int) -> int:
        """Epochs of finetuning of a network, given its size and that of the dense one.

        Examples
        --------
        >>> epochs = PathEpochs(per_lambda=2, most=10, least=2)
        >>> [epochs.of_point(n, size_initial=96) for n in (1, 9, 24, 48, 96)]
        [10, 10, 4, 2, 2]
        """
        small = _SMALL * size_initial
        share = small / max(size, small)
        return max(self.least, round(self.most * share))
