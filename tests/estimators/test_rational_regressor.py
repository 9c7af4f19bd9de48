"""The regressor of automata: its targets, what is left, what goes on."""

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalRegressor, WordVectorizer
from skrational.datasets import make_planted_scores

QUICK = {
    "n_wfsas": 4,
    "warmup_epochs": 1,
    "max_epochs": 3,
    "finetune_epochs": 2,
    "min_steps_per_epoch": 20,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def sequences():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 3)) for n in rng.integers(1, 9, size=90)]


def means(X):
    return np.array([x.mean(axis=0) for x in X])


def by_the_equations(reg, x):
    """Score one document in double precision, state by state."""
    structure, weights = reg.learned_structure_, reg.weights_
    W_u, W_f, b_f = (weights[name].astype(float) for name in ("W_u", "W_f", "b_f"))
    scores, first = [], 0
    for length in structure.lengths:
        states, total = np.zeros(length), 0.0
        for token in x.astype(float):
            own = slice(first, first + length)
            f = 1 / (1 + np.exp(-(W_f[own] @ token + b_f[own])))
            u = (1 - f) * (W_u[own] @ token)
            before = np.append(1.0, states[:-1])
            states = states * f + before * u
            total += states.sum()
        scores.append(total / len(x) ** 0.5)
        first += length
    return reg.coef_ @ np.array(scores) + reg.intercept_


@pytest.mark.parametrize("n_targets", [1, 3])
def test_a_prediction_is_what_the_equations_say(sequences, n_targets):
    y = 5 + 3 * means(sequences)[:, :n_targets]
    y = y[:, 0] if n_targets == 1 else y
    reg = SparseRationalRegressor(**QUICK, dtype="float64").fit(sequences, y)
    assert reg.n_transitions_ > 0
    expected = [by_the_equations(reg, x) for x in sequences]
    found = reg.predict(sequences).reshape(len(sequences), -1)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert reg.predict(sequences).shape == y.shape
    assert reg.score(sequences, y) == pytest.approx(r2_score(y, reg.predict(sequences)))


def test_the_unit_of_the_targets_changes_nothing_but_the_unit(sequences):
    y = means(sequences)[:, 0]
    settings = QUICK | {"dtype": "float64"}
    here = SparseRationalRegressor(**settings).fit(sequences, y)
    there = SparseRationalRegressor(**settings).fit(sequences, 1e6 + 1e3 * y)
    assert here.learned_structure_ == there.learned_structure_
    np.testing.assert_allclose(
        there.predict(sequences), 1e6 + 1e3 * here.predict(sequences), rtol=1e-8
    )


def test_an_emptied_model_predicts_the_weighted_mean(sequences):
    y = means(sequences)[:, 0]
    weights = np.arange(len(y)) % 3
    reg = SparseRationalRegressor(**QUICK, lambda_=50.0)
    with pytest.warns(UserWarning, match="predicts the mean"):
        reg.fit(sequences, y, sample_weight=weights)
    assert reg.n_transitions_ == 0
    np.testing.assert_allclose(
        reg.predict(sequences[:2]), np.average(y, weights=weights), atol=1e-6
    )


def test_the_order_that_a_bag_of_words_cannot_see_is_learned():
    data = make_planted_scores(1000, random_state=0)
    texts, y = np.array(data.texts), data.y
    ridge = make_pipeline(TfidfVectorizer(), Ridge()).fit(texts[:800], y[:800])
    reg = SparseRationalRegressor(n_wfsas=12, random_state=0)
    pipeline = make_pipeline(WordVectorizer(data.vectors), reg)
    pipeline.fit(texts[:800], y[:800])
    assert ridge.score(texts[800:], y[800:]) < 0.3
    assert pipeline.score(texts[800:], y[800:]) > 0.8
    best = pearsonr(data.expected[800:], y[800:])[0] ** 2
    assert best > 0.9


def test_a_warm_start_goes_on_from_the_weights(sequences):
    y = 100 + 10 * means(sequences)
    reg = SparseRationalRegressor(**QUICK, warm_start=True).fit(sequences, y)
    before = reg.predict(sequences)
    still = {"max_epochs": 1, "finetune_epochs": 0, "warmup_epochs": 0}
    # Steps that are too short to change anything, in another unit.
    reg.set_params(**still, lambda_=0.0, learning_rate=1e-12)
    reg.fit(sequences, y)
    np.testing.assert_allclose(reg.predict(sequences), before, rtol=1e-5)
    with pytest.raises(ValueError, match=r"3 values to predict; got .* 1 values"):
        reg.fit(sequences, y[:, 0])
    np.testing.assert_allclose(reg.predict(sequences), before, rtol=1e-5)


def test_early_stopping_holds_out_a_share(sequences):
    y = means(sequences)[:, 0]
    reg = SparseRationalRegressor(**QUICK, early_stopping=True).fit(sequences, y)
    scores = [row["validation_score"] for row in reg.history_]
    assert np.isfinite(scores).all()
    reg.fit(sequences, y, X_val=sequences[:9], y_val=y[:9])
    with pytest.raises(ValueError, match="values as in y"):
        reg.fit(sequences, y, X_val=sequences[:9], y_val=np.c_[y, y][:9])


def test_a_grid_search_scores_by_any_scorer(sequences):
    search = GridSearchCV(
        SparseRationalRegressor(**QUICK),
        {"lambda_": [1e-3, 50.0]},
        scoring="neg_mean_absolute_error",
        cv=2,
    )
    with pytest.warns(UserWarning, match="predicts the mean"):
        search.fit(sequences, 4 * means(sequences)[:, 0])
    assert search.best_params_ == {"lambda_": 1e-3}


def test_predictions_need_no_torch(sequences, monkeypatch):
    reg = SparseRationalRegressor(**QUICK).fit(sequences, means(sequences)[:, 0])
    expected = reg.predict(sequences)
    monkeypatch.setattr(torch, "from_numpy", None)
    np.testing.assert_array_equal(reg.predict(sequences), expected)


def test_what_is_printed_says_what_raises_values():
    data = make_planted_scores(120, random_state=0)
    reg = SparseRationalRegressor(**QUICK).fit(data.X, data.y)
    assert reg.rules_.shape == (reg.coef_.shape[1], 2, 3)
    told = str(reg)
    assert "for higher values: " in told
    assert "for lower values: " in told
    assert told.splitlines()[-1] == f"bias: {reg.intercept_[0]:.3g}"
    both = SparseRationalRegressor(**QUICK).fit(data.X, np.c_[data.y, data.y**2])
    assert "y[1]" in str(both)
    names = both.get_feature_names_out()
    assert len(names) == both.transform(data.X[:2]).shape[1] == both.coef_.shape[1]


def test_values_after_every_token_are_refused(sequences):
    y = [x[:, :1] for x in sequences]
    with pytest.raises(ValueError, match=r"each token.*Regressor expects"):
        SparseRationalRegressor().fit(sequences, y)
