"""What a report does for a classifier, and what for a regressor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from skrational.inspection.model import Model
from skrational.reporting.baselines import scores_of_labels, why_no_bag_of_words
from skrational.reporting.documents import Documents, Training
from skrational.reporting.labelled import read_labelled, read_labelled_training
from skrational.reporting.scored import predictions_section, scores_section
from skrational.reporting.scored_values import (
    predicted_values_section,
    value_scores_section,
)
from skrational.reporting.valued import read_valued, read_valued_training
from skrational.reporting.values import scores_of_values, why_no_ridge

__all__ = ["Task", "task_of"]


class Task(NamedTuple):
    """What a report does, step by step.

    Attributes
    ----------
    read : callable
        From estimator, model, texts and y to the documents.
    read_training : callable
        From ``train`` and the documents to what was fitted on.
    score : callable
        From documents and what was fitted on, or None, to the scores; None without y.
    scores_html : callable
        Writes scores, of documents.
    predictions_html : callable
        Writes what is predicted for documents without y.
    learning_baseline : str
        What is fitted on ``train`` to compare with.
    why_no_baseline : callable
        Says of what was fitted on why that can't be fitted; "" if it can.
    errors, others : str
        Headings of the documents that are explained, with y and without.
    """

    read: Callable[..., Any]
    read_training: Callable[..., Any]
    score: Callable[..., Any]
    scores_html: Callable[..., str]
    predictions_html: Callable[..., str]
    learning_baseline: str
    why_no_baseline: Callable[..., str]
    errors: str
    others: str

    def why_not_compared(self, documents: Documents, training: Training | None) -> str:
        """Say why there is no bag of words; "" if there is one, or none is expected."""
        if training is None or not (documents.are_texts and training.are_texts):
            return ""
        why = self.why_no_baseline(training)
        if not why:
            return ""
        return f"There is no {self.learning_baseline} to compare with, as {why}."


_CLASSES = Task(
    read=read_labelled,
    read_training=read_labelled_training,
    score=scores_of_labels,
    scores_html=lambda scores, documents: scores_section(scores),
    predictions_html=predictions_section,
    learning_baseline="TF-IDF with logistic regression",
    why_no_baseline=why_no_bag_of_words,
    errors="Most confident mistakes",
    others="Least certain predictions",
)
_VALUES = Task(
    read=read_valued,
    read_training=read_valued_training,
    score=scores_of_values,
    scores_html=value_scores_section,
    predictions_html=predicted_values_section,
    learning_baseline="TF-IDF with ridge regression",
    why_no_baseline=why_no_ridge,
    errors="Largest errors",
    others="Predictions farthest from their mean",
)


def task_of(model: Model) -> Task:
    """Return what a report does for a model.

    Raises
    ------
    TypeError
        If it is no classifier and no regressor by automata.
    ValueError
        If it has several labels or predicts several numbers.
    """
    if model.predicts_numbers and not model.has_automata:
        raise TypeError(
            f"estimator is, or holds, a {type(model.classifier).__name__}; expected a "
            "classifier or a SparseRationalRegressor."
        )
    # Of several labels or numbers there is no list of what one score speaks for.
    _ = model.classes
    return _VALUES if model.predicts_numbers else _CLASSES
