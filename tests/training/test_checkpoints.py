"""A fit that was killed goes on after its last epoch, and ends the same to the bit."""

import errno
import json
import os
import subprocess
import sys
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNLanguageModel,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
)
from skrational.datasets import make_planted_patterns
from skrational.penalties.manifolds import Custom
from skrational.training.checkpoints import FitCheckpoint
from skrational.training.identity import describe_value
from skrational.training.loop import PhaseRun
from skrational.utils.locks import FileLock
from tests.extensions.method import GatedUnigramClassifier

SHORT = {
    "warmup_epochs": 1,
    "max_epochs": 3,
    "finetune_epochs": 2,
    "min_steps_per_epoch": 3,
    "batch_size": 32,
    "random_state": 0,
}
RNG = np.random.default_rng(0)
SERIES = [RNG.normal(size=(n, 3)) for n in RNG.integers(3, 9, size=90)]
SIGNS = np.array([x[:, 0].sum() > 0 for x in SERIES])
SUMS = np.array([x[:, :2].sum(axis=0) for x in SERIES])
RUNNING = [np.cumsum(x[:, :1], axis=0) for x in SERIES]
TEXTS = ["abcd" * 5, "bcda" * 6, "aabbccdd" * 3, "acbd" * 5] * 4
PATTERNS = make_planted_patterns(90, random_state=0)


def rational(**params):
    small = {"n_wfsas": 4, "n_states": 3, "lambda_": 0.02}
    return SparseRationalClassifier(**(SHORT | small | params)), (
        PATTERNS.X,
        PATTERNS.y,
    )


def series(kind, y=SIGNS, **params):
    return kind(**(SHORT | params)), (SERIES, y)


def texts(kind, **params):
    small = {"level": "character", "n_embedding": 4, "sequence_length": 8}
    return kind(**(SHORT | small | params)), (TEXTS,)


FITS = {
    "plus-times, calibrated by a second fit": rational(calibration="temperature"),
    "max-plus, early stopping": rational(
        semiring="max-plus",
        early_stopping=True,
        n_iter_no_change=1,
        class_weight="balanced",
        calibration="temperature",
    ),
    "max-times, a part an epoch": rational(
        semiring="max-times", max_steps_per_epoch=2, min_steps_per_epoch=1
    ),
    "subgradient, transitions, rho": rational(
        solver="subgradient",
        penalty="transitions",
        readout="rho",
        threshold=0.3,
        word_dropout=0.1,
        finetune_schedule="plateau",
        dtype="float64",
    ),
    "nothing is left": rational(lambda_=5.0),
    "one step an epoch": rational(batch_size=None),
    "LSTM": series(SparseLSTMClassifier, n_units=8, lambda_=0.03, early_stopping=True),
    "LSTM, bayes": series(
        SparseLSTMClassifier,
        n_units=8,
        framework="bayes",
        lambda_=3.0,
        early_stopping=True,
    ),
    "GRU, bayes": series(
        SparseGRUClassifier, n_units=8, framework="bayes", calibration="temperature"
    ),
    "moduli, learned positions": series(
        ModuliRNNClassifier,
        n_hidden=10,
        learn_positions=True,
        ramp_epochs=2,
        early_stopping=True,
    ),
    "moduli, LSTM, prox": series(
        ModuliRNNClassifier, n_hidden=8, cell="lstm", solver="prox", pruned="all"
    ),
    "moduli, values": series(ModuliRNNRegressor, SUMS, n_hidden=8, cell="gru"),
    "moduli, values of tokens": series(ModuliRNNRegressor, RUNNING, n_hidden=8),
    "moduli, words": texts(ModuliRNNLanguageModel, n_hidden=8),
    "a method of another author": (
        GatedUnigramClassifier(lambda_=0.05, max_epochs=4, random_state=0),
        (PATTERNS.X, PATTERNS.y),
    ),
    "LSTM, words": texts(SparseLSTMLanguageModel, n_units=8, lambda_=0.03),
}


class Killed(BaseException):
    """Stands for the end of the process."""


def allow(monkeypatch, n_epochs):
    """Let the process end when another epoch than so many begins."""
    run_epoch, begun = ALL_EPOCHS, []

    def limited(self):
        if len(begun) == n_epochs:
            raise Killed
        begun.append(self.phase.name)
        return run_epoch(self)

    monkeypatch.setattr(PhaseRun, "run_epoch", limited)
    return begun


ALL_EPOCHS = PhaseRun.run_epoch


def state(estimator):
    """Fitted attributes, but for seconds."""
    fitted = {n: v for n, v in vars(estimator).items() if n.endswith("_")}
    fitted["learned_structure_"] = estimator.learned_structure_.to_json()
    fitted["history_"] = [{**row, "seconds": 0} for row in estimator.history_]
    fitted["lambda_"] = repr(estimator.lambda_)
    return fitted


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", FITS)
def test_it_ends_as_if_nothing_had_happened(tmp_path, monkeypatch, name):
    estimator, data = FITS[name]
    expected = clone(estimator).fit(*data)
    n_rounds = 0
    while n_rounds < 20:
        allow(monkeypatch, 1)  # each process trains for an epoch
        found = clone(estimator)
        try:
            found.fit(*data, checkpoint_dir=tmp_path)
            break
        except Killed:
            assert not hasattr(found, "coef_")
            n_rounds += 1
    np.testing.assert_equal(state(found), state(expected))
    twice = 2 if getattr(estimator, "calibration", None) else 1
    assert n_rounds + 1 >= expected.n_iter_
    assert n_rounds + 1 <= twice * (expected.n_iter_ + 1)

    assert not allow(monkeypatch, 0)  # what is done comes back at once
    again = clone(estimator).fit(*data, checkpoint_dir=tmp_path)
    np.testing.assert_equal(state(again), state(expected))
    seconds = [row["seconds"] for row in again.history_]
    assert seconds == [row["seconds"] for row in found.history_]
    assert "lock" not in names(tmp_path)


def test_a_warm_start_goes_on_from_the_same_model_only(tmp_path, monkeypatch):
    estimator, data = rational(warm_start=True, lambda_=1e-3)
    first = clone(estimator).fit(*data)
    other = clone(estimator).set_params(random_state=1).fit(*data)
    weights = {n: w.copy() for n, w in first.weights_.items()}
    allow(monkeypatch, 4)
    with pytest.raises(Killed):
        first.fit(*data, checkpoint_dir=tmp_path)
    np.testing.assert_equal(first.weights_, weights)
    allow(monkeypatch, 99)
    unfitted, other = clone(estimator), other.set_params(random_state=0)
    for wrong in (unfitted, other):
        with pytest.raises(ValueError, match="fitted before: "):
            wrong.fit(*data, checkpoint_dir=tmp_path)
    resumed = clone(estimator).fit(*data)
    expected = clone(estimator).fit(*data).fit(*data)
    resumed.fit(*data, checkpoint_dir=tmp_path)
    np.testing.assert_equal(state(resumed), state(expected))


def begun(folder, monkeypatch, n_epochs=3, **params):
    """A fit that has been killed; returns the estimator and its data."""
    estimator, data = rational(**params)
    allow(monkeypatch, n_epochs)
    with pytest.raises(Killed):
        clone(estimator).fit(*data, checkpoint_dir=folder)
    monkeypatch.setattr(PhaseRun, "run_epoch", ALL_EPOCHS)
    return estimator, data


CHANGED = {
    "n_wfsas: 4 there, 5 here": {"n_wfsas": 5},
    "random_state: 0 there, 1 here": {"random_state": 1},
    "dtype: 'float32' there, 'float64' here": {"dtype": "float64"},
    "lambda_: 0.02 there, 0.5 here": {"lambda_": 0.5},
    "class_weight: None there": {"class_weight": {0: 1, 1: 2}},
}


def test_another_fit_is_refused_by_name(tmp_path, monkeypatch):
    estimator, (X, y) = begun(tmp_path, monkeypatch)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    weights, flipped = np.ones(len(y)), 1 - y
    weights[3] = 2
    calls = [
        (message, clone(estimator).set_params(**params), (X, y), {})
        for message, params in CHANGED.items()
    ]
    calls += [
        ("training data: 90 ", estimator, (X, flipped), {}),
        ("training data: 90 ", estimator, (X[::-1], y), {}),
        ("training data: 90 ", estimator, (X, y), {"sample_weight": weights}),
        ("estimator: ", series(SparseLSTMClassifier)[0], (X, y), {}),
    ]
    for message, other, data, more in calls:
        with pytest.raises(ValueError, match="holds a fit of other data") as caught:
            clone(other).fit(*data, checkpoint_dir=tmp_path, **more)
        assert message in str(caught.value)
    monkeypatch.setattr("skrational.training.identity.__version__", "99")
    with pytest.raises(ValueError, match=r"skrational: .* there, 99 here"):
        estimator.fit(X, y, checkpoint_dir=tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_validation_data_and_the_unit_of_values_belong_to_it(tmp_path, monkeypatch):
    allow(monkeypatch, 1)
    clf, (X, y) = rational(early_stopping=True)
    with pytest.raises(Killed):
        clf.fit(X, y, X_val=X[:9], y_val=y[:9], checkpoint_dir=tmp_path / "a")
    with pytest.raises(ValueError, match="validation data: 9 sequences"):
        clf.fit(X, y, X_val=X[:9], y_val=1 - y[:9], checkpoint_dir=tmp_path / "a")
    allow(monkeypatch, 1)
    model, _ = series(ModuliRNNRegressor, n_hidden=4)
    with pytest.raises(Killed):
        model.fit(SERIES, SUMS, checkpoint_dir=tmp_path / "b")
    # Scaled, the values are the same.
    with pytest.raises(ValueError, match="training data: 90 "):
        model.fit(SERIES, 2 * SUMS, checkpoint_dir=tmp_path / "b")


def test_what_does_not_matter_may_change(tmp_path, monkeypatch):
    estimator, (X, y) = begun(tmp_path, monkeypatch)
    expected = clone(estimator).fit(X, y)
    other = clone(estimator).set_params(verbose=0, device="cpu", n_states=np.int64(3))
    begun_epochs = allow(monkeypatch, 99)
    other.fit(X.to_list(), list(y), checkpoint_dir=str(tmp_path))
    assert len(begun_epochs) == expected.n_iter_ - 3
    for name, weights in expected.weights_.items():
        np.testing.assert_array_equal(other.weights_[name], weights)


def test_without_a_seed_that_of_the_checkpoint_counts(tmp_path, monkeypatch):
    estimator, data = begun(tmp_path, monkeypatch, random_state=None)
    found = clone(estimator).fit(*data, checkpoint_dir=tmp_path)
    seed = json.loads((tmp_path / "fit.json").read_text())["seed"]
    expected = clone(estimator).set_params(random_state=np.random.RandomState(0))
    again = expected.fit(*data, checkpoint_dir=tmp_path)
    np.testing.assert_array_equal(again.coef_, found.coef_)
    assert isinstance(seed, int)


DAMAGES = {
    "empty": lambda raw: b"",
    "half": lambda raw: raw[: len(raw) // 2],
    "a bit": lambda raw: raw[:999] + bytes([raw[999] ^ 4]) + raw[1000:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_costs_epochs_and_never_the_result(tmp_path, monkeypatch, damage):
    estimator, data = begun(tmp_path, monkeypatch, n_epochs=4)
    expected = clone(estimator).fit(*data)
    files = ["fit.0.npz", "fit.1.npz", "fit.synced.npz"]
    assert names(tmp_path) == [*files[:2], "fit.json", files[2]]
    last, before = "fit.0.npz", "fit.1.npz"
    intact = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    for damaged, n_left in (
        ([last], expected.n_iter_ - 3),
        ([last, before], expected.n_iter_ - 1),
        (files, expected.n_iter_),
    ):
        for name, raw in intact.items():
            changed = DAMAGES[damage](raw) if name in damaged else raw
            (tmp_path / name).write_bytes(changed)
        epochs = allow(monkeypatch, 99)
        with pytest.warns(UserWarning, match="is damaged.*earlier epoch") as caught:
            found = clone(estimator).fit(*data, checkpoint_dir=tmp_path)
        assert len(caught) == len(damaged)
        assert len(epochs) == n_left
        np.testing.assert_equal(state(found), state(expected))


def test_what_is_not_whole_is_refused_whatever_its_checksum_says(tmp_path, monkeypatch):
    estimator, data = begun(tmp_path, monkeypatch, n_epochs=4)
    expected = clone(estimator).fit(*data)
    about = json.loads((tmp_path / "fit.json").read_text())["about"]
    with FitCheckpoint(tmp_path, about, 0) as checkpoint:
        facts, arrays = checkpoint._read("fit.0.npz")
        spoilt = [
            (facts, {n: a for n, a in arrays.items() if n != "cell/W_u"}),
            (facts, arrays | {"cell/W_u": arrays["cell/W_u"][1:]}),
            (facts, arrays | {"mean": arrays["mean"][1:]}),
            ({**facts, "phase": "another"}, arrays),
            ({**facts, "generators": {}}, arrays),
            ({n: f for n, f in facts.items() if n != "schedule"}, arrays),
            ({n: f for n, f in facts.items() if n != "history"}, arrays),
        ]
    for record in spoilt:
        for path in tmp_path.glob("*.npz"):
            path.unlink()
        with FitCheckpoint(tmp_path, about, 0) as checkpoint:
            checkpoint._save("fit.0.npz", record)
        with pytest.warns(UserWarning, match="is damaged"):
            found = clone(estimator).fit(*data, checkpoint_dir=tmp_path)
        np.testing.assert_equal(state(found), state(expected))


def test_a_full_disk_costs_the_checkpoints_not_the_fit(tmp_path, monkeypatch):
    estimator, data = rational()
    expected, replace, calls = clone(estimator).fit(*data), os.replace, []

    def full(*args):
        calls.append(args)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(*args)

    monkeypatch.setattr("os.replace", full)
    with pytest.warns(UserWarning, match="No more checkpoints.*No space.*The fit goes"):
        found = clone(estimator).fit(*data, checkpoint_dir=tmp_path)
    monkeypatch.undo()
    np.testing.assert_equal(state(found), state(expected))
    assert not list(tmp_path.glob("*.part"))
    again = clone(estimator).fit(*data, checkpoint_dir=tmp_path)
    np.testing.assert_equal(state(again), state(expected))


def test_an_emptied_folder_is_left_to_others(tmp_path, monkeypatch):
    estimator, data = rational()
    expected, replace = clone(estimator).fit(*data), os.replace
    calls, others = [], []

    def replace_and_empty(*args):
        replace(*args)
        calls.append(args)
        if len(calls) == 3:
            for path in tmp_path.iterdir():
                path.unlink()
            others.append(FileLock(tmp_path / "lock"))

    monkeypatch.setattr("os.replace", replace_and_empty)
    with pytest.warns(
        UserWarning, match="No more checkpoints.*its lock is gone"
    ) as told:
        found = clone(estimator).fit(*data, checkpoint_dir=tmp_path)
    np.testing.assert_equal(state(found), state(expected))
    assert len(told) == 1
    assert len(calls) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    assert others[0].is_held
    others[0].release()
    assert not others[0].is_held


def test_a_folder_that_cannot_be_used_is_told_before_any_work(tmp_path, monkeypatch):
    estimator, data = rational()
    allow(monkeypatch, 0)
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(NotADirectoryError, match=r"checkpoint_dir=.*is no folder"):
        estimator.fit(*data, checkpoint_dir=file)

    def forbidden(*args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    for name in ("skrational.utils.locks.os.open", "os.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(name, forbidden)
            with pytest.raises(PermissionError):
                estimator.fit(*data, checkpoint_dir=tmp_path / "folder")
        assert not names(tmp_path / "folder")
    (tmp_path / "folder" / "fit.json").write_text('{"mine": 1}')
    with pytest.raises(ValueError, match=r"fit\.json is damaged or of another version"):
        estimator.fit(*data, checkpoint_dir=tmp_path / "folder")
    assert file.read_text() == "mine"


def test_what_killed_writers_left_is_removed(tmp_path, monkeypatch):
    estimator, data = begun(tmp_path, monkeypatch)
    for name in ("fit.0.npz.0a1b.part", "fit.json.0a1b.part", "lock", "mine.part"):
        (tmp_path / name).write_bytes(b"half")
    clone(estimator).fit(*data, checkpoint_dir=tmp_path)
    kept = ["fit.0.npz", "fit.1.npz", "fit.json", "fit.synced.npz"]
    assert names(tmp_path) == [*kept, "mine.part"]


def test_one_fit_at_a_time(tmp_path):
    estimator, data = rational()

    class Second:
        """Begins another fit in the same folder, amid the first one."""

        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...

        def on_fit_task_end(self, estimator, context):
            with pytest.raises(OSError, match=f"in use.*process {os.getpid()} on"):
                rational()[0].fit(*data, checkpoint_dir=tmp_path)

    clone(estimator).set_callbacks(Second()).fit(*data, checkpoint_dir=tmp_path)
    clone(estimator).fit(*data, checkpoint_dir=tmp_path)


def test_global_generators_are_left_alone(tmp_path, untouched_generators):
    estimator, data = rational()
    estimator.fit(*data, checkpoint_dir=tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.slow
def test_kills_at_random_moments(tmp_path):
    call = [sys.executable, "-m", "benchmarks.kills", "--out", str(tmp_path)]
    subprocess.run([*call, "--rounds", "2"], check=True, timeout=300)
    lines = (tmp_path / "kills.jsonl").read_text().splitlines()
    rounds = [json.loads(line) for line in lines]
    assert len(rounds) == 2 * 6
    for row in rounds:
        assert row["resumed"], row
        assert not row["lost"], row
        assert not row["different"], row


def f(x):
    return x + 1


def test_values_of_parameters_as_text():
    long = np.arange(5000.0)
    other = long.copy()
    other[2500] += 1  # which the representation of an array leaves out
    assert repr(other) == repr(long)
    assert describe_value(long) == describe_value(long.copy())
    assert describe_value(long) != describe_value(other)
    assert describe_value([1, "a", None, 2.5]) == "[1, 'a', None, 2.5]"
    assert describe_value(f) != describe_value(lambda x: x + 1)
    first, second = (lambda x, n=n: x + n for n in (1, 2))
    assert describe_value(first) != describe_value(second)
    assert describe_value(lambda x: x + 1) != describe_value(lambda x: x + 2)
    assert " at 0x" not in describe_value(f)


def made(source):
    space = {"partial": partial}
    exec(source, space)
    return space["f"]


class Held:
    def __init__(self, function):
        self.functions = {"first": [function]}


FUNCTIONS = {
    "the value of a global": "S = {}\ndef f(d): return d / S",
    "an inner function": "def f(d): return (lambda v: v * {})(d)",
    "a function it calls": "def g(d): return d * {}\ndef f(d): return g(d)",
    "a function that calls it": (
        "def g(d): return f(d - 1) + {}\ndef f(d): return g(d) if d else 0"
    ),
    "a default by name": "def f(d, *, p={}): return d * p",
    "a default": "def f(d, p={}): return d * p",
    "what is bound": "def g(a, d): return a * d\nf = partial(g, {})",
    "a method": (
        "class C:\n    def m(self, d): return d * self.a\n"
        "c = C()\nc.a = {}\ndef f(d): return c.m(d)"
    ),
}


@pytest.mark.parametrize("source", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_count_with_what_they_refer_to(source):
    one, twin, other = (made(source.format(n)) for n in (1.0, 1.0, 5.0))
    for wrap in (lambda f: f, Held, lambda f: [f]):
        if "class C" not in source:
            assert describe_value(wrap(one)) == describe_value(wrap(twin))
        assert describe_value(wrap(one)) != describe_value(wrap(other))


def test_a_function_of_a_module_counts_by_its_code(monkeypatch):
    manifold = Custom(f, f)
    before = describe_value(manifold)
    monkeypatch.setattr(f, "__code__", (lambda x: x + 2).__code__)
    assert describe_value(manifold) != before


@pytest.mark.parametrize(
    "params",
    [
        {"max_epochs": np.int64(3)},
        {"finetune_epochs": np.int32(2)},
        {"learning_rate": np.float32(0.01), "schedule": "cosine"},
    ],
    ids=str,
)
def test_numbers_of_numpy_are_numbers(tmp_path, monkeypatch, params):
    schedule = params.pop("schedule", None)
    estimator, data = rational(**params)
    if schedule is not None:
        estimator.set_params(finetune_schedule=schedule)
    expected = clone(estimator).fit(*data)
    allow(monkeypatch, expected.n_iter_ - 1)
    with pytest.raises(Killed):
        estimator.fit(*data, checkpoint_dir=tmp_path)
    allow(monkeypatch, 99)
    found = clone(estimator).fit(*data, checkpoint_dir=tmp_path)
    np.testing.assert_equal(state(found), state(expected))


def test_a_fit_stays_in_its_folder_wherever_the_process_goes(tmp_path, monkeypatch):
    estimator, data = rational()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run_epoch = PhaseRun.run_epoch

    def elsewhere(self):
        os.chdir(tmp_path)
        return run_epoch(self)

    monkeypatch.setattr(PhaseRun, "run_epoch", elsewhere)
    estimator.fit(*data, checkpoint_dir="kept")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]
    assert "fit.json" in names(tmp_path / "here" / "kept")


@pytest.mark.parametrize("given", ["", b"kept", 3, True, ["kept"]])
def test_what_is_no_path_is_told(given):
    estimator, data = rational()
    with pytest.raises(TypeError, match=r"checkpoint_dir is .*expected the path"):
        estimator.fit(*data, checkpoint_dir=given)


def test_places_where_no_folder_can_be(tmp_path):
    estimator, data = rational()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match=r"checkpoint_dir=.*is no folder"):
        estimator.fit(*data, checkpoint_dir=tmp_path / "link")
    with pytest.raises(ValueError, match=r"checkpoint_dir=.*null byte"):
        estimator.fit(*data, checkpoint_dir=f"{tmp_path}/\0")


def test_a_damaged_description_beside_any_record_begins_anew(tmp_path, monkeypatch):
    estimator, data = begun(tmp_path, monkeypatch, n_epochs=4)
    (tmp_path / "fit.synced.npz").unlink()
    description = tmp_path / "fit.json"
    description.write_bytes(description.read_bytes().replace(b"4", b"5", 1))
    allow(monkeypatch, 99)
    with pytest.warns(UserWarning, match=r"fit\.json is damaged"):
        found = clone(estimator).fit(*data, checkpoint_dir=tmp_path)
    np.testing.assert_equal(state(found), state(clone(estimator).fit(*data)))


def test_a_convergence_warning_comes_again(tmp_path):
    estimator, data = rational(lambda_=5.0)
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clone(estimator).fit(*data, checkpoint_dir=tmp_path)
        assert [w.category for w in caught] == [ConvergenceWarning]
