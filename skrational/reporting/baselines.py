"""Models to hold scores against: the most frequent class, and a bag of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from skrational.reporting.scores import Baseline

__all__ = ["bag_of_words", "majority"]

_C = 10.0


def majority(
    labels: NDArray[np.intp], training: NDArray[np.intp] | None, names: Sequence[str]
) -> Baseline:
    """Predict one class for all documents.

    Parameters
    ----------
    labels : ndarray of shape (n,)
    training : ndarray of shape (n_training,) or None
        Labels whose most frequent class counts; None: those of the documents.
    names : sequence of str
        Of the classes.
    """
    counts = np.bincount(labels if training is None else training)
    most = int(counts.argmax())
    of = "the given labels" if training is None else "the training labels"
    name = f"Always “{names[most]}”"
    return _baseline(name, labels, np.full_like(labels, most), f"The majority of {of}.")


def bag_of_words(
    texts: Sequence[str],
    labels: NDArray[np.intp],
    training_texts: Sequence[str],
    training_labels: NDArray[np.intp],
) -> Baseline:
    """Fit TF-IDF with logistic regression on the training texts.

    Parameters
    ----------
    texts : sequence of str, length n
    labels : ndarray of shape (n,)
    training_texts : sequence of str, length n_training
    training_labels : ndarray of shape (n_training,)
    """
    # scikit-learn's own pattern leaves out words of one letter.
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\b\w+\b")
    model: Any = make_pipeline(words, LogisticRegression(C=_C, max_iter=1000))
    model.fit(list(training_texts), training_labels)
    n_features = len(model[0].vocabulary_)
    about = (
        f"Fitted on the {len(training_labels):,} training documents; words and pairs, "
        f"{n_features:,} features, C = {_C:g}."
    )
    predicted = model.predict(list(texts))
    return _baseline("TF-IDF and logistic regression", labels, predicted, about)


def _baseline(
    name: str, labels: NDArray[np.intp], predicted: NDArray[Any], about: str
) -> Baseline:
    accuracy = float(np.mean(labels == predicted))
    f1 = f1_score(labels, predicted, average="macro", zero_division=0)
    return Baseline(name, accuracy, float(f1), about)
