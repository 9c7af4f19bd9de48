"""The classifier in whatever was handed over: what it reads, and what it predicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from skrational.inspection.nesting import flat, steps_of, wrapped
from skrational.inspection.wrappers import Predicted, Verdict, inner_of, verdicts
from skrational.sequences import SequenceArray, as_sequences, check_finite
from skrational.structures import LayeredStructure
from skrational.structures.automata import WeightedAutomata
from skrational.structures.meaning import output_names
from skrational.utils.cached import cached_property
from skrational.utils.checks import is_integer

__all__ = [
    "Model",
    "Scored",
    "check_wfsa",
    "log_odds",
    "open_any_model",
    "open_layers",
    "open_model",
]


class _Method(NamedTuple):
    """What is learned by the estimators of a method, and what reads it."""

    estimators: str
    network: str
    learned: str
    advice: str


_METHODS = {
    "automata_": _Method(
        "SparseRationalClassifier or SparseRationalRegressor",
        "a network of automata",
        "weighted automata",
        "StructureDisplay and AutomatonDisplay draw weighted automata.",
    ),
    "n_gates_": _Method(
        "SparseLSTMClassifier or SparseGRUClassifier",
        "a gated network",
        "gates",
        "To read a gated network use explain, GateDisplay, and its learned_structure_ "
        "with reading() and to_frame().",
    ),
    "n_links_": _Method(
        "ModuliRNNClassifier or ModuliRNNRegressor",
        "a network of pruned weights",
        "a mask",
        "To read a network of pruned weights use ManifoldDisplay, and its "
        "learned_structure_ with reading().",
    ),
}
"""Methods by an attribute that only their estimators have."""

_EXPLAINED = ("automata_", "n_gates_")


class _Words(str):
    """What is shown as it is, where a label of this type would have quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Scored(NamedTuple):
    """What a classifier computes of n documents, as its own methods return it.

    Attributes
    ----------
    scores : ndarray of shape (n, d)
        Of each WFSA or unit, in the classifier's precision.
    logits : ndarray of shape (n, n_outputs), float64
    probabilities : ndarray of shape (n, n_classes)
        Of a regressor (n, 0).
    predictions : ndarray of shape (n,)
        The most probable classes, or the numbers that are predicted.
    """

    scores: NDArray[np.floating]
    logits: NDArray[np.float64]
    probabilities: NDArray[np.floating]
    predictions: NDArray[Any]


@dataclass(frozen=True)
class Model:
    """A fitted classifier, and what turns raw input into its sequences.

    Attributes
    ----------
    classifier : estimator
    vectorizers : tuple of transformers
        The steps before it, in order, those of nested pipelines one by one; empty
        without a pipeline.
    wrappers : tuple of estimators
        Those around it that calibrate its probabilities or have a threshold, the
        outermost first.
    """

    classifier: Any
    vectorizers: tuple[Any, ...]
    wrappers: tuple[Any, ...] = ()

    @property
    def has_automata(self) -> bool:
        """Whether the classifier is one by weighted automata, not a gated network."""
        return hasattr(type(self.classifier), "automata_")

    @property
    def predicts_numbers(self) -> bool:
        """Whether the "classifier" is a regressor."""
        return not hasattr(self.classifier, "classes_")

    @property
    def classes(self) -> NDArray[Any]:
        """What scores speak for: classes or, of a number, that it's lower or higher.

        Raises
        ------
        ValueError
            If there are several outputs that aren't of classes.
        """
        if not hasattr(self.classifier, "_outputs"):
            return np.asarray(self.classifier.classes_)
        outputs, kind = self.classifier._outputs()
        if kind == "classes":
            return np.asarray(outputs)
        if len(outputs) > 1:
            raise ValueError(
                f"{type(self.classifier).__name__} has {len(outputs)} {kind}, each "
                "with weights of its own; expected one: pass skrational.inspection."
                "single_output(estimator, 0), and so on."
            )
        return np.array([*map(_Words, output_names(outputs, kind))], object)

    @property
    def is_layered(self) -> bool:
        """Whether its automata stand in several layers."""
        structure = getattr(self.classifier, "learned_structure_", None)
        return isinstance(structure, LayeredStructure)

    @cached_property
    def automata(self) -> WeightedAutomata:
        """The classifier's ``automata_``; of several layers those of the last."""
        automata: WeightedAutomata = self.layers[-1]
        return automata

    @cached_property
    def layers(self) -> tuple[WeightedAutomata, ...]:
        """The classifier's ``layers_``, or the one layer of its ``automata_``."""
        if not self.is_layered:
            return (self.classifier.automata_,)
        layers: tuple[WeightedAutomata, ...] = self.classifier.layers_
        return layers

    def read(self, X: Any) -> SequenceArray:
        """Turn documents into what the classifier reads.

        A SequenceArray is that already, unless it's what the pipeline itself reads.
        """
        if not isinstance(X, SequenceArray) or self._begins_with_sequences():
            if isinstance(X, str):
                raise TypeError(
                    "X is a string; expected a sequence of documents: put it in a list."
                )
            # An iterator would be used up before its texts are shown.
            X = list(X) if isinstance(X, Iterator) else X
            for vectorizer in self.vectorizers:
                X = vectorizer.transform(X)
            if hasattr(self.classifier, "feature_names_in_"):
                _check_feature_names(self.classifier, X, reset=False)
        sequences = as_sequences(X)
        expected = self.classifier.n_features_in_
        if sequences.n_features != expected:
            raise ValueError(
                f"X has {sequences.n_features} features, but "
                f"{type(self.classifier).__name__} was fitted with {expected}."
            )
        if len(sequences) == 0:
            raise ValueError("X is empty: found 0 documents, expected at least 1.")
        check_finite(sequences)
        return sequences

    def _begins_with_sequences(self) -> bool:
        """Whether the first step says that it reads sequences, not texts."""
        first = next(iter(self.vectorizers), None)
        tagged = hasattr(first, "__sklearn_tags__")
        return tagged and get_tags(first).input_tags.three_d_array

    def predict(self, X: SequenceArray) -> Scored:
        """Score documents once, and derive from the scores all that is predicted.

        These are the steps of the classifier's public methods, less their checks, which
        `read` has made.
        """
        classifier = self.classifier
        scores = classifier._finite_scores(X)
        logits = classifier._logits_of(scores)
        if self.predicts_numbers:
            return Scored(scores, logits, logits[:, :0], logits[:, 0])
        return Scored(
            scores,
            logits,
            classifier._probabilities(logits),
            classifier._most_probable(logits),
        )

    def verdicts(self, scored: Scored) -> list[tuple[Verdict, ...]]:
        """What estimators around the classifier say of each document, from within."""
        _, logits, probabilities, predictions = scored
        predicted = Predicted(self.classes, logits, probabilities, predictions)
        return verdicts(self.wrappers, predicted)

    def require_automata(self) -> None:
        """Raise a ValueError if no automaton is left."""
        if self.automata.n_wfsas == 0:
            raise ValueError(
                f"{type(self.classifier).__name__} has no WFSA left to read: lambda_ "
                "removed every state. Fit with a lower lambda_."
            )


def open_model(estimator: Any) -> Model:
    """Find the classifier by weighted automata in an estimator.

    Parameters
    ----------
    estimator : SparseRationalClassifier, or an estimator that holds one
        As `open_any_model` takes it.

    Returns
    -------
    Model

    Raises
    ------
    NotFittedError
        If it isn't fitted.
    TypeError
        If there is no such classifier in it, or more than one, or its automata stand in
        several layers.
    """
    model = open_any_model(estimator, ("automata_",))
    if model.is_layered:
        raise TypeError(
            f"{type(model.classifier).__name__} has n_layers="
            f"{len(model.layers)}; what was asked for is read off a single layer of "
            "automata. skrational.inspection.first_layer(estimator) is a classifier of "
            "those of the first layer, which can be given here instead; explain tells "
            "what the layers do together, and print what the last one looks for."
        )
    return model


def open_layers(estimator: Any) -> Model:
    """Find the classifier by several layers of automata in an estimator.

    Takes and raises what `open_model` does, but for a classifier of one layer.
    """
    model = open_any_model(estimator, ("automata_",))
    if not model.is_layered:
        raise TypeError(
            f"{type(model.classifier).__name__} has a single layer of automata, which "
            "can be read as it is."
        )
    return model


def open_any_model(estimator: Any, expected: tuple[str, ...] = _EXPLAINED) -> Model:
    """Find the classifier in an estimator, of whatever methods are expected.

    Parameters
    ----------
    estimator : SparseRationalClassifier, SparseLSTMClassifier, or what holds one
        A fitted estimator with one of the attributes that are expected; a pipeline that
        ends with one; what is fitted around one of these: a search
        (``best_estimator_``), a classifier with a threshold or one trained on its
        own labels (``estimator_``), a calibrated one without an ensemble of copies; a
        FrozenEstimator of any of them. All of these may be nested.
    expected : tuple of str, default=("automata_", "n_gates_")
        The attributes of the methods that will do: "automata_", "n_gates_" or
        "n_links_".

    Returns
    -------
    Model

    Raises
    ------
    NotFittedError
        If it isn't fitted.
    TypeError
        If there is no such classifier in it, or more than one.
    """
    names = " or ".join(_METHODS[attribute].estimators for attribute in expected)
    vectorizers: list[Any] = []
    wrappers: list[Any] = []
    inner = estimator
    while not any(hasattr(type(inner), attribute) for attribute in _METHODS):
        if isinstance(inner, Pipeline):
            steps = steps_of(inner)
            inner = steps.pop() if steps else None
            vectorizers += [step for outer in steps for step in flat(outer)]
        elif (within := inner_of(inner)) is not None:
            wrappers.append(inner)
            inner = within
        else:
            inner = wrapped(inner, estimator, names)
    check_is_fitted(inner)
    if not any(hasattr(type(inner), attribute) for attribute in expected):
        raise TypeError(_is_of_another_method(inner, expected, names))
    return Model(inner, tuple(vectorizers), tuple(wrappers))


def _is_of_another_method(inner: Any, expected: tuple[str, ...], names: str) -> str:
    """Say what an estimator learned instead of what was expected."""
    found = next(m for name, m in _METHODS.items() if hasattr(type(inner), name))
    learned = " or ".join(_METHODS[name].learned for name in expected)
    return (
        f"estimator is, or holds, a {type(inner).__name__}, {found.network}; what was "
        f"asked for is read off {learned}, which only a {names} has. {found.advice}"
    )


def check_wfsa(model: Model, wfsa: Any) -> int:
    """Return the position of a WFSA among those that are left, if there is one.

    Raises
    ------
    ValueError
        If the number is out of range, or no WFSA is left.
    TypeError
        If it isn't an integer.
    """
    model.require_automata()
    if not is_integer(wfsa):
        raise TypeError(f"wfsa is {wfsa!r}; expected an integer.")
    if not 0 <= wfsa < model.automata.n_wfsas:
        raise ValueError(
            f"wfsa is {wfsa}; expected 0 to {model.automata.n_wfsas - 1}, a column of "
            "coef_."
        )
    return int(wfsa)


def log_odds(
    logits: NDArray[np.float64], classes: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the log-odds of a class against all others.

    Parameters
    ----------
    logits : ndarray of shape (n, n_outputs)
        Of the second class where there are two classes, else of each class.
    classes : ndarray of shape (n,)
        Number of the class, for each row.

    Returns
    -------
    ndarray of shape (n,)
    """
    if logits.shape[1] == 1:
        return np.where(classes == 1, logits[:, 0], -logits[:, 0])
    places = np.arange(len(logits))
    others = logits.copy()
    others[places, classes] = -np.inf
    return logits[places, classes] - logsumexp(others, axis=1)
