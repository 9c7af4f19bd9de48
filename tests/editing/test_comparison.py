import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skrational import SparseRationalClassifier
from skrational.datasets import make_product_reviews
from skrational.editing import compare, without

REVIEWS = make_product_reviews(120, random_state=0)
TEXTS = REVIEWS.texts
Y = np.array(["bad", "good", "mixed"])[(REVIEWS.labels + (np.arange(120) % 5 == 0))]


def words(n=None, model=LogisticRegression):
    return make_pipeline(TfidfVectorizer(max_features=n), model())


@pytest.fixture(scope="module")
def models():
    return words().fit(TEXTS, Y), words(n=8).fit(TEXTS, Y)


def test_flips_and_scores_are_those_of_scikit_learn(models):
    found = compare(*models, TEXTS, Y)
    before, after = (model.predict(TEXTS) for model in models)
    expected = np.flatnonzero(before != after)
    assert [flip.document for flip in found.flips] == expected.tolist() != []
    probabilities = [model.predict_proba(TEXTS) for model in models]
    for flip in found.flips:
        i, column = flip.document, found.classes.tolist().index(flip.after)
        assert (flip.before, flip.after, flip.truth) == (before[i], after[i], Y[i])
        assert flip.text == TEXTS[i]
        p = [table[i, column] for table in probabilities]
        assert [flip.probability_before, flip.probability_after] == p
        assert flip.change == p[1] - p[0]
    for side, predicted in enumerate((before, after)):
        told = classification_report(Y, predicted, output_dict=True, zero_division=0)
        assert found.accuracy[side] == told["accuracy"]
        for scores in found.by_class:
            row = told[scores.label]
            assert scores.precision[side] == row["precision"]
            assert scores.recall[side] == row["recall"]
            assert scores.f1[side] == row["f1-score"]
            assert scores.n_documents == row["support"]
            assert scores.n_predicted[side] == (predicted == scores.label).sum()
    assert found.n_gained == ((after == Y) & (before != Y)).sum()
    assert found.n_lost == ((before == Y) & (after != Y)).sum()


def test_frames(models):
    found = compare(*models, TEXTS, Y)
    frame = found.to_frame()
    assert len(frame) == len(found.flips)
    assert frame["text"].tolist() == [flip.text for flip in found.flips]
    assert frame["change"].tolist() == [flip.change for flip in found.flips]
    table = found.classes_to_frame()
    assert table["label"].tolist() == ["bad", "good", "mixed"]
    assert table["recall_after"].tolist() == [s.recall[1] for s in found.by_class]


def test_it_is_told_in_print_and_in_notebooks(models):
    found = compare(*models, [f"<b>{text}" for text in TEXTS], Y)
    text, html = repr(found), found._repr_html_()
    first, second = found.accuracy
    assert f"accuracy {first:.3f} -> {second:.3f}" in text
    assert f"and {len(found.flips) - 10} more" in text
    assert "<b>" in text
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    largest = max(found.flips, key=lambda flip: flip.change)
    table = text.partition("documents whose")[2].splitlines()[2:]
    assert table[0].split()[0] == str(largest.document)


def test_without_labels_there_are_no_scores(models):
    found = compare(*models, TEXTS)
    assert found.accuracy is None
    assert found.n_gained == found.n_lost == 0
    assert np.isnan(found.by_class[0].recall).all()
    assert found.flips[0].truth is None
    assert "accuracy" not in repr(found)
    assert "precision" not in found._repr_html_()


def test_a_model_beside_itself_differs_nowhere(models):
    found = compare(models[0], models[0], TEXTS, Y)
    assert found.flips == ()
    assert "0 predictions differ (0.0 %)" in repr(found)
    assert len(found.to_frame()) == 0
    assert found._repr_html_().count("<table") == 1


def test_classes_in_another_order_and_no_probabilities(models):
    class Reversed(ClassifierMixin, BaseEstimator):
        """The first model, its classes in another order."""

        def __init__(self, model):
            self.model, self.classes_ = model, model.classes_[::-1].copy()

        def __sklearn_is_fitted__(self):
            return True

        def fit(self, X, y):
            return self

        def predict(self, X):
            return self.model.predict(X)

        def predict_proba(self, X):
            return self.model.predict_proba(X)[:, ::-1]

    straight = compare(*models, TEXTS, Y)
    turned = compare(models[0], Reversed(models[1]), TEXTS, Y)
    assert straight.flips == turned.flips
    svm = words(model=LinearSVC).fit(TEXTS, Y)
    found = compare(models[1], svm, TEXTS, Y)
    assert np.isnan(found.flips[0].change)
    assert "probability  " not in repr(found)


def test_documents_of_other_forms(models):
    for X in (pd.Series(TEXTS, index=np.arange(120) + 7), np.array(TEXTS), iter(TEXTS)):
        found = compare(*models, X, Y)
        assert found.flips[0].text == TEXTS[found.flips[0].document]
    rows = np.random.default_rng(0).normal(size=(120, 3))
    a, b = (LogisticRegression().fit(rows, y) for y in (Y, Y[::-1]))
    assert compare(a, b, rows, Y).flips[0].text is None


def test_faults_are_told(models):
    first, other = models
    with pytest.raises(NotFittedError):
        compare(first, words(), TEXTS)
    with pytest.raises(TypeError, match="b is a str"):
        compare(first, "model", TEXTS)
    with pytest.raises(TypeError, match="X is a string"):
        compare(first, other, "a text")
    with pytest.raises(ValueError, match="expected the same ones"):
        compare(first, words().fit(TEXTS, Y == "bad"), TEXTS)
    with pytest.raises(ValueError, match="X is empty"):
        compare(first, other, [])
    with pytest.raises(ValueError, match="120 documents and y 119 labels"):
        compare(first, other, TEXTS, Y[1:])
    with pytest.raises(ValueError, match=r"y holds \['fine'\]"):
        compare(first, other, TEXTS, ["fine"] * 120)


def test_classifiers_of_several_labels_are_refused():
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(40, 3, 4)), rng.integers(2, size=(40, 3))
    params = {"n_wfsas": 2, "n_states": 1, "lambda_": 0, "random_state": 0}
    epochs = {"max_epochs": 1, "warmup_epochs": 0, "finetune_epochs": 0}
    clf = SparseRationalClassifier(**params, **epochs).fit(X, labels)
    for y in (None, labels):
        with pytest.raises(
            TypeError, match=r"3 labels for each document.*single_output"
        ):
            compare(clf, clf, X, y)
    with pytest.raises(TypeError, match=r"of several labels.*single_output"):
        without(clf, wfsas=[0], X=X, y=labels)
    edited = without(clf, wfsas=[0])
    expected = clf.transform(X)[:, 1:] @ clf.coef_[:, 1:].T + clf.intercept_
    np.testing.assert_allclose(edited.decision_function(X), expected, rtol=1e-4)
