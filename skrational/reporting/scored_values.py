"""The sections of a page that say how good predicted numbers are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.tables import three_digits
from skrational.reporting.markup import Markup, paragraph, table
from skrational.reporting.valued import ValuedDocuments
from skrational.reporting.values import ValueScores

__all__ = ["predicted_values_section", "value_scores_section"]

_MOST_PARTS, _LEAST_IN_A_PART = 5, 5


def value_scores_section(scores: ValueScores, documents: ValuedDocuments) -> str:
    """R squared and errors beside the baselines', then by size of the prediction."""
    rows: list[list[object]] = [[Markup("<b>this model</b>"), *scores.cells, ""]]
    rows += [[b.name, *b.cells, b.about] for b in scores.baselines]
    side = "higher" if scores.bias > 0 else "lower"
    head = ["", "R²", "mean absolute error", "root mean squared error", ""]
    return "\n".join(
        [
            table(head, rows, text_columns=(0, 4)),
            paragraph(
                f"On average predictions are {three_digits(abs(scores.bias))} {side} "
                "than the values."
            ),
            "<h3>From low to high predictions</h3>",
            _by_prediction(documents),
        ]
    )


def _by_prediction(documents: ValuedDocuments) -> str:
    """Compare means of predictions and values, in parts of equally many documents."""
    assert documents.values is not None
    order = np.argsort(documents.predicted, kind="stable")
    n_parts = min(_MOST_PARTS, max(1, len(order) // _LEAST_IN_A_PART))
    rows = []
    for part in np.array_split(order, n_parts):
        predicted, values = documents.predicted[part], documents.values[part]
        means = (v.mean() for v in (predicted, values, np.abs(predicted - values)))
        rows.append([_range(predicted), *map(three_digits, means), len(part)])
    head = ["predictions", "mean", "mean of the values", "mean absolute error"]
    return paragraph(
        "Where the means differ, predictions are too high or too low on the whole; a "
        "model that has learned little predicts less far from the mean than it should."
    ) + table([*head, "documents"], rows)


def predicted_values_section(documents: ValuedDocuments) -> str:
    """How far predictions reach, where there are no values."""
    quantiles = np.quantile(documents.predicted, (0, 0.25, 0.5, 0.75, 1))
    return paragraph(
        "There are no values, so nothing can be said of how good predictions are."
    ) + table(
        ["", "lowest", "first quarter", "median", "third quarter", "highest"],
        [["predicted", *map(three_digits, quantiles)]],
    )


def _range(values: NDArray[np.float64]) -> str:
    return f"{three_digits(values.min())} to {three_digits(values.max())}"
