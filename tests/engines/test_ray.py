"""Ray's backend of joblib: the same bits as here."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None or sys.platform == "win32",
        reason="needs ray",
    ),
]


@pytest.fixture
def folder():
    # That of a test is too long for the names of Ray's sockets.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield folder


def test_searches_give_the_bits_of_one_process(folder):
    """In a process of its own: Ray changes joblib's pools for good."""
    script = """
        import sys
        from pathlib import Path

        import joblib
        import numpy as np
        import ray
        from ray.util.joblib import register_ray
        from sklearn.model_selection import cross_validate
        from sklearn.pipeline import make_pipeline
        from skrational import (
            SparseRationalClassifier, SparseRationalClassifierCV, WordVectorizer
        )

        words = ("not", "worth", "it", "good", "bad", "the", "a", "tea")
        rng = np.random.default_rng(0)
        file = Path(sys.argv[1], "vectors.txt")
        rows = [f"{w} " + " ".join(map(str, rng.normal(size=5))) for w in words]
        file.write_text("\\n".join(rows) + "\\n")
        texts = [" ".join(rng.choice(words, rng.integers(1, 9))) for _ in range(40)]
        y = np.array(["yes" if "not" in text else "no" for text in texts])
        clf = SparseRationalClassifier(
            n_wfsas=3, lambda_=1e-3, warmup_epochs=1, max_epochs=1, finetune_epochs=1,
            min_steps_per_epoch=4, random_state=0,
        )
        pipeline = make_pipeline(WordVectorizer(file), clf)
        X = WordVectorizer(file).fit_transform(texts)

        def fits():
            folds = cross_validate(pipeline, texts, y, cv=2, return_estimator=True)
            search = SparseRationalClassifierCV(
                clf, n_lambdas=2, cv=2, random_state=0
            ).fit(X, y)
            fitted = [pipeline[-1] for pipeline in folds["estimator"]]
            fitted += [path[0] for path in search.paths_] + [search.best_estimator_]
            arrays = [[c.coef_, c.intercept_, *c.weights_.values()] for c in fitted]
            return [np.concatenate([a.ravel() for a in some]) for some in arrays]

        here = fits()
        register_ray()
        ray.init(
            num_cpus=2, include_dashboard=False, log_to_driver=False,
            object_store_memory=100 * 2**20, _temp_dir=sys.argv[1],
        )
        try:
            with joblib.parallel_config("ray", n_jobs=2):
                there = fits()
        finally:
            ray.shutdown()
        for mine, expected in zip(there, here, strict=True):
            assert np.array_equal(mine, expected)
        print("the same")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), folder],
        env=os.environ
        | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)}
        | {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_AUTH_MODE": "disabled"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.endswith("the same\n")
