"""Take automata, states or words out of a fitted model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import is_classifier

from skrational.editing.automata import check_states, check_wfsas, cut_automata
from skrational.editing.nesting import rebuilt
from skrational.editing.readout import check_labels, refit_readout
from skrational.editing.words import check_words, find_vectorizer, forget_words
from skrational.inspection.model import Model, open_any_model
from skrational.sequences import SequenceArray

__all__ = ["without"]

_METHODS = ("automata_", "n_gates_", "n_links_")


def without(
    estimator: Any,
    *,
    wfsas: Iterable[int] = (),
    states: Mapping[int, int] | None = None,
    words: Iterable[str] = (),
    X: Any = None,
    y: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> Any:
    r"""Return a fitted model without some of its automata, states or words.

    The given model stays as it is. The new one is of the same kind, and whatever works
    with the one works with the other: explanations, reports, saving, graphs.

    Parameters
    ----------
    estimator : SparseRationalClassifier, or a fitted estimator that holds one
        A pipeline, a search or a FrozenEstimator around it; what surrounds the
        classifier is in the result, too. Automata and states can be taken out of a
        `SparseRationalRegressor` as well, but of no network of several layers. Words
        can be taken out of pipelines with any classifier or regressor of this package,
        and X and y given with its classifiers, but for those of several labels.
    wfsas : iterable of int, default=()
        Automata to take out, by the numbers that `print`, `top_phrases`, `explain`
        and the report show: counted from 0 among those that are left (columns of
        ``coef_``). At least one has to stay. In the result they are numbered anew;
        ``learned_structure_.survivors`` goes on telling their numbers before pruning.
    states : mapping of int to int, default=None
        Automata to shorten, and how many states each keeps, from the first one on:
        ``{2: 1}`` makes an automaton of single words of WFSA 2.
    words : iterable of str, default=()
        Words that are left out from now on, as if documents didn't hold them: they are
        added to the parameter ``stop_words`` of the pipeline's `WordVectorizer`, so
        that a clone that is fitted again doesn't read them either. With
        ``lowercase=True`` a word in capitals is the same word. Each is a single token;
        of a phrase name the words. Phrases with one of them go from ``rules_``.
    X : documents, default=None
        What the readout is fitted on again, in the form that ``estimator`` reads. None:
        the readout stays as it is, less what was taken out.
    y : array-like of shape (n_documents,), default=None
        Labels of X, of every class of the estimator; given with X.
    sample_weight : array-like of shape (n_documents,), default=None
        Weights of X, at least 0.

    Returns
    -------
    estimator
        Fitted, of the class of the given one.

    Raises
    ------
    NotFittedError
        If ``estimator`` isn't fitted.
    TypeError
        If there is nothing in ``estimator`` of which that can be taken out.
    ValueError
        If there is no such automaton or state, a word is no single token or isn't
        known, nothing would be left, or X, y and the weights aren't what they should
        be. All of this is found out before anything is computed.

    See Also
    --------
    compare : Says what has changed.
    skrational.inspection.top_phrases : What each automaton looks for.

    Notes
    -----
    The scores of the automata that stay are what they were, unless words are taken out.
    With X and y the readout alone is learned, by logistic regression on these scores:
    for scores :math:`s_i`, scaled to mean 0 and deviation 1 over X, and weights
    :math:`v_i`, which are those of the samples times ``class_weight``,

    .. math::
        \min_{A, a} \ \tfrac{1}{2} \lVert A \rVert^2
        + \sum_i v_i \, \mathrm{logloss}(A s_i + a, y_i)

    which is convex; A and a are then turned to the scores as they are. With
    ``calibration="temperature"`` the temperature is fitted again, to what five such
    readouts say of the fifth that each wasn't fitted on; otherwise it is 1. Without
    X and y it stays.

    To let the automata that stay learn what those that went knew, fit the result again
    with ``warm_start=True`` and ``lambda_=0``.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrational import SparseRationalClassifier, WordVectorizer
    >>> from skrational.datasets import make_product_reviews
    >>> reviews = make_product_reviews(300, random_state=0)
    >>> pipeline = make_pipeline(
    ...     WordVectorizer(n_features=20),
    ...     SparseRationalClassifier(
    ...         n_wfsas=3, n_states=2, max_epochs=2, finetune_epochs=2, random_state=0
    ...     ),
    ... )
    >>> pipeline = pipeline.fit(reviews.texts, reviews.labels)
    >>> pipeline[-1].learned_structure_
    6 of 6 transitions in 3 of 3 WFSAs
    >>> edited = without(pipeline, wfsas=[1], states={2: 1})
    >>> edited[-1].learned_structure_
    3 of 6 transitions in 2 of 3 WFSAs
    >>> edited = without(
    ...     pipeline, words=["Great"], X=reviews.texts, y=reviews.labels
    ... )
    >>> edited[0].stop_words
    ('great',)
    """
    model = _open(estimator)
    classifier = model.classifier
    kept = _kept_lengths(model, wfsas, states)
    gone = check_words(model, words)
    _check_data(classifier, X, y, sample_weight, bool(gone))
    edited = copy(classifier)
    swaps = {id(classifier): edited}
    if kept is not None:
        vars(edited).update(cut_automata(classifier, kept))
    if gone:
        vectorizer = find_vectorizer(model)
        swaps[id(vectorizer)] = forget_words(vectorizer, edited, gone)
    result = rebuilt(estimator, swaps)
    if X is not None:
        sequences = open_any_model(result, _METHODS).read(X)
        vars(edited).update(refit_readout(edited, sequences, y, sample_weight))
    return result


def _open(estimator: Any) -> Model:
    """Find the estimator in another one, unless that decides by its scores as well."""
    model = open_any_model(estimator, _METHODS)
    if model.wrappers:
        name = type(model.wrappers[0]).__name__
        raise TypeError(
            f"estimator holds a {name}, which was fitted to what the classifier in it "
            f"says of documents. Edit that classifier, and fit a {name} to the result."
        )
    return model


def _kept_lengths(
    model: Model, wfsas: Iterable[int], states: Mapping[int, int] | None
) -> list[int] | None:
    """Return how many states each automaton keeps; None: all, or there are none."""
    gone = check_wfsas(model, wfsas)
    shortened = check_states(model, states, gone)
    if not gone and not shortened:
        return None
    lengths = enumerate(model.automata.lengths)
    return [0 if k in gone else shortened.get(k, n) for k, n in lengths]


def _check_data(
    estimator: Any, X: Any, y: Any, sample_weight: Any, are_words_gone: bool
) -> None:
    """Check what the readout is to be fitted on, as far as no work is needed for it."""
    if (X is None) != (y is None):
        given = "X" if y is None else "y"
        raise ValueError(
            f"X and y go together: the readout is fitted on both; got {given} only."
        )
    if X is None:
        if sample_weight is not None:
            raise ValueError("sample_weight is that of X, which isn't given.")
        return
    if not is_classifier(estimator) or not hasattr(estimator, "coef_"):
        raise TypeError(
            f"X and y serve to fit the readout of a classifier again; got a "
            f"{type(estimator).__name__}. Leave X and y out, and the readout stays."
        )
    if getattr(estimator, "_multilabel", False):
        raise TypeError(
            "X and y serve to fit a readout of classes again; this classifier is of "
            "several labels. Leave X and y out, and the readout stays, or take one of "
            "the labels by skrational.inspection.single_output(estimator, 0)."
        )
    if are_words_gone and isinstance(X, SequenceArray):
        raise TypeError(
            "X is a SequenceArray, which holds the vectors of the words that are to be "
            "taken out; expected texts."
        )
    check_labels(estimator, y)
