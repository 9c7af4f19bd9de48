"""Forks, worker processes, caches and settings: each case in a process of its own."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import skrational

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

# Two threads share all work, however little it is.
PREAMBLE = """
import os
import sys
from pathlib import Path

import numpy as np
import torch

from skrational import SequenceArray, SparseRationalClassifier
from skrational.kernels.cpu import passes, prediction

torch.set_num_threads(2)
passes._LEAST_PRODUCT = passes._LEAST_WALK = 0
prediction._SHARED_TOKENS = 1
folder = Path(sys.argv[1])
rng = np.random.default_rng(0)
features = rng.normal(size=(600, 8)).astype(np.float32)
ids = rng.integers(0, 600, 6000)
X = SequenceArray(features, np.arange(0, 6001, 20), ids)
y = (ids.reshape(300, 20) < 30).any(axis=1)


def quick(**params):
    defaults = dict(
        n_wfsas=18, n_states=4, lambda_=1e-4, batch_size=100, warmup_epochs=1,
        max_epochs=1, finetune_epochs=1, random_state=0,
    )
    return SparseRationalClassifier(**(defaults | params))


def bits(clf, X=X):
    return [clf.coef_, clf.intercept_, *clf.weights_.values(), clf.decision_function(X)]


def assert_same(mine, expected):
    for a, b in zip(mine, expected, strict=True):
        assert a.dtype == b.dtype and np.array_equal(a, b)
"""


def run(tmp_path, script, env=None, before="", timeout=120):
    """Run a script; what it says when it fails, or when it hangs, is shown.

    ``before`` runs before anything is imported.
    """
    variables = {
        key: value for key, value in os.environ.items() if key != "SKRATIONAL_KERNEL"
    }
    # As many threads as there are in the preamble, on any machine.
    variables |= {"NUMBA_NUM_THREADS": "2"} | (env or {})
    script = textwrap.dedent(before) + PREAMBLE + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr


@needs_fork
def test_a_forked_child_fits_and_predicts_the_same_bits(tmp_path):
    run(
        tmp_path,
        """
        import threading
        import warnings

        warnings.simplefilter("ignore")  # a fork of a process with threads
        clf = quick().fit(X, y)
        expected = bits(clf)
        names = [thread.name for thread in threading.enumerate()]
        assert any(name.startswith("skrational") for name in names)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                assert_same(bits(clf), expected)
                assert_same(bits(quick().fit(X, y)), expected)
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert_same(bits(quick().fit(X, y)), expected)
        """,
    )


@needs_fork
def test_forked_workers_of_multiprocessing_fit_and_predict_the_same_bits(tmp_path):
    run(
        tmp_path,
        """
        import multiprocessing
        import warnings

        warnings.simplefilter("ignore")

        def fit(seed):
            return bits(quick(random_state=seed).fit(X, y))

        expected = [fit(seed) for seed in range(2)]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            for mine, theirs in zip(pool.map(fit, range(2)), expected, strict=True):
                assert_same(mine, theirs)
        """,
    )


def test_fits_in_threads_of_joblib_give_the_same_bits(tmp_path):
    run(
        tmp_path,
        """
        from joblib import Parallel, delayed

        def fit(seed):
            return bits(quick(random_state=seed).fit(X, y))

        expected = [fit(seed) for seed in range(4)]
        with Parallel(n_jobs=2, backend="threading") as parallel:
            for _ in range(3):
                fits = parallel(delayed(fit)(seed) for seed in range(4))
                for mine, theirs in zip(fits, expected, strict=True):
                    assert_same(mine, theirs)
        assert torch.get_num_threads() == 2
        """,
    )


def test_fits_in_processes_of_joblib_give_the_same_bits(tmp_path):
    run(
        tmp_path,
        """
        from joblib import Parallel, delayed

        def fits(n_jobs):
            return Parallel(n_jobs=n_jobs)(
                delayed(quick(random_state=seed).fit)(X, y) for seed in range(2)
            )

        for mine, expected in zip(fits(2), fits(1), strict=True):
            assert_same(bits(mine), bits(expected))
        """,
    )


def test_the_number_of_torch_threads_is_left_as_it_was(tmp_path):
    run(
        tmp_path,
        """
        def interrupt(*args):
            raise KeyboardInterrupt

        for n_threads in (2, 1, 3):
            torch.set_num_threads(n_threads)
            clf = quick().fit(X, y)
            assert torch.get_num_threads() == n_threads
            for form in (X, SequenceArray(features[ids], X.offsets), X.to_list()):
                clf.predict(form)
                assert torch.get_num_threads() == n_threads
            bad = features.copy()
            bad[:] = np.nan
            for call in (
                lambda: clf.predict(SequenceArray(bad, X.offsets, ids)),
                lambda: clf.predict(SequenceArray(bad[ids], X.offsets)),
                lambda: quick().fit(SequenceArray(bad, X.offsets, ids), y),
                lambda: quick(learning_rate=1e30, lambda_=0).fit(X, y),
            ):
                try:
                    with np.errstate(all="ignore"):
                        call()
                except ValueError:
                    assert torch.get_num_threads() == n_threads
                else:
                    raise AssertionError

            project = prediction.PackedAutomata.project
            prediction.PackedAutomata.project = interrupt
            try:
                clf.predict(SequenceArray(features[::-1], X.offsets, ids))
            except KeyboardInterrupt:
                assert torch.get_num_threads() == n_threads
            else:
                raise AssertionError
            prediction.PackedAutomata.project = project
        """,
    )


def test_a_cache_folder_that_cannot_be_made_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    run(
        tmp_path,
        "bits(quick().fit(X, y))",
        env={"NUMBA_CACHE_DIR": str(tmp_path / "file" / "cache")},
    )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


COUNT_COMPILATIONS = """
import numba

bits(quick().fit(X, y))
modules = [m for name, m in sys.modules.items() if name.startswith("skrational")]
compiled = {
    id(value): value
    for module in modules
    for value in vars(module).values()
    if isinstance(value, numba.core.dispatcher.Dispatcher)
}.values()
hits = sum(sum(d.stats.cache_hits.values()) for d in compiled)
misses = sum(sum(d.stats.cache_misses.values()) for d in compiled)
"""


def test_nothing_is_cached_where_nothing_can_be_written(tmp_path):
    run(
        tmp_path,
        COUNT_COMPILATIONS
        + """
assert hits == 0
assert all(d._cache.cache_path is None for d in compiled)
assert sum(len(d.signatures) for d in compiled) > 10
""",
        # Optimizing takes a while and is not what is tested.
        env={"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_OPT": "0"},
        before="""
        import numba.core.caching

        numba.core.caching.CacheImpl._locator_classes = []
        """,
    )
    assert not list(tmp_path.iterdir())


def test_the_second_process_compiles_nothing(tmp_path):
    env = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    run(tmp_path, COUNT_COMPILATIONS + "assert misses > 0", env)
    files = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    assert {path.suffix for path in files} == {".nbi", ".nbc"}
    run(tmp_path, COUNT_COMPILATIONS + "assert hits > 0 and misses == 0", env)
    again = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    assert again == files


@pytest.mark.parametrize("room", ["utils", "kernels/cpu", "penalties", "a/new/room"])
def test_a_change_of_one_file_compiles_again_what_others_made_of_it(tmp_path, room):
    package = tmp_path / "skrational"
    shutil.copytree(
        Path(skrational.__file__).parent,
        package,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    # A caller keeps what it calls, and constants, in its own machine code.
    callee = package / room / "callee.py"
    callee.parent.mkdir(parents=True, exist_ok=True)
    callee.write_text(
        "from skrational.utils.compile import jit\n\n"
        "@jit\ndef f(x):\n    return x + 1\n"
    )
    name = f"skrational.{room.replace('/', '.')}"
    (package / "sequences" / "caller.py").write_text(
        f"from {name}.callee import f\n"
        "from skrational.utils.compile import jit\n\n"
        "@jit\ndef g(x):\n    return f(x)\n"
    )

    def result():
        script = "from skrational.sequences.caller import g; print(g(1))"
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return int(done.stdout)

    assert result() == result() == 2
    callee.write_text(callee.read_text().replace("x + 1", "x + 10"))
    assert result() == 11


FORCE = """
def fails_before_any_work(error, message, **params):
    clf = quick(**params)
    try:
        clf.fit(X, y)
    except error as raised:
        assert message in str(raised), raised
    else:
        raise AssertionError
    assert not hasattr(clf, "classes_") and not hasattr(clf, "history_")
"""


def test_a_kernel_that_is_not_installed_says_how_to_get_it(tmp_path):
    run(
        tmp_path,
        FORCE + """fails_before_any_work(ImportError, "pip install 'triton>=3.4'")""",
        env={"SKRATIONAL_KERNEL": "triton"},
        before="""
        import sys

        sys.modules["triton"] = None  # as if it were not installed
        """,
    )


def test_the_environment_names_a_kernel_that_there_is(tmp_path):
    run(
        tmp_path,
        FORCE
        + """
os.environ["SKRATIONAL_KERNEL"] = "fortran"
fails_before_any_work(ValueError, "'fortran'; expected 'numba'")
os.environ["SKRATIONAL_KERNEL"] = "numba"
expected = bits(quick().fit(X, y))
del os.environ["SKRATIONAL_KERNEL"]
assert_same(bits(quick().fit(X, y)), expected)
""",
        env={"SKRATIONAL_KERNEL": "numba"},
    )
