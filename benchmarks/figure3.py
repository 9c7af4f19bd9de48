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
import csv
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from benchmarks import _figure3_plan as plans
from benchmarks._figure3_data import load_features
from benchmarks._figure3_plan import FULL, QUICK, Job, Plan
from benchmarks._figure3_report import report
from benchmarks._figure3_runs import COLUMNS, Row, run


class Store:
    """The rows of all finished jobs, one file a job, and one CSV of them all.

    A file is there complete or not at all, wherever a run is killed.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.rows = folder, {}
        (folder / "rows").mkdir(parents=True, exist_ok=True)
        self._check_settings(plan)
        for path in sorted((folder / "rows").glob("*.json")):
            self.rows[path.stem] = json.loads(path.read_text())

    def __contains__(self, job: Job) -> bool:
        return _stem(job) in self.rows

    def add(self, job: Job, rows: list[Row]) -> None:
        """Keep what a job found."""
        self.rows[_stem(job)] = rows
        _replace(self.folder / "rows" / f"{_stem(job)}.json", json.dumps(rows))
        self.write_csv()

    def all_rows(self) -> list[Row]:
        """In an order that doesn't depend on which job was done first."""
        return [row for stem in sorted(self.rows) for row in self.rows[stem]]

    def write_csv(self) -> None:
        """Write all rows anew."""
        path = self.folder / "runs.csv"
        unfinished = path.with_suffix(".unfinished")
        with open(unfinished, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.all_rows())
        os.replace(unfinished, path)

    def _check_settings(self, plan: Plan) -> None:
        path, settings = self.folder / "settings.json", plan.settings()
        if not path.exists():
            _replace(path, json.dumps(settings, indent=1))
        there = json.loads(path.read_text())
        differ = [name for name in settings if there.get(name) != settings[name]]
        if differ:
            sys.exit(
                f"{self.folder} holds rows of other settings ({', '.join(differ)}); "
                "expected a new folder, or the settings of settings.json."
            )


def _stem(job: Job) -> str:
    return re.sub(r"[^a-z0-9]+", "_", job.key.lower()).strip("_")


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def finish(jobs: list[Job], plan: Plan, store: Store, n_jobs: int) -> None:
    """Do the jobs that have no rows yet, the longest first."""
    n_tokens = {
        name: load_features(name, plan.vectors[name], store.folder)["train"][0].n_tokens
        for name in dict.fromkeys(job.set for job in jobs)
    }
    waiting = [job for job in jobs if job not in store]
    waiting.sort(key=lambda job: -plans.cost(job, n_tokens[job.set]))
    start = time.perf_counter()
    parallel = Parallel(n_jobs, return_as="generator_unordered", batch_size=1)
    done = parallel(delayed(run)(job, plan, store.folder) for job in waiting)
    for i, (job, rows) in enumerate(done, 1):
        store.add(job, rows)
        minutes = (time.perf_counter() - start) / 60
        print(
            f"{minutes:5.1f} min, {i} of {len(waiting)}: {job.key}, "
            f"{rows[0]['seconds']:.1f} s",
            flush=True,
        )


def run_all(plan: Plan, sets: list[str], options: Any, store: Store) -> None:
    """Search, then run what was found."""
    search = plans.search_jobs(plan, sets)
    finish(search, plan, store, options.jobs)
    found = [row for job in search for row in store.rows[_stem(job)]]
    n_seeds = options.seeds or plan.n_seeds
    finish(plans.runs(plan, sets, n_seeds, found), plan, store, options.jobs)


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
    store = Store(options.out, plan)
    if not options.report:
        run_all(plan, options.sets or list(plan.vectors), options, store)
    if not store.rows:
        sys.exit(f"{options.out} holds no rows to report; run without --report first.")
    store.write_csv()
    report(store.all_rows(), options.out)


if __name__ == "__main__":
    main()
