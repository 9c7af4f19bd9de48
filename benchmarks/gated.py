"""Which gates are left: LSTMs of three sets and two language models, arm by arm.

    SKRATIONAL_DATA=... python -m benchmarks.gated --out FOLDER [--tasks imdb ...]

Paths of the paper's arms, W, W+N and W+G+N, in both frameworks, and beside them the
dense LSTM, sparse rational networks, and TF-IDF with logistic regression. Whatever is
chosen is chosen on dev.

Each job leaves a file in FOLDER/rows; a run that was interrupted goes on from there, in
a path after its last point, and comes to the same rows, seconds aside. Of them are made
runs.csv, gated.md, gates.png and gates_dark.png; with --report only that.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

import skrational
from benchmarks import _gated_plan as plans
from benchmarks._features import load_features
from benchmarks._gated_plan import FULL, QUICK, Plan
from benchmarks._gated_report import report
from benchmarks._gated_runs import COLUMNS, run
from benchmarks._store import Store, finish


def run_all(plan: Plan, options: Any, store: Store) -> None:
    tasks = options.tasks or [*plan.recipes, *plan.languages]
    if not hasattr(skrational, "SparseLSTMLanguageModel"):
        print("There is no SparseLSTMLanguageModel: language models are left out.")
        tasks = [name for name in tasks if name not in plan.languages]
    jobs = plans.jobs(plan, tasks, options.frameworks)
    # Once, before several processes look for the same file.
    for name in plan.recipes.keys() & {job.set for job in jobs if job not in store}:
        load_features(name, plans.VECTORS, store.folder)
    finish(jobs, partial(run, plan=plan, folder=store.folder), store, options.jobs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--tasks", nargs="+", choices=[*FULL.recipes, *FULL.languages])
    parser.add_argument(
        "--frameworks", nargs="+", choices=plans.FRAMEWORKS, default=plans.FRAMEWORKS
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--quick", action="store_true", help="tiny, on trec")
    parser.add_argument("--report", action="store_true", help="of the rows there are")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    store = Store(options.out, plan.settings(), COLUMNS)
    if not options.report:
        run_all(plan, options, store)
    if not store.rows:
        sys.exit(f"{options.out} holds no rows to report; run without --report first.")
    store.write_csv()
    report(store.all_rows(), plan, options.out)


if __name__ == "__main__":
    main()
