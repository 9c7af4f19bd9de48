"""The run of the paper's Figure 3: killed and started again, the same rows."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE = 600
"""Seconds: kernels may have to be compiled, beside other tests."""

pytestmark = [
    pytest.mark.skipif(
        not (ROOT / "benchmarks" / "figure3.py").is_file(),
        reason="benchmarks/ is not part of this copy",
    ),
    pytest.mark.skipif(
        not hasattr(os, "killpg"), reason="needs groups of processes, to kill one"
    ),
]


def start(folder, *options):
    command = [sys.executable, "-m", "benchmarks.figure3", "--quick", "--out", folder]
    return subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        # Without data, whether or not there are any here.
        env={key: v for key, v in os.environ.items() if key != "SKRATIONAL_DATA"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process):
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    return output


def kill_in_the_middle(process, folder):
    """Kill with all workers once a few jobs have left their rows."""
    deadline = time.monotonic() + PATIENCE
    while len(finished_jobs(folder)) < 10:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no rows after so long"
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def finished_jobs(folder):
    return sorted((folder / "rows").glob("*.json"))


def rows_of(folder):
    with open(folder / "runs.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert float(row.pop("seconds")) >= 0
    return rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that nothing interrupted, with two workers."""
    folder = tmp_path_factory.mktemp("whole")
    finish(start(folder, "--jobs", "2"))
    return folder


def test_a_run_that_was_killed_comes_to_the_same_rows(whole, tmp_path):
    kill_in_the_middle(start(tmp_path, "--jobs", "1"), tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in finished_jobs(tmp_path)}
    finish(start(tmp_path, "--jobs", "1"))
    assert 10 <= len(kept) < len(finished_jobs(whole))
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())
    assert rows_of(tmp_path) == rows_of(whole)


def test_test_is_scored_for_chosen_models_alone(whole):
    rows = rows_of(whole)
    for row in rows:
        chosen = row["goal"] != "point" and not row["method"].startswith("search")
        assert bool(row["test"]) == chosen
    limited = [row for row in rows if row["goal"].startswith("<=")]
    assert limited
    assert all(0 < int(row["n_transitions"]) <= int(row["goal"][2:]) for row in limited)


def test_the_report_compares_with_the_claims(whole):
    text = (whole / "figure3.md").read_text(encoding="utf-8")
    assert "at most 20 - TF-IDF" in text
    assert str(whole) not in text


def test_the_figure_is_drawn(whole):
    pytest.importorskip("matplotlib", reason="only matplotlib draws the figure")
    assert (whole / "figure3.png").read_bytes().startswith(b"\x89PNG")


def test_rows_of_other_settings_are_refused(tmp_path):
    (tmp_path / "settings.json").write_text('{"lambdas": [1]}')
    process = start(tmp_path, "--report")
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "holds rows of other settings (" in output
