"""A point of the accuracy-size curve, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from skrational.structures import RationalStructure, Structure

__all__ = ["PathPoint"]


@dataclass(frozen=True, repr=False)
class PathPoint:
    """A point of the curve.

    Attributes
    ----------
    lambda_ : float
        Strength of the penalty.
    structure : Structure
        What was left.
    validation_score : float
        Accuracy on the validation data; of a regressor R squared.
    validation_error : float
        Its standard error over n validation documents, of an accuracy p
        ``sqrt(p (1 - p) / n)``; of R squared that of the mean squared error, over the
        variance of the values.
    test_score : float
        Accuracy on the test data; NaN if there were none.
    seconds : float
        What the point added to the time of the path: penalized epochs, finetuning and
        scores.
    validation_scores : ndarray of shape (n,), default=None
        What each validation document adds to the score, which is their mean.

    Examples
    --------
    >>> from skrational.structures import RationalStructure
    >>> structure = RationalStructure((4, 4), (2, 0), n_features=50, n_outputs=1)
    >>> point = PathPoint(
    ...     lambda_=2e-3,
    ...     structure=structure,
    ...     validation_score=0.9,
    ...     validation_error=0.01,
    ...     test_score=0.89,
    ...     seconds=0.4,
    ... )
    >>> point
    PathPoint(lambda_=0.002: 2 of 8 transitions in 1 of 2 WFSAs, validation score 0.900
    ± 0.010, test score 0.890, 0.4 s)
    >>> point.size, point.n_transitions, point.n_wfsas, point.n_parameters
    (2, 2, 1, 204)
    """

    lambda_: float
    structure: Structure
    validation_score: float
    validation_error: float
    test_score: float
    seconds: float
    validation_scores: NDArray[np.float32] | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        test = (
            "" if np.isnan(self.test_score) else f", test score {self.test_score:.3f}"
        )
        return (
            f"PathPoint(lambda_={self.lambda_:.3g}: {self.structure}, validation score "
            f"{self.validation_score:.3f} ± {self.validation_error:.3f}{test}, "
            f"{self.seconds:.1f} s)"
        )

    @property
    def size(self) -> int:
        """Size of what was left, in the unit of its structure."""
        return self.structure.size

    @property
    def n_parameters(self) -> int:
        """Parameters left, those of the readout included."""
        return self.structure.n_parameters

    @property
    def n_transitions(self) -> int:
        """Main-path transitions left, of automata."""
        return cast(RationalStructure, self.structure).n_transitions

    @property
    def n_wfsas(self) -> int:
        """Automata left."""
        return cast(RationalStructure, self.structure).n_wfsas
