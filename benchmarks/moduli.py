"""Whether geometry helps: pruned networks on manifolds, beside controls without one.

    SKRATIONAL_DATA=... python -m benchmarks.moduli --out FOLDER [--tasks adding ...]

Elman networks are pruned to 90 and 98 % under moduli regularization on different
manifolds, with the costs permuted, under L1, and without a penalty. Every arm takes the
strength that is best on validation data. The masks are then trained anew from other
weights.

Each job leaves a file in FOLDER/rows; a run that was interrupted goes on from there. Of
them are made runs.csv, moduli.md, moduli.png and moduli_dark.png; with --report only
that.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

import skrational
from benchmarks import _moduli_plan as plans
from benchmarks._features import load_features
from benchmarks._moduli_plan import FULL, QUICK, Job, Plan
from benchmarks._moduli_report import Results, report
from benchmarks._moduli_runs import COLUMNS, VECTORS, run
from benchmarks._store import Store, finish


def run_all(plan: Plan, options: Any, store: Store) -> None:
    tasks = [name for name in plan.tasks if name in (options.tasks or plan.tasks)]
    if not hasattr(skrational, "ModuliRNNLanguageModel"):
        tasks = [name for name in tasks if name != "next word"]
    # Once, before several processes look for the same file.
    for name in {"sst2", "amazon_kitchen"} & set(tasks):
        load_features(name, VECTORS, store.folder)
    work = partial(run, plan=plan, folder=store.folder)
    for task in tasks:
        finish(plans.sweep(plan, [task]), work, store, options.jobs)
        best = Results(store.all_rows(), plan).best_lambdas()
        finish(plans.final(plan, [task], best), work, store, options.jobs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--tasks", nargs="+", choices=FULL.tasks)
    parser.add_argument(
        "--rows", type=Path, metavar="CSV", help="go on from the runs.csv of another"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--quick", action="store_true", help="tiny networks")
    parser.add_argument("--report", action="store_true", help="of the rows there are")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    store = Store(options.out, plan.settings(), COLUMNS)
    if options.rows:
        store.adopt(options.rows, Job.of_row)
    if not options.report:
        run_all(plan, options, store)
    if not store.rows:
        sys.exit(f"{options.out} holds no rows to report; run without --report first.")
    store.write_csv()
    report(store.all_rows(), plan, options.out)


if __name__ == "__main__":
    main()
