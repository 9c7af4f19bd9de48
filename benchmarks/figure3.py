"""Figure 3 of the paper: accuracy over size, five sets, both readouts.

    SKRATIONAL_DATA=... python -m benchmarks.figure3 --out FOLDER [--sets sst2 ...]

The five unregularized networks of the paper, regularization paths at its goals of 20,
40, 60 and 80 transitions, and beside them linear models and an LSTM. Whatever is chosen
is chosen on dev; test is scored once for each chosen model.

Each job leaves a file in FOLDER/rows; a run that was interrupted goes on from there and
comes to the same rows, seconds aside. Of them are made runs.csv, figure3.md and
figure3.png; with --report only that.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import _figure3_plan as plans
from benchmarks._features import load_features
from benchmarks._figure3_plan import FULL, QUICK, Job, Plan
from benchmarks._figure3_report import report
from benchmarks._figure3_runs import COLUMNS, run
from benchmarks._store import Store, finish, stem


def finish_longest_first(
    jobs: list[Job], plan: Plan, store: Store, n_jobs: int
) -> None:
    n_tokens = {
        name: load_features(name, plan.vectors[name], store.folder)["train"][0].n_tokens
        for name in dict.fromkeys(job.set for job in jobs)
    }
    jobs = sorted(jobs, key=lambda job: -plans.cost(job, n_tokens[job.set]))
    finish(jobs, partial(run, plan=plan, folder=store.folder), store, n_jobs)


def run_all(plan: Plan, sets: list[str], options: Any, store: Store) -> None:
    """Search, then run what was found."""
    search = plans.search_jobs(plan, sets)
    finish_longest_first(search, plan, store, options.jobs)
    found = [row for job in search for row in store.rows[stem(job)]]
    n_seeds = options.seeds or plan.n_seeds
    jobs = plans.runs(plan, sets, n_seeds, found)
    finish_longest_first(jobs, plan, store, options.jobs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--sets", nargs="+", choices=FULL.vectors)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seeds", type=int, help=f"at most; default {FULL.n_seeds}")
    parser.add_argument(
        "--quick", action="store_true", help="tiny, on planted patterns"
    )
    parser.add_argument("--report", action="store_true", help="of the rows there are")
    options = parser.parse_args()
    if options.quick and options.sets:
        parser.error("--quick has a set of its own; expected no --sets beside it")
    plan = QUICK if options.quick else FULL
    store = Store(options.out, plan.settings(), COLUMNS)
    if not options.report:
        run_all(plan, options.sets or list(plan.vectors), options, store)
    if not store.rows:
        sys.exit(f"{options.out} holds no rows to report; run without --report first.")
    store.write_csv()
    report(store.all_rows(), options.out)


if __name__ == "__main__":
    main()
