"""What only a process shows: imports, pipes, signals, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from tests.cli.conftest import quick

HIDE_CURSOR = b"\x1b[?25l"
SKRATIONAL = [sys.executable, "-m", "skrational"]


def run(*args, **options):
    return subprocess.run(
        [*SKRATIONAL, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize("args", [[], ["--help"], ["predict", "--help"], ["nonsense"]])
def test_help_and_faults_of_usage_load_nothing_heavy(args):
    script = (
        "import sys; from skrational.cli.main import main; "
        f"main({args}); "
        "heavy = {'numpy', 'torch', 'gensim', 'numba', 'sklearn', 'joblib'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_a_prediction_needs_no_torch(folder):
    script = (
        "import sys; from skrational.cli.main import main; "
        f"code = main(['predict', {str(folder / 'model.joblib')!r}, "
        f"{str(folder / 'test.csv')!r}, '--text', 'review', '--quiet']); "
        "assert code == 0 and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_exit_codes_and_streams(folder):
    model, table = folder / "model.joblib", folder / "test.csv"
    done = run("predict", model, table, "--text", "review", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 41
    done = run("predict", model, folder / "nowhere.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert run("predict").returncode == 2
    assert run("--version").stdout.startswith("skrational ")


def test_a_pipe_may_be_closed_early(folder):
    table = folder / "long.csv"
    table.write_text("review\n" + "a great kettle\n" * 20_000)
    process = subprocess.Popen(
        [*SKRATIONAL, "predict", str(folder / "model.joblib"), str(table)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().startswith("prediction,")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.skipif(os.name == "nt", reason="has no SIGINT for one process")
def test_an_interrupted_fit_leaves_what_was_there(folder, tmp_path):
    out = tmp_path / "model.joblib"
    before = (folder / "model.joblib").read_bytes()
    out.write_bytes(before)
    columns = ["--text", "review", "--label", "stars", "--verbose"]
    process = subprocess.Popen(
        [*SKRATIONAL, "fit", str(folder / "train.csv"), *columns, "--out", str(out),
         *quick(), "--set", "max_epochs=1000000", "--lambda", "0.0001"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell runs in the background ignores the signal, with all its children.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        # The first lines tell what was read, the next ones of epochs.
        while "warmup" not in process.stderr.readline():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, printed) == (130, "")
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


def test_bytes_come_and_go_by_the_standard_streams(folder):
    text = "a great kettle, \u201cnot\u201d caf\u00e9"
    done = subprocess.run(
        [*SKRATIONAL, "predict", str(folder / "model.joblib"), "-", "--format",
         "lines", "--keep"],
        input=text.encode(),
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert text in done.stdout.decode()


def test_a_model_may_go_to_a_device_and_leaves_it_there(folder):
    done = run(
        "fit", folder / "train.csv", "--text", "review", "--label", "stars",
        "--out", os.devnull, *quick(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not os.path.isfile(os.devnull)


def test_a_bar_is_drawn_where_someone_can_see_it(folder, tmp_path):
    pty = pytest.importorskip("pty")
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*SKRATIONAL, "fit", str(folder / "train.csv"), "--text", "review",
         "--label", "stars", "--out", str(tmp_path / "m"), *quick()],
        stdout=subprocess.PIPE,
        stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(controller, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(controller)
    printed, _ = process.communicate()
    assert process.returncode == 0, shown
    # The bar of a phase that is over before the screen is refreshed isn't drawn.
    assert b"fit" in shown.partition(HIDE_CURSOR)[2], shown
    assert b"\x1b" not in printed
    assert b"WFSAs, learned from" in printed
