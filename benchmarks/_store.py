"""The rows of a long run, kept job by job: whoever is killed goes on from there."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from joblib import Parallel, delayed

Row = dict[str, Any]


class Job(Protocol):
    """A piece of work, known by its key."""

    @property
    def key(self) -> str: ...


class Store:
    """The rows of all finished jobs, one file a job, and one CSV of them all.

    A file is there complete or not at all, wherever a run is killed.
    """

    def __init__(
        self, folder: Path, settings: dict[str, Any], columns: Iterable[str]
    ) -> None:
        self.folder, self.columns = folder, tuple(columns)
        self.rows: dict[str, list[Row]] = {}
        (folder / "rows").mkdir(parents=True, exist_ok=True)
        self._check_settings(settings)
        for path in sorted((folder / "rows").glob("*.json")):
            self.rows[path.stem] = json.loads(path.read_text())

    def __contains__(self, job: Job) -> bool:
        return stem(job) in self.rows

    def add(self, job: Job, rows: list[Row]) -> None:
        """Keep what a job found."""
        self.rows[stem(job)] = rows
        _replace(self.folder / "rows" / f"{stem(job)}.json", json.dumps(rows))
        self.write_csv()

    def adopt(self, path: Path, job_of: Callable[[Row], Job]) -> None:
        """Take over rows of a CSV, of one row a job, that this run hasn't got."""
        with open(path, newline="", encoding="utf-8") as file:
            for record in csv.DictReader(file):
                row = {name: _value(text) for name, text in record.items()}
                if job_of(row) not in self:
                    self.add(job_of(row), [row])

    def all_rows(self) -> list[Row]:
        """In an order that doesn't depend on which job was done first."""
        return [row for name in sorted(self.rows) for row in self.rows[name]]

    def write_csv(self) -> None:
        """Write all rows anew."""
        path = self.folder / "runs.csv"
        unfinished = path.with_suffix(".unfinished")
        with open(unfinished, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(self.all_rows())
        os.replace(unfinished, path)

    def _check_settings(self, settings: dict[str, Any]) -> None:
        path = self.folder / "settings.json"
        if not path.exists():
            _replace(path, json.dumps(settings, indent=1))
        there = json.loads(path.read_text())
        differ = [name for name in settings if there.get(name) != settings[name]]
        if differ:
            sys.exit(
                f"{self.folder} holds rows of other settings ({', '.join(differ)}); "
                "expected a new folder, or the settings of settings.json."
            )


def _value(text: str) -> Any:
    """What a CSV says: a number, or the text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def stem(job: Job) -> str:
    """The name of the job's file."""
    return re.sub(r"[^a-z0-9]+", "_", job.key.lower()).strip("_")


def finish(
    jobs: Sequence[Job],
    work: Callable[[Any], tuple[Any, list[Row]]],
    store: Store,
    n_jobs: int,
) -> None:
    """Do the jobs that have no rows yet, in their order."""
    waiting = [job for job in jobs if job not in store]
    start = time.perf_counter()
    parallel = Parallel(n_jobs, return_as="generator_unordered", batch_size=1)
    done = parallel(delayed(work)(job) for job in waiting)
    for i, (job, rows) in enumerate(done, 1):
        store.add(job, rows)
        minutes = (time.perf_counter() - start) / 60
        print(f"{minutes:5.1f} min, {i} of {len(waiting)}: {job.key}", flush=True)


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
