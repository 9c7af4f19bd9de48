"""How long a path is trained under each lambda, and each of its points finetuned."""

from __future__ import annotations

import math
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
    are cheap. The more classes there are, the longer a network of any size learns to
    tell them apart: by the bits that name one of them.

    Attributes
    ----------
    per_lambda : int
    most, least : int
        Of finetuning, for two classes: for points of up to a tenth of the dense size,
        and for any point.
    limit : int
        Of finetuning, however many classes there are.
    """

    per_lambda: int
    most: int
    least: int
    limit: int

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
            return cls(per_lambda, finetune, finetune, finetune)
        most, least = (-(-estimator.finetune_epochs // part) for part in (2, 10))
        return cls(per_lambda, most, least, estimator.finetune_epochs)

    def described(self, n_outputs: int) -> str:
        """Say how long points of so many outputs are finetuned."""
        of_two = f"{self.least} to {self.most}"
        return of_two if n_outputs == 1 else f"{of_two} by {n_outputs} outputs"

    def of_point(self, size: int, size_initial: int, n_outputs: int = 1) -> int:
        """Epochs of finetuning of a network, given its size and that of the dense one.

        Parameters
        ----------
        size, size_initial : int
        n_outputs : int, default=1
            Of the readout.

        Examples
        --------
        >>> epochs = PathEpochs(per_lambda=2, most=10, least=2, limit=20)
        >>> [epochs.of_point(n, size_initial=96) for n in (1, 9, 24, 48, 96)]
        [10, 10, 4, 2, 2]
        >>> [epochs.of_point(n, 96, n_outputs=8) for n in (1, 9, 24, 48, 96)]
        [20, 20, 12, 6, 6]
        """
        small = _SMALL * size_initial
        share = small / max(size, small)
        bits = math.log2(max(n_outputs, 2))
        of_two = max(self.least, round(self.most * share))
        return min(round(of_two * bits), self.limit)
