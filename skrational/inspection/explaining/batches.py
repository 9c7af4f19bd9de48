"""Explanations of many documents, of which only some are in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from skrational.inspection.explaining.explain import Toward, check_toward, explain
from skrational.inspection.explaining.explanations import Explanations
from skrational.inspection.model import open_any_model
from skrational.utils.parts import parts_of

__all__ = ["explain_batches"]


def explain_batches(
    estimator: Any,
    X: Iterable[Any],
    *,
    toward: Toward = "prediction",
    batch_size: int = 256,
) -> Iterator[Explanations]:
    """Explain a batch of documents at a time, in constant memory.

    Parameters
    ----------
    estimator : SparseRationalClassifier, SparseLSTMClassifier, or what holds one
        Fitted, as for `explain`.
    X : iterable
        What the estimator reads, one document after the other: texts for a pipeline
        that begins with a vectorizer, arrays of shape (T_i, n_features) otherwise. A
        generator is read as far as batches are asked for. Of a SequenceArray, a list,
        an array or a column, parts are taken.
    toward : {"prediction", "positive"}, default="prediction"
        As for `explain`.
    batch_size : int, default=256
        Documents at a time. Explanations don't depend on it.

    Yields
    ------
    Explanations
        Of at most ``batch_size`` documents, in the order of X; nothing if X is empty.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        As `explain`; if X is a single text, or ``batch_size`` isn't as documented.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrational import SparseRationalClassifier, WordVectorizer
    >>> from skrational.inspection import explain_batches
    >>> vectors = {"good": [1.0, 0.0], "bad": [0.0, 1.0]}
    >>> clf = SparseRationalClassifier(n_wfsas=2, lambda_=0, random_state=0)
    >>> model = make_pipeline(WordVectorizer(vectors), clf)
    >>> model = model.fit(["good", "bad"] * 9, ["+", "-"] * 9)
    >>> texts = (text for text in ["good", "bad", "good"])
    >>> [len(part) for part in explain_batches(model, texts, batch_size=2)]
    [2, 1]
    """
    check_toward(toward, len(open_any_model(estimator).classes))
    return (
        explain(estimator, part, toward=toward, progress=False)
        for part in parts_of(X, batch_size)
    )
