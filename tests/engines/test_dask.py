"""A real cluster of Dask: the same bits as here, and data sent once for all tasks."""

import gc
import logging
import multiprocessing
import os
import pickle
import threading
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from skrational import (
    ModuliRNNClassifier,
    SequenceArray,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    WordVectorizer,
)
from skrational.deployment import predict_batches, predict_partition, send_vectors
from skrational.model_selection import structure_stability

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
bags = pytest.importorskip("dask.bag")

ROOT = Path(__file__).parents[2]
WORDS = ("not", "worth", "it", "good", "bad", "the", "a", "very", "book", "tea")
RNG = np.random.default_rng(0)
TABLE = {word: RNG.normal(size=6).astype(np.float32) for word in WORDS}
TEXTS = [" ".join(RNG.choice(WORDS, RNG.integers(1, 9))) for _ in range(60)]
Y = np.array(["yes" if "not" in text else "no" for text in TEXTS])
SMALL = {
    "warmup_epochs": 1,
    "max_epochs": 1,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 4,
    "random_state": 0,
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client():
    logging.getLogger("distributed").setLevel(logging.ERROR)
    before = threading.enumerate()
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
    assert not multiprocessing.active_children()
    new = [t.name for t in threading.enumerate() if t not in before]
    # Daemons that Dask starts once a process, and doesn't end.
    assert not [name for name in new if not name.startswith(KEPT_THREADS)], new


KEPT_THREADS = ("Dask-Offload",)


def rational(**params):
    return SparseRationalClassifier(
        **(SMALL | {"n_wfsas": 3, "n_states": 3, "lambda_": 1e-3} | params)
    )


def lstm():
    return SparseLSTMClassifier(**SMALL, n_units=3)


def moduli():
    params = SMALL | {"max_epochs": 2}
    return ModuliRNNClassifier(**params, n_hidden=4, sparsity=0.5)


def assert_same_fits(mine, expected):
    for name in ("coef_", "intercept_"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(expected, name))
    assert mine.weights_.keys() == expected.weights_.keys()
    for name, weights in expected.weights_.items():
        np.testing.assert_array_equal(mine.weights_[name], weights)
    assert mine.learned_structure_ == expected.learned_structure_


def assert_same_results(mine, expected):
    assert mine.keys() == expected.keys()
    for name in expected:
        if "time" not in name:
            np.testing.assert_array_equal(mine[name], expected[name], name)


def write_table(folder):
    rows = [f"{w} " + " ".join(map(str, row.tolist())) for w, row in TABLE.items()]
    (folder / "vectors.txt").write_text("\n".join(rows) + "\n")
    return folder / "vectors.txt"


def test_a_grid_search_is_that_of_one_process(client, tmp_path):
    vectorizer = WordVectorizer(write_table(tmp_path), cache=tmp_path / "cache")
    pipeline = make_pipeline(vectorizer, rational())
    grid = {"sparserationalclassifier__lambda_": [1e-4, 1e-2]}
    search = GridSearchCV(pipeline, grid, cv=3)
    here = search.fit(TEXTS, Y)
    expected, best = here.cv_results_, here.best_estimator_
    with joblib.parallel_config("dask"):
        there = GridSearchCV(pipeline, grid, cv=3).fit(TEXTS, Y)
    assert_same_results(there.cv_results_, expected)
    assert_same_fits(there.best_estimator_[-1], best[-1])


@pytest.mark.parametrize("make", [rational, lstm, moduli])
def test_what_workers_fit_is_what_is_fitted_here(client, make):
    X = WordVectorizer(TABLE).fit_transform(TEXTS)
    here = cross_validate(make(), X, Y, cv=3, return_estimator=True)
    with joblib.parallel_config("dask"):
        there = cross_validate(make(), X, Y, cv=3, return_estimator=True)
    np.testing.assert_array_equal(there["test_score"], here["test_score"])
    for mine, expected in zip(there["estimator"], here["estimator"], strict=True):
        assert_same_fits(mine, expected)


@pytest.mark.parametrize("make", [rational, lstm])
def test_a_cross_validated_path_is_that_of_one_process(client, make):
    X = WordVectorizer(TABLE).fit_transform(TEXTS)
    search = SparseRationalClassifierCV(make(), n_lambdas=2, cv=3, random_state=0)
    here = search.fit(X, Y)
    expected = here.best_estimator_, here.cv_results_, here.paths_
    with joblib.parallel_config("dask"):
        there = SparseRationalClassifierCV(
            make(), n_lambdas=2, cv=3, random_state=0
        ).fit(X, Y)
    assert_same_fits(there.best_estimator_, expected[0])
    assert_same_results(there.cv_results_, expected[1])
    for mine, theirs in zip(there.paths_, expected[2], strict=True):
        for i in range(len(theirs)):
            assert_same_fits(mine[i], theirs[i])


def test_structures_are_learned_again_elsewhere(client):
    X = WordVectorizer(TABLE).fit_transform(TEXTS)
    learn = partial(structure_stability, rational(), X, Y, cv=2, random_states=[0, 1])
    here = learn()
    with joblib.parallel_config("dask"):
        there = learn()
    assert there.structures == here.structures
    assert there.scores == here.scores


@pytest.mark.skipif(
    not (ROOT / "benchmarks" / "figure3.py").is_file(),
    reason="benchmarks/ is not part of this copy",
)
def test_a_plan_of_jobs_leaves_the_rows_that_it_leaves_here(
    client, tmp_path, monkeypatch, capsys
):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import _harness as harness
    from benchmarks._figure3_plan import QUICK, search_jobs
    from benchmarks._figure3_runs import COLUMNS
    from benchmarks._store import Store
    from benchmarks.figure3 import finish_longest_first

    # A worker may keep to one thread; the tests that follow here needn't.
    monkeypatch.setattr(harness, "set_threads", lambda n: None)
    jobs = search_jobs(QUICK, list(QUICK.vectors))
    jobs = list({job.method: job for job in jobs}.values())
    rows = {}
    for engine, folder in (("loky", tmp_path / "here"), ("dask", tmp_path / "there")):
        store = Store(folder, QUICK.settings(), COLUMNS)
        with joblib.parallel_config(engine):
            finish_longest_first(jobs, QUICK, store, 1 if engine == "loky" else 2)
        rows[engine] = [dict(row, seconds=0) for row in store.all_rows()]
    assert len(rows["loky"]) >= len(jobs) >= 2
    assert rows["dask"] == rows["loky"]


# What is sent


def count_pickles(dask_worker=None):
    """Count, from here on, how often this process pickles sequences."""
    reduce = SequenceArray.__reduce__
    counts = [0]

    def counting(self):
        counts[0] += 1
        return reduce(self)

    SequenceArray.counts, SequenceArray.__reduce__ = counts, counting
    SequenceArray.uncounted = staticmethod(reduce)


def stop_counting(dask_worker=None):
    n = SequenceArray.counts[0]
    SequenceArray.__reduce__ = SequenceArray.uncounted
    del SequenceArray.counts, SequenceArray.uncounted
    return n


@pytest.fixture
def counted(client):
    """Give a function that tells how often sequences were pickled anywhere."""
    count_pickles()
    client.run(count_pickles)
    counts = []

    def read():
        if not counts:
            counts.extend([stop_counting(), *client.run(stop_counting).values()])
        return counts

    yield read
    read()


def test_sequences_are_sent_once_to_a_worker_whatever_the_number_of_tasks(
    client, counted
):
    X = WordVectorizer(TABLE).fit_transform(TEXTS * 4)
    grid = {"lambda_": [1e-4, 1e-3, 1e-2, 1e-1]}
    with joblib.parallel_config("dask"):
        GridSearchCV(rational(), grid, cv=4, refit=False).fit(X, np.tile(Y, 4))
    here, *workers = counted()
    assert here == 1
    assert sum(workers) <= 1


def test_folds_of_a_search_share_what_is_sent(client, counted):
    X = WordVectorizer(TABLE).fit_transform(TEXTS * 4)
    search = SparseRationalClassifierCV(
        rational(), n_lambdas=1, cv=4, refit="best", random_state=0
    )
    with joblib.parallel_config("dask"):
        search.fit(X, np.tile(Y, 4))
    here, *workers = counted()
    assert here == 1
    assert sum(workers) <= 1


class Counted(dict):
    """A table that says, in a file, which process unpickles it."""

    def __init__(self, items, file):
        super().__init__(items)
        self.file = file

    def __reduce__(self):
        return unpickle_counted, (dict(self), self.file)


def unpickle_counted(items, file):
    with open(file, "a") as log:
        log.write(f"{os.getpid()}\n")
    return Counted(items, file)


def test_vectors_are_sent_once_to_each_worker(client, tmp_path):
    log = tmp_path / "unpickled"
    pipeline = make_pipeline(WordVectorizer(Counted(TABLE, log)), rational())
    scores = cross_validate(pipeline, TEXTS, Y, cv=3)["test_score"]
    pipeline.set_params(
        wordvectorizer__vectors=send_vectors(Counted(TABLE, log), client)
    )
    with joblib.parallel_config("dask"):
        found = cross_validate(pipeline, TEXTS, Y, cv=3, return_estimator=True)
        cross_validate(pipeline, TEXTS, Y, cv=3)
    np.testing.assert_array_equal(found["test_score"], scores)
    processes = log.read_text().split()
    workers = client.run(os.getpid).values()
    assert sorted(processes) == sorted(map(str, workers))
    # What comes back finds the table that is here.
    assert found["estimator"][0].predict(TEXTS[:3]).shape == (3,)


def test_vectors_of_a_file_are_read_here_and_sent(client, tmp_path):
    sent = send_vectors(write_table(tmp_path), client)
    os.unlink(tmp_path / "vectors.txt")
    X = client.submit(WordVectorizer(sent).fit_transform, TEXTS, pure=False).result()
    assert X == WordVectorizer(TABLE).fit_transform(TEXTS)


def test_a_process_that_was_not_sent_them_says_what_to_do():
    client = type("Client", (), {"register_plugin": lambda *args, **names: None})()
    sent = send_vectors(dict(TABLE), client)
    fitted = pickle.dumps(WordVectorizer(sent).fit(TEXTS))
    del sent
    gc.collect()
    vectorizer = pickle.loads(fitted)
    assert repr(vectorizer.vectors) == "<sent vectors, which are not here>"
    with pytest.raises(FileNotFoundError, match=r"set_params\(vectors=...\)"):
        vectorizer.transform(TEXTS)
    vectorizer.set_params(vectors=dict(TABLE))
    assert vectorizer.transform(TEXTS) == WordVectorizer(TABLE).fit_transform(TEXTS)


def test_vectors_are_checked_before_they_are_sent():
    with pytest.raises(ValueError, match="empty dict"):
        send_vectors({}, client=None)


# Predictions


@pytest.fixture(scope="module")
def model():
    return make_pipeline(WordVectorizer(TABLE), rational(max_epochs=4)).fit(TEXTS, Y)


def test_a_bag_is_predicted_where_it_is(client, model):
    bag = bags.from_sequence(TEXTS, npartitions=4)
    found = bag.map_partitions(predict_partition, dask.delayed(model)).compute()
    assert found == model.predict(TEXTS).tolist()
    some = bag.filter(lambda text: "tea" in text and "not" in text)
    found = some.map_partitions(predict_partition, dask.delayed(model)).compute()
    chosen = [text for text in TEXTS if "tea" in text and "not" in text]
    assert found == [*model.predict(chosen)]


def test_a_model_is_sent_once_to_each_worker(client, tmp_path):
    log = tmp_path / "unpickled"
    vectorizer = WordVectorizer(Counted(TABLE, log))
    model = make_pipeline(vectorizer, rational(max_epochs=4)).fit(TEXTS, Y)
    bag = bags.from_sequence(TEXTS, npartitions=8)
    bag.map_partitions(predict_partition, dask.delayed(model)).compute()
    processes = log.read_text().split()
    for pid in client.run(os.getpid).values():
        assert processes.count(str(pid)) <= 1, processes


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_partitions_of_a_frame_are_predicted_where_they_are(client, model, method):
    frame = pytest.importorskip("dask.dataframe")
    rows = pd.DataFrame({"text": TEXTS, "day": np.arange(60)}, index=range(100, 160))
    table = frame.from_pandas(rows, npartitions=3)
    # The first partition has no row that is left.
    column = table[table["day"] >= 30]["text"]
    meta = predict_partition(rows["text"][:0], model, method)
    found = column.map_partitions(
        predict_partition, dask.delayed(model), method, meta=meta
    ).compute()
    values = getattr(model, method)(TEXTS[30:])
    index = rows.index[30:]
    if method == "predict":
        pd.testing.assert_series_equal(
            found, pd.Series(values, index, name=method), check_dtype=False
        )
    else:
        expected = pd.DataFrame(values, index, model.classes_)
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_collections_of_dask_are_not_read_here(model):
    with pytest.raises(TypeError, match="map_partitions"):
        predict_batches(model, bags.from_sequence(TEXTS))
