"""Moduli regularization as users see it."""

import pickle
from functools import cache

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrational import ModuliRNNClassifier, ModuliRNNRegressor, TimeStepTransformer
from skrational.model_selection import regularization_path, retrain_mask
from skrational.penalties.manifolds import Custom
from skrational.structures import MaskStructure

QUICK = {"n_hidden": 12, "warmup_epochs": 2, "max_epochs": 4, "finetune_epochs": 2}
QUICK |= {"min_steps_per_epoch": 1, "random_state": 0, "learning_rate": 0.02}


@cache
def sequences(n=80, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(k, 3)) for k in rng.integers(1, 9, n)]


@cache
def labels():
    return np.array([x[:, 0].sum() > 0 for x in sequences()])


@cache
def sums():
    """After every token, the sums of two features so far."""
    return [x[:, :2].cumsum(axis=0) for x in sequences()]


def states_by_a_loop(estimator, x):
    """The state after every token of one sequence, by the equations."""
    W_ih, W_hh = estimator.weights_["W_ih"], estimator.weights_["W_hh"]
    b = estimator.weights_.get("b", 0.0)
    activate = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}
    h, states = np.zeros(len(W_hh)), []
    for token in x:
        h = activate[estimator.activation](W_ih @ token + W_hh @ h + b)
        states.append(h)
    return np.array(states).reshape(-1, len(W_hh))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("readout", ["last", "anywhere"])
@pytest.mark.parametrize("bias", [True, False])
def test_logits_are_those_of_a_loop(activation, readout, bias):
    clf = ModuliRNNClassifier(
        **QUICK, activation=activation, readout=readout, bias=bias, dtype="float64"
    ).fit(sequences(), labels())
    expected = []
    for x in sequences():
        states = states_by_a_loop(clf, x)
        read = states[-1] if readout == "last" else states.sum(axis=0) * len(x) ** -0.5
        expected.append(clf.coef_[0] @ read + clf.intercept_[0])
    np.testing.assert_allclose(clf.decision_function(sequences()), expected, rtol=1e-9)


def test_values_after_every_token_are_those_of_a_loop():
    reg = ModuliRNNRegressor(**QUICK, dtype="float64").fit(sequences(), sums())
    found = reg.predict(sequences())
    assert [v.shape for v in found] == [v.shape for v in sums()]
    for x, values in zip(sequences(), found, strict=True):
        expected = states_by_a_loop(reg, x) @ reg.coef_.T + reg.intercept_
        np.testing.assert_allclose(values, expected, rtol=1e-9)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("pruned", ["recurrent", "all"])
def test_as_many_weights_are_gone_as_asked(cell, pruned):
    clf = ModuliRNNClassifier(**QUICK, cell=cell, pruned=pruned, sparsity=0.6)
    structure = clf.fit(sequences(), labels()).learned_structure_
    assert isinstance(structure, MaskStructure)
    of_kind = ["W_hh"] if pruned == "recurrent" else ["W_ih", "W_hh", "A"]
    left = sum(int(structure.masks[name].sum()) for name in of_kind)
    total = sum(structure.masks[name].size for name in of_kind)
    assert left == total - round(0.6 * total)
    weights = {**clf.weights_, "A": clf.coef_}
    for name, mask in structure.masks.items():
        np.testing.assert_array_equal(weights[name] != 0, mask)


def test_the_history_tells_how_weights_go():
    clf = ModuliRNNClassifier(**QUICK, sparsity=0.75).fit(sequences(), labels())
    left = [row["n_weights"] for row in clf.history_]
    # All but the last penalized epoch lead to the target.
    n_others = clf.learned_structure_.size - clf.n_links_
    expected = [144, 144, 108, 72, 36, 36, 36, 36]
    assert [n - n_others for n in left] == expected


def test_geometry_keeps_near_links_and_its_control_does_not():
    settings = {**QUICK, "n_hidden": 40, "lambda_": 30.0, "inhibitor": "diffusion"}
    settings |= {"solver": "prox", "sparsity": 0.0}
    ratios = []
    for permuted in (False, True):
        clf = ModuliRNNClassifier(**settings, permuted=permuted)
        left, gone = clf.fit(sequences(), labels()).learned_structure_.link_distances()
        ratios.append(left.mean() / gone.mean())
    assert ratios[0] < 0.4
    assert ratios[1] > 0.9


def test_the_prox_alone_leaves_exact_zeros():
    clf = ModuliRNNClassifier(**QUICK, solver="prox", sparsity=0.0, lambda_=20.0)
    clf.fit(sequences(), labels())
    assert 0 < clf.sparsity_ < 1
    assert np.count_nonzero(clf.weights_["W_hh"]) == clf.n_links_


def test_without_penalty_or_sparsity_nothing_goes():
    clf = ModuliRNNClassifier(**QUICK, lambda_=0.0, sparsity=0.0)
    assert clf.fit(sequences(), labels()).sparsity_ == 0


def test_positions_that_are_given_are_kept():
    positions = np.random.default_rng(0).uniform(0, 10, (12, 2))
    clf = ModuliRNNClassifier(**QUICK, positions=positions, dtype="float64")
    np.testing.assert_array_equal(clf.fit(sequences(), labels()).positions_, positions)


def test_positions_beside_a_sphere_are_brought_onto_it():
    far = np.random.default_rng(0).normal(size=(12, 3)) * 7
    clf = ModuliRNNClassifier(
        **QUICK, positions=far, manifold="sphere", dtype="float64"
    )
    expected = far / np.linalg.norm(far, axis=1, keepdims=True)
    found = clf.fit(sequences(), labels()).positions_
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("manifold", ["klein", "s3", "circle", "torus6"])
def test_positions_that_are_learned_move(manifold):
    clf = ModuliRNNClassifier(**QUICK, manifold=manifold, dtype="float64")
    fixed = clf.fit(sequences(), labels()).positions_
    learned = clone(clf).set_params(learn_positions=True).fit(sequences(), labels())
    assert np.abs(learned.positions_ - fixed).max() > 1e-3
    if manifold in ("s3", "circle"):
        np.testing.assert_allclose(np.linalg.norm(learned.positions_, axis=1), 1)
    assert "positions" not in learned.weights_


def test_a_users_own_distance_and_inhibitor():
    def gap(a, b):
        return (a - b).abs().sum(-1)

    def near(d):
        return 1 / (1 + d)

    line = np.linspace(0, 3, 12)[:, None]
    clf = ModuliRNNClassifier(
        **QUICK, manifold=gap, inhibitor=near, positions=line, scaling="raw"
    ).fit(sequences(), labels())
    structure = clf.learned_structure_
    expected = np.abs(line - line.T)
    np.testing.assert_allclose(structure.distances, expected, atol=1e-6)
    np.testing.assert_allclose(structure.costs, 1 / (1 + expected), atol=1e-6)


def test_positions_may_be_a_tensor_and_stay_what_they_were():
    given = torch.full((12, 3), 2.0, dtype=torch.float64, requires_grad=True)
    clf = ModuliRNNClassifier(**QUICK, positions=given, manifold="sphere")
    clf.set_params(inhibitor="constant").fit(sequences(), labels())
    assert (given == 2).all()
    np.testing.assert_allclose(clf.positions_, 3**-0.5, rtol=1e-6)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("pruned", ["recurrent", "all"])
def test_a_mask_that_is_retrained_stays_with_other_weights(cell, pruned):
    clf = ModuliRNNClassifier(**QUICK, cell=cell, pruned=pruned, sparsity=0.6)
    clf.fit(sequences(), labels())
    before = clf.weights_["W_hh"].copy()
    found = retrain_mask(clf, sequences(), labels(), n_repeats=2, random_state=3)
    np.testing.assert_array_equal(clf.weights_["W_hh"], before)
    one, other = found.estimators
    for twin in (one, other):
        assert twin.learned_structure_ == clf.learned_structure_
    assert not np.array_equal(one.weights_["W_hh"], other.weights_["W_hh"])
    assert not np.array_equal(one.weights_["W_hh"], before)
    assert found.scores.shape == (2,)
    assert found.original_score == clf.score(sequences(), labels())


def test_a_mask_is_kept_where_no_finetuning_fills_it():
    clf = ModuliRNNClassifier(
        **{**QUICK, "finetune_epochs": 0}, sparsity=0.5, solver="prox", lambda_=5.0
    ).fit(sequences(), labels())
    (twin,) = retrain_mask(clf, sequences(), labels(), random_state=0).estimators
    assert twin.learned_structure_ == clf.learned_structure_
    assert not twin.weights_["W_hh"][~clf.learned_structure_.mask].any()


def test_all_matrices_of_a_mask_are_kept_whatever_is_to_be_pruned():
    clf = ModuliRNNClassifier(**QUICK, pruned="all").fit(sequences(), labels())
    clf.set_params(pruned="recurrent")
    (twin,) = retrain_mask(clf, sequences(), labels(), random_state=0).estimators
    assert not twin.weights_["W_ih"][~clf.learned_structure_.masks["W_ih"]].any()


@pytest.mark.parametrize(
    ("y", "test", "message"),
    [
        (labels(), {"y_test": labels()}, "y_test is given without X_test"),
        (labels(), {"X_test": sequences()}, "X_test is given without y_test"),
        (np.where(labels(), "u", "v"), {}, "classes"),
    ],
)
def test_retraining_on_data_that_do_not_go_together_is_refused(y, test, message):
    clf = ModuliRNNClassifier(**QUICK).fit(sequences(), labels())
    with pytest.raises(ValueError, match=message):
        retrain_mask(clf, sequences(), y, **test)


@pytest.mark.parametrize("manifold", ["sphere", "klein"])
def test_retraining_on_another_manifold_is_refused(manifold):
    clf = ModuliRNNClassifier(**QUICK).fit(sequences(), labels())
    clf.set_params(manifold=manifold)
    with pytest.raises(ValueError, match="stay where they are, on 'torus'"):
        retrain_mask(clf, sequences(), labels())


def test_a_regressor_of_tokens_is_not_retrained_on_sequences():
    y = [x[:, :1] for x in sequences()]
    reg = ModuliRNNRegressor(**QUICK).fit(sequences(), y)
    with pytest.raises(ValueError, match="after every token"):
        retrain_mask(reg, sequences(), [v[-1] for v in y])


def test_retraining_needs_a_mask_and_like_data():
    from skrational import SparseLSTMClassifier

    lstm = SparseLSTMClassifier(n_units=2, warmup_epochs=1, max_epochs=1)
    lstm.set_params(finetune_epochs=0).fit(sequences(), labels())
    with pytest.raises(TypeError, match="mask as its learned_structure_"):
        retrain_mask(lstm, sequences(), labels())
    clf = ModuliRNNClassifier(**QUICK).fit(sequences(), labels())
    with pytest.raises(ValueError, match="the mask is of 3 and 1"):
        retrain_mask(clf, sequences(), np.arange(80) % 3)
    with pytest.raises(ValueError, match="X and y have 2 features"):
        retrain_mask(clf, [x[:, :2] for x in sequences()], labels())
    clf.set_params(n_hidden=9)
    with pytest.raises(
        ValueError, match=r"shape \(9, 9\), that of the mask \(12, 12\)"
    ):
        retrain_mask(clf, sequences(), labels())


def test_a_regressor_has_the_unit_of_its_targets():
    y = np.array([1e6 + 1e4 * x[:, 0].sum() for x in sequences()])
    small = np.array([x[:, 0].sum() for x in sequences()])
    settings = {**QUICK, "dtype": "float64"}
    large = ModuliRNNRegressor(**settings).fit(sequences(), y).predict(sequences())
    found = ModuliRNNRegressor(**settings).fit(sequences(), small).predict(sequences())
    np.testing.assert_allclose(large, 1e6 + 1e4 * found, rtol=1e-6)


def test_distributions_are_predicted_as_such():
    y = [np.exp(v) / np.exp(v).sum(axis=1, keepdims=True) for v in sums()]
    reg = ModuliRNNRegressor(**QUICK, loss="cross_entropy").fit(sequences(), y)
    found = np.concatenate(reg.predict(sequences()))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    constant = np.concatenate(y).mean(axis=0)
    error = ((found - np.concatenate(y)) ** 2).mean()
    assert error < 0.5 * ((constant - np.concatenate(y)) ** 2).mean()


def test_the_score_of_tokens_counts_each_of_them():
    from sklearn.metrics import r2_score

    reg = ModuliRNNRegressor(**QUICK).fit(sequences(), sums())
    expected = r2_score(
        np.concatenate(sums()), np.concatenate(reg.predict(sequences()))
    )
    assert reg.score(sequences(), sums()) == pytest.approx(expected)


def test_a_score_is_of_values_as_in_fit():
    of_sequences = ModuliRNNRegressor(**QUICK).fit(sequences(), labels().astype(float))
    with pytest.raises(ValueError, match=r"of each token.*expected values of each seq"):
        of_sequences.score(sequences(), sums())
    of_tokens = ModuliRNNRegressor(**QUICK).fit(sequences(), sums())
    with pytest.raises(ValueError, match=r"of each seq.*expected values of each token"):
        of_tokens.score(sequences(), labels().astype(float))
    for weights, message in (
        (np.ones(79), r"expected \(80,\)"),
        (-np.ones(80), "Negative values"),
    ):
        with pytest.raises(ValueError, match=message):
            of_tokens.score(sequences(), sums(), weights)
        with pytest.raises(ValueError, match=message):
            of_sequences.score(sequences(), labels().astype(float), weights)


def test_weights_of_a_score_are_those_of_each_token():
    reg = ModuliRNNRegressor(**QUICK).fit(sequences(), sums())
    first = np.arange(80) < 30
    part = reg.score(sequences()[:30], sums()[:30])
    assert reg.score(sequences(), sums(), first) == pytest.approx(part)


def test_values_of_tokens_that_weigh_nothing_are_refused():
    X, y = [*sequences(), np.empty((0, 3))], [*sums(), []]
    with pytest.raises(ValueError, match="0 for all sequences that have tokens"):
        ModuliRNNRegressor(**QUICK).fit(X, y, sample_weight=[0] * 80 + [1])


@pytest.mark.parametrize("container", ["default", "pandas"])
def test_states_after_every_token_are_an_array_a_sequence(container):
    reg = ModuliRNNRegressor(**QUICK).set_output(transform=container)
    fitted = reg.fit_transform(sequences(), sums(), sample_weight=np.ones(80))
    for x, states, again in zip(
        sequences(), fitted, reg.transform(sequences()), strict=True
    ):
        assert type(states) is np.ndarray
        np.testing.assert_array_equal(states, again)
        np.testing.assert_allclose(states, states_by_a_loop(reg, x), atol=1e-5)


def test_states_of_sequences_are_a_frame_if_asked_for():
    X = pd.Series(sequences(), index=np.arange(80) * 2)
    reg = ModuliRNNRegressor(**QUICK).set_output(transform="pandas")
    frame = reg.fit_transform(X, labels().astype(float))
    assert frame.shape == (80, 12)
    assert frame.columns.tolist() == reg.get_feature_names_out().tolist()


def test_values_of_tokens_pass_through_a_pipeline():
    pipeline = make_pipeline(
        TimeStepTransformer(StandardScaler()), ModuliRNNRegressor(**QUICK)
    ).set_output(transform="pandas")
    pipeline.fit(sequences(), sums())
    assert pipeline.score(sequences(), sums()) > 0
    assert [s.shape for s in pipeline.transform(sequences())] == [
        (len(x), 12) for x in sequences()
    ]


def test_early_stopping_goes_back_to_an_epoch_at_full_sparsity():
    for estimator, y in (
        (ModuliRNNClassifier, labels()),
        (ModuliRNNRegressor, sums()),
    ):
        fitted = estimator(**QUICK, early_stopping=True, n_iter_no_change=1)
        fitted.fit(sequences(), y)
        assert fitted.sparsity_ == pytest.approx(0.9, abs=0.005)


@pytest.mark.parametrize("offset", [1.7e9 + 123, -1e12])
def test_targets_far_from_zero_are_learned_as_those_around_it(offset):
    X = sequences()
    for y in (sums(), [rows[-1] for rows in sums()]):
        far = [rows + offset for rows in y]
        scores = [ModuliRNNRegressor(**QUICK).fit(X, v).score(X, v) for v in (y, far)]
        assert scores[1] == pytest.approx(scores[0], abs=0.01)


@pytest.mark.parametrize("factor", [1e40, 1e-40, 1e250])
def test_targets_of_a_unit_that_coefficients_cannot_have_are_refused(factor):
    y = np.array([rows[-1, 0] for rows in sums()]) * factor
    with pytest.raises(ValueError, match=r"standard deviation of .* another unit"):
        ModuliRNNRegressor(**QUICK).fit(sequences(), y)


def test_the_best_epoch_keeps_its_weights_when_later_ones_lose_more():
    X, y = sequences(), labels()
    settings = {**QUICK, "max_epochs": 12, "warmup_epochs": 2, "finetune_epochs": 0}
    stopping = {"early_stopping": True, "n_iter_no_change": 12}
    for seed in range(4):
        clf = ModuliRNNClassifier(
            **{**settings, **stopping, "random_state": seed},
            solver="prox",
            lambda_=0.3,
            sparsity=0.5,
            prune_epochs=2,
        ).fit(X, y)
        penalized = [r for r in clf.history_ if r["phase"] == "regularize"][1:]
        best = min(penalized, key=lambda r: r["validation_loss"] + r["penalty"])
        assert clf.learned_structure_.size == best["n_weights"]


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_fits_again_from_a_seed_and_out_of_a_pickle(cell, tmp_path):
    clf = ModuliRNNClassifier(**QUICK, cell=cell, learn_positions=True)
    clf.fit(sequences(), labels())
    again = clone(clf).fit(sequences(), labels())
    np.testing.assert_array_equal(again.weights_["W_hh"], clf.weights_["W_hh"])
    assert again.learned_structure_ == clf.learned_structure_
    joblib.dump(clf, tmp_path / "clf")
    for twin in (pickle.loads(pickle.dumps(clf)), joblib.load(tmp_path / "clf")):
        assert twin.learned_structure_ == clf.learned_structure_
        np.testing.assert_array_equal(
            twin.decision_function(sequences()), clf.decision_function(sequences())
        )


def test_a_warm_start_keeps_mask_and_network():
    clf = ModuliRNNClassifier(**QUICK, warm_start=True).fit(sequences(), labels())
    first = clf.learned_structure_
    clf.set_params(cell="lstm", activation="relu", random_state=5)
    clf.fit(sequences(), labels())
    second = clf.learned_structure_
    assert (second.mask <= first.mask).all()
    np.testing.assert_array_equal(second.positions, first.positions)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"manifold": "sphere"}, "manifold is 'sphere', but .* on 'torus'"),
        ({"manifold": "klein"}, "manifold is 'klein', but .* on 'torus'"),
        ({"pruned": "recurrent"}, "pruned is 'recurrent', but"),
    ],
)
def test_a_warm_start_on_other_terms_is_refused(changed, message):
    clf = ModuliRNNClassifier(**QUICK, warm_start=True, pruned="all")
    clf.set_params(sparsity=0.3).fit(sequences(), labels())
    before = vars(clf).copy()
    with pytest.raises(ValueError, match=message):
        clf.set_params(**changed).fit(sequences(), labels())
    assert clf.coef_ is before["coef_"]


def test_parameters_that_are_set_later_change_no_prediction():
    clf = ModuliRNNClassifier(**QUICK).fit(sequences(), labels())
    before = clf.decision_function(sequences())
    clf.set_params(activation="relu", cell="gru", readout="last", bias=False)
    np.testing.assert_array_equal(clf.decision_function(sequences()), before)


def test_search_pipeline_and_path():
    search = GridSearchCV(
        ModuliRNNClassifier(**QUICK), {"sparsity": [0.5, 0.9]}, cv=2
    ).fit(sequences(), labels())
    assert search.best_estimator_.sparsity_ == search.best_params_["sparsity"]
    pipeline = make_pipeline(
        TimeStepTransformer(StandardScaler()), ModuliRNNClassifier(**QUICK)
    )
    assert pipeline.fit(sequences(), labels()).score(sequences(), labels()) > 0.5
    with pytest.raises(ValueError, match=r"no path over lambda_: sparsity=0\.9"):
        regularization_path(ModuliRNNClassifier(**QUICK), sequences(), labels())
    clf = ModuliRNNClassifier(**QUICK, solver="prox", sparsity=0.0)
    path = regularization_path(clf, sequences(), labels(), lambdas=[0.0, 1.0, 50.0])
    sizes = [point.structure.size for point in path.points]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"manifold": "mobius"}, "manifold is 'mobius'; expected 'circle'"),
        ({"inhibitor": "dogs"}, "inhibitor is 'dogs'; expected 'constant'"),
        ({"sparsity": 1.0}, "sparsity"),
        ({"sparsity": -0.1}, "sparsity"),
        ({"n_hidden": 1}, "n_hidden"),
        ({"power": 0.5}, "power"),
        ({"permuted": "False"}, "permuted"),
        ({"learn_positions": "no"}, "learn_positions"),
        ({"pruned": "none"}, "pruned"),
        ({"prune_epochs": 5}, "prune_epochs is 5; expected at most max_epochs=4"),
        ({"solver": "prox", "learn_positions": True}, "solver='prox' needs fixed"),
        ({"solver": "prox", "power": 3}, "solver='prox' needs fixed"),
        ({"positions": np.zeros((3, 2))}, "positions has the shape"),
        ({"positions": [[1, 2], [3]] * 6}, "positions holds what is no number"),
        ({"positions": [["a", "b"]] * 12}, "positions holds what is no number"),
        ({"positions": np.zeros((12, 2)) + 1j}, "positions holds what is no number"),
        (
            {"positions": np.eye(12, 3, k=-2), "manifold": "sphere"},
            r"positions\[0\] is \[0.0, 0.0, 0.0\]",
        ),
        (
            {"positions": np.eye(12, 3) * 1e30, "manifold": "r3", "lambda_": 0.0},
            "The distance of 'r3' returned inf",
        ),
        ({"learn_positions": True, "inhibitor": "constant"}, "costs that depend on"),
        ({"learn_positions": True, "inhibitor": lambda d: d > 3}, "costs that depend"),
        ({"positions": np.full((12, 2), np.nan)}, "positions"),
        ({"positions": np.zeros((12, 3))}, r"expected .* \(n_hidden=12, 2\)"),
        ({"positions": np.ones((12, 2)), "manifold": "s3"}, r"\(n_hidden=12, 4\)"),
        ({"manifold": lambda a, b: (a - b)[..., 0]}, "positions"),
        ({"manifold": Custom(len, lambda n, _: np.ones((n, 1)))}, "returned ndarray"),
        ({"inhibitor": lambda d: d[0]}, "shape"),
        ({"inhibitor": lambda d: d * torch.nan}, "returned nan"),
        ({"inhibitor": lambda d: -d}, "expected numbers from 0"),
    ],
)
def test_bad_parameters_are_named_before_training(params, message):
    clf = ModuliRNNClassifier(**{**QUICK, **params})
    with pytest.raises(ValueError, match=message):
        clf.fit(sequences(), labels())
    assert not hasattr(clf, "coef_")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (lambda: sums()[:-1], "X has 80 sequences, y has 79 arrays"),
        (lambda: [v[1:] for v in sums()], r"y\[0\] has the shape"),
        (lambda: None, "requires y"),
        (lambda: labels()[:5].astype(float), "X has 80 sequences, y has 5"),
    ],
)
def test_wrong_targets_leave_a_fitted_regressor_as_it_was(y, message):
    reg = ModuliRNNRegressor(**QUICK).fit(sequences(), sums())
    before = vars(reg).copy()
    with pytest.raises(ValueError, match=message):
        reg.fit(sequences(), y())
    assert vars(reg).keys() == before.keys()
    assert all(vars(reg)[name] is value for name, value in before.items())


def test_texts_are_refused_without_the_name_of_another_estimator():
    for make in (ModuliRNNClassifier, ModuliRNNRegressor):
        with pytest.raises(TypeError, match="X holds strings; expected seq") as caught:
            make(**QUICK).fit(["a b"] * 80, labels().astype(float))
        assert "SparseRational" not in str(caught.value)
    with pytest.raises(TypeError, match="X_val holds strings, but the estimator reads"):
        make(**QUICK, early_stopping=True).fit(
            sequences(), labels().astype(float), X_val=["a b"], y_val=[1.0]
        )


def test_what_leaves_nothing_to_hear_warns_and_predicts_the_majority():
    clf = ModuliRNNClassifier(**QUICK, pruned="all", sparsity=0.999)
    with pytest.warns(ConvergenceWarning, match="sparsity=0.999 left no unit"):
        clf.fit(sequences(), labels())
    majority = labels().mean() > 0.5
    assert (clf.predict(sequences()) == majority).all()


def test_cross_entropy_needs_distributions():
    with pytest.raises(ValueError, match="needs distributions"):
        ModuliRNNRegressor(**QUICK, loss="cross_entropy").fit(sequences(), sums())
