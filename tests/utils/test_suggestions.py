"""Faults of names and options say what may be meant."""

import pytest
from sklearn.pipeline import make_pipeline

from skrational import (
    SparseLSTMClassifier,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    TimeStepTransformer,
    WordVectorizer,
)
from skrational.penalties.inhibitors import as_inhibitor
from skrational.penalties.manifolds import as_manifold


@pytest.mark.parametrize(
    ("estimator", "name", "meant"),
    [
        (SparseRationalClassifier(), "lamda_", "lambda_"),
        (SparseRationalClassifier(), "n_wfsa", "n_wfsas"),
        (SparseLSTMClassifier(), "n_unit", "n_units"),
        (SparseRationalClassifierCV(), "max_transition", "max_transitions"),
        (WordVectorizer(), "vector", "vectors"),
        (TimeStepTransformer(None), "transform", "transformer"),
        (make_pipeline(SparseRationalClassifier()), "sparserationalclassifier__semirng",
         "semiring"),
        (SparseRationalClassifierCV(SparseRationalClassifier()), "estimator__lamda_",
         "lambda_"),
    ],
)  # fmt: skip
def test_parameters(estimator, name, meant):
    with pytest.raises(ValueError, match="Invalid parameter") as caught:
        estimator.set_params(**{name: 1})
    assert str(caught.value).endswith(f"Did you mean {meant!r}?")
    assert str(caught.value).count("Did you mean") == 1


def test_names_that_are_like_none(caplog):
    with pytest.raises(ValueError, match="Invalid parameter 'zzz'") as caught:
        SparseRationalClassifier().set_params(zzz=1)
    assert "Did you mean" not in str(caught.value)


def test_values_are_set_and_the_estimator_returned():
    clf = SparseRationalClassifier()
    assert clf.set_params(lambda_=1, n_wfsas=3) is clf
    assert (clf.lambda_, clf.n_wfsas) == (1, 3)


@pytest.mark.parametrize(
    ("estimator", "name", "value", "meant"),
    [
        (SparseRationalClassifier, "semiring", "max_plus", "max-plus"),
        (SparseRationalClassifier, "solver", "adam", None),
        (SparseRationalClassifier, "class_weight", "balance", "balanced"),
        (SparseLSTMClassifier, "framework", "baies", "bayes"),
        (SparseRationalClassifierCV, "refit", "one-se", "one_se"),
    ],
)
def test_options(estimator, name, value, meant):
    with pytest.raises(ValueError, match=f"The '{name}' parameter") as caught:
        estimator(**{name: value}).fit([[0.0], [1.0]], [0, 1])
    hint = f" Did you mean {meant!r}?"
    assert str(caught.value).endswith(hint if meant else "instead.")


def test_options_that_the_library_checks_itself():
    with pytest.raises(ValueError, match=r"Did you mean 'neurons'\?"):
        SparseLSTMClassifier(sparsify=("gates", "neuron")).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match=r"Did you mean 'ripple'\?"):
        as_inhibitor("ripples")
    with pytest.raises(ValueError, match=r"Did you mean 'sphere'\?"):
        as_manifold("shpere")


def test_options_of_vectorizers():
    with pytest.raises(ValueError, match=r"Did you mean 'random'\?"):
        WordVectorizer(oov="randm").fit(["a"])


def test_faults_of_other_kinds_are_as_they_were():
    with pytest.raises(ValueError, match=r"range \[1, inf\). Got 0 instead.$"):
        SparseRationalClassifier(max_epochs=0).fit([[0.0], [1.0]], [0, 1])
