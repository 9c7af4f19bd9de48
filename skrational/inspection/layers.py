"""Networks of several layers: their first layer as a classifier that can be read."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline

from skrational.inspection.model import open_layers

__all__ = ["first_layer"]


def first_layer(estimator: Any) -> Any:
    """Return the first layer of a network of several as a classifier to be read.

    Its automata are those of the first layer, so that whatever reads automata tells
    what they look for: `top_phrases`, `top_words`, `find_paths`, `AutomatonDisplay`,
    `to_openfst`. Its readout is zero, since nothing but the next layer reads them: of
    itself it predicts nothing, and its automata speak for no class. A path may end at
    any token, as the next layer reads the scores of every token.

    Parameters
    ----------
    estimator : SparseRationalClassifier of several layers, or what holds one
        As `explain` takes it.

    Returns
    -------
    SparseRationalClassifier or Pipeline
        Fitted, with ``n_layers=1``. A pipeline if the estimator is one, whose first
        steps are the same objects.

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError
        If it holds no classifier of several layers.

    See Also
    --------
    skrational.inspection.explain : Tells which automata of the first layer the last
        layer's transitions read.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(
    ...     n_layers=2, n_wfsas=8, random_state=0, max_epochs=5
    ... ).fit(data.X, data.y)
    >>> first = first_layer(clf)
    >>> first.automata_.n_wfsas == clf.learned_structure_.layers[0].n_wfsas
    True
    """
    model = open_layers(estimator)
    clf, layer = model.classifier, model.classifier.learned_structure_.layers[0]
    n_outputs = len(clf.intercept_)
    rule = replace(clf._scoring_rule, match="anywhere", length_exponent=0.0)
    weights = {
        name.removeprefix("layer1."): array.copy()
        for name, array in clf.weights_.items()
        if name.startswith("layer1.")
    }
    fitted = {
        "coef_": np.zeros((n_outputs, layer.n_wfsas), clf.coef_.dtype),
        "intercept_": np.zeros_like(clf.intercept_),
        "weights_": weights,
        "learned_structure_": replace(layer, n_outputs=n_outputs),
        "_scoring_rule": rule,
        "_final_weights": clf.layers_[0].final.copy(),
    }
    read = copy(clf).set_params(n_layers=1, match="anywhere", length_exponent=0.0)
    vars(read).update(fitted)
    return make_pipeline(*model.vectorizers, read) if model.vectorizers else read
