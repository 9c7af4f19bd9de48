"""Predictions of many documents, of which only some are in memory at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from skrational.sequences import SequenceArray
from skrational.utils.parts import parts_of

__all__ = ["predict_batches", "predict_partition"]


def predict_batches(
    model: Any, X: Iterable[Any], *, method: str = "predict", batch_size: int = 1024
) -> Iterator[Any]:
    """Predict a batch of documents at a time, in constant memory.

    Parameters
    ----------
    model : fitted estimator or Pipeline
    X : iterable
        What the model reads, one document after the other: texts for a pipeline that
        begins with a vectorizer, arrays of shape (T_i, n_features) for an estimator. A
        generator is read as far as batches are asked for. Of a SequenceArray, a list,
        an array or a column, parts are taken.
    method : str, default="predict"
        Of the model: "predict_proba", "decision_function", "transform", ...
    batch_size : int, default=1024
        Documents at a time. Predictions don't depend on it.

    Yields
    ------
    ndarray of at most batch_size rows
        In the order of X; nothing if X is empty.

    Raises
    ------
    TypeError
        If X is a single text, or can't be iterated over.
    ValueError
        If ``method`` or ``batch_size`` isn't as documented.

    Examples
    --------
    >>> import numpy as np
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.deployment import predict_batches
    >>> X = [np.full((n, 2), n) for n in (1, 2, 3)]
    >>> clf = SparseRationalClassifier(n_wfsas=2, lambda_=0, random_state=0)
    >>> model = clf.fit(X, [0, 0, 1])
    >>> [len(part) for part in predict_batches(model, iter(X), batch_size=2)]
    [2, 1]
    """
    predict = _method_of(model, method)
    return map(predict, parts_of(X, batch_size))


def _method_of(model: Any, method: Any) -> Any:
    found = getattr(model, method, None) if isinstance(method, str) else None
    if not callable(found):
        raise ValueError(
            f"method is {method!r}, which {type(model).__name__} hasn't got; expected "
            "the name of a method, such as 'predict'."
        )
    return found


def predict_partition(
    part: Any, model: Any, method: str = "predict", batch_size: int = 1024
) -> Any:
    """Predict a partition of a Dask bag or data frame; give it to ``map_partitions``.

    Parameters
    ----------
    part : Series, DataFrame or iterable
        A partition: documents as `predict_batches` takes them. It may be empty.
    model : fitted estimator or Pipeline
        Give ``dask.delayed(model)``, which is sent once to each worker; the model
        itself is sent with each partition.
    method : str, default="predict"
    batch_size : int, default=1024
        Documents at a time.

    Returns
    -------
    Series, DataFrame or list
        Of a part of a pandas column or frame, a Series named as the method or, of
        several numbers a document, a DataFrame, under the same index; the columns of
        probabilities are named as the classes. Sequences are arrays in a Series. Of
        anything else a list of what is predicted of each document.

    Raises
    ------
    TypeError, ValueError
        As `predict_batches`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrational import SparseRationalClassifier, WordVectorizer
    >>> from skrational.deployment import predict_partition
    >>> vectors = {"good": [1.0, 0.0], "bad": [0.0, 1.0]}
    >>> clf = SparseRationalClassifier(n_wfsas=2, lambda_=0, random_state=0)
    >>> model = make_pipeline(WordVectorizer(vectors), clf)
    >>> model = model.fit(["good", "bad"] * 9, ["+", "-"] * 9)
    >>> predict_partition(pd.Series(["bad"], index=["x"]), model).to_dict()
    {'x': '-'}
    >>> predict_partition(["good", "bad"], model)
    ['+', '-']
    """
    found = list(predict_batches(model, part, method=method, batch_size=batch_size))
    if not hasattr(part, "iloc"):
        return [row for rows in found for row in _rows(rows)]
    import pandas as pd

    found = found or [_of_nothing(part, model, method)]
    classes = getattr(model, "classes_", None)
    if not all(isinstance(values, np.ndarray) for values in found):
        rows = [row for values in found for row in values]
        return pd.Series(rows, index=part.index, name=method, dtype=object)
    values = np.concatenate(found)
    if values.ndim == 1:
        # A Series of no strings would be one of objects.
        is_class = method == "predict" and classes is not None
        dtype = pd.Series(classes).dtype if is_class else None
        return pd.Series(values, index=part.index, name=method, dtype=dtype)
    fits = classes is not None and len(classes) == values.shape[1]
    return pd.DataFrame(values, index=part.index, columns=classes if fits else None)


def _rows(values: Any) -> Any:
    """Return what is predicted of each document; single values are Python's own."""
    is_flat = isinstance(values, np.ndarray) and values.ndim == 1
    return values.tolist() if is_flat else values


def _of_nothing(part: Any, model: Any, method: str) -> Any:
    """Return what is predicted of no documents: so wide, and of this type."""
    classes = getattr(model, "classes_", None)
    if part.ndim > 1 and classes is not None:
        # Nothing is known of the columns of a row.
        return classes[:0] if method == "predict" else np.empty((0, len(classes)))
    first = model[0] if hasattr(model, "steps") else model
    one: Any = [""]
    if not first.__sklearn_tags__().input_tags.string:
        one = SequenceArray(np.zeros((1, first.n_features_in_)), [0, 1])
    with warnings.catch_warnings():
        # Nobody has asked for a prediction of this document.
        warnings.simplefilter("ignore")
        return _method_of(model, method)(one)[:0]
