"""Models to hold scores against: the most frequent class, and a bag of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from skrational.reporting.documents import Training
from skrational.reporting.labelled import LabelledDocuments
from skrational.reporting.scores import Baseline, Scores, score
from skrational.reporting.words import no_word_in, words_and_pairs

__all__ = ["bag_of_words", "majority", "scores_of_labels", "why_no_bag_of_words"]

_C = 10.0


def scores_of_labels(
    documents: LabelledDocuments, training: Training | None
) -> Scores | None:
    """Score predicted classes, and those of the baselines; None without labels.

    Parameters
    ----------
    documents : LabelledDocuments
    training : Training or None
        What the baselines learn from. None: the most frequent label itself counts.
    """
    labels = documents.labels
    if labels is None:
        return None
    of_training = None if training is None else training.targets
    baselines = [majority(labels, of_training, documents.names)]
    if (
        training is not None
        and documents.are_texts
        and training.are_texts
        and not why_no_bag_of_words(training)
    ):
        baselines.append(bag_of_words(documents.texts, labels, training))
    return score(
        documents.names,
        documents.n_known,
        labels,
        documents.predicted,
        documents.probabilities,
        baselines,
    )


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


def why_no_bag_of_words(training: Training) -> str:
    """Say why a bag of words can't be fitted; "" if it can."""
    if len(np.unique(training.targets)) < 2:
        return "all of the training documents are of one class"
    return no_word_in(training.texts)


def bag_of_words(
    texts: Sequence[str], labels: NDArray[np.intp], training: Training
) -> Baseline:
    """Fit TF-IDF with logistic regression on the training texts.

    Parameters
    ----------
    texts : sequence of str, length n
    labels : ndarray of shape (n,)
    training : Training
    """
    words = words_and_pairs()
    model: Any = make_pipeline(words, LogisticRegression(C=_C, max_iter=1000))
    model.fit(list(training.texts), training.targets)
    about = (
        f"On {len(training):,} training documents: words and pairs, "
        f"{len(words.vocabulary_):,} features, C = {_C:g}."
    )
    predicted = model.predict(list(texts))
    return _baseline("TF-IDF and logistic regression", labels, predicted, about)


def _baseline(
    name: str, labels: NDArray[np.intp], predicted: NDArray[Any], about: str
) -> Baseline:
    accuracy = float(np.mean(labels == predicted))
    f1 = f1_score(labels, predicted, average="macro", zero_division=0)
    return Baseline(name, accuracy, float(f1), about)
