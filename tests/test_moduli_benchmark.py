"""The report of the moduli benchmark, of rows whose figures are known."""

import pytest

from benchmarks._moduli_plan import ARMS, FULL, QUICK, Job, final, sweep
from benchmarks._moduli_report import Results, claims, print_report, table
from benchmarks._moduli_runs import COLUMNS
from benchmarks._store import Store


def row(arm, dev, test=None, seed=0, sparsity=0.5, lambda_=0.1, **values):
    blank = dict.fromkeys(COLUMNS, "") | {"task": "adding", "arm": arm, "seed": seed}
    of_row = {"sparsity": sparsity, "lambda_": lambda_, "n_links": 7, "seconds": 1.0}
    return blank | of_row | {"dev": dev, "test": dev if test is None else test} | values


def rows():
    """The torus is best at 1, the others at .1; each seed of the torus gains .2."""
    found = [row("dense", 0.1, sparsity=0.0, lambda_=0.0, seed=s) for s in (0, 1)]
    for arm in ("torus", "permuted", "L1"):
        best = 1.0 if arm == "torus" else 0.1
        found += [row(arm, 0.5 if x == best else 0.9, lambda_=x) for x in (0.1, 1.0)]
        for seed in (0, 1):
            test = 0.5 + 0.1 * seed + (0.0 if arm == "torus" else 0.2)
            settings = {"lambda_": best, "seed": seed, "test_retrained": 0.9}
            found.append(row(arm, 0.5, test, **settings))
    return found


def test_strengths_are_those_that_are_best_on_dev():
    best = Results(rows(), QUICK).best_lambdas()
    assert best == {
        ("adding", "torus", 0.5): 1.0,
        ("adding", "permuted", 0.5): 0.1,
        ("adding", "L1", 0.5): 0.1,
    }


def test_an_arm_has_a_row_for_each_seed_at_its_strength():
    results = Results(rows(), QUICK)
    assert results.values("adding", "torus", 0.5).tolist() == [0.5, 0.6]
    assert (
        results.values("adding", "torus", 0.5, "test_retrained").tolist() == [0.9] * 2
    )


def test_gains_are_told_in_standard_errors_of_the_difference():
    # Each mean has a standard error of .05; the gain is .2.
    line = next(claims(Results(rows(), QUICK)))
    assert line.startswith("adding, 50%: torus 0.55;")
    assert f"permuted 0.75 ({0.2 / (2 * 0.05**2) ** 0.5:+.1f} standard errors)" in line


def test_the_table_has_means_and_errors():
    by_arm = {cells[0]: cells for cells in table(Results(rows(), QUICK), "adding")}
    assert by_arm["torus"][5:7] == ("0.55", "0.05")
    assert by_arm["dense"][7] == ""


def test_the_report_prints_what_there_is(capsys, tmp_path):
    print_report(Results(rows(), QUICK), tmp_path)
    assert "### adding" in capsys.readouterr().out


@pytest.mark.parametrize("plan", [QUICK, FULL])
def test_every_arm_is_swept_and_every_mask_retrained(plan):
    tasks = list(plan.tasks)
    swept = sweep(plan, tasks)
    n_sparse = len(tasks) * len(plan.sparsities)
    assert len(swept) == n_sparse * len(ARMS) * len(plan.lambdas)
    jobs = final(plan, tasks, {})
    n_final = plan.n_seeds * n_sparse * (len(ARMS) + 1)
    assert len(jobs) == n_final + plan.n_seeds * len(tasks)
    assert sum(job.retrains for job in jobs) == n_final
    assert len({job.key for job in swept + jobs}) == len(swept) + len(jobs)


def test_rows_of_a_csv_are_taken_over(tmp_path):
    first = Store(tmp_path / "first", {}, COLUMNS)
    for found in rows():
        first.add(Job.of_row(found), [found])
    second = Store(tmp_path / "second", {}, COLUMNS)
    second.adopt(tmp_path / "first" / "runs.csv", Job.of_row)
    assert second.all_rows() == first.all_rows()
