"""Models to hold scores against: the most frequent class, and a bag of words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from skrational.reporting.scores import Baseline

__all__ = ["bag_of_words", "majority", "why_no_bag_of_words"]

_C = 10.0
# scikit-learn's own pattern leaves out words of one letter.
_WORD = r"\b\w+\b"


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


def why_no_bag_of_words(
    training_texts: Sequence[str], training_labels: NDArray[np.intp]
) -> str:
    """Say why a bag of words can't be fitted; "" if it can."""
    if len(np.unique(training_labels)) < 2:
        return "all of the training documents are of one class"
    if not any(re.search(_WORD, text) for text in training_texts):
        return "the training documents hold no word"
    return ""


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
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=_WORD)
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
