"""The report of the gated benchmark, of rows whose figures are known."""

import numpy as np
import pytest

from benchmarks._gated_choice import Results, bytes_at, gates_ratio, size_at
from benchmarks._gated_plan import FULL, GROUP_LASSO, QUICK, jobs
from benchmarks._gated_runs import COLUMNS


def row(arm, n_gates, dev, test=None, seed=0, **values):
    blank = dict.fromkeys(COLUMNS, "") | {"set": "trec", "seed": seed, "arm": arm}
    of_row = {"framework": "" if arm == "dense" else GROUP_LASSO, "lambda_": 0.1}
    sizes = {"n_gates": n_gates, "n_bytes": 10 * n_gates, "dev": dev}
    return blank | of_row | sizes | {"test": dev if test is None else test} | values


def test_gates_are_interpolated_over_their_logarithm():
    path = [row("W", 100, 0.9), row("W", 10, 0.8), row("W", 1, 0.7), row("W", 0, 0.2)]
    levels = np.array([0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
    expected = [np.nan, 1, 10**0.5, 10, 10**1.5, 100, np.nan]
    np.testing.assert_allclose(size_at(path, "n_gates", "dev", levels), expected)


def test_a_model_that_is_larger_and_worse_changes_nothing():
    path = [row("W", 10, 0.8), row("W", 100, 0.9)]
    worse = row("W", 50, 0.7)
    levels = np.array([0.8, 0.85, 0.9])
    before = size_at(path, "n_gates", "dev", levels)
    np.testing.assert_allclose(
        size_at([*path, worse], "n_gates", "dev", levels), before
    )


def test_the_ratio_of_gates_is_that_of_paths_of_equal_shape():
    rows = [row("dense", 256, 0.9, seed=seed) for seed in (0, 1)]
    for seed, ratio in enumerate((0.5, 0.25)):
        for n, accuracy in ((8, 0.85), (64, 0.89), (128, 0.91)):
            rows.append(row("W+N", n, accuracy, seed=seed))
            rows.append(row("W+G+N", n * ratio, accuracy, seed=seed))
    ratios = gates_ratio(
        Results(rows, QUICK), "trec", GROUP_LASSO, "test", (0, 1, 5, 20)
    )
    expected = [[0.5, 0.5, 0.5, np.nan], [0.25, 0.25, 0.25, np.nan]]
    np.testing.assert_allclose(ratios, expected)


def test_bytes_are_interpolated_over_their_logarithm_and_the_seeds():
    rows = [row("dense", 256, 0.9)]
    for seed, scale in enumerate((1, 4)):
        for n, accuracy in ((10, 0.88), (1000, 0.9)):
            values = {"seed": seed, "n_bytes_initial": 40000}
            rows.append(row("W", n * scale, accuracy, **values))
    # 100 and 400 gates are 1,000 and 4,000 bytes.
    times = bytes_at(Results(rows, QUICK), "trec", 0.01, arm="W")
    assert times == pytest.approx(20)


def test_models_are_chosen_on_dev_alone():
    rows = [row("dense", 256, 0.9)]
    rows += [row("W", 40, 0.892, 0.7), row("W", 20, 0.89, 0.6), row("W", 10, 0.88, 0.9)]
    results = Results(rows, QUICK)
    assert [r["n_gates"] for r in results.smallest("trec", arm="W")] == [20]
    assert [r["n_gates"] for r in results.best("trec", arm="W")] == [40]


def test_of_language_models_less_is_better():
    of_words = {"set": "word_lm"}
    rows = [row("dense", 256, 100.0, **of_words)]
    rows += [row("W", n, dev, **of_words) for n, dev in ((9, 106), (20, 104), (90, 95))]
    results = Results(rows, QUICK)
    assert [r["n_gates"] for r in results.smallest("word_lm", arm="W")] == [20]
    assert [r["n_gates"] for r in results.best("word_lm", arm="W")] == [90]


@pytest.mark.parametrize("plan", [FULL, QUICK])
def test_each_job_has_a_file_of_its_own(plan):
    from benchmarks._store import stem

    tasks = [*plan.recipes, *plan.languages]
    stems = [stem(job) for job in jobs(plan, tasks, ["group_lasso", "bayes"])]
    assert len(set(stems)) == len(stems)
