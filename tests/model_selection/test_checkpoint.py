import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import torch

from skrational import (
    SequenceArray,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
)
from skrational.datasets import make_planted_patterns
from skrational.model_selection import regularization_path
from skrational.model_selection._checkpoint import Checkpoint
from skrational.model_selection._epochs import PathEpochs
from skrational.model_selection._path_run import PathRun
from skrational.model_selection._records import describe

LAMBDAS = [0.0, 1e-3, 1e-2, 2e-2, 5e-2]


def quick(**params):
    defaults = {
        "n_wfsas": 4,
        "n_states": 3,
        "min_steps_per_epoch": 1,
        "warmup_epochs": 2,
        "finetune_epochs": 4,
        "random_state": 0,
    }
    return SparseRationalClassifier(**(defaults | params))


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(150, random_state=0)


def follow(data, folder=None, clf=None, **options):
    options = {"X": data.X, "y": data.y, "lambdas": LAMBDAS} | options
    return regularization_path(clf or quick(), checkpoint_dir=folder, **options)


@pytest.fixture(scope="module")
def expected(data):
    return follow(data)


def interrupt(at, *args, **kwargs):
    """Follow a path that is interrupted before its point number ``at`` branches off."""
    branch = PathRun.branch

    def interrupted(self, i):
        if i == at:
            raise KeyboardInterrupt
        return branch(self, i)

    with pytest.MonkeyPatch.context() as patch, cut_short(at):
        patch.setattr(PathRun, "branch", interrupted)
        path = follow(*args, **kwargs)
        assert path.interrupted
        assert len(path) == at


def cut_short(n_done):
    """What an interrupt does after so many points."""
    if n_done == 0:
        return pytest.raises(KeyboardInterrupt)
    return pytest.warns(UserWarning, match=f"interrupted after {n_done} of")


def names(folder):
    return sorted(file.name for file in folder.iterdir())


COMPLETE = ["path.json", *(f"point-000{i}.npz" for i in range(5)), "trunk.npz"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"penalty": "transitions", "dtype": "float64"},
        {"penalty": "wfsas", "readout": "rho", "match": "end"},
        {"solver": "subgradient", "threshold": 0.5, "warmup_epochs": 0},
        {"early_stopping": True, "n_iter_no_change": 1, "semiring": "max-plus"},
        {"n_states": (1, 2), "class_weight": "balanced", "readout": "rho_softmax"},
    ],
    ids=str,
)
def test_an_interrupted_path_ends_as_if_it_had_not_been(
    data, tmp_path, assert_same_paths, params
):
    clf = quick(**params)
    kwargs = {"clf": clf, "X_test": data.X[:50], "y_test": data.y[:50]}
    kwargs |= {"lambdas": None, "n_lambdas": 5}
    expected = follow(data, **kwargs)
    for at in (0, 3):
        interrupt(at, data, tmp_path, **kwargs)
        assert len([n for n in names(tmp_path) if n.startswith("point")]) == at
    assert_same_paths(follow(data, tmp_path, **kwargs), expected)
    assert set(names(tmp_path)) <= set(COMPLETE)


def test_a_run_is_put_back_as_it_was(data, tmp_path):
    clf = quick(
        penalty="transitions",
        readout="rho",
        warmup_epochs=4,
        word_dropout=0.1,
        feature_dropout=0.0,
    )

    def start():
        run = PathRun(
            clf, clf._read_fit(data.X, data.y, None), 1, PathEpochs(4, 0, 0, 0)
        )
        run.fit.begin(None, {})
        return run

    run, again = start(), start()
    run.warm_up()
    for i, lambda_ in enumerate([1e-3, 2e-3]):
        run.regularize(i, lambda_)
    cell = run.fit.cell
    assert cell.numbers != tuple(range(len(cell.numbers)))
    assert 0 < cell.learned_loops.sum() < len(cell.learned_loops)

    Checkpoint(tmp_path, {}, 0).save(0, ({}, {}), run.state())
    again.restore(Checkpoint(tmp_path, {}, 0).load()[1])
    twin = again.fit.cell
    assert twin.lengths == cell.lengths
    assert twin.numbers == cell.numbers
    assert torch.equal(twin.learned_loops, cell.learned_loops)
    for a, b in zip(twin.parameters(), cell.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.dtype == b.dtype
    np.testing.assert_equal(again.fit.history, run.fit.history)
    assert again.moments.n_steps == run.moments.n_steps == (4 + 4 + 4) * 3
    for name in ("mean", "square"):
        pairs = zip(
            getattr(again.moments, name), getattr(run.moments, name), strict=True
        )
        assert all(torch.equal(a, b) for a, b in pairs)


WRITING = {
    "numpy.lib.format.write_array": np.lib.format.write_array,
    "os.fsync": os.fsync,
    "os.replace": os.replace,
}


def fail(monkeypatch, function, n_before, error):
    """Let a function work so often, then raise; return the list of its calls."""
    calls = []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) > n_before:
            raise error
        return WRITING[function](*args, **kwargs)

    monkeypatch.setattr(function, failing)
    return calls


@pytest.mark.parametrize("function", WRITING)
def test_an_interrupt_while_writing(
    data, tmp_path, monkeypatch, assert_same_paths, expected, function
):
    for n_before in (0, 1, 4):
        fail(monkeypatch, function, n_before, KeyboardInterrupt)
        # The warning of a path that is cut short is an error here.
        with pytest.raises((KeyboardInterrupt, UserWarning)):
            follow(data, tmp_path)
        assert not list(tmp_path.glob("*.part"))
    monkeypatch.undo()
    assert_same_paths(follow(data, tmp_path), expected)
    assert names(tmp_path) == COMPLETE


def test_a_path_that_is_done_trains_nothing(
    data, tmp_path, assert_same_paths, monkeypatch
):
    expected = follow(data, tmp_path, lambdas=[1e-3, 1e-2, 100, 200])
    assert expected.points[-1].n_transitions == 0
    monkeypatch.setattr("skrational.training.loop.PhaseRun.run_epoch", None)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    again = follow(data, tmp_path, lambdas=[1e-3, 1e-2, 100, 200])
    assert_same_paths(again, expected)
    assert [p.seconds for p in again.points] == [p.seconds for p in expected.points]
    np.testing.assert_array_equal(again[0].predict(data.X), expected[0].predict(data.X))
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


@pytest.mark.usefixtures("untouched_generators")
def test_without_a_seed_that_of_the_checkpoint_counts(
    data, tmp_path, assert_same_paths
):
    for i, random_state in enumerate([None, np.random.RandomState(3)]):
        folder, clf = tmp_path / str(i), quick(random_state=random_state)
        interrupt(3, data, folder, clf)
        first = follow(data, folder, clf)
        seed = json.loads((folder / "path.json").read_text())["seed"]
        assert_same_paths(follow(data, folder, clf), first)
        again = follow(data, folder, quick(random_state=np.random.RandomState(8)))
        assert_same_paths(again, first)
        with pytest.raises(ValueError, match="random_state: the seed of the checkp"):
            follow(data, folder, quick(random_state=seed))


def test_another_form_of_the_same_data_goes_on(
    data, tmp_path, assert_same_paths, expected
):
    X = data.X
    forms = [
        X.to_list(),
        SequenceArray(X.features[X.indices], X.offsets),
        SequenceArray(X.features[::-1], X.offsets, len(X.features) - 1 - X.indices),
        X,
    ]
    for i, form in enumerate(forms[:3]):
        interrupt(i + 1, data, tmp_path, X=form)
    assert_same_paths(follow(data, tmp_path, X=forms[3], y=list(data.y)), expected)


def test_what_does_not_matter_may_change(data, tmp_path, assert_same_paths, expected):
    interrupt(2, data, tmp_path)
    clf = quick(
        lambda_=7.0,
        ramp_epochs=3,
        warm_start=True,
        random_state=np.int64(0),
        learning_rate=np.float64(0.02),
    )
    assert_same_paths(follow(data, tmp_path / ".", clf), expected)
    assert describe({"random_state": 3, "verbose": 2}) == {"random_state": "3"}


@pytest.mark.parametrize(
    ("options", "different"),
    [
        ({"clf": quick(n_wfsas=5)}, "n_wfsas: 4 there, 5 here"),
        ({"clf": quick(random_state=1)}, "random_state: 0 there, 1 here"),
        ({"clf": quick(dtype="float64")}, "dtype: 'float32' there, 'float64' here"),
        ({"lambdas": LAMBDAS[:4]}, "lambdas: "),
        ({"lambdas": None}, "20 by default here"),
        ({"epochs_per_lambda": 3}, "epochs_per_lambda: 2 there, 3 here"),
        (
            {"finetune_epochs": 0},
            "finetune_epochs of a point: 1 to 2 there, 0 to 0 here",
        ),
        ({"sample_weight": np.r_[2.0, np.ones(149)]}, "training data: 150 documents"),
        ({"X_test": [np.ones((2, 50))], "y_test": [1]}, "test data: none there, 1 doc"),
        ({"X_val": [np.ones((2, 50))], "y_val": [1]}, "validation data: none there"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_parameters_are_refused_by_name(data, tmp_path, options, different):
    interrupt(1, data, tmp_path)
    before = names(tmp_path)
    with pytest.raises(ValueError, match=different) as caught:
        follow(data, tmp_path, **options)
    lines = str(caught.value).splitlines()
    assert str(tmp_path) in lines[0]
    assert len(lines) == 3
    assert names(tmp_path) == before


def other_data(data):
    X, y = data.X, data.y
    rows = X.features.copy()
    rows[X.indices[5], 3] *= 1 + 1e-6
    swapped = X.indices.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    offsets = X.offsets.copy()
    offsets[1] += 1
    flipped = y.copy()
    flipped[0] = 1 - y[0]
    return {
        "another number": (SequenceArray(rows, X.offsets, X.indices), y),
        "another order of words": (SequenceArray(X.features, X.offsets, swapped), y),
        "another border": (SequenceArray(X.features, offsets, X.indices), y),
        "another order": (X[::-1], y),
        "another label": (X, flipped),
        "other names of labels": (X, y + 1),
        "fewer": (X[:-1], y[:-1]),
    }


@pytest.mark.parametrize("name", other_data(make_planted_patterns(9, random_state=0)))
def test_other_data_are_refused(data, tmp_path, name):
    interrupt(1, data, tmp_path)
    X, y = other_data(data)[name]
    with pytest.raises(ValueError, match="training data: 150 documents"):
        follow(data, tmp_path, X=X, y=y)


DAMAGES = {
    "empty": lambda raw: b"",
    "half": lambda raw: raw[: len(raw) // 2],
    "a hole": lambda raw: raw[:99] + bytes(99) + raw[198:],
    "encrypted": lambda raw: raw.replace(b"PK\x01\x02", b"PK\x01\x02\x01"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_told_once_and_the_path_begins_anew(
    data, tmp_path, assert_same_paths, expected, damage
):
    follow(data, tmp_path)
    for name in ("trunk.npz", "point-0000.npz", "point-0004.npz"):
        raw = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(DAMAGES[damage](raw))
    for name in ("trunk.npz", "point-0004.npz"):
        with pytest.warns(UserWarning, match=f"{name} is damaged") as caught:
            path = follow(data, tmp_path)
        assert len(caught) == 1
        assert_same_paths(path, expected)
        raw = (tmp_path / "point-0004.npz").read_bytes()
        (tmp_path / "point-0004.npz").write_bytes(DAMAGES[damage](raw))


@pytest.mark.parametrize("name", ["trunk.npz", "point-0000.npz"])
def test_what_is_missing_is_done_again(
    data, tmp_path, assert_same_paths, expected, name
):
    interrupt(3, data, tmp_path)
    (tmp_path / name).unlink()
    assert_same_paths(follow(data, tmp_path), expected)


def test_points_of_an_unknown_path_are_not_taken_over(
    data, tmp_path, assert_same_paths, expected
):
    follow(data, tmp_path, clf=quick(random_state=5))
    (tmp_path / "path.json").unlink()
    assert_same_paths(follow(data, tmp_path), expected)


def test_a_file_is_not_a_folder(data, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(NotADirectoryError, match=r"checkpoint_dir=.*is no folder"):
        follow(data, file)
    assert file.read_text() == "mine"
    follow(data, tmp_path / "a" / "folder" / "to be made", lambdas=[0.1])


@pytest.mark.parametrize("function", WRITING)
@pytest.mark.parametrize("n_before", [1, 4])
def test_a_full_disk_warns_once_and_the_path_goes_on(
    data, tmp_path, monkeypatch, assert_same_paths, expected, function, n_before
):
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    calls = fail(monkeypatch, function, n_before, error)
    with pytest.warns(UserWarning, match="No more checkpoints.*No space") as caught:
        path = follow(data, tmp_path)
    assert len(caught) == 1
    assert len(calls) == n_before + 1
    assert not list(tmp_path.glob("*.part"))
    assert_same_paths(path, expected)
    monkeypatch.undo()
    # With space again it goes on from what could be kept.
    assert_same_paths(follow(data, tmp_path), expected)


@pytest.mark.parametrize("function", ["os.fsync", "os.replace"])
def test_a_disk_that_is_full_at_the_beginning_is_told_before_any_work(
    data, tmp_path, monkeypatch, function
):
    fail(monkeypatch, function, 0, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    monkeypatch.setattr("skrational.training.loop.PhaseRun.run_epoch", None)
    with pytest.raises(OSError, match="No space left"):
        follow(data, tmp_path)
    assert not names(tmp_path)


def strip(record, name):
    facts, arrays = record
    return facts, {key: value for key, value in arrays.items() if key != name}


def spoil(record, name):
    facts, arrays = record
    spoilt = arrays[name].copy()
    spoilt.flat[0] = np.nan
    return facts, arrays | {name: spoilt}


def widen(record, name):
    facts, arrays = record
    return facts, arrays | {name: arrays[name][:1]}


@pytest.mark.parametrize("change", [strip, spoil, widen])
@pytest.mark.parametrize(
    ("name", "array"), [("point-0001.npz", "weights/W_u"), ("trunk.npz", "mean/0")]
)
def test_what_is_not_whole_is_refused_whatever_its_checksum_says(
    data, tmp_path, assert_same_paths, expected, name, array, change
):
    interrupt(3, data, tmp_path)
    begun = json.loads((tmp_path / "path.json").read_text())
    with Checkpoint(tmp_path, begun["about"], 0) as checkpoint:
        checkpoint._save(name, change(checkpoint._read(name), array))
    with pytest.warns(UserWarning, match="is damaged.*begins anew") as caught:
        path = follow(data, tmp_path)
    assert len(caught) == 1
    assert_same_paths(path, expected)


def test_a_folder_that_is_in_use_is_refused(data, tmp_path, assert_same_paths):
    process = start(tmp_path, 0.1)
    while not (tmp_path / "point-0000.npz").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    part = tmp_path / "trunk.npz.123.part"
    part.write_bytes(b"of the other process")
    with pytest.raises(OSError, match=f"in use.*process {process.pid}"):
        follow(data, tmp_path)
    assert part.exists()
    process.kill()
    process.communicate()
    follow(data, tmp_path)
    assert not part.exists()


def test_a_folder_that_is_gone_does_not_end_the_path(
    data, tmp_path, monkeypatch, assert_same_paths, expected
):
    folder, branch = tmp_path / "folder", PathRun.branch

    def remove(self, i):
        if i == 2:
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
            folder.write_text("a file now")
        return branch(self, i)

    monkeypatch.setattr(PathRun, "branch", remove)
    with pytest.warns(UserWarning, match="No more checkpoints") as caught:
        path = follow(data, folder)
    assert len(caught) == 1
    assert_same_paths(path, expected)


def test_a_read_only_folder_warns_once(
    data, tmp_path, monkeypatch, assert_same_paths, expected
):
    def read_only(file, mode):
        if "w" in mode:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return open(file, mode)

    interrupt(3, data, tmp_path)
    name = "skrational.utils.files.open"
    monkeypatch.setattr(name, read_only, raising=False)
    with pytest.warns(UserWarning, match="No more checkpoints.*Permission") as caught:
        path = follow(data, tmp_path)
    assert len(caught) == 1
    assert_same_paths(path, expected)


def test_where_warnings_are_errors_nothing_half_written_stays(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path, {}, 0)

    class Full(io.FileIO):
        def write(self, content):
            super().write(content[:4])
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("skrational.utils.files.open", Full, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="full"):
            checkpoint.save(0, ({}, {}), ({}, {}))
    checkpoint.save(0, ({}, {}), ({}, {}))
    checkpoint.close()
    assert names(tmp_path) == ["path.json"]


def test_a_checkpoint_gives_back_what_it_was_given(tmp_path):
    arrays = {"a/b": np.arange(6.0).reshape(2, 3), "none": np.zeros((0, 4), np.float32)}
    facts = {"x": 0.1 + 0.2, "nan": float("nan"), "n": None, "list": [1, 2]}
    Checkpoint(tmp_path, {"of": "this"}, 7).save(0, (facts, arrays), (facts, {}))
    there = Checkpoint(tmp_path, {"of": "this"}, 8)
    assert there.seed == 7
    points, run = there.load()
    np.testing.assert_equal(points, [(facts, arrays)])
    np.testing.assert_equal(run, ({**facts, "n_points": 1}, {}))
    assert points[0][1]["none"].dtype == np.float32
    assert Checkpoint(None, {}, 1).load() == ([], None)


SCRIPT = """
import json, resource, sys, time, warnings
from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.model_selection import regularization_path

class Slow:
    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...
    def on_fit_task_end(self, estimator, context): time.sleep(float(sys.argv[2]))

data = make_planted_patterns(150, random_state=0)
clf = SparseRationalClassifier(
    n_wfsas=4, n_states=3, min_steps_per_epoch=1, warmup_epochs=2, finetune_epochs=4,
    random_state=0,
).set_callbacks(Slow())
if limit := int(sys.argv[3]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    path = regularization_path(
        clf, data.X, data.y, lambdas=[0.0, 1e-3, 1e-2, 2e-2, 5e-2],
        checkpoint_dir=sys.argv[1],
    )
sums = [float(clf.weights_["W_u"].sum()) for clf in path]
print(json.dumps([sums, [str(w.message) for w in caught]]))
"""


def start(folder, seconds, limit=0):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(seconds), str(limit)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_process_is_gone_on_from(data, tmp_path, assert_same_paths, expected):
    process = start(tmp_path, 0.1)
    deadline = time.monotonic() + 120
    while not (tmp_path / "point-0001.npz").exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    for left_over in ("trunk.npz.123.part", "point-0002.npz.123.part"):
        (tmp_path / left_over).write_bytes(b"what a kill may leave")
    (tmp_path / "mine.part").write_text("mine")
    assert not (tmp_path / "point-0004.npz").exists()
    assert_same_paths(follow(data, tmp_path), expected)
    assert names(tmp_path) == ["mine.part", *COMPLETE]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_limit_on_the_size_of_files_is_as_a_full_disk(tmp_path, expected):
    # path.json may be written, the run with the moments of Adam may not.
    process = start(tmp_path, 0, limit=12_000)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    sums, messages = json.loads(out)
    assert sums == [float(clf.weights_["W_u"].sum()) for clf in expected]
    assert len(messages) == 1
    assert "No more checkpoints" in messages[0]
    assert "Exception ignored" not in errors
    assert names(tmp_path) == ["path.json", "point-0000.npz"]


def search(data, folder=None, **params):
    defaults = {"lambdas": LAMBDAS[1:], "cv": 2, "refit": "best", "random_state": 4}
    cv = SparseRationalClassifierCV(quick(), **(defaults | params))
    return cv.fit(data.X, data.y, checkpoint_dir=folder)


@pytest.mark.parametrize("at", [1, 5, 9])
def test_a_killed_search_ends_as_if_nothing_had_happened(
    data, tmp_path, assert_same_paths, monkeypatch, at
):
    expected, calls, regularize = search(data), [], PathRun.regularize

    def interrupted(self, i, lambda_):
        calls.append(i)
        if len(calls) == at:
            raise KeyboardInterrupt
        return regularize(self, i, lambda_)

    monkeypatch.setattr(PathRun, "regularize", interrupted)
    with pytest.raises(KeyboardInterrupt):
        search(data, tmp_path)
    found = search(data, tmp_path, n_jobs=1)
    for a, b in zip(found.paths_, expected.paths_, strict=True):
        assert_same_paths(a, b)
    assert found.best_index_ == expected.best_index_
    for name, weights in expected.best_estimator_.weights_.items():
        np.testing.assert_array_equal(found.best_estimator_.weights_[name], weights)
    # One lambda begins again, no more of them; and then none.
    n_all = 2 * len(LAMBDAS[1:]) + expected.best_index_ + 1
    assert len(calls) <= n_all + 1
    search(data, tmp_path, refit="max_transitions", max_transitions=12)
    with pytest.raises(ValueError, match="seed of the search: 4 there, 5 here"):
        search(data, tmp_path, random_state=5)
    with pytest.raises(ValueError, match="folds: "):
        search(data, tmp_path, cv=3)
