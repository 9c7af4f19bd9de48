"""Explain single predictions: split the logit, and find the words behind each part."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.explaining.deletions import effects_by_deletion
from skrational.inspection.explaining.documents import describe_documents
from skrational.inspection.explaining.explanations import Explanation, Explanations
from skrational.inspection.explaining.gated import explain_by_units
from skrational.inspection.explaining.layered import LayeredExplanation, readings_of
from skrational.inspection.explaining.values import ValueExplanation
from skrational.inspection.matching.attributions import deletion_effects, token_shares
from skrational.inspection.matching.layers import read_by_last
from skrational.inspection.matching.paths import Paths, extreme_paths
from skrational.inspection.matching.weighted_tokens import (
    WeightedTokens,
    weighted_tokens,
)
from skrational.inspection.model import Model, open_any_model
from skrational.sequences import SequenceArray
from skrational.utils.optional import advancing, check_progress

__all__ = ["Toward", "check_toward", "explain"]

Toward: TypeAlias = Literal["prediction", "positive"]
"""The class that what is shown counts towards."""


@overload
def explain(
    estimator: Any,
    X: str,
    *,
    toward: Toward = "prediction",
    progress: bool | None = None,
) -> Explanation: ...
@overload
def explain(
    estimator: Any,
    X: Any,
    *,
    toward: Toward = "prediction",
    progress: bool | None = None,
) -> Explanations: ...
def explain(
    estimator: Any,
    X: Any,
    *,
    toward: Toward = "prediction",
    progress: bool | None = None,
) -> Explanation | Explanations:
    """Explain the predictions for one or more documents.

    A logit is the bias plus one contribution of each WFSA; a contribution is explained
    by the path of the WFSA that leads, the share of the score that goes through each
    token, and what would be predicted without the phrase. Beside that, each token has
    its exact effect on the prediction. Of several layers the WFSAs are those of the
    last, and each explanation says which automata of the layer below their paths read
    (`LayeredExplanation`). Of a gated network the contributions are those
    of its units, and there are no paths: the effects of tokens are the explanation.

    Parameters
    ----------
    estimator : SparseRationalClassifier, SparseLSTMClassifier, or what holds one
        A fitted classifier or `SparseRationalRegressor`, a pipeline that ends with one,
        or a search, a FrozenEstimator, a classifier with a threshold, a calibrated one
        or another estimator that is fitted around a single one of these.
    X : str, SequenceArray or array-like
        Documents: what the classifier reads or, with a pipeline, what that reads. A
        single str is one document.
    toward : {"prediction", "positive"}, default="prediction"
        What text, HTML and pictures of the explanations count towards: positive numbers
        speak for the predicted class or, of two classes, for the second one, whose
        logit ``decision_function`` returns. The attributes are the same for both.
    progress : bool or None, default=None
        Whether to show a progress bar, for which rich is needed. None: for 1,000
        documents and more, if rich is installed.

    Returns
    -------
    Explanation or Explanations
        An Explanation for a single str, else a sequence of one for each document. Both
        print as text and show as HTML in notebooks. Of a gated network each is a
        GatedExplanation, of a regressor a ValueExplanation: they say what differs.

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError, ValueError
        If the estimator holds no such classifier, X isn't what it reads, or ``toward``
        is another word, or "positive" with more than two classes; if there are several
        labels or numbers to predict, of which `single_output` takes one.
    ImportError
        If a progress bar is asked for and rich isn't installed.

    Notes
    -----
    Contributions are computed from the classifier's own scores, so that with the bias
    they add up to its logits, but for the last digit of these. Paths, weights and
    effects are computed in double precision, in time and memory linear in the tokens.
    The explanation of a model that ``lambda_`` emptied is its bias.

    A gated network, and one of several layers, predicts each document once without each
    of its tokens: the time is quadratic in a document's tokens, the memory linear.

    What is explained is what the classifier itself predicts. An estimator around it may
    go on from there: one with a threshold may predict another class, and the
    probabilities of a CalibratedClassifierCV differ. What it says is told beside the
    classifier's own prediction (``verdicts``). A CalibratedClassifierCV that has fitted
    several copies can't be explained as a whole; pass it one FrozenEstimator or
    ``ensemble=False``, or explain one of the copies.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 4. :arxiv:`1909.03011`

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> first, second = explain(clf.fit(data.X, data.y), data.X[:2])
    >>> logit = first.bias[0] + first.contributions[0].sum()
    >>> bool(np.isclose(logit, clf.decision_function(data.X[:1])[0], atol=1e-6))
    True
    """
    model = open_any_model(estimator)
    check_toward(toward, len(model.classes))
    single = isinstance(X, str) and bool(model.vectorizers)
    sequences = model.read([X] if single else X)
    has_bar = check_progress(progress, len(sequences))
    explanations: list[Explanation] = []
    explained = _explain_by_automata if model.has_automata else explain_by_units
    with advancing("explain", len(sequences), has_bar) as advance:
        for some in explained(model, sequences, toward):
            explanations += some
            advance(len(some))
    return explanations[0] if single else Explanations(explanations)


def check_toward(toward: Any, n_classes: int) -> None:
    """Refuse what is no word, or "positive" with more than two classes."""
    if toward not in ("prediction", "positive"):
        raise ValueError(f"toward is {toward!r}; expected 'prediction' or 'positive'.")
    if toward == "positive" and n_classes != 2:
        raise ValueError(
            f"toward is 'positive', but there are {n_classes} classes, each with a "
            "logit of its own; expected 'prediction'."
        )


def _explain_by_automata(
    model: Model, X: SequenceArray, toward: str
) -> Iterator[list[Explanation]]:
    """Explain documents, some at a time."""
    for part in weighted_tokens(model.automata, read_by_last(model.layers, X)):
        yield list(_explanations(model, X[part.start : part.stop], part, toward))


def _explanations(
    model: Model, X: SequenceArray, tokens: WeightedTokens, toward: str
) -> Iterator[Explanation]:
    """Explain some documents: all at once, then one by one.

    Parameters
    ----------
    model : Model
    X : SequenceArray
        n documents.
    tokens : WeightedTokens
        Of the same documents.
    toward : {"prediction", "positive"}
    """
    automata, classes = model.automata, model.classes
    coef, bias = automata.coef.astype(np.float64), automata.intercept.astype(np.float64)
    scored = model.predict(X)
    scores = scored.scores.astype(np.float64)
    best, worst = extreme_paths(automata, tokens)
    leading = Paths.where(scores >= 0, best, worst)
    shares = np.full_like(scores, np.nan)
    scaled = leading.scores * automata.scale(X.lengths)[:, None]
    np.divide(scaled, scores, out=shares, where=scores != 0)
    weights = token_shares(automata, tokens)
    codes = np.ones(len(X), np.intp)
    if not model.predicts_numbers:
        codes = np.searchsorted(classes, scored.predictions)
    explanation: type[Explanation] = Explanation
    if model.predicts_numbers:
        explanation = ValueExplanation
    of_layers: list[dict[str, Any]] = [{} for _ in range(len(X))]
    if model.is_layered:
        # Without a token all scores change that the last layer reads.
        effects = effects_by_deletion(model, X, scored.logits, codes)
        explanation = LayeredExplanation
        of_layers = [{"readings": r} for r in readings_of(model.layers, X, leading)]
    else:
        effects = deletion_effects(automata, tokens, codes)
    without = _without_phrases(model, X, leading)
    verdicts = model.verdicts(scored)
    document = describe_documents(model, X)
    for i in range(len(X)):
        own = slice(X.offsets[i], X.offsets[i + 1])
        yield explanation(
            **document(i),
            **of_layers[i],
            **without(i),
            classes=classes,
            prediction=scored.predictions[i],
            probabilities=scored.probabilities[i],
            logits=scored.logits[i],
            bias=bias,
            contributions=coef * scores[i],
            scores=scores[i],
            numbers=automata.numbers,
            best=best[i],
            worst=worst[i],
            paths=leading[i],
            shares=shares[i],
            main_path_weights=weights.main_path[own].T,
            self_loop_weights=weights.self_loop[own].T,
            effects=effects[own],
            temperature=getattr(model.classifier, "temperature_", 1.0),
            verdicts=verdicts[i],
            toward=toward,
        )


def _without_phrases(
    model: Model, X: SequenceArray, paths: Paths
) -> Callable[[int], dict[str, Any]]:
    """Predict with the phrase of each WFSA cut out.

    Returns
    -------
    callable
        Takes the number of a document; returns what an explanation has of it, by name:
        probabilities (d, n_classes) and, of a regressor, values (d,).
    """
    d = paths.scores.shape[1]
    n_classes = 0 if model.predicts_numbers else len(model.classes)
    probabilities: NDArray[np.floating] = np.empty((d, len(X), n_classes))
    values: NDArray[Any] = np.empty((d, len(X)))
    if d:
        spans = [paths.entries[:, a:b] for a, b in itertools.pairwise(paths.starts)]
        # In one call: some kernels take as long for many documents as for one.
        parts = [_without_tokens(X, span[:, 0], span.max(axis=1) + 1) for span in spans]
        found = model.predict(SequenceArray.concatenate(parts))
        probabilities = found.probabilities.reshape(probabilities.shape)
        values = found.predictions.reshape(values.shape)

    def of_document(i: int) -> dict[str, Any]:
        known = {"probabilities_without": probabilities[:, i]}
        return known | ({"values_without": values[:, i]} if not n_classes else {})

    return of_document


def _without_tokens(
    X: SequenceArray, first: NDArray[Any], last: NDArray[Any]
) -> SequenceArray:
    """Leave out the tokens from ``first`` to before ``last``; -1 and 0 for none."""
    has_span = last > 0
    starts = X.offsets[:-1][has_span]
    depth = np.zeros(X.n_tokens + 1, np.int64)
    np.add.at(depth, starts + first[has_span], 1)
    np.add.at(depth, starts + last[has_span], -1)
    is_left = np.cumsum(depth[:-1]) == 0
    lengths = X.lengths - np.where(has_span, last - first, 0)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return SequenceArray(X.features, offsets, X.row_numbers()[is_left], X.labels)
