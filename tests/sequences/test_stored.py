"""Sequences in files are those that were written, or an error."""

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.exceptions import SequenceError

ROOT = Path(__file__).parents[2]


def draw(seed, lengths, n_rows=9, labels=True):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 2, (n_rows, 3)).astype(np.float32)
    indices = rng.integers(0, n_rows, sum(lengths))
    names = [f"w{i % 4}" for i in range(n_rows)] if labels else None
    return SequenceArray(rows, np.cumsum([0, *lengths]), indices, names)


def test_batches_of_other_tables_are_joined(tmp_path):
    batches = [draw(0, [3, 0, 5]), draw(1, [4]), draw(2, [])]
    X = SequenceArray.write(tmp_path / "a", iter(batches))
    expected = SequenceArray.concatenate(batches)
    assert X == expected == SequenceArray.open(tmp_path / "a")
    for array in (X.features, X.offsets, X.indices):
        assert not array.flags.writeable
        while not isinstance(array, np.memmap):
            array = array.base
    # Each vector with its label once.
    pairs = {(row.tobytes(), w) for row, w in zip(X.features, X.labels, strict=True)}
    assert len(pairs) == len(X.features)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@settings(max_examples=30)
@given(
    st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=4),
    st.booleans(),
)
def test_what_is_written_is_what_is_joined(tmp_path_factory, lengths, token_level):
    folder = tmp_path_factory.mktemp("stored")
    batches = [draw(i, part, labels=False) for i, part in enumerate(lengths)]
    if token_level:
        batches = [SequenceArray(X.features[X.indices], X.offsets) for X in batches]
    X = SequenceArray.write(folder / "a", batches)
    assert X == SequenceArray.concatenate(batches)
    assert (X.indices is None) == token_level


def test_a_vectorizer_writes_what_it_would_make_of_all_texts(tmp_path):
    texts = ["good tea", "bad tea not good", "a", "tea tea", "a very bad tea"] * 3
    vectorizer = WordVectorizer(min_count=1).fit(texts)
    parts = (vectorizer.transform(texts[i : i + 4]) for i in range(0, len(texts), 4))
    X = SequenceArray.write(tmp_path / "a", parts)
    whole = vectorizer.transform(texts)
    assert X == whole
    y = np.arange(len(texts)) % 2
    clf = SparseRationalClassifier(
        n_wfsas=2, lambda_=0, warmup_epochs=1, max_epochs=2, random_state=0
    )
    expected = clf.fit(whole, y).decision_function(whole)
    np.testing.assert_array_equal(clf.fit(X, y).decision_function(X), expected)


def test_labels_of_tokens_are_left_out(tmp_path):
    X = SequenceArray(np.eye(2), [0, 2], labels=["a", "b"])
    assert SequenceArray.write(tmp_path / "a", X).labels is None


def test_a_pickle_holds_all(tmp_path):
    X = SequenceArray.write(tmp_path / "a", draw(0, [3, 4]))
    assert pickle.loads(pickle.dumps(X)) == X


def write_and_fail(folder, batches, kind, message):
    with pytest.raises(kind, match=message):
        SequenceArray.write(folder / "a", batches)
    assert list(folder.iterdir()) == []


def test_nothing_is_left_of_what_fails(tmp_path):
    def break_down():
        yield draw(0, [3])
        raise OSError("no texts any more")

    write_and_fail(tmp_path, break_down(), OSError, "no texts")
    write_and_fail(tmp_path, [], SequenceError, "batches is empty")
    write_and_fail(tmp_path, ["good tea"], TypeError, "batch 0 is a str")
    token_level = SequenceArray(np.eye(3, dtype=np.float32), [0, 3])
    mixed = [draw(0, [3]), token_level]
    write_and_fail(tmp_path, mixed, SequenceError, "batch 1 has level token-level")
    wider = [token_level, SequenceArray(np.eye(4, dtype=np.float32), [0, 4])]
    write_and_fail(tmp_path, wider, SequenceError, "batch 1 has width 4")
    other = [token_level, SequenceArray(np.eye(3), [0, 3])]
    write_and_fail(tmp_path, other, SequenceError, "batch 1 has dtype float64")
    unnamed = [draw(0, [3]), draw(0, [3], labels=False)]
    write_and_fail(tmp_path, unnamed, SequenceError, "labelled rows False")


def test_a_folder_is_not_written_over(tmp_path):
    batches = iter([draw(0, [3])])
    with pytest.raises(FileExistsError, match="expected a new folder"):
        SequenceArray.write(tmp_path, batches)
    assert len(list(batches)) == 1
    with pytest.raises(FileNotFoundError, match=r"files\.json"):
        SequenceArray.open(tmp_path)


@pytest.fixture
def stored(tmp_path):
    SequenceArray.write(tmp_path / "a", [draw(0, [3, 0, 5]), draw(1, [4])])
    return tmp_path / "a"


def test_damaged_files_are_errors(stored):
    expected = SequenceArray.open(stored)
    expected = pickle.loads(pickle.dumps(expected))
    rng = np.random.default_rng(0)
    for path in sorted(stored.iterdir()):
        content = path.read_bytes()
        for i in range(60):
            position = int(rng.integers(len(content)))
            damaged = bytearray(content)
            if i % 3:
                damaged[position] ^= 1 << int(rng.integers(8))
            else:
                del damaged[position:]
            path.write_bytes(damaged)
            try:
                assert SequenceArray.open(stored) == expected
            except SequenceError as error:
                assert str(stored) in str(error)
        path.write_bytes(content)
    assert SequenceArray.open(stored) == expected


def test_without_checksums_sizes_and_numbers_are_looked_at(stored):
    numbers = np.load(stored / "indices.npy")
    numbers[0] = 99
    np.save(stored / "indices.npy", numbers)
    with pytest.raises(SequenceError, match="out of range"):
        SequenceArray.open(stored, check=False)
    (stored / "indices.npy").unlink()
    with pytest.raises(SequenceError, match="names"):
        SequenceArray.open(stored, check=False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_fit_does_not_copy_the_tokens_of_a_corpus(tmp_path):
    """A corpus of 64 MB of row numbers, twice as much as a fit may add."""
    script = """
        import sys
        import numpy as np
        from skrational import SequenceArray, SparseRationalClassifier

        folder = sys.argv[1]
        rng = np.random.default_rng(0)
        table = rng.normal(size=(2000, 8)).astype(np.float32)
        words = [f"w{i}" for i in range(2000)]

        def draw(n):
            indices = rng.integers(0, 2000, n, dtype=np.int32)
            return SequenceArray(table, np.arange(0, n + 1, 1000), indices, words)

        def anonymous():
            with open("/proc/self/status") as file:
                fields = dict(line.split(":", 1) for line in file)
            return 1024 * int(fields["RssAnon"].split()[0])

        clf = SparseRationalClassifier(
            n_wfsas=2, warmup_epochs=0, max_epochs=1, finetune_epochs=1, lambda_=1e-6,
            min_steps_per_epoch=2, max_steps_per_epoch=2, random_state=0,
        )
        small = draw(100_000)
        clf.fit(small, np.arange(100) % 2).predict(small)
        X = SequenceArray.write(folder, (draw(2_000_000) for _ in range(8)))
        y = np.arange(len(X)) % 2
        import threading
        before, peak, done = anonymous(), [0], threading.Event()

        def watch():
            while not done.wait(0.005):
                peak[0] = max(peak[0], anonymous())

        thread = threading.Thread(target=watch)
        thread.start()
        clf.fit(X, y).predict(X)
        done.set()
        thread.join()
        print(peak[0] - before, X.indices.nbytes)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "corpus")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"MALLOC_ARENA_MAX": "2"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    added, corpus = map(int, done.stdout.split())
    assert added < corpus / 2, (added, corpus)
