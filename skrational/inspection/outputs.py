"""One label, or one number, of a model that predicts several."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline

from skrational.inspection.model import open_any_model
from skrational.structures import LayeredStructure
from skrational.utils.checks import is_integer

__all__ = ["single_output"]


def single_output(estimator: Any, output: int, *, name: str | None = None) -> Any:
    """Return a model of one label, or number, of a model that predicts several.

    The labels of a `SparseRationalClassifier` that was fitted to an indicator matrix
    share their automata, but each has readout weights of its own: for what reads a
    model, one label is a classifier of two classes, one of several numbers a regressor
    of one.

    Parameters
    ----------
    estimator : SparseRationalClassifier, SparseRationalRegressor, or what holds one
        Fitted, with several outputs; as `explain` takes it.
    output : int
        The label, a column of y.
    name : str, default=None
        Of a label: ``classes_`` are then ``"not <name>"`` and the name, else 0 and 1.

    Returns
    -------
    estimator
        Fitted, with the same automata, in as many layers; a pipeline if there were
        steps before, which are the same objects.

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError
        If there is no such estimator in it, or ``output`` isn't an integer.
    ValueError
        If there is no such output, or it predicts one of several classes, whose logits
        mean nothing alone; or if a name is given for a number.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(300, random_state=0)
    >>> y = np.column_stack([data.planted == 0, data.planted == 1])
    >>> clf = SparseRationalClassifier(n_wfsas=4, max_epochs=5, random_state=0)
    >>> second = single_output(clf.fit(data.X, y), 1, name="trigram")
    >>> second.predict(data.X[:1]).tolist()[0] in ("trigram", "not trigram")
    True
    >>> logits = second.decision_function(data.X)
    >>> bool((logits == clf.decision_function(data.X)[:, 1]).all())
    True
    """
    model = open_any_model(estimator, ("automata_",))
    whole = model.classifier
    outputs, kind = whole._outputs()
    if kind == "classes":
        raise ValueError(
            f"{type(whole).__name__} predicts one of {len(outputs)} classes; expected "
            "a model of several labels, or of numbers."
        )
    if not is_integer(output):
        raise TypeError(f"output is {output!r}; expected an integer.")
    if not 0 <= output < len(outputs):
        raise ValueError(f"output is {output}; expected 0 to {len(outputs) - 1}.")
    if name is not None and kind == "values":
        raise ValueError(f"name is {name!r}, and the output a number; expected None.")
    single, only = copy(whole), slice(output, output + 1)
    single.coef_, single.intercept_ = whole.coef_[only], whole.intercept_[only]
    single.learned_structure_ = _of_one_output(whole.learned_structure_)
    if kind == "values":
        single._target_ndim = 1
    else:
        del single._multilabel
        names: list[Any] = [0, 1] if name is None else [f"not {name}", name]
        single.classes_ = np.array(names)
    return make_pipeline(*model.vectorizers, single) if model.vectorizers else single


def _of_one_output(structure: Any) -> Any:
    """Return a structure of automata, in one layer or several, with one output."""
    if not isinstance(structure, LayeredStructure):
        return replace(structure, n_outputs=1)
    *below, last = structure.layers
    return LayeredStructure((*below, _of_one_output(last)))
