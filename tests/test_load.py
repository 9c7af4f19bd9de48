"""Many fits, at once and one after the other; and fits that a key interrupts."""

import gc
import random
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, cpu_count, delayed, parallel_config

from benchmarks import interrupts, soak
from skrational import (
    ModuliRNNClassifier,
    SequenceArray,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
)

SMALL = {
    "warmup_epochs": 1,
    "max_epochs": 2,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 3,
}
RNG = np.random.default_rng(0)
X = SequenceArray(RNG.normal(size=(300, 6)), np.arange(0, 301, 5))
Y = np.arange(60) % 2


def estimators(seed):
    automata = {"n_wfsas": 4, "n_states": 2, "lambda_": 1e-4}
    return [
        SparseRationalClassifier(**automata, **SMALL, random_state=seed),
        SparseRationalClassifier(
            **automata, **SMALL, random_state=seed, semiring="max-plus"
        ),
        SparseLSTMClassifier(n_units=3, **SMALL, random_state=seed),
        SparseGRUClassifier(n_units=3, **SMALL, random_state=seed),
        ModuliRNNClassifier(n_hidden=6, sparsity=0.5, **SMALL, random_state=seed),
    ]


def bits(estimator):
    fitted = estimator.fit(X, Y)
    arrays = [*fitted.weights_.values(), fitted.coef_, fitted.decision_function(X)]
    return [array.copy() for array in arrays]


def test_eight_threads_that_fit_at_once_get_what_one_gets():
    expected = [bits(e) for seed in range(4) for e in estimators(seed)]
    at_once = [e for seed in range(4) for e in estimators(seed)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(bits, at_once))
    for mine, right in zip(found, expected, strict=True):
        for a, b in zip(mine, right, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [None, 1])
def test_workers_of_joblib_share_the_processors(limit):
    """Each worker's torch, numba and BLAS have their share of threads, in a fit too."""

    def count(seed):
        import threadpoolctl
        import torch
        from numba.core import config

        from skrational import SparseRationalClassifier
        from skrational.utils.threads import given_threads

        counts = []

        class Noticing(SparseRationalClassifier):
            def _dense_cell(self, *args):
                counts.append(("in a fit", torch.get_num_threads()))
                return super()._dense_cell(*args)

        Noticing(n_wfsas=2, **SMALL, random_state=seed).fit(X, Y)
        counts += [
            ("torch", torch.get_num_threads()),
            ("numba", config.NUMBA_NUM_THREADS),
            ("given", given_threads()),
            *(
                (library["internal_api"], library["num_threads"])
                for library in threadpoolctl.threadpool_info()
            ),
        ]
        return counts

    options = {} if limit is None else {"inner_max_num_threads": limit}
    with parallel_config("loky", **options):
        found = Parallel(n_jobs=2)(delayed(count)(seed) for seed in range(2))
    most = limit or max(1, cpu_count() // 2)
    for counts in found:
        assert {"in a fit", "torch", "numba", "given"} < {name for name, _ in counts}
        for name, n_threads in counts:
            assert 1 <= n_threads <= (1 if name == "in a fit" else most), counts


@pytest.mark.parametrize("kind, n", [("fits", 32), ("predictions", 140)])
def test_memory_descriptors_and_threads_stay_flat(kind, n):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        readings = soak.soak(getattr(soak, kind)(), n, n_readings=6)
    for name in ("descriptors", "threads"):
        assert len({reading[name] for reading in readings}) == 1, readings
    assert soak.growth(readings)["rss"] < 0.05, readings


def test_growth_is_found():
    flat = [{"rss": 100.0, "threads": 4.0}] * 5
    assert soak.growth(flat) == {"rss": 0, "threads": 0}
    leaking = [{"rss": 100.0 + k} for k in range(10)]
    assert soak.growth(leaking)["rss"] == pytest.approx(7 / 101)


@pytest.fixture
def no_callbacks_of_gc():
    """What others have put there may be interrupted, too, and isn't ours to mend."""
    callbacks = gc.callbacks[:]
    gc.callbacks.clear()
    yield
    gc.callbacks[:] = callbacks


# Python only tells of an interrupt that comes while an object is deleted.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("no_callbacks_of_gc")
@pytest.mark.parametrize("kind", ["fit", "gated", "language", "predict"])
def test_an_interrupt_leaves_the_process_as_it_was(kind):
    work, moments = interrupts.WORK[kind], random.Random(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work()
        expected, before = work(), interrupts.state()
        n_interrupted = 0
        for _ in range(5):
            n_interrupted += interrupts.interrupt(work, moments.uniform(1e-5, 0.02))
            assert interrupts.faults_after(work, expected, before) == []
    assert n_interrupted > 0
