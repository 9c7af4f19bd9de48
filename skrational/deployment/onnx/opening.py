"""What is exported of an estimator, or why it can't be."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.deployment.onnx.model import Outputs
from skrational.estimators.gru import SparseGRUClassifier
from skrational.estimators.lstm import SparseLSTMClassifier
from skrational.estimators.moduli import ModuliRNNClassifier
from skrational.estimators.moduli_regressor import ModuliRNNRegressor
from skrational.estimators.rational import SparseRationalClassifier
from skrational.estimators.rational_regressor import SparseRationalRegressor
from skrational.estimators.time_steps import TimeStepTransformer
from skrational.inspection.model import open_any_model
from skrational.text.base import TextVectorizer
from skrational.text.tokenize import tokenize
from skrational.text.word_vectors import WordVectorizer

__all__ = ["Opened", "open_estimator", "outputs_of"]

_ESTIMATORS = (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    SparseRationalRegressor,
)
_COMPUTING = (
    "_biases",
    "_blank_cell",
    "_cell_type",
    "_logits_of",
    "_packed",
    "_predict",
    "_probabilities",
    "_readout",
    "_scores",
    "predict",
    "predict_proba",
)
"""Methods with which an estimator decides what it computes."""

_METHODS = ("automata_", "n_gates_", "n_links_")


class Opened(NamedTuple):
    """A fitted estimator, and what gives it its sequences.

    Attributes
    ----------
    estimator : estimator
        One of this package.
    vectorizer : WordVectorizer or None
        None: it reads vectors.
    steps : tuple of transformers
        What transforms vectors.
    """

    estimator: Any
    vectorizer: WordVectorizer | None
    steps: tuple[Any, ...]


def open_estimator(outer: Any) -> Opened:
    """Find the estimator in a pipeline, a search or the like.

    Raises
    ------
    NotFittedError
        If it isn't fitted.
    TypeError
        If no graph can be made of it.
    """
    found = open_any_model(outer, _METHODS)
    if found.wrappers:
        name = type(found.wrappers[0]).__name__
        raise TypeError(
            f"estimator holds a {name}, which decides otherwise than the classifier in "
            "it and can't be a part of the graph. Export that classifier, and do what "
            f"{name} does with its probabilities; calibration='temperature' of the "
            "classifier is a part of the graph."
        )
    _check_estimator(found.classifier)
    steps = found.vectorizers
    if not steps or not isinstance(steps[0], TextVectorizer):
        return Opened(found.classifier, None, steps)
    vectorizer, *others = steps
    _check_vectorizer(vectorizer)
    for step in others:
        if not isinstance(step, TimeStepTransformer):
            raise TypeError(
                f"The pipeline holds a {type(step).__name__} behind its "
                "WordVectorizer; expected TimeStepTransformer, which transforms each "
                "vector by itself."
            )
    return Opened(found.classifier, vectorizer, tuple(others))


def _check_estimator(estimator: Any) -> None:
    """Raise a TypeError if the estimator may compute what no graph here does."""
    of_ours = next((t for t in type(estimator).__mro__ if t in _ESTIMATORS), None)
    name = type(estimator).__name__
    if of_ours is None:
        raise TypeError(
            f"estimator is, or holds, a {name}; a graph can be made of "
            f"{', '.join(sorted(t.__name__ for t in _ESTIMATORS))}."
        )
    if getattr(estimator, "n_layers", 1) > 1:
        raise TypeError(
            f"{name} has n_layers={estimator.n_layers}; a graph can be made of "
            "automata of one layer only. Fit with n_layers=1."
        )
    for method in _COMPUTING:
        if getattr(type(estimator), method, None) is not getattr(of_ours, method, None):
            raise TypeError(
                f"{name} has a {method} of its own, so that its graph isn't that of "
                f"{of_ours.__name__}. Put the graph together by onnx.helper."
            )


def _check_vectorizer(vectorizer: Any) -> None:
    """Raise a TypeError if others can't split texts, and look words up, as it does."""
    name = type(vectorizer).__name__
    if type(vectorizer) is not WordVectorizer:
        raise TypeError(
            f"The pipeline begins with a {name}, whose vectors come from another "
            "model. Export the steps behind it, such as pipeline[-1]: that graph reads "
            "vectors, which the other model gives where it is served, or with table= "
            "their numbers."
        )
    tokenizer = vectorizer.tokenizer
    if tokenizer not in (None, tokenize, str.split):
        shown = getattr(tokenizer, "__qualname__", repr(tokenizer))
        raise TypeError(
            f"WordVectorizer has tokenizer={shown}: a function of Python can't be "
            "written to a file that others read. Fit with tokenizer=None or "
            "str.split, or on lists of tokens, and let the server split texts by this "
            "function."
        )


def outputs_of(estimator: Any) -> Outputs:
    """Describe what comes of the logits."""
    if not hasattr(estimator, "classes_"):
        return Outputs(
            None,
            n_outputs=len(estimator.intercept_),
            softmax=estimator.loss == "cross_entropy",
            flat=estimator._target_ndim == 1,
        )
    classes, temperature = estimator.classes_, float(estimator.temperature_)
    independent = getattr(estimator, "_multilabel", False)
    return Outputs(_labels(classes), temperature, independent=independent)


def _labels(classes: NDArray[Any]) -> NDArray[Any]:
    """Return classes in a type that graphs have.

    Raises
    ------
    TypeError
        If there is none.
    """
    labels = classes.tolist()
    whole = [label for label in labels if isinstance(label, int)]
    if whole and not -(2**63) <= min(whole) <= max(whole) < 2**63:
        raise TypeError(
            f"classes_ holds {max(whole, key=abs)}; the integers of a graph go from "
            "-2**63 to 2**63 - 1: fit with smaller ones, or with strings."
        )
    halves = [label for label in labels if _is_no_text(label)]
    if halves:
        raise TypeError(
            f"classes_ holds {halves[0]!r}, with half a character, which no file of a "
            "graph can hold: fit with other strings."
        )
    if len(set(map(type, classes))) == 1:
        classes = np.array(classes.tolist())
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if classes.dtype.kind in "bf":
        return classes
    if classes.dtype.kind == "U":
        return classes.astype(object)
    kinds = sorted({type(label).__name__ for label in classes})
    raise TypeError(
        f"classes_ holds {kinds}; a graph can tell strings, numbers and booleans: fit "
        "with one of these."
    )


def _is_no_text(label: Any) -> bool:
    """Whether a label is a str that UTF-8 can't say."""
    try:
        str(label).encode()
    except UnicodeEncodeError:
        return True
    return False
