"""Numbers and single labels, read as classes are."""

import json

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skrational import (
    ModuliRNNRegressor,
    SparseRationalClassifier,
    SparseRationalRegressor,
    WordVectorizer,
)
from skrational.datasets import make_planted_scores
from skrational.inspection import (
    ExplanationDisplay,
    StructureDisplay,
    explain,
    single_output,
    top_phrases,
)
from skrational.reporting import report

SHORT = {
    "n_wfsas": 3,
    "warmup_epochs": 1,
    "max_epochs": 2,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 10,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def data():
    return make_planted_scores(90, random_state=0)


@pytest.fixture(scope="module")
def regressor(data):
    steps = WordVectorizer(data.vectors), SparseRationalRegressor(**SHORT)
    return make_pipeline(*steps).fit(data.texts, data.y)


@pytest.fixture(scope="module")
def labels(data):
    return np.column_stack([data.planted == 0, data.planted == 1, data.y > 0])


@pytest.fixture(scope="module")
def classifier(data, labels):
    steps = WordVectorizer(data.vectors), SparseRationalClassifier(**SHORT)
    return make_pipeline(*steps).fit(data.texts, labels)


def test_a_value_is_split_and_told_in_its_unit(data, regressor):
    texts = data.texts[:4]
    predicted = regressor.predict(texts)
    for e, value, text in zip(explain(regressor, texts), predicted, texts, strict=True):
        assert e.prediction == value
        assert e.bias[0] + e.contributions.sum() == pytest.approx(value, abs=1e-5)
        words = text.split()
        without = [
            regressor.predict([" ".join(words[:i] + words[i + 1 :])])[0]
            for i in range(len(words))
        ]
        start = e.tokens.index(words[0])
        own = e.effects[start : start + len(words)]
        np.testing.assert_allclose(own, value - np.array(without), atol=1e-4)
        told = e.to_text()
        assert told.splitlines()[0] == f"{value:.3g} (prediction)"
        assert "positive numbers speak for higher values" in told.replace("\n ", "")
        assert "(prediction)" in e.to_html()
        known = json.loads(e.to_json())
        assert known["prediction"] == pytest.approx(value)
        assert not {"classes", "probabilities", "logits"} & set(known)


def test_a_value_without_a_phrase_is_what_is_predicted_without_it(data, regressor):
    e = explain(regressor, data.texts[0])
    wfsa = next(i for i in e.order if e.paths[i] is not None)
    first, last = e.paths[wfsa].entries[0], max(e.paths[wfsa].entries) + 1
    X = regressor[0].transform([data.texts[0]])
    rest = np.delete(X[0], np.arange(e.paths[wfsa].start, last), axis=0)
    assert e.paths[wfsa].start <= first
    expected = regressor[-1].predict([rest])[0]
    assert e.predictions_without[wfsa] == pytest.approx(expected, abs=1e-5)


def test_pictures_and_phrases_name_higher_and_lower_values(data, regressor):
    phrases = top_phrases(regressor, data.texts)
    assert "high scores speak for higher values" in phrases.to_text()
    ExplanationDisplay(explain(regressor, data.texts[0])).plot()
    StructureDisplay.from_estimator(regressor)


@pytest.mark.parametrize("label", range(3))
def test_a_label_alone_is_a_classifier_of_two_classes(data, labels, classifier, label):
    single = single_output(classifier, label)
    logits = classifier.decision_function(data.texts)[:, label]
    np.testing.assert_array_equal(single.decision_function(data.texts), logits)
    predicted = classifier.predict(data.texts)[:, label]
    np.testing.assert_array_equal(single.predict(data.texts), predicted)
    p = classifier.predict_proba(data.texts)[:, label]
    np.testing.assert_allclose(single.predict_proba(data.texts)[:, 1], p, rtol=1e-6)
    e = explain(single, data.texts[0])
    assert e.logits[0] == pytest.approx(logits[0])
    assert classifier.predict(data.texts).shape == labels.shape
    named = single_output(classifier, label, name="it")
    assert named.classes_.tolist() == ["not it", "it"]


def test_a_number_alone_is_a_regressor_of_one(data):
    y = np.column_stack([data.y, 5 - data.y])
    reg = SparseRationalRegressor(**SHORT).fit(data.X, y)
    single = single_output(reg, 1)
    np.testing.assert_array_equal(single.predict(data.X), reg.predict(data.X)[:, 1])
    assert single.learned_structure_.n_outputs == 1
    with pytest.raises(ValueError, match="the output a number; expected None"):
        single_output(reg, 1, name="it")


def test_several_outputs_are_read_one_at_a_time(data, classifier):
    for read in (
        lambda: explain(classifier, data.texts[0]),
        lambda: top_phrases(classifier, data.texts),
        lambda: StructureDisplay.from_estimator(classifier),
        lambda: report(classifier, data.texts),
    ):
        with pytest.raises(ValueError, match=r"3 labels.*single_output"):
            read()


def test_what_single_output_refuses(data, classifier):
    for output in (3, -1):
        with pytest.raises(ValueError, match=f"output is {output}; expected 0 to 2"):
            single_output(classifier, output)
    with pytest.raises(TypeError, match="expected an integer"):
        single_output(classifier, 1.5)
    alone = single_output(classifier, 0)
    with pytest.raises(ValueError, match="one of 2 classes"):
        single_output(alone, 0)
    other = ModuliRNNRegressor(n_hidden=4, sparsity=0.0, max_epochs=1)
    other.fit(data.X, data.y)
    with pytest.raises(TypeError, match="SparseRationalRegressor has"):
        single_output(other, 0)
