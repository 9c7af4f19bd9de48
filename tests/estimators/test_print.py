import pickle

import numpy as np
import pytest

from skrational import (
    ModuliRNNClassifier,
    SequenceArray,
    SparseLSTMClassifier,
    SparseRationalClassifier,
)
from skrational.datasets import make_planted_patterns


def quick(**params):
    defaults = {"n_wfsas": 3, "warmup_epochs": 1, "max_epochs": 2, "random_state": 0}
    return SparseRationalClassifier(**(defaults | {"finetune_epochs": 2} | params))


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(80, n_features=6, random_state=0)


def test_an_unfitted_classifier_prints_its_parameters():
    clf = quick()
    assert str(clf) == repr(clf)


def test_a_fitted_one_tells_rules_and_keeps_its_repr(data):
    clf = quick().fit(data.X, data.y)
    assert repr(clf) == repr(quick())
    first, *told = str(clf).splitlines()
    assert first == f"SparseRationalClassifier: {clf.learned_structure_}"
    assert sum(line.startswith("WFSA") for line in told) == len(clf.coef_.T)
    words = set(data.vectors)
    assert {w for rule in clf.rules_.ravel() for w in rule.split()} <= words
    for phrase in filter(None, clf.rules_.ravel()):
        assert any(phrase in text for text in data.texts)
    assert told[-1].startswith("bias: ")


def test_a_phrase_that_is_told_speaks_for_its_class(data):
    clf = quick(n_wfsas=6, max_epochs=10).fit(data.X, data.y)
    u, _ = clf.automata_.transition_weights(np.stack(list(data.vectors.values())))
    row = {word: i for i, word in enumerate(data.vectors)}
    for wfsa in range(clf.automata_.n_wfsas):
        states = clf.automata_.states(wfsa)
        for side, sign in enumerate((1, -1)):
            for phrase in filter(None, clf.rules_[wfsa, side]):
                weights = [
                    u[row[word], states.start + k]
                    for k, word in enumerate(phrase.split())
                ]
                assert sign * np.prod(weights) > 0


def test_rules_are_pickled_and_those_of_the_last_fit(data):
    clf = quick().fit(data.X, data.y)
    again = pickle.loads(pickle.dumps(clf))
    assert str(again) == str(clf)
    other = quick().fit(data.X, data.y).fit(data.X[::2], data.y[::2])
    np.testing.assert_array_equal(
        other.rules_, quick().fit(data.X[::2], data.y[::2]).rules_
    )


def test_without_words_the_structure_is_told(data):
    X = SequenceArray(data.X.features, data.X.offsets, data.X.indices)
    for sequences in (X, X.to_list()):
        clf = quick().fit(sequences, data.y)
        assert (clf.rules_ == "").all()
        assert "high scores" in str(clf)


def test_a_pickle_without_rules_is_told_without_words(data):
    clf = quick().fit(data.X, data.y)
    state = clf.__getstate__()
    del state["rules_"]
    old = SparseRationalClassifier.__new__(SparseRationalClassifier)
    old.__setstate__(state)
    assert "high scores" in str(old)
    np.testing.assert_array_equal(old.predict(data.X), clf.predict(data.X))


@pytest.mark.filterwarnings("ignore:lambda_")
def test_an_empty_model_tells_its_bias(data):
    clf = quick(lambda_=100.0).fit(data.X, data.y)
    assert clf.rules_.shape == (0, 2, 3)
    assert str(clf).splitlines()[-1].startswith("bias: ")


def test_other_networks_tell_their_structure(data):
    lstm = SparseLSTMClassifier(n_units=2, max_epochs=1, random_state=0)
    lstm.fit(data.X, data.y)
    assert str(lstm) == f"SparseLSTMClassifier: {lstm.learned_structure_.reading()}"
    rnn = ModuliRNNClassifier(n_hidden=4, max_epochs=1, random_state=0)
    rnn.fit(data.X, data.y)
    assert rnn.learned_structure_.reading() in str(rnn)


def test_messages_about_a_fitted_classifier_hold_its_repr(data):
    clf = quick().fit(data.X, data.y)
    assert f"{clf}" == repr(clf)
    assert f"{clf!s}" == str(clf) != repr(clf)
    with pytest.raises(ValueError, match="lamda_") as caught:
        clf.set_params(lamda_=1)
    assert "bias:" not in str(caught.value)
    assert repr(clf) in str(caught.value)
