"""The language model with moduli regularization: what it learns, says and keeps."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skrational import ModuliRNNLanguageModel
from skrational.model_selection import retrain_mask
from skrational.structures import MaskStructure, structure_from_json

TEXTS = ["the cat sat on the mat .", "A dog ran in the park .", "the dog sat ."] * 4
N_WORDS = 13
QUICK = {
    "n_hidden": 6,
    "n_embedding": 3,
    "min_count": 1,
    "warmup_epochs": 1,
    "max_epochs": 3,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 5,
    "random_state": 0,
}
# Embeddings begin small: a cut over all matrices would take them first.
ALL = {
    "pruned": "all",
    "sparsity": 0.4,
    "learning_rate": 0.03,
    "warmup_epochs": 25,
    "min_steps_per_epoch": 20,
}
PERIODIC = {
    "level": "character",
    "n_hidden": 12,
    "sparsity": 0.75,
    "learning_rate": 0.02,
    "dropout": 0.0,
    "batch_size": 2,
    "warmup_epochs": 2,
    "max_epochs": 6,
    "finetune_epochs": 6,
    "min_steps_per_epoch": 50,
}


def model(**params):
    return ModuliRNNLanguageModel(**QUICK | params)


@pytest.fixture(scope="module")
def fitted():
    return model(**ALL).fit(TEXTS)


def brute_force(fitted, tokens):
    """Log-likelihoods of a tokenised text and its end: the equations, in loops."""
    weights = {k: w.astype(np.float64) for k, w in fitted.weights_.items()}
    words, n_units = fitted.vocabulary_, len(weights["W_hh"])
    numbers = [words.index(t) if t in words else 1 for t in tokens]
    activate = {"tanh": np.tanh, "relu": lambda a: max(a, 0.0)}[fitted.activation]
    h, found = np.zeros(n_units), []
    for token, target in zip([0, *numbers], [*numbers, 0], strict=True):
        after = np.zeros(n_units)
        for j in range(n_units):
            a = weights["b"][j] if "b" in weights else 0.0
            a += weights["W_ih"][j] @ weights["Emb"][token] + weights["W_hh"][j] @ h
            after[j] = activate(a)
        h = after
        logits = fitted.coef_.astype(np.float64) @ h + fitted.intercept_
        found.append(logits[target] - np.log(np.exp(logits).sum()))
    return np.array(found)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"activation": "relu", "bias": False},
        ALL,
        {"sequence_length": 3},
    ],
)
def test_scores_are_what_the_equations_say(params):
    fitted = model(**params).fit(TEXTS)
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
    fitted = model(dropout=0.0, early_stopping=True, dtype="float64")
    fitted.fit(TEXTS, X_val=TEXTS)
    last = min(fitted.history_[-1:], key=lambda row: row["validation_loss"])
    np.testing.assert_allclose(last["validation_score"], fitted.score(TEXTS))


def test_a_period_is_learned_and_written():
    fitted = model(**PERIODIC).fit(["abcd" * 10] * 5)
    assert fitted.sparsity_ == 0.75
    assert fitted.bits_per_character(["abcd" * 10]) < 0.3
    options = {"stop_at_end": False, "temperature": 0.01, "random_state": 0}
    assert fitted.generate(7, **options) == "abcdabc"
    assert fitted.generate(3, prompt="abc", **options) == "dab"


@pytest.mark.parametrize("pruned", ["recurrent", "all"])
@pytest.mark.parametrize("sparsity", [0.0, 0.4])
def test_as_much_is_pruned_as_is_asked_for(pruned, sparsity):
    fitted = model(**ALL | {"pruned": pruned, "sparsity": sparsity}).fit(TEXTS)
    structure = fitted.learned_structure_
    arrays = {**fitted.weights_, "A": fitted.coef_}
    shapes = {"W_ih": (6, 3), "W_hh": (6, 6), "A": (N_WORDS, 6), "Emb": (N_WORDS, 3)}
    assert {name: mask.shape for name, mask in structure.masks.items()} == shapes
    for name, mask in structure.masks.items():
        np.testing.assert_array_equal(arrays[name] != 0, mask)
    n_weights = {name: mask.size for name, mask in structure.masks.items()}
    n_charged = 36 if pruned == "recurrent" else sum(n_weights.values())
    expected = sum(n_weights.values()) - round(sparsity * n_charged)
    assert structure.size == fitted.size_ == fitted.history_[-1]["n_weights"]
    assert structure.size == expected
    assert fitted.positions_.shape == (6, 2)


def test_a_recurrent_weight_costs_what_the_distance_says():
    # So slowly do weights move that those of the epoch are those at its end.
    fitted = model(learning_rate=1e-9, lambda_=3.0, sparsity=0.0).fit(TEXTS)
    costs = fitted.learned_structure_.costs
    expected = 3.0 * (costs * abs(fitted.weights_["W_hh"])).mean()
    assert fitted.history_[1]["phase"] == "regularize"
    assert fitted.history_[1]["penalty"] == pytest.approx(expected, rel=1e-5)
    assert costs.mean() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("pruned", ["recurrent", "all"])
def test_a_mask_is_trained_anew_with_the_same_words(pruned):
    fitted = model(**ALL | {"pruned": pruned}).fit(TEXTS)
    # The rarest words come first here, and have the same numbers all the same.
    found = retrain_mask(fitted, TEXTS[::-1], n_repeats=2, random_state=1)
    assert found.original_score == fitted.score(TEXTS[::-1])
    for other, score in zip(found.estimators, found.scores, strict=True):
        assert other.vocabulary_ == fitted.vocabulary_
        assert other.score(TEXTS[::-1]) == score
        assert other.learned_structure_ == fitted.learned_structure_
        assert not np.array_equal(other.coef_, fitted.coef_)
    few = retrain_mask(fitted, TEXTS[:1], random_state=1).estimators[0]
    assert few.vocabulary_ == fitted.vocabulary_


def test_a_mask_needs_tokens_to_be_trained_anew(fitted):
    with pytest.raises(ValueError, match="X holds 1 texts, but not one token"):
        retrain_mask(fitted, [" "])


def test_learned_positions_move(fitted):
    learned = model(learn_positions=True, lambda_=50.0).fit(TEXTS)
    still = model(lambda_=50.0).fit(TEXTS)
    assert not np.allclose(learned.positions_, still.positions_)
    assert "positions" not in learned.weights_


def test_pickles_and_clones_are_the_same_model(fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    assert copy.score(TEXTS) == fitted.score(TEXTS)
    assert copy.generate(random_state=0) == fitted.generate(random_state=0)
    assert copy.learned_structure_ == fitted.learned_structure_
    unfitted = clone(fitted)
    assert unfitted.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        unfitted.score(TEXTS)
    with pytest.raises(NotFittedError):
        _ = unfitted.sparsity_


def test_the_structure_is_json(fitted):
    structure = fitted.learned_structure_
    assert isinstance(structure, MaskStructure)
    assert structure_from_json(structure.to_json()) == structure
    assert "of Emb" in structure.reading()


def test_proximal_steps_leave_zeros_by_themselves():
    fitted = model(solver="prox", sparsity=0.0, lambda_=20.0, max_epochs=6).fit(TEXTS)
    assert fitted.sparsity_ > 0


def test_a_cut_that_leaves_no_way_from_words_says_so():
    with pytest.warns(ConvergenceWarning, match="no way from words to the readout"):
        fitted = model(pruned="all", sparsity=0.99).fit(TEXTS)
    assert np.isfinite(fitted.score(TEXTS))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"level": "byte"}, "'level' parameter"),
        ({"n_embedding": 0}, "'n_embedding' parameter"),
        ({"n_hidden": 1}, "'n_hidden' parameter"),
        ({"sparsity": 1.0}, "'sparsity' parameter"),
        ({"lambda_": -1.0}, "'lambda_' parameter"),
        ({"min_count": 99}, "None of the 72 tokens of X occurs min_count=99 times"),
        ({"manifold": "moebius"}, "moebius.*torus"),
        ({"inhibitor": "moebius"}, "moebius.*dog"),
        ({"prune_epochs": 4}, "prune_epochs is 4; expected at most max_epochs=3"),
        ({"positions": [[0.0, 0.0]]}, r"positions has the shape \(1, 2\)"),
        ({"solver": "prox", "learn_positions": True}, "needs fixed positions"),
        ({"device": "tpu"}, "device"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        model(**params).fit(TEXTS)


@pytest.mark.parametrize("name", ["cell", "readout", "length_exponent", "warm_start"])
def test_it_has_no_parameters_that_would_do_nothing(name):
    with pytest.raises(TypeError, match=name):
        model(**{name: "elman"})
