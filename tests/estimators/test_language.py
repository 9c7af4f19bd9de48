"""The sparse LSTM language model: what it learns, says of texts, and writes."""

import io
import pickle

import joblib
import numpy as np
import pytest
from scipy.stats import chisquare
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV

from skrational import SparseLSTMLanguageModel
from skrational.exceptions import OutOfVocabularyWarning
from skrational.structures import structure_from_json

TEXTS = ["the cat sat on the mat .", "A dog ran in the park .", "the dog sat ."] * 4
QUICK = {
    "n_units": 4,
    "n_embedding": 3,
    "min_count": 1,
    "warmup_epochs": 0,
    "max_epochs": 2,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 5,
    "random_state": 0,
}
FAST = {"learning_rate": 0.03, "min_steps_per_epoch": 20}


def model(**params):
    return SparseLSTMLanguageModel(**QUICK | params)


@pytest.fixture(scope="module")
def fitted():
    return model(lambda_=0.01, warmup_epochs=40, max_epochs=3, **FAST).fit(TEXTS)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def brute_force(fitted, tokens):
    """Log-likelihoods of a tokenised text and its end: the equations, in loops."""
    structure, weights = fitted.learned_structure_, fitted.weights_
    words = fitted.vocabulary_
    numbers = [words.index(t) if t in words else 1 for t in tokens]
    embeddings = dict(zip(structure.words, weights["Emb"].astype(float), strict=True))
    n_units = structure.n_units
    h, c, found = np.zeros(n_units), np.zeros(n_units), []
    for token, target in zip([0, *numbers], [*numbers, 0], strict=True):
        x = embeddings.get(token, np.zeros(len(structure.inputs)))
        a = weights["b"].astype(float).copy()
        row = 0
        for gate in range(4):
            for unit in range(n_units):
                if structure.varies[gate, unit]:
                    a[gate, unit] += weights["W_ih"][row].astype(float) @ x
                    a[gate, unit] += weights["W_hh"][row].astype(float) @ h
                    row += 1
        c = sigmoid(a[1]) * c + sigmoid(a[0]) * np.tanh(a[2])
        h = sigmoid(a[3]) * np.tanh(c)
        logits = fitted.coef_.astype(float) @ h + fitted.intercept_
        found.append(logits[target] - np.log(np.exp(logits).sum()))
    return np.array(found)


def test_scores_are_what_the_equations_say(fitted):
    assert 0 < fitted.n_gates_ < 16
    texts = ["the dog sat on the zebra", "", "park ."]
    found = [brute_force(fitted, text.split()) for text in texts]
    np.testing.assert_allclose(
        fitted.score_samples(texts), [f.sum() for f in found], rtol=1e-12
    )
    mean = np.concatenate(found).mean()
    np.testing.assert_allclose(fitted.score(texts), mean / np.log(2), rtol=1e-12)
    np.testing.assert_allclose(fitted.perplexity(texts), np.exp(-mean), rtol=1e-12)
    assert fitted.unknown_share(texts) == 1 / 8


def test_training_and_scoring_agree_on_texts_that_fit_a_window():
    params = {
        "dropout": 0.0,
        "lambda_": 0.0,
        "early_stopping": True,
        "dtype": "float64",
    }
    fitted = model(**params).fit(TEXTS, X_val=TEXTS)
    last = min(fitted.history_[-2:], key=lambda row: row["validation_loss"])
    np.testing.assert_allclose(last["validation_score"], fitted.score(TEXTS))
    np.testing.assert_allclose(
        last["validation_loss"] / np.log(2), -fitted.score(TEXTS)
    )


def markov_texts(n, seed):
    """Texts of a chain over a, b, c that may end after each character."""
    chain = np.array(
        [[0.1, 0.8, 0.05, 0.05], [0.05, 0.1, 0.8, 0.05], [0.9, 0.05, 0, 0.05]]
    )
    random, texts, bits = np.random.default_rng(seed), [], []
    for _ in range(n):
        state, text = 0, ""
        while state < 3:
            text += "abc"[state]
            new = random.choice(4, p=chain[state])
            bits.append(-np.log2(chain[state, new]))
            state = new
        texts.append(text)
    return texts, np.sum(bits) / (len(bits) + n)  # the first character is known


def test_a_markov_chain_is_learned_to_near_its_entropy():
    training, _ = markov_texts(100, 0)
    held_out, entropy = markov_texts(100, 1)
    fitted = model(
        level="character",
        n_units=6,
        learning_rate=0.05,
        lambda_=0.0,
        dropout=0.0,
        finetune_epochs=3,
        batch_size=16,
    ).fit(training)
    bits = fitted.bits_per_character(held_out)
    assert entropy < bits < 1.06 * entropy
    assert bits == -fitted.score(held_out)
    assert fitted.perplexity(held_out) == pytest.approx(2**bits)


def test_a_period_is_learned_and_written():
    fitted = model(
        level="character",
        n_units=6,
        learning_rate=0.05,
        lambda_=0.0,
        dropout=0.0,
        finetune_epochs=16,
        batch_size=2,
    ).fit(["abcd" * 10] * 5)
    assert fitted.bits_per_character(["abcd" * 10]) < 0.3
    options = {"stop_at_end": False, "temperature": 0.01, "random_state": 0}
    assert fitted.generate(7, **options) == "abcdabc"
    assert fitted.generate(3, prompt="abc", **options) == "dab"


def test_words_that_tell_nothing_are_not_read():
    # Behind each of u and v stands some filler; then comes the other one of the two.
    random = np.random.default_rng(0)
    fillers = list("abcdef")
    texts = [
        [w for k in range(8) for w in ("uv"[k % 2], random.choice(fillers))]
        for _ in range(60)
    ]
    fitted = model(
        n_units=6,
        sparsify="vocabulary",
        lambda_=0.01,
        dropout=0.0,
        warmup_epochs=8,
        max_epochs=6,
        finetune_epochs=4,
        batch_size=8,
        **FAST,
    ).fit(texts)
    left = {fitted.vocabulary_[number] for number in fitted.learned_structure_.words}
    assert left & {"u", "v"}
    assert not left & set(fillers)
    assert fitted.learned_structure_.counts()["words"] == len(left)
    # Half of the tokens are certain, the others one of six.
    assert fitted.perplexity(texts) < 1.15 * np.sqrt(6)


def test_texts_are_written_as_often_as_they_are_likely():
    fitted, n = model().fit(TEXTS), 4000
    drawn = fitted.generate(2, n_samples=n, allow_unknown=True, random_state=0)
    short = [[], *([word] for word in fitted.vocabulary_[1:])]
    expected = n * np.exp(fitted.score_samples(short))
    counts = np.array([drawn.count(" ".join(text)) for text in short])
    common = expected > 5
    observed = np.append(counts[common], n - counts[common].sum())
    expected = np.append(expected[common], n - expected[common].sum())
    assert common.sum() > 3
    assert chisquare(observed, expected).pvalue > 1e-3


def test_what_is_written_follows_its_parameters(fitted):
    assert fitted.generate(random_state=3) == fitted.generate(random_state=3)
    texts = fitted.generate(9, n_samples=50, stop_at_end=False, random_state=0)
    assert {len(text.split()) for text in texts} == {9}
    assert not {"<unk>", "</s>"} & set(" ".join(texts).split())
    assert len(fitted.generate(9, n_samples=2, random_state=0)) == 2
    # The most likely token comes if it is cold, whatever is drawn.
    cold = {fitted.generate(6, temperature=1e-300, random_state=k) for k in range(3)}
    assert len(cold) == 1
    prompted = fitted.generate(4, prompt=["the", "dog"], random_state=0)
    assert prompted == fitted.generate(4, prompt="The dog", random_state=0)


def test_a_prompt_of_unknown_words_is_told(fitted):
    with pytest.warns(
        OutOfVocabularyWarning, match=r"lacks 1 of the 2 tokens of prompt"
    ):
        fitted.generate(2, prompt="the zebra", random_state=0)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"length": 0}, ValueError, "length is 0; expected an integer from 1"),
        ({"n_samples": 0.5}, ValueError, "n_samples is 0.5"),
        ({"temperature": 0}, ValueError, "temperature is 0; expected a number above 0"),
        ({"temperature": np.nan}, ValueError, "temperature is nan"),
        ({"temperature": "hot"}, ValueError, "temperature is 'hot'"),
        ({"prompt": 5}, TypeError, "prompt is 5; expected a str or a list of tokens"),
        ({"prompt": ["a", None]}, TypeError, "expected a str or a list of tokens"),
        ({"prompt": ["</s>"]}, ValueError, "'</s>', which marks the end of a text"),
        ({"random_state": "x"}, ValueError, "'x' cannot be used to seed"),
    ],
)
def test_bad_parameters_of_generate(fitted, params, error, message):
    with pytest.raises(error, match=message):
        fitted.generate(**params)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, "X holds no texts; expected at least one"),
        (["", " "], ValueError, "X holds 2 texts, but not one token to learn from"),
        ("a text", ValueError, "put a single text into a list"),
        (["a", 5], TypeError, r"Text 1 of X is 5 \(int\)"),
        (["a", None], TypeError, "Text 1 of X is None"),
        ([["a", 5]], TypeError, "Token 1 of text 0 of X is 5"),
        (["a", ["b"]], TypeError, "expected a str, as text 0 of X is"),
        ([["a", "</s>"]], ValueError, "Split the text there"),
        (np.array([["a"]]), ValueError, "shape"),
    ],
)
def test_bad_texts(X, error, message):
    with pytest.raises(error, match=message):
        model().fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"level": "byte"}, "'level' parameter"),
        ({"sequence_length": 0}, "'sequence_length' parameter"),
        ({"n_embedding": 0}, "'n_embedding' parameter"),
        ({"max_vocabulary": 0}, "'max_vocabulary' parameter"),
        ({"min_count": 0}, "'min_count' parameter"),
        ({"lambda_": -1.0}, "'lambda_' parameter"),
        ({"min_count": 99}, "None of the 72 tokens of X occurs min_count=99 times"),
        ({"sparsify": ("words",)}, "sparsify must name some of .*'vocabulary'"),
        ({"lambda_ratios": (1.0,)}, "lambda_ratios must be"),
        ({"device": "tpu"}, "device"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        model(**params).fit(TEXTS)


def test_validation_data_need_early_stopping():
    with pytest.raises(ValueError, match="X_val serves early stopping"):
        model().fit(TEXTS, X_val=TEXTS)


def test_words_have_no_bits_per_character(fitted):
    with pytest.raises(ValueError, match="needs level='character'"):
        fitted.bits_per_character(TEXTS)


@pytest.mark.parametrize(
    "method",
    ["score", "score_samples", "perplexity", "bits_per_character", "unknown_share"],
)
def test_what_is_not_fitted_says_so(method):
    with pytest.raises(NotFittedError):
        getattr(model(), method)(TEXTS)
    with pytest.raises(NotFittedError):
        model().generate()


def test_the_vocabulary_holds_the_commonest_tokens():
    fitted = model(max_vocabulary=3).fit(TEXTS)
    assert fitted.vocabulary_ == ["</s>", "<unk>", "the", ".", "sat"]
    assert model(min_count=5).fit(TEXTS).vocabulary_[2:] == ["the", ".", "sat", "dog"]
    cased = model(lowercase=False).fit(TEXTS)
    assert "A" in cased.vocabulary_
    tokens = model().fit([["New York", "<unk>"], ["New York"]])
    assert tokens.vocabulary_ == ["</s>", "<unk>", "new york"]
    assert tokens.unknown_share([["New York", "<unk>"]]) == 0.5


def test_any_form_of_texts_gives_the_same_model():
    pandas = pytest.importorskip("pandas")
    expected = model().fit(TEXTS).coef_
    for X in (pandas.Series(TEXTS), np.array(TEXTS), (t for t in TEXTS)):
        np.testing.assert_array_equal(model().fit(X).coef_, expected)


def test_long_texts_are_cut_and_scored_whole():
    fitted = model(sequence_length=3).fit(TEXTS)
    tokens = TEXTS[0].split()
    np.testing.assert_allclose(
        fitted.score_samples(TEXTS[:1]), brute_force(fitted, tokens).sum(), rtol=1e-12
    )


def test_pickles_and_clones_are_the_same_model(fitted):
    stream = io.BytesIO()
    joblib.dump(fitted, stream)
    stream.seek(0)
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(stream)):
        assert copy.score(TEXTS) == fitted.score(TEXTS)
        assert copy.generate(random_state=0) == fitted.generate(random_state=0)
    unfitted = clone(fitted)
    assert unfitted.get_params() == fitted.get_params()
    assert not hasattr(unfitted, "coef_")


def test_the_structure_is_json(fitted):
    structure = fitted.learned_structure_
    assert structure_from_json(structure.to_json()) == structure
    assert structure.n_weights_initial == 4 * 4 * (3 + 4) + 13 * 4 + 13 * 3
    assert sum(structure.gates_by_kind().values()) == fitted.n_gates_
    assert "words are told apart" in structure.reading()
    arrays = [*fitted.weights_.values(), fitted.coef_, fitted.intercept_]
    n_index = 4 * structure.n_units + 4 * (len(structure.inputs) + structure.n_words)
    assert structure.n_bytes == sum(a.nbytes for a in arrays) + n_index


def test_a_failed_fit_leaves_the_model_as_it_was(fitted):
    fitted = pickle.loads(pickle.dumps(fitted))
    before = fitted.score(TEXTS)
    with pytest.raises(TypeError):
        fitted.fit([5])
    assert fitted.score(TEXTS) == before


def test_a_fit_draws_from_its_own_generators(untouched_generators):
    first = model().fit(TEXTS)
    first.generate()
    np.testing.assert_array_equal(model().fit(TEXTS).coef_, first.coef_)


def test_everything_pruned_leaves_the_frequencies():
    with pytest.warns(ConvergenceWarning, match="removed every word.*frequency alone"):
        fitted = model(lambda_=50.0).fit(TEXTS)
    assert fitted.learned_structure_.is_empty
    targets = [t for text in TEXTS for t in [*text.lower().split(), "</s>"]]
    _, counts = np.unique(targets, return_counts=True)
    share = counts / counts.sum()
    assert fitted.score(TEXTS) == pytest.approx(
        (share * np.log2(share)).sum(), rel=1e-4
    )


@pytest.mark.parametrize("kind", ["inputs", "vocabulary"])
def test_a_model_that_reads_nothing_says_so(kind):
    with pytest.warns(ConvergenceWarning, match="every word.*place in a text alone"):
        fitted = model(lambda_=10, sparsify=kind).fit(TEXTS)
    assert fitted.n_gates_ == 16
    assert fitted.learned_structure_.inputs == ()


@pytest.mark.parametrize("solver", ["prox", "subgradient"])
def test_every_kind_of_groups_can_be_charged(solver):
    kinds = ("weights", "gates", "neurons", "inputs", "vocabulary")
    fitted = model(
        solver=solver, sparsify=kinds, lambda_=1e-3, warmup_epochs=20, **FAST
    ).fit(TEXTS)
    assert np.isfinite(fitted.score(TEXTS))


def test_grid_search_chooses_by_the_likelihood():
    search = GridSearchCV(
        model(finetune_epochs=15, learning_rate=0.05), {"lambda_": [0.0, 5.0]}, cv=2
    )
    with pytest.warns(ConvergenceWarning):
        search.fit(TEXTS)
    assert search.best_params_ == {"lambda_": 0.0}
    assert search.score(TEXTS) == search.best_estimator_.score(TEXTS)
