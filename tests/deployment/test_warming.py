"""After warm_up nothing is left to be compiled."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skrational.utils import compile as compile_module
from skrational.utils.compile import jit, kept_kernels

COUNT_COMPILATIONS = """
import warnings
from numba.core import event

names = []

class Listener(event.Listener):
    def on_start(self, started):
        names.append(started.data["dispatcher"].py_func.__qualname__)

    def on_end(self, ended):
        pass

event.register("numba:compile", Listener())
warnings.simplefilter("ignore")
"""

CALLED = """
import warnings
warnings.simplefilter("ignore")
{code}
from skrational.utils.compile import _kernels

for kernel in _kernels:
    for signature in kernel.signatures:
        print(kernel.py_func.__module__, kernel.py_func.__qualname__, signature)
"""

PREDICT = """
import joblib

pipelines, lists, model = joblib.load({path!r})
many = " ".join("word" + str(i) for i in range(5000))
for pipeline in pipelines:
    for texts in (
        ["good"], ["na\\u00efve, isn't it?"], [""], [many], [many] * 9,
        [["New York", "is"]],
    ):
        pipeline.predict(texts)
        pipeline.predict_proba(texts)
for clf, arrays in lists:
    clf.predict(arrays)
model.score(["good one"])
model.generate(2)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A file of fitted pipelines, classifiers and what they read, and a model."""
    import joblib
    import numpy as np
    from sklearn.pipeline import make_pipeline

    from skrational import (
        ModuliRNNClassifier,
        SparseGRUClassifier,
        SparseLSTMClassifier,
        SparseLSTMLanguageModel,
        SparseRationalClassifier,
        WordVectorizer,
    )

    texts, labels = ["good one", "bad one", "good", "bad bad"] * 4, [1, 0, 1, 0] * 4
    epochs = {"warmup_epochs": 1, "max_epochs": 1, "finetune_epochs": 1}
    vectors = {"good": [1.0, 0.0], "bad": [0.0, 1.0], "one": [1.0, 1.0]}
    pipelines, lists = [], []
    for build, options in (
        (SparseRationalClassifier, {"n_wfsas": 3, "dtype": "float32"}),
        (
            SparseRationalClassifier,
            {"n_wfsas": 3, "dtype": "float64", "match": "end"},
        ),
        (
            SparseRationalClassifier,
            {"n_wfsas": 3, "readout": "rho", "n_states": (1, 3, 6)},
        ),
        (SparseRationalClassifier, {"n_wfsas": 3, "semiring": "max-plus"}),
        (SparseLSTMClassifier, {"n_units": 3, "dtype": "float64"}),
        (SparseLSTMClassifier, {"n_units": 3, "readout": "last"}),
        (SparseGRUClassifier, {"n_units": 3}),
        (SparseGRUClassifier, {"n_units": 3, "dtype": "float64"}),
        (ModuliRNNClassifier, {"n_hidden": 3}),
        (ModuliRNNClassifier, {"n_hidden": 8, "sparsity": 0.9, "dtype": "float64"}),
        (ModuliRNNClassifier, {"n_hidden": 3, "cell": "gru", "readout": "last"}),
    ):
        for oov in ("random", "drop"):
            clf = build(lambda_=0, random_state=0, **epochs, **options)
            vectorizer = WordVectorizer(vectors, oov=oov, lowercase=oov == "drop")
            pipelines.append(make_pipeline(vectorizer, clf).fit(texts, labels))
            rows = [np.ones((3, 2), t) for t in ("f2", "f4", "f8")]
            lists += [(clf, [array]) for array in rows]
    model = SparseLSTMLanguageModel(n_units=3, random_state=0, **epochs).fit(texts)
    path = tmp_path_factory.mktemp("warming") / "pipelines.joblib"
    joblib.dump((pipelines, lists, model), path)
    return path


def run(code, folder=None):
    environment = dict(os.environ)
    if folder is not None:
        environment["NUMBA_CACHE_DIR"] = str(folder)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def called_by(code):
    """The kernels that are called, each with types: what a fresh cache would lack."""
    found = run(CALLED.format(code=code))
    assert found.returncode == 0, found.stderr
    return set(found.stdout.splitlines())


FIT = """
import numpy as np
from sklearn.pipeline import make_pipeline
from skrational import (
    ModuliRNNClassifier, ModuliRNNLanguageModel, ModuliRNNRegressor,
    SparseGRUClassifier, SparseLSTMClassifier, SparseLSTMLanguageModel,
    SparseRationalClassifier, WordVectorizer,
)

epochs = {"warmup_epochs": 1, "max_epochs": 1, "finetune_epochs": 1}
rng = np.random.default_rng(0)
words = [f"w{i}" for i in range(300)]
vectors = {word: row for word, row in zip(words, rng.normal(size=(300, 5)))}
texts = [" ".join(rng.choice(words, 20)) for _ in range(20)]
rational, lstm, gru = (
    SparseRationalClassifier, SparseLSTMClassifier, SparseGRUClassifier
)
for build, options in (
    (rational, {"n_wfsas": 9}), (rational, {"n_wfsas": 9, "solver": "subgradient"}),
    (rational, {"n_wfsas": 9, "penalty": "transitions"}),
    (rational, {"n_wfsas": 9, "readout": "rho"}),
    (rational, {"n_wfsas": 9, "match": "end"}),
    (lstm, {"n_units": 9}), (lstm, {"framework": "bayes"}), (gru, {"n_units": 9}),
    (ModuliRNNClassifier, {"n_hidden": 9, "activation": "relu"}),
    (ModuliRNNClassifier, {"n_hidden": 9, "cell": "lstm", "solver": "prox"}),
    (ModuliRNNRegressor, {"n_hidden": 9, "manifold": "klein"}),
):
    clf = build(random_state=0, **epochs, **options)
    pipeline = make_pipeline(WordVectorizer(vectors), clf).fit(texts, [0, 1] * 10)
    pipeline.predict(texts)
SparseLSTMLanguageModel(n_units=3, **epochs).fit(texts).generate(3)
ModuliRNNLanguageModel(n_hidden=3, **epochs).fit(texts).generate(3)
"""


@pytest.mark.slow
@pytest.mark.parametrize("fit", [False, True])
def test_what_comes_after_it_calls_no_other_kernel(fit, saved):
    warmed = called_by(f"from skrational import warm_up; warm_up(fit={fit})")
    needed = called_by(FIT if fit else PREDICT.format(path=str(saved)))
    assert len(needed) > 10
    assert needed <= warmed


FIRST = """
import numpy as np
from sklearn.pipeline import make_pipeline
from skrational import SparseRationalClassifier, WordVectorizer
from skrational.utils.compile import _kernels

words = [f"w{i}" for i in range(300)]
rng = np.random.default_rng(0)
texts = [" ".join(rng.choice(words, 20)) for _ in range(50)]
clf = SparseRationalClassifier(random_state=0, **EPOCHS)
pipeline = make_pipeline(WordVectorizer(), clf).fit(texts, [0, 1] * 25)
pipeline.predict(texts)
assert names
twice = [kernel for kernel in _kernels if len(kernel.signatures) > 1]
# What reads slabs reads them from arrays that can be written to, and others.
twice += [
    kernel
    for kernel in _kernels
    if len(kernel.parts) > 1 and not kernel.__module__.endswith("cpu.slabs")
]
assert not twice, [(k.py_func, k.signatures, list(k.parts)) for k in twice]
"""


@pytest.mark.slow
def test_a_first_fit_and_prediction_compile_each_kernel_once(tmp_path):
    epochs = "EPOCHS = dict(warmup_epochs=1, max_epochs=1, finetune_epochs=1)\n"
    code = COUNT_COMPILATIONS + epochs + FIRST
    # At once, as workers start.
    with ThreadPoolExecutor() as pool:
        for found in pool.map(run, [code] * 2, [tmp_path] * 2):
            assert found.returncode == 0, found.stderr
    again = code.replace("assert names", "assert not names, names")
    found = run(again, tmp_path)
    assert found.returncode == 0, found.stderr


HERE = Path(__file__).parent


class TestKeeping:
    @pytest.fixture(autouse=True)
    def own_kernels(self, monkeypatch, tmp_path):
        monkeypatch.setattr(compile_module, "_kernels", [])
        monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))

    def test_folders_are_named(self, tmp_path):
        double = jit(lambda x: 2 * x)
        assert kept_kernels(HERE) == []
        double(1)
        (folder,) = kept_kernels(HERE)
        assert folder.is_relative_to(tmp_path)
        assert list(folder.glob("*.nbi"))

    def test_without_any_folder(self, monkeypatch):
        monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])
        jit(lambda x: 2 * x)(1)
        with pytest.raises(OSError, match="NUMBA_CACHE_DIR name a folder"):
            kept_kernels(HERE)

    def test_on_a_full_disk(self, monkeypatch):
        def full(*args, **options):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("numba.core.caching.IndexDataCacheFile.save", full)
        assert jit(lambda x: 2 * x)(1) == 2
        with pytest.raises(OSError, match=r"can't be kept in .*No space left"):
            kept_kernels(HERE)
