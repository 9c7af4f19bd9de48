"""Reports about regressors, and about one label of several."""

import pickle
import re

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import (
    SparseRationalClassifier,
    SparseRationalRegressor,
    WordVectorizer,
)
from skrational.datasets import make_planted_scores
from skrational.inspection import explain, single_output, top_phrases
from skrational.model_selection import regularization_path
from skrational.reporting import report

DATA = make_planted_scores(260, random_state=0)
TRAIN = DATA.texts[:200], 100 * DATA.y[:200]
TEST = DATA.texts[200:], 100 * DATA.y[200:]


def quick(cls=SparseRationalRegressor, **params):
    defaults = {"n_wfsas": 3, "warmup_epochs": 1, "max_epochs": 2, "random_state": 0}
    return cls(**(defaults | {"finetune_epochs": 2} | params))


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(WordVectorizer(n_features=20), quick()).fit(*TRAIN)


@pytest.fixture(scope="module")
def page(pipeline):
    return report(pipeline, *TEST, train=TRAIN, title="Points")


def said(page):
    """The words of a page, without marks."""
    text = re.sub(r"<style>.*?</style>", "", page.to_html(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def three(value):
    """Write three significant digits."""
    return f"{value:#.3g}".removesuffix(".")


def test_scores_are_those_of_scikit_learn(pipeline, page):
    texts, y = TEST
    predicted, scores = pipeline.predict(texts), page.scores
    assert scores.r2 == pytest.approx(pipeline.score(texts, y))
    assert scores.r2 == pytest.approx(r2_score(y, predicted))
    assert scores.mae == pytest.approx(mean_absolute_error(y, predicted))
    assert scores.rmse == pytest.approx(root_mean_squared_error(y, predicted))
    assert scores.bias == pytest.approx(np.mean(predicted - y))
    assert scores.n == len(texts)
    written = f"{scores.r2:.3f} {three(scores.mae)} {three(scores.rmse)}"
    assert f"this model {written}" in said(page)
    assert repr(page) == f"Report('Points', 60 documents, R squared {scores.r2:.3f})"


def test_baselines_are_what_they_say(page):
    texts, y = TEST
    mean, ridge = page.scores.baselines
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\b\w+\b")
    dummy = DummyRegressor().fit(*TRAIN)
    model = make_pipeline(words, Ridge(alpha=1.0)).fit(*TRAIN)
    for told, beside in ((mean, dummy), (ridge, model)):
        predicted = beside.predict(texts)
        assert told.r2 == pytest.approx(r2_score(y, predicted))
        assert told.mae == pytest.approx(mean_absolute_error(y, predicted))
        assert told.rmse == pytest.approx(root_mean_squared_error(y, predicted))
    assert f"{len(words.vocabulary_):,} features" in ridge.about
    alone = report(quick().fit(DATA.X, DATA.y), DATA.X, DATA.y, n_errors=0)
    assert [baseline.r2 for baseline in alone.scores.baselines] == pytest.approx([0])


def test_the_largest_errors_are_explained(pipeline, page):
    texts, y = TEST
    html = page.to_html()
    assert pipeline[-1].learned_structure_._repr_html_() in html
    for phrase in top_phrases(pipeline, texts, 1):
        assert phrase.main_path[0] in html
    predicted = pipeline.predict(texts)
    worst = np.argsort(-np.abs(predicted - y), kind="stable")
    assert html.count('class="document"') == 10
    places = []
    for i in worst[:10]:
        assert explain(pipeline, texts[i]).to_html() in html
        side = "high" if predicted[i] > y[i] else "low"
        told = f"predicted {predicted[i]:.3g}, value {y[i]:.3g}, "
        told += f"{abs(predicted[i] - y[i]):.3g} too {side}:"
        places.append(html.index(told))
    assert places == sorted(places)


def test_leaving_an_automaton_out_does_what_the_table_says(pipeline, page):
    """Held against the regressor itself, with a weight of zero."""
    texts, y = TEST
    whole, rows = pipeline.predict(texts), []
    for k in range(pipeline[-1].coef_.shape[1]):
        cut = pickle.loads(pickle.dumps(pipeline))
        cut[-1].coef_[:, k] = 0
        change = np.abs(cut.predict(texts) - whole).mean()
        length = pipeline[-1].automata_.lengths[k]
        row = f"{k} {length} {three(change)} {cut.score(texts, y):.3f}"
        rows.append((-change, row))
    expected = " ".join(row for _, row in sorted(rows))
    assert f"R² without it {expected}" in said(page)


def test_means_from_low_to_high_predictions(pipeline, page):
    texts, y = TEST
    predicted = pipeline.predict(texts)
    order = np.argsort(predicted, kind="stable")
    for part in np.split(order, 5):
        low, high = predicted[part].min(), predicted[part].max()
        means = predicted[part].mean(), y[part].mean()
        means += (np.abs(predicted[part] - y[part]).mean(),)
        cells = " ".join(map(three, means))
        assert f"{three(low)} to {three(high)} {cells} 12" in said(page)


def test_the_page_speaks_of_numbers(page):
    text = said(page)
    assert "It predicts a number." in text
    assert "To predict a number for documents like those below." in text
    assert "parameters of the regressor" in text
    assert "Largest errors" in text
    for wrong in ("class ", "classes", "Confusions", "accuracy", "mistake", "labelled"):
        assert wrong not in text, wrong


def test_the_card_has_the_scores(page):
    card, scores = page.to_markdown(), page.scores
    assert "- text-regression\n" in card
    assert (
        f"- type: r_squared\n      name: R squared\n      value: {scores.r2:.4f}"
        in (card)
    )
    assert f"- type: mae\n      name: MAE\n      value: {scores.mae:.4g}" in card
    errors = f"{three(scores.mae)} | {three(scores.rmse)}"
    row = f"| this model | {scores.r2:.3f} | {errors} |"
    assert row in card
    assert "accuracy" not in card


def test_without_values_there_are_no_scores(pipeline):
    made = report(pipeline, TEST[0], n_errors=2)
    assert made.scores is None
    predicted, text = pipeline.predict(TEST[0]), said(made)
    assert "There are no values" in text
    low, *_, high = sorted(predicted)
    quarters = np.percentile(predicted, [25, 50, 75])
    expected = [low, *quarters, high]
    assert f"predicted {' '.join(map(three, expected))}" in text
    assert "Predictions farthest from their mean" in text
    far = np.argsort(-np.abs(predicted - predicted.mean()), kind="stable")[:2]
    for i in far:
        assert explain(pipeline, TEST[0][i]).to_html() in made.to_html()


def test_documents_that_were_learned_from_are_counted(pipeline):
    seen = said(report(pipeline, *TRAIN, train=TRAIN, n_errors=0))
    assert "100% of these documents were learned from" in seen


@pytest.mark.parametrize(
    ("train", "why"),
    [
        ((TRAIN[0][:5], [2.5] * 5), "all of the training documents have the same"),
        ((["!", "?"], [0, 1]), "the training documents hold no word"),
    ],
)
def test_a_baseline_that_cannot_be_fitted_is_left_out(pipeline, train, why):
    made = report(pipeline, TEST[0][:8], TEST[1][:8], train=train, n_errors=0)
    assert len(made.scores.baselines) == 1
    assert f"no TF-IDF with ridge regression to compare with, as {why}" in said(made)


def test_one_document_has_errors_and_no_r_squared(pipeline):
    made = report(pipeline, TEST[0][:1], TEST[1][:1], train=TRAIN)
    assert np.isnan(made.scores.r2)
    error = abs(pipeline.predict(TEST[0][:1])[0] - TEST[1][0])
    assert made.scores.mae == made.scores.rmse == pytest.approx(error)
    assert "r_squared" not in made.to_markdown()
    assert "| this model | – |" in made.to_markdown()


def test_searches_paths_and_columns_are_read(pipeline):
    pd = pytest.importorskip("pandas")
    index = range(100, 100 + len(TEST[0]))
    texts, y = (pd.Series(list(column), index=index) for column in TEST)
    expected = report(pipeline, *TEST, title="t").to_html()
    assert report(pipeline, texts, y, title="t").to_html() == expected
    assert report(pipeline, iter(TEST[0]), iter(TEST[1]), title="t").to_html() == (
        expected
    )
    search = GridSearchCV(pipeline, {"sparserationalregressor__n_wfsas": [2]}, cv=2)
    search.fit(*TRAIN)
    path = regularization_path(
        pipeline, *TRAIN, lambdas=[1e-3, 1e-2], epochs_per_lambda=1, finetune_epochs=1
    )
    made = report(search, *TEST, path=path, n_errors=1)
    assert made.scores.r2 == pytest.approx(search.score(*TEST))
    assert "2 points in" in said(made)


@pytest.mark.filterwarnings("ignore:lambda_")
def test_a_model_of_its_bias_alone_has_a_page():
    reg = quick(lambda_=100.0).fit(DATA.X, DATA.y)
    assert reg.n_transitions_ == 0
    assert "every document gets the bias itself" in said(report(reg, DATA.X, DATA.y))


FAULTS = [
    ({"texts": []}, "texts is empty"),
    ({"y": [0.0, 1.0]}, "y holds 2 numbers and texts 60 documents"),
    ({"y": ["good"] * 60}, "y is no number for each of the 60 documents"),
    ({"y": [np.nan] * 60}, "y is no number for each.*NaN"),
    ({"y": np.zeros((60, 2))}, "y is no number for each"),
    ({"train": (["a"], [0, 1])}, "the y of train holds 2 numbers"),
    ({"train": (["a"], [np.inf])}, "the y of train is no number for each.*infinity"),
    ({"train": 3}, r"train is a int; expected a pair \(texts, y\)"),
]


@pytest.mark.parametrize(("given", "message"), FAULTS, ids=str)
def test_faulty_parameters_are_named(pipeline, given, message):
    given = {"texts": TEST[0], "y": TEST[1]} | given
    with pytest.raises(ValueError, match=message):
        report(pipeline, **given)


def test_several_numbers_and_labels_are_reported_one_by_one():
    y = np.column_stack([DATA.y, -DATA.y])
    several = quick().fit(DATA.X, y)
    with pytest.raises(ValueError, match=r"2 values.*single_output\(estimator, 0\)"):
        report(several, DATA.X, y)
    made = report(single_output(several, 1), DATA.X, y[:, 1], n_errors=1)
    assert made.scores.r2 == pytest.approx(
        r2_score(y[:, 1], several.predict(DATA.X)[:, 1])
    )
    holds = (y > 0).astype(int)
    labels = quick(SparseRationalClassifier).fit(DATA.X, holds)
    with pytest.raises(ValueError, match=r"2 labels.*single_output\(estimator, 0\)"):
        report(labels, DATA.X, holds)
    named = np.where(holds[:, 0], "praise", "not praise")
    made = report(single_output(labels, 0, name="praise"), DATA.X, named, n_errors=1)
    right = labels.predict(DATA.X)[:, 0] == holds[:, 0]
    assert made.scores.accuracy == pytest.approx(right.mean())
    assert "praise" in said(made)
