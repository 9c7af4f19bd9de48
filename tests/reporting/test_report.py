import html.parser
import pickle
import re

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_score, recall_score
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SequenceArray,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    WordVectorizer,
)
from skrational.datasets import make_planted_patterns, make_product_reviews
from skrational.inspection import explain, top_phrases
from skrational.model_selection import regularization_path
from skrational.reporting import Report, report
from skrational.reporting.baselines import majority
from skrational.reporting.scores import score

REVIEWS = make_product_reviews(260, random_state=0)
TRAIN = REVIEWS.texts[:200], REVIEWS.labels[:200]
TEST = REVIEWS.texts[200:], REVIEWS.labels[200:]


def quick(**params):
    defaults = {"n_wfsas": 3, "warmup_epochs": 1, "max_epochs": 2, "random_state": 0}
    return SparseRationalClassifier(**(defaults | {"finetune_epochs": 2} | params))


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(WordVectorizer(n_features=20), quick()).fit(*TRAIN)


@pytest.fixture(scope="module")
def page(pipeline):
    return report(pipeline, *TEST, train=TRAIN, title="A <b>title</b> & more")


class Page(html.parser.HTMLParser):
    """Reads a page, and complains of tags that don't pair up."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    @property
    def said(self):
        return " ".join(" ".join(self.text).split())


def test_the_page_is_one_document_that_loads_nothing(page):
    text = page.to_html()
    read = Page(text)
    names = [tag for tag, _ in read.tags]
    assert text.startswith("<!DOCTYPE html>")
    assert names.count("html") == names.count("body") == names.count("main") == 1
    assert text.count("<title>A &lt;b&gt;title") == 1
    assert ("meta", {"charset": "utf-8"}) in read.tags
    assert any(a.get("name") == "viewport" for t, a in read.tags if t == "meta")
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(names)
    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text
    assert "@import" not in text
    for _, attributes in read.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith("#")
        assert "src" not in attributes
    ids = [a["id"] for _, a in read.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for tag, attributes in read.tags:
        if tag == "a":
            assert attributes["href"][1:] in ids


def test_whatever_comes_in_is_escaped():
    evil = "<script>alert(1)</script> & \"quoted\" 'too' </style> ]]>"
    texts = [f"good {evil}" if i % 2 else f"bad {evil}" for i in range(40)]
    labels = [f"{evil} {i % 2}" for i in range(40)]
    model = make_pipeline(WordVectorizer(n_features=5, min_count=1), quick())
    made = report(
        model.fit(texts, labels),
        texts,
        labels[::-1],
        train=(texts, labels),
        title=evil,
        intended_use=evil,
    )
    text = made.to_html()
    read = Page(text)
    assert "script" not in [tag for tag, _ in read.tags]
    assert text.count("</style>") == 1
    _, _, body = made.to_markdown().split("---\n", 2)
    assert "<script" not in body.partition("```")[0]
    assert "alert(1)" in read.said


def test_scores_are_those_of_scikit_learn(pipeline, page):
    texts, labels = TEST
    predicted, scores = pipeline.predict(texts), page.scores
    assert scores.n == len(texts)
    assert scores.accuracy == pytest.approx(pipeline.score(texts, labels))
    assert scores.macro_f1 == pytest.approx(
        f1_score(labels, predicted, average="macro")
    )
    for k in (0, 1):
        assert scores.precision[k] == pytest.approx(
            precision_score(labels, predicted, pos_label=k, zero_division=0)
        )
        assert scores.recall[k] == pytest.approx(
            recall_score(labels, predicted, pos_label=k)
        )
        for j in (0, 1):
            n = np.sum((labels == k) & (predicted == j))
            assert scores.confusion[k, j] == n
    p = pipeline.predict_proba(texts)
    expected = -np.log(p[np.arange(len(p)), labels]).mean()
    assert scores.calibration.log_loss == pytest.approx(expected, rel=1e-5)
    confidence, right = p.max(axis=1), predicted == labels
    bins = np.minimum((confidence * 10).astype(int), 9)
    error = sum(
        (bins == b).mean() * abs(confidence[bins == b].mean() - right[bins == b].mean())
        for b in set(bins)
    )
    assert scores.calibration.error == pytest.approx(error, rel=1e-5)


def test_baselines_are_what_they_say(page):
    from sklearn.feature_extraction.text import TfidfVectorizer

    majority, bag = page.scores.baselines
    dummy = DummyClassifier().fit(*TRAIN)
    assert majority.accuracy == pytest.approx(dummy.score(*TEST))
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\b\w+\b")
    model = make_pipeline(words, LogisticRegression(C=10, max_iter=1000)).fit(*TRAIN)
    assert bag.accuracy == pytest.approx(model.score(*TEST))
    assert f"{len(words.vocabulary_):,} features" in bag.about


def test_the_page_holds_what_inspection_shows(pipeline, page):
    text, (texts, labels) = page.to_html(), TEST
    assert pipeline[-1].learned_structure_._repr_html_() in text
    for phrase in top_phrases(pipeline, texts, 1):
        assert phrase.main_path[0] in text
    wrong = np.flatnonzero(pipeline.predict(texts) != labels)
    confidence = pipeline.predict_proba(texts).max(axis=1)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:10]
    assert text.count('class="document"') == len(worst)
    for i in worst:
        assert explain(pipeline, texts[i]).to_html() in text
    assert text.index(texts[worst[0]][:20]) < text.index(texts[worst[1]][:20])


def test_leaving_an_automaton_out_does_what_the_table_says(pipeline):
    """Held against the classifier itself, with a weight of zero."""
    from skrational.inspection.model import open_any_model
    from skrational.reporting.automata import _without_each
    from skrational.reporting.labelled import read_labelled

    texts, labels = TEST
    model = open_any_model(pipeline)
    documents = read_labelled(pipeline, model, texts, labels)
    flips, accuracies = _without_each(model, documents)
    whole = pipeline.predict(texts)
    for k in range(model.automata.n_wfsas):
        cut = pickle.loads(pickle.dumps(pipeline))
        cut[-1].coef_[:, k] = 0
        assert flips[k] == pytest.approx(np.mean(cut.predict(texts) != whole))
        assert accuracies[k] == pytest.approx(cut.score(texts, labels))


def test_without_labels_there_are_no_scores(pipeline):
    made = report(pipeline, TEST[0], n_errors=2)
    assert made.scores is None
    said = Page(made.to_html()).said
    assert "no labels" in said
    assert "Least certain predictions" in said
    assert "Scores" not in said.partition("Model card")[0]
    p = pipeline.predict_proba(TEST[0]).max(axis=1)
    assert explain(pipeline, TEST[0][p.argmin()]).to_html() in made.to_html()
    assert "model-index" not in made.to_markdown()
    assert repr(made) == "Report('SparseRationalClassifier', 60 documents)"


def test_it_says_whether_the_documents_were_learned_from(pipeline):
    blind = Page(report(pipeline, *TEST, n_errors=0).to_html()).said
    assert "isn't known here" in blind
    seen = Page(report(pipeline, *TRAIN, train=TRAIN, n_errors=0).to_html()).said
    assert "100% of these documents were learned from" in seen
    mixed = TEST[0] + TRAIN[0][:6], np.append(TEST[1], TRAIN[1][:6])
    some = Page(report(pipeline, *mixed, train=TRAIN, n_errors=0).to_html()).said
    assert "9.1% of these documents were learned from" in some
    right = pipeline.predict(TEST[0])
    perfect = Page(report(pipeline, TEST[0], right, n_errors=0).to_html()).said
    assert "Every document is right" in perfect


def test_a_path_is_shown(pipeline, monkeypatch):
    path = regularization_path(
        pipeline, *TRAIN, lambdas=[1e-3, 1e-2], epochs_per_lambda=1, finetune_epochs=1
    )
    made = report(path[0], *TEST, path=path, n_errors=0)
    read = Page(made.to_html())
    assert "2 points in" in read.said
    assert any(
        tag == "svg" and "Validation score" in attributes.get("aria-label", "")
        for tag, attributes in read.tags
    )
    import skrational.model_selection._path_html as path_html

    def missing(*args):
        raise ImportError

    monkeypatch.setattr(path_html, "inline_svg", missing)
    again = Page(report(path[0], *TEST, path=path, n_errors=0).to_html())
    assert "validation_score" in again.said
    assert not any("Validation score" in a.get("aria-label", "") for _, a in again.tags)


def test_files_are_written_whole_or_not_at_all(page, tmp_path, monkeypatch):
    saved = page.save(tmp_path / "page.html")
    assert saved.read_text("utf-8") == page.to_html()
    page.save(str(tmp_path / "card.md"))
    assert (tmp_path / "card.md").read_text("utf-8") == page.to_markdown()
    with pytest.raises(FileNotFoundError):
        page.save(tmp_path / "nowhere" / "page.html")
    saved.write_text("before")

    def full(*args):
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        page.save(saved)
    assert saved.read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["card.md", "page.html"]


def test_messages_about_files_name_the_path_that_was_given(page, tmp_path):
    for path, error in (
        (tmp_path, IsADirectoryError),
        (tmp_path / "nowhere" / "page.html", FileNotFoundError),
    ):
        with pytest.raises(error) as caught:
            page.save(path)
        assert str(caught.value).endswith(f": {str(path)!r}")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(IsADirectoryError, match=r"folder\.html'$"):
        page.save(tmp_path / "folder.html")
    for name in ("page.pdf", "page.txt", "page"):
        with pytest.raises(ValueError, match=rf"{name}'.*\.html, \.htm, \.md"):
            page.save(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.html"]
    assert page.save(tmp_path / "PAGE.HTM").read_text("utf-8") == page.to_html()


def test_what_no_file_can_hold_is_spelled_out(pipeline, tmp_path):
    odd = "\ud800 \x00 \x0c good"
    texts = [f"{odd} {text}" for text in TEST[0][:6]]
    made = report(pipeline, texts, TEST[1][:6], title=odd, intended_use=odd)
    shown = made.save(tmp_path / "page.html").read_text("utf-8")
    assert "<h1>\\ud800 \\x00 \\x0c good</h1>" in shown
    card = made.save(tmp_path / "card.md").read_text("utf-8")
    assert "# \\ud800" in card.replace("\\\\", "\\")
    for written in (shown, card, made._repr_html_()):
        written.encode()
        assert not {"\x00", "\x0c", "\ud800"} & set(written)


def test_macro_f1_counts_a_class_that_only_the_model_names():
    labels = np.zeros(4, dtype=np.intp)
    predicted = np.array([0, 0, 0, 1])
    expected = f1_score(labels, predicted, average="macro")
    assert score("ab", 2, labels, predicted, None).macro_f1 == expected
    told = majority(labels, np.ones(3, dtype=np.intp), "ab")
    assert told.macro_f1 == f1_score(labels, np.ones(4), average="macro") == 0.0


@pytest.mark.parametrize(
    ("train", "why"),
    [
        ((TRAIN[0][:5], [1] * 5), "all of the training documents are of one class"),
        ((["!", "?"], [0, 1]), "the training documents hold no word"),
    ],
)
def test_a_baseline_that_cannot_be_fitted_is_left_out(pipeline, train, why):
    given = TEST[0][:8], TEST[1][:8]
    made = report(pipeline, *given, train=train, n_errors=0)
    assert len(made.scores.baselines) == 1
    assert why in Page(made.to_html()).said
    assert why in made.to_markdown()


@pytest.mark.parametrize(
    "train",
    [
        (TRAIN[0], None),
        (TRAIN[0], 1),
        (TRAIN[0], TRAIN[1][:-1]),
        (TRAIN[0][:2], [[0, 1], [1, 0]]),
        (TRAIN[0][:2], [[0], [1, 0]]),
        ([], []),
        (None, TRAIN[1]),
        TRAIN[0],
        3,
    ],
)
def test_a_wrong_train_is_named(pipeline, train):
    with pytest.raises(ValueError, match="train"):
        report(pipeline, TEST[0][:4], TEST[1][:4], train=train)


def test_the_card_is_in_the_form_of_the_hub(page):
    card = page.to_markdown()
    before, head, body = card.split("---\n", 2)
    assert before == ""
    assert 'name: "A <b>title</b> & more"' in head
    assert f"value: {page.scores.accuracy:.4f}" in head
    headings = re.findall(r"^## (.+)$", body, re.MULTILINE)
    expected = ["Model", "Intended use", "Training data", "Evaluation", "Limits"]
    assert headings == [*expected, "Versions", "What it looks for"]
    assert "# A &lt;b>title&lt;/b> & more" in body
    assert "fitted on 200 documents" in body
    assert "skrational" in body.partition("## Versions")[2]


def test_the_report_shows_itself_in_notebooks_and_pickles(page):
    framed = Page(page._repr_html_())
    (tag, attributes), *rest = framed.tags
    assert tag == "iframe"
    assert not rest
    assert attributes["srcdoc"] == page.to_html()
    again = pickle.loads(pickle.dumps(page))
    assert isinstance(again, Report)
    assert again.to_html() == page.to_html()
    assert repr(page).startswith("Report('A <b>title</b> & more', 60 documents, accur")


def test_what_is_fitted_around_a_classifier_is_read(pipeline):
    expected = report(pipeline, *TEST, title="t").to_html()
    assert report(FrozenEstimator(pipeline), *TEST, title="t").to_html() == expected
    search = GridSearchCV(
        make_pipeline(WordVectorizer(n_features=5), quick()),
        {"sparserationalclassifier__n_wfsas": [2]},
        cv=2,
    ).fit(*TRAIN)
    made = report(search, *TEST)
    assert made.scores.accuracy == pytest.approx(search.score(*TEST))


def test_a_wrapper_that_decides_otherwise_is_told_of(pipeline):
    wrapped = FixedThresholdClassifier(FrozenEstimator(pipeline), threshold=0.999)
    made = report(wrapped.fit(*TRAIN), *TEST)
    assert made.scores.accuracy == pytest.approx(wrapped.score(*TEST))
    read = Page(made.to_html()).said
    assert "decides otherwise" in read
    assert "not those of the FixedThresholdClassifier around it" in read
    own, outer = pipeline.score(*TEST), wrapped.score(*TEST)
    assert f"with all automata is {own:.3f}, that of the" in read
    assert f"FixedThresholdClassifier {outer:.3f}." in read
    n_same = np.sum(pipeline.predict(TEST[0]) == wrapped.predict(TEST[0]))
    assert f"On {n_same} of the {len(TEST[0])} documents" in read
    assert "The accuracy of the" not in report(wrapped, TEST[0]).to_html()


def test_what_does_not_decide_otherwise_is_not_told_apart(pipeline, page):
    assert "around it, which the section" not in page.to_html()
    frozen = report(FrozenEstimator(pipeline), *TEST)
    assert "around it, which the section" not in frozen.to_html()


@pytest.fixture(scope="module")
def planted():
    return make_planted_patterns(80, n_features=6, random_state=0)


def test_bare_classifiers_read_sequences(planted):
    clf = quick().fit(planted.X[:60], planted.y[:60])
    given = planted.X[60:], planted.y[60:]
    made = report(clf, *given, train=(planted.X[:60], planted.y[:60]))
    assert [baseline.name for baseline in made.scores.baselines] == ["Always “1”"]
    assert "fitted on 60 other documents" in Page(made.to_html()).said
    assert report(clf, planted.X[60:].to_list(), given[1]).scores.n == 20
    nameless = SequenceArray(given[0].features, given[0].offsets, given[0].indices)
    Page(report(clf, nameless, given[1]).to_html())


@pytest.mark.parametrize("cls", [SparseLSTMClassifier, SparseGRUClassifier])
def test_gated_networks_are_explained_without_automata(planted, cls):
    clf = cls(n_units=3, max_epochs=1, finetune_epochs=1, random_state=0)
    clf.fit(planted.X[:60], planted.y[:60])
    made = report(clf, planted.X[60:], planted.y[60:])
    read = Page(made.to_html())
    assert "Automata" not in read.said
    assert "gates that vary" in read.said
    assert clf.learned_structure_._repr_html_() in made.to_html()
    assert "gated recurrent network" in made.to_markdown()


def test_networks_of_pruned_weights_have_structure_and_scores(planted):
    clf = ModuliRNNClassifier(n_hidden=4, max_epochs=1, random_state=0)
    clf.fit(planted.X[:60], planted.y[:60])
    read = Page(report(clf, planted.X[60:], planted.y[60:]).to_html())
    assert "isn't explained" in read.said
    assert "pruned by magnitude" in read.said
    assert "Class by class" in read.said


def test_many_classes_are_told_by_their_most_frequent_confusions(planted):
    y = np.array([f"class {i % 15:02d}" for i in range(80)])
    clf = quick().fit(planted.X, y)
    read = Page(report(clf, planted.X, y, n_errors=1).to_html())
    assert "and 5 more classes" in read.said
    assert "label \\ predicted" not in read.said
    few = quick().fit(planted.X, y % 3 if y.dtype.kind == "i" else np.arange(80) % 3)
    read = Page(report(few, planted.X, np.arange(80) % 3, n_errors=1).to_html())
    assert "label \\ predicted" in read.said


@pytest.mark.filterwarnings("ignore:lambda_")
def test_a_model_of_its_bias_alone_has_a_page(planted):
    clf = quick(lambda_=100.0).fit(planted.X, planted.y)
    assert clf.n_transitions_ == 0
    read = Page(report(clf, planted.X, planted.y).to_html())
    assert "No automaton is left" in read.said


def test_labels_that_the_model_does_not_know_are_mistakes(pipeline):
    labels = [*TEST[1].tolist()[:-2], 7, 7]
    made = report(pipeline, TEST[0], labels, n_errors=1)
    assert made.scores.names == ("0", "1", "7")
    assert made.scores.calibration is None
    assert "doesn't know 7" in Page(made.to_html()).said


def test_documents_may_come_as_a_generator(pipeline):
    made = report(pipeline, (text for text in TEST[0]), iter(TEST[1]), n_errors=1)
    assert made.scores.n == len(TEST[0])


def test_columns_of_frames_are_read_by_place_not_by_name(pipeline):
    pd = pytest.importorskip("pandas")
    index = range(100, 100 + len(TEST[0]))
    texts, labels = (pd.Series(list(column), index=index) for column in TEST)
    made = report(pipeline, texts, labels, train=TRAIN, title="t")
    expected = report(pipeline, *TEST, train=TRAIN, title="t")
    assert made.to_html() == expected.to_html()


def test_frames_of_numbers_are_read(planted):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)))
    frame.columns = ["a", "b", "c"]
    y = (frame["a"] > 0).to_numpy()
    clf = quick().fit(frame, y)
    made = report(clf, frame, y, train=(frame, y))
    assert len(made.scores.baselines) == 1
    Page(made.to_html())


def test_nothing_that_is_given_is_changed(pipeline):
    before = pickle.dumps(pipeline)
    report(pipeline, *TEST)
    assert pickle.dumps(pipeline) == before


FAULTS = [
    ({"texts": "a text"}, TypeError, "texts is a string"),
    ({"texts": [], "y": []}, ValueError, "texts is empty"),
    ({"y": [0, 1]}, ValueError, "y holds 2 labels and texts 60 documents"),
    ({"y": [None] + [0] * 59}, ValueError, "1 missing labels, the first at 0"),
    ({"y": ["good"] * 60}, ValueError, "y holds none of the classes"),
    ({"train": 3}, ValueError, r"train is a int; expected a pair \(texts, y\)"),
    ({"train": (["a"], [0, 1])}, ValueError, "the y of train holds 2 labels"),
    ({"train": (["a"], [9])}, ValueError, "neither the model's nor in y"),
    ({"path": [1]}, TypeError, "path is a list"),
    ({"title": 3}, TypeError, "title is 3"),
    ({"intended_use": 3}, TypeError, "intended_use is 3"),
    ({"n_errors": -1}, ValueError, "n_errors is -1"),
]


@pytest.mark.parametrize(("given", "error", "message"), FAULTS, ids=str)
def test_faulty_parameters_are_named(pipeline, given, error, message):
    texts, y = given.pop("texts", TEST[0]), given.pop("y", TEST[1])
    with pytest.raises(error, match=message):
        report(pipeline, texts, y, **given)


def test_estimators_that_cannot_be_read_are_named(planted):
    with pytest.raises(TypeError, match="LogisticRegression"):
        report(LogisticRegression(), *TEST)
    with pytest.raises(NotFittedError):
        report(quick(), planted.X, planted.y)
    regressor = ModuliRNNRegressor(n_hidden=4, max_epochs=1, random_state=0)
    regressor.fit(planted.X, planted.y.astype(float))
    expected = "ModuliRNNRegressor; expected a classifier or a SparseRationalRegressor"
    with pytest.raises(TypeError, match=expected):
        report(regressor, planted.X, planted.y)
