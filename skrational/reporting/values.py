"""How good predicted numbers are, and what to hold them against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline

from skrational.inspection.explaining.summands import value_text
from skrational.inspection.tables import three_digits
from skrational.reporting.documents import Training
from skrational.reporting.valued import ValuedDocuments
from skrational.reporting.words import no_word_in, words_and_pairs

__all__ = ["ValueBaseline", "ValueScores", "scores_of_values", "why_no_ridge"]

_ALPHA = 1.0


@dataclass(frozen=True)
class _Errors:
    """How far predictions are off.

    Attributes
    ----------
    r2 : float
        R squared; NaN of a single document.
    mae, rmse : float
        Mean absolute error, and root of the mean squared one, in the unit of y.
    """

    r2: float
    mae: float
    rmse: float

    @classmethod
    def of(
        cls, values: NDArray[np.float64], predicted: NDArray[np.float64], **more: Any
    ) -> Self:
        """Measure predictions of shape (n,)."""
        r2 = r2_score(values, predicted) if len(values) > 1 else np.nan
        mae = mean_absolute_error(values, predicted)
        rmse = root_mean_squared_error(values, predicted)
        return cls(r2=float(r2), mae=float(mae), rmse=float(rmse), **more)

    @property
    def cells(self) -> list[str]:
        """The three as text."""
        return [_share_text(self.r2), *map(three_digits, (self.mae, self.rmse))]


@dataclass(frozen=True, kw_only=True)
class ValueBaseline(_Errors):
    """What another model reaches on the same documents, and what it is."""

    name: str
    about: str


@dataclass(frozen=True, kw_only=True)
class ValueScores(_Errors):
    """Scores of predicted numbers on n documents.

    Attributes
    ----------
    r2, mae, rmse : float
        As of `_Errors`.
    bias : float
        Mean of the predictions less that of the values.
    n : int
    baselines : tuple of ValueBaseline
    """

    bias: float
    n: int
    baselines: tuple[ValueBaseline, ...]

    @property
    def told(self) -> str:
        """What a line says of them."""
        return f"R squared {_share_text(self.r2)}"

    @property
    def headline(self) -> list[tuple[str, str]]:
        """Numbers for the head of a page, and what they are."""
        best = min(self.baselines, key=lambda baseline: baseline.rmse)
        return [
            (_share_text(self.r2), "R squared"),
            (_share_text(best.r2), best.name),
            (three_digits(self.mae), "mean absolute error"),
        ]

    @property
    def metrics(self) -> list[tuple[str, str, str]]:
        """Metrics of the Hugging Face hub: type, name and value."""
        of_errors = ("mae", "MAE", self.mae), ("rmse", "RMSE", self.rmse)
        named = [(kind, name, f"{value:.4g}") for kind, name, value in of_errors]
        if np.isnan(self.r2):
            return named
        return [("r_squared", "R squared", f"{self.r2:.4f}"), *named]

    @property
    def tables(self) -> list[tuple[list[str], list[list[str]]]]:
        """Heads and rows of the tables of a model card."""
        rows = [["this model", *self.cells]]
        rows += [[baseline.name, *baseline.cells] for baseline in self.baselines]
        return [(["", "R²", "MAE", "RMSE"], rows)]


def scores_of_values(
    documents: ValuedDocuments, training: Training | None
) -> ValueScores | None:
    """Score predicted numbers, and those of the baselines; None without values.

    Parameters
    ----------
    documents : ValuedDocuments
    training : Training or None
        What the baselines learn from. None: the mean of the values themselves counts.
    """
    values = documents.values
    if values is None:
        return None
    baselines = [_mean(values, None if training is None else training.targets)]
    if (
        training is not None
        and documents.are_texts
        and training.are_texts
        and not why_no_ridge(training)
    ):
        baselines.append(_ridge(documents.texts, values, training))
    return ValueScores.of(
        values,
        documents.predicted,
        bias=float(documents.predicted.mean() - values.mean()),
        n=len(documents),
        baselines=tuple(baselines),
    )


def why_no_ridge(training: Training) -> str:
    """Say why a bag of words can't be fitted; "" if it can."""
    if np.ptp(training.targets) == 0:
        return "all of the training documents have the same value"
    return no_word_in(training.texts)


def _mean(
    values: NDArray[np.float64], training: NDArray[np.float64] | None
) -> ValueBaseline:
    mean = float(np.mean(values if training is None else training))
    of = "the given values" if training is None else "the training values"
    return ValueBaseline.of(
        values,
        np.full(len(values), mean),
        name=f"Always {value_text(mean)}",
        about=f"The mean of {of}.",
    )


def _ridge(
    texts: Sequence[str], values: NDArray[np.float64], training: Training
) -> ValueBaseline:
    words = words_and_pairs()
    model: Any = make_pipeline(words, Ridge(alpha=_ALPHA))
    model.fit(list(training.texts), training.targets)
    return ValueBaseline.of(
        values,
        model.predict(list(texts)),
        name="TF-IDF and ridge regression",
        about=(
            f"On {len(training):,} training documents: words and pairs, "
            f"{len(words.vocabulary_):,} features, alpha = {_ALPHA:g}."
        ),
    )


def _share_text(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.3f}"
