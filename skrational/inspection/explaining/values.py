"""Explanations of numbers: the same sums, of a value instead of a logit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.explaining.explanations import Explanation

__all__ = ["ValueExplanation"]


@dataclass(frozen=True, eq=False, repr=False)
class ValueExplanation(Explanation):
    """Why a regressor predicts the number that it predicts for a document.

    All is as in `Explanation`, with the value where that has the logit, and in its
    unit. There are no classes and no probabilities.

    Attributes
    ----------
    prediction : float
    logits : ndarray of shape (1,)
        The same: ``bias`` plus the sum of the ``contributions``.
    effects : ndarray of shape (T,)
        What each token adds to the value: that of the document less that of the
        document without the token. Exact.
    values_without : ndarray of shape (d,)
        What is predicted if the phrase of the WFSA's leading path is cut out.
    tokens, bias, contributions, scores, numbers, best, worst, paths, shares, \
    main_path_weights, self_loop_weights, n_words, n_unknown, original, text, words, \
    remainder
        See `Explanation`.

    Examples
    --------
    >>> from skrational import SparseRationalRegressor
    >>> from skrational.datasets import make_planted_scores
    >>> from skrational.inspection import explain
    >>> data = make_planted_scores(n_documents=400, random_state=0)
    >>> reg = SparseRationalRegressor(n_wfsas=8, random_state=0, max_epochs=5)
    >>> explanation = explain(reg.fit(data.X, data.y), data.X[:1])[0]
    >>> total = explanation.bias[0] + explanation.contributions[0].sum()
    >>> bool(np.isclose(total, explanation.prediction, atol=1e-6))
    True
    """

    is_value: ClassVar[bool] = True

    values_without: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def predicted(self) -> int:
        """Positive numbers always speak for higher values."""
        return 1

    @property
    def predictions_without(self) -> list[Any]:
        """What is predicted if the phrase of each WFSA is cut out, length d."""
        values: list[Any] = self.values_without.tolist()
        return values

    def _record(self) -> dict[str, Any]:
        """Return what `to_dict` does, but with the arrays as they are."""
        odds = ("classes", "probabilities", "logits")
        return {k: v for k, v in super()._record().items() if k not in odds}

    def _wfsas(self) -> list[dict[str, Any]]:
        known = super()._wfsas()
        for wfsa in known:
            del wfsa["probabilities_without"]
        return known
