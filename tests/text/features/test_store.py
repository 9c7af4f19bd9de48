import contextlib
import errno
import gc
import mmap
import os
import pickle
import random
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
import warnings
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.exceptions import FeatureCacheWarning
from skrational.sequences import SequenceArray
from skrational.text.features import database, folder, rows
from skrational.text.features.store import FeatureStore

WIDTH = 3
ROW = WIDTH * 2
TEXTS = ["good not bad", "", "so so", "naïve", "a b c d", "line\nbreak"]


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    gc.collect()
    assert not list(folder.glob("skrational-*"))


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path / "store", WIDTH)


def key(text):
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def words(text):
    return text.split(" ") if text else []


def features(text):
    n = len(words(text))
    seed = int(key(text)[:8], 16)
    drawn = np.random.default_rng(seed).normal(size=(n, WIDTH))
    return drawn.astype(np.float16).astype(np.float32)


class Embedder:
    """Embeds texts, and knows which."""

    def __init__(self, texts, fails_at=None, backwards=False):
        self.texts, self.fails_at, self.backwards = texts, fails_at, backwards
        self.done, self.n_calls = [], 0

    def __call__(self, positions):
        self.n_calls += 1
        assert positions == sorted(set(positions))
        for position in positions[:: -1 if self.backwards else 1]:
            text = self.texts[position]
            if text == self.fails_at:
                raise RuntimeError("no memory on the device")
            self.done.append(text)
            yield position, features(text), words(text)


def ask(store, texts, **options):
    """Check the features of texts; return them and which texts were embedded."""
    embed = Embedder(texts, **options)
    X = store.sequences([key(text) for text in texts], embed)
    assert_right(X, texts)
    assert embed.n_calls <= 1
    return X, embed.done


def assert_right(X, texts):
    assert isinstance(X, SequenceArray) and len(X) == len(texts)
    numbers = X.row_numbers()
    for i, text in enumerate(texts):
        assert X[i].dtype == np.float16
        np.testing.assert_array_equal(X[i], features(text))
        tokens = numbers[X.offsets[i] : X.offsets[i + 1]]
        assert list(X.labels[tokens]) == words(text)


def ask_damaged(store, texts):
    """As `ask`; at most one warning is right."""
    rows._checked.clear()
    folder._checked.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        X, embedded = ask(store, texts)
    assert len(caught) <= 1
    assert all(w.category is FeatureCacheWarning for w in caught)
    return X, embedded, caught


def is_mapped(X):
    array = X.features
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap) and not X.features.flags.writeable


def files_of(store):
    return sorted(p for p in store.folder.rglob("*") if p.is_file())


def data_file(store):
    (path,) = store.folder.glob("features-*.bin")
    return path


# What is returned


@pytest.mark.parametrize("backwards", [False, True])
def test_second_call_embeds_nothing(store, backwards):
    first, embedded = ask(store, TEXTS, backwards=backwards)
    assert sorted(embedded) == sorted(TEXTS)
    second, embedded = ask(store, TEXTS)
    assert embedded == [] and first == second
    assert is_mapped(first) and is_mapped(second)
    assert first.labels.dtype == object


def test_documents_in_the_order_of_the_file_have_no_indices(store):
    X, _ = ask(store, TEXTS)
    assert X.indices is None and len(X.features) == X.n_tokens
    X, _ = ask(store, TEXTS[2:5])
    assert X.indices is None and len(X.features) == X.n_tokens


@pytest.mark.parametrize(
    "texts", [TEXTS[::-1], TEXTS[::2], [TEXTS[2], TEXTS[0], TEXTS[2]]]
)
def test_other_orders_share_the_rows(store, texts):
    ask(store, TEXTS)
    X, embedded = ask(store, texts)
    assert embedded == [] and is_mapped(X) and X.indices is not None


def test_repeated_documents_are_embedded_once(store):
    X, embedded = ask(store, ["a b", "c", "a b", "", ""])
    assert embedded == ["a b", "c", ""]
    assert len(X.features) == 3


@pytest.mark.parametrize("texts", [[], ["", ""], [""]])
def test_no_tokens(store, texts):
    for _ in range(2):
        X, _ = ask(store, texts)
        assert X.features.shape == (0, WIDTH)
    assert ask(store, [*texts, "a b"])[1] == ["a b"]


@pytest.mark.parametrize("folder", [None, "store"])
def test_labels_of_any_characters(tmp_path, folder):
    store = FeatureStore(folder and tmp_path / folder, 1)
    labels = ["\n", "\x00", "\ud83d\ude00", "\ud800", "😀", '"\\', "", "\u2028"]

    def embed(positions):
        yield 0, np.zeros((len(labels), 1), dtype=np.float16), labels

    assert list(store.sequences(["ab"], embed).labels) == labels
    assert list(store.sequences(["ab"], embed).labels) == labels


def test_dtype(tmp_path):
    store = FeatureStore(tmp_path / "a", 1, dtype="float32")
    X = store.sequences(["ab"], lambda _: iter([(0, np.full((1, 1), 0.1), ["a"])]))
    assert X.dtype == np.float32


@pytest.mark.parametrize("folder", [None, "store"])
def test_result_goes_to_worker_processes(tmp_path, folder):
    X, _ = ask(FeatureStore(folder and tmp_path / folder, WIDTH), TEXTS)
    with joblib.parallel_config("loky", n_jobs=2):
        ((name, *seen),) = joblib.Parallel()([joblib.delayed(look_at)(X)])
    # A temporary file may be gone before the worker looks: its content is sent.
    assert name == ("memmap" if folder else "ndarray")
    for a, b in zip(seen, X, strict=True):
        np.testing.assert_array_equal(a, b)
    assert pickle.loads(pickle.dumps(X)) == X


def look_at(X):
    return [type(X.features).__name__, *map(np.array, X)]


def test_no_folder_keeps_nothing_but_maps(own_temporary_folder):
    store = FeatureStore(None, WIDTH)
    X, embedded = ask(store, TEXTS)
    assert embedded == TEXTS and is_mapped(X) and X.indices is None
    assert len(list(own_temporary_folder.iterdir())) == 1
    part = X[1:]
    del X
    gc.collect()
    assert_right(part, TEXTS[1:])
    del part
    gc.collect()
    assert not list(own_temporary_folder.iterdir())
    assert ask(store, TEXTS)[1] == TEXTS


def test_no_folder_nor_temporary_folder(monkeypatch):
    monkeypatch.setattr(tempfile, "mkstemp", full_disk)
    with pytest.warns(FeatureCacheWarning, match="No space.*in memory"):
        ask(FeatureStore(None, WIDTH), TEXTS)


# embed


def test_what_was_embedded_before_an_error_is_kept(store):
    with pytest.raises(RuntimeError, match="no memory"):
        ask(store, TEXTS, fails_at=TEXTS[3])
    assert ask(store, TEXTS)[1] == TEXTS[3:]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([(1, np.zeros((1, WIDTH)), ["a"])], "position 1"),
        ([(0, np.zeros((1, WIDTH)), ["a"])] * 2, "position 0"),
        ([(0, np.zeros((2, WIDTH)), ["a"])], "1 labels"),
        ([(0, np.zeros((1, 2)), ["a"])], "shape"),
        ([], "nothing"),
    ],
)
@pytest.mark.parametrize("folder", [None, "store"])
def test_embed_is_checked(tmp_path, folder, documents, message):
    store = FeatureStore(folder and tmp_path / folder, WIDTH)
    with pytest.raises(ValueError, match=message):
        store.sequences(["ab"], lambda positions: iter(documents))


# Several at once


def ask_and_count(folder, texts, log):
    def embed(positions):
        for position in positions:
            with open(log, "ab", buffering=0) as file:
                file.write(b".")
            yield position, features(texts[position]), words(texts[position])

    store = FeatureStore(folder, WIDTH)
    assert_right(store.sequences([key(text) for text in texts], embed), texts)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_overlapping_documents_are_embedded_once(tmp_path, backend):
    texts = [f"text {i}" for i in range(120)]
    parts = [texts[:80], texts[40:], texts[::-1], texts[30:90]]
    log = tmp_path / "log"
    with joblib.parallel_config(backend, n_jobs=2):
        joblib.Parallel()(
            joblib.delayed(ask_and_count)(tmp_path / "store", part, log)
            for part in parts
        )
    assert log.stat().st_size == len(texts)


def test_reads_while_another_thread_embeds(store):
    ask(store, TEXTS[:3])
    begun, done = threading.Event(), threading.Event()

    def slow(positions):
        begun.set()
        done.wait(30)
        yield from Embedder(TEXTS)(positions)

    thread = threading.Thread(
        target=store.sequences, args=([key(text) for text in TEXTS], slow)
    )
    thread.start()
    begun.wait(30)
    assert ask(store, TEXTS[:3])[1] == []
    done.set()
    thread.join()
    assert ask(store, TEXTS)[1] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_leaves_temporary_files_alone():
    X, _ = ask(FeatureStore(None, WIDTH), TEXTS)
    child = os.fork()
    if not child:
        del X
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    with joblib.parallel_config("loky", n_jobs=2):
        joblib.Parallel()([joblib.delayed(look_at)(X)])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("same", [True, False])
def test_a_fork_of_a_process_that_embeds_needs_no_lock(store, tmp_path, same):
    own = store if same else FeatureStore(tmp_path / "own", WIDTH)

    def in_the_child():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert ask(own, TEXTS)[1] == TEXTS
            assert ask(own, TEXTS)[1] == (TEXTS if same else [])
        assert len(caught) == 2 * same
        assert all("forked" in str(w.message) for w in caught)

    def forks(positions):
        assert in_a_fork(in_the_child) == 0
        yield from Embedder(TEXTS)(positions)

    X = store.sequences([key(text) for text in TEXTS], forks)
    assert_right(X, TEXTS)
    assert ask(store, TEXTS)[1] == []


def test_writers_wait_for_one_another(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "lock.db").write_bytes(b"no database" * 99)
    store = FeatureStore(tmp_path / "store", WIDTH)
    log = tmp_path / "log"
    threads = [
        threading.Thread(target=ask_and_count, args=(store.folder, TEXTS, log))
        for _ in range(2)
    ]
    with store._cache.locked():
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        assert not log.exists()
    for thread in threads:
        thread.join()
    assert log.stat().st_size == len(TEXTS)


# Damage


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("intact") / "store"
    ask(FeatureStore(folder, WIDTH), TEXTS[:4])
    return folder


@contextmanager
def copied(folder):
    with tempfile.TemporaryDirectory() as scratch:
        yield FeatureStore(shutil.copytree(folder, Path(scratch, "store")), WIDTH)


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("name", ["features-*.bin", "index.db"])
def test_cut_files(intact, name):
    (path,) = intact.glob(name)
    size = path.stat().st_size
    # A database is cut in many places, but not behind each of its bytes.
    for end in range(0, size, max(1, size // 150)):
        with copied(intact) as store:
            os.truncate(store.folder / path.name, end)
            _, embedded, caught = ask_damaged(store, TEXTS[:4])
            assert embedded and caught, end
            # Healed, and nothing is embedded again.
            assert ask_damaged(store, TEXTS[1:])[1:] == (TEXTS[4:], [])
            assert ask_damaged(store, TEXTS)[1:] == ([], [])


class Killed(BaseException):
    pass


@pytest.mark.parametrize("n_before", [0, 2])
def test_writers_killed_while_they_write_rows(tmp_path, monkeypatch, n_before):
    write = rows._write
    finished = False
    for n_bytes in range(0, 200, 3):
        store, left = FeatureStore(tmp_path / f"{n_bytes}", WIDTH), [n_bytes]

        def is_killed(path, position, content, left=left):
            write(path, position, bytes(content)[: max(0, left[0])])
            left[0] -= len(bytes(content))
            if left[0] < 0:
                raise Killed

        ask(store, TEXTS[:n_before])
        monkeypatch.setattr(rows, "_write", is_killed)
        try:
            ask(store, TEXTS)
            finished = True
        except Killed:
            pass
        monkeypatch.setattr(rows, "_write", write)
        _, embedded, caught = ask_damaged(store, TEXTS)
        n_kept = len(TEXTS) - len(embedded)
        assert embedded == TEXTS[n_kept:] and n_kept >= n_before and not caught
        if finished:
            return
    raise AssertionError("never finished")


class TracedConnection(sqlite3.Connection):
    """Ends the process at a statement, before or after it's done."""

    left, behind = 0, False

    def execute(self, statement, *arguments):
        kind = type(self)
        kind.left -= 1
        if kind.left == 0 and not kind.behind:
            os._exit(1)
        result = super().execute(statement, *arguments)
        if kind.left == 0:
            os._exit(1)
        return result


def in_a_fork(act):
    """Run in a fork; return its exit status."""
    child = os.fork()
    if not child:
        try:
            act()
            gc.collect()
            os._exit(0)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
@pytest.mark.parametrize("behind", [False, True])
def test_writers_killed_at_any_statement(tmp_path, monkeypatch, behind):
    connect = sqlite3.connect
    for n_statements in range(1, 200):
        store = FeatureStore(tmp_path / f"{n_statements}", WIDTH)
        ask(store, TEXTS[:2])

        def act(store=store, n_statements=n_statements):
            TracedConnection.left, TracedConnection.behind = n_statements, behind
            database.sqlite3.connect = lambda *args, **options: connect(
                *args, factory=TracedConnection, **options
            )
            ask(store, TEXTS)

        status = in_a_fork(act)
        _, embedded, caught = ask_damaged(store, TEXTS)
        n_kept = len(TEXTS) - len(embedded)
        assert embedded == TEXTS[n_kept:] and n_kept >= 2 and not caught
        if status == 0:
            assert not embedded
            return
        assert status == 1
    raise AssertionError("never finished")


@needs_fork
def test_killed_writers(tmp_path):
    texts = [f"{i} " + "a" * 1000 for i in range(400)]
    seconds = random.Random(0)
    n_kept = []
    for i in range(8):
        store = FeatureStore(tmp_path / f"{i}", WIDTH)
        child = os.fork()
        if not child:
            ask(store, texts)
            os._exit(0)
        time.sleep(seconds.uniform(0, 0.3))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        _, embedded, caught = ask_damaged(store, texts)
        n_kept.append(len(texts) - len(embedded))
        assert embedded == texts[n_kept[-1] :] and not caught
        shutil.rmtree(store.folder)
    assert max(n_kept) > 0


@given(st.data())
@settings(max_examples=150)
def test_flipped_bits(intact, data):
    with copied(intact) as store:
        for _ in range(data.draw(st.integers(1, 3))):
            path = store.folder / data.draw(st.sampled_from(names(intact)))
            content = bytearray(path.read_bytes())
            if content:
                at = data.draw(st.integers(0, 8 * len(content) - 1))
                content[at // 8] ^= 1 << at % 8
                path.write_bytes(content)
        texts = data.draw(st.sampled_from([TEXTS[:4], TEXTS[1:], TEXTS[::-1]]))
        ask_damaged(store, texts)
        assert ask_damaged(store, texts)[1:] == ([], [])


@given(st.data())
@settings(max_examples=80)
def test_garbage_and_missing_files(intact, data):
    with copied(intact) as store:
        for name in data.draw(st.sets(st.sampled_from(names(intact)), min_size=1)):
            path = store.folder / name
            garbage = data.draw(st.none() | st.binary(max_size=200))
            path.unlink() if garbage is None else path.write_bytes(garbage)
        ask_damaged(store, TEXTS)
        assert ask_damaged(store, TEXTS)[1:] == ([], [])


def change_index(store, statement):
    with contextlib.closing(sqlite3.connect(store.folder / "index.db")) as opened:
        opened.execute(statement)
        opened.commit()


def test_every_damage_is_named_in_one_warning(store):
    ask(store, TEXTS)
    content = bytearray(data_file(store).read_bytes())
    content[0] ^= 1
    data_file(store).write_bytes(content)
    change_index(
        store, 'UPDATE documents SET labels = \'["so", "no"]\' WHERE n_rows = 2'
    )
    _, embedded, (caught,) = ask_damaged(store, TEXTS)
    assert embedded == [TEXTS[0], TEXTS[2]]
    assert "2 damaged documents" in str(caught.message)
    assert caught.filename == __file__


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents SET first = first + 1",
        "UPDATE documents SET n_rows = n_rows - 1 WHERE n_rows > 0",
        "UPDATE documents SET labels = NULL",
        "UPDATE documents SET rows_crc = 'x'",
        "UPDATE documents SET crc = 0",
        "UPDATE documents SET n_rows = n_rows + 1 WHERE key = x''",
        "UPDATE documents SET labels = NULL WHERE key = x''",
        "DELETE FROM documents WHERE key = x''",
        "DROP TABLE documents",
        "ALTER TABLE documents DROP COLUMN labels",
        "PRAGMA user_version = 7",
    ],
)
def test_a_changed_index(store, statement):
    ask(store, TEXTS)
    change_index(store, statement)
    _, embedded, caught = ask_damaged(store, TEXTS)
    assert bool(embedded) == bool(caught) == ("PRAGMA" not in statement)
    assert ask_damaged(store, TEXTS)[1:] == ([], [])


def test_healing_spares_the_rows_of_other_documents(store):
    X, _ = ask(store, TEXTS)
    (store.folder / "index.db").write_bytes(b"no database" * 100)
    ask_damaged(store, [TEXTS[-1], "more of it"])
    assert_right(X, TEXTS)


def test_an_index_that_cannot_be_added_to_begins_anew(store, monkeypatch):
    ask(store, TEXTS[:2])
    record, left = folder.CacheFolder._record, [1]

    def fails_once(*args):
        if left:
            left.pop()
            raise database.DamagedDatabaseError("database disk image is malformed")
        record(*args)

    monkeypatch.setattr(folder.CacheFolder, "_record", fails_once)
    with pytest.warns(FeatureCacheWarning, match="malformed.*begins anew"):
        assert ask(store, TEXTS)[1] == TEXTS[2:]
    assert ask(store, TEXTS)[1] == []


def test_a_cache_of_the_earlier_format_is_left_alone(store):
    old = store.folder / "generation-0123abcd"
    old.mkdir(parents=True)
    files = [store.folder / "meta.json", store.folder / "lock", old / "features.bin"]
    for path in files:
        path.write_bytes(b"old")
    assert ask(store, TEXTS)[1] == TEXTS
    assert ask(store, TEXTS)[1] == []
    assert all(path.read_bytes() == b"old" for path in files)


def test_rows_without_an_entry_are_cut_off(store):
    ask(store, TEXTS)
    path = data_file(store)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"half a document")
    assert ask(store, ["more of it"])[1] == ["more of it"]
    assert path.stat().st_size == size + 3 * WIDTH * 2
    ask(store, [*TEXTS, "more of it"])


def test_rows_that_no_index_knows_are_removed(store):
    ask(store, TEXTS)
    left_over = store.folder / "features-0a1b2c3d.bin"
    left_over.write_bytes(b"of a writer that was killed while it began anew")
    ask(store, TEXTS)  # a reader, which doesn't have the lock
    assert left_over.exists()
    ask(store, ["more of it"])
    assert not left_over.exists()
    assert ask(store, [*TEXTS, "more of it"])[1] == []


def test_another_width_begins_anew(store):
    ask(store, TEXTS)
    other = FeatureStore(store.folder, 1)
    with pytest.warns(FeatureCacheWarning, match="begins anew"):
        other.sequences(["ab"], lambda _: iter([(0, np.ones((1, 1)), ["a"])]))
    assert len(list(store.folder.glob("features-*.bin"))) == 1
    with pytest.warns(FeatureCacheWarning, match="begins anew"):
        ask(store, TEXTS)


def test_rows_are_checked_once(store, monkeypatch):
    ask(store, TEXTS)
    n_checked = []
    is_sound = rows.RowFile._is_sound

    def counted(self, span):
        n_checked.append(span)
        return is_sound(self, span)

    monkeypatch.setattr(rows.RowFile, "_is_sound", counted)
    ask(store, TEXTS)
    assert len(n_checked) == len(TEXTS)
    ask(store, TEXTS)
    ask(store, TEXTS[::-1])
    assert len(n_checked) == len(TEXTS)


# Limits


def test_a_full_cache_keeps_the_documents_of_the_call(tmp_path):
    store = FeatureStore(tmp_path / "store", WIDTH, max_bytes=10 * ROW)
    first, _ = ask(store, ["a b c d", "e f g h"])
    X, embedded = ask(store, ["a b c d", "i j k", "l m"])
    assert embedded == ["i j k", "l m"] and is_mapped(X)
    assert ask(store, ["a b c d", "i j k", "l m"])[1] == []
    assert_right(first, ["a b c d", "e f g h"])
    # joblib opens it by name.
    with joblib.parallel_config("loky", n_jobs=2):
        joblib.Parallel()([joblib.delayed(look_at)(first)])
    del first
    gc.collect()
    assert data_file(store).stat().st_size == 9 * ROW
    assert ask(store, ["e f g h"])[1] == ["e f g h"]


def test_a_call_beyond_the_limit_is_not_cached(tmp_path):
    store = FeatureStore(tmp_path / "store", WIDTH, max_bytes=5 * ROW)
    texts = ["a b c", "d e", "f g h", "i"]
    for n_embedded in (4, 2):
        with pytest.warns(FeatureCacheWarning, match="30 bytes.*temporary") as caught:
            X, embedded = ask(store, texts)
        assert len(caught) == 1 and len(embedded) == n_embedded and is_mapped(X)
        assert data_file(store).stat().st_size <= 5 * ROW
    assert ask(store, texts[:2])[1] == []


def test_removed_generation_does_not_matter_to_maps(tmp_path):
    store = FeatureStore(tmp_path / "store", WIDTH, max_bytes=4 * ROW)
    for i in range(10):
        X, _ = ask(store, [f"a b {i}", f"{i}"])
        assert is_mapped(X)
    del X
    gc.collect()
    assert data_file(store).stat().st_size == 4 * ROW


# Files that can't be written


def full_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("n_written", [0, 1])
def test_a_disk_full_of_rows(store, monkeypatch, n_written):
    ask(store, TEXTS[:2])
    write, left = rows._write, [n_written]

    def fails(path, position, content):
        if store.folder in path.parents:
            if not left[0]:
                write(path, position, bytes(content)[:5])
                full_disk()
            left[0] -= 1
        write(path, position, content)

    monkeypatch.setattr(rows, "_write", fails)
    with pytest.warns(FeatureCacheWarning, match="No space.*temporary") as caught:
        X, embedded = ask(store, TEXTS)
    assert len(caught) == 1 and embedded == TEXTS[2:] and is_mapped(X)
    assert data_file(store).stat().st_size == (3 + 2 * n_written) * ROW
    monkeypatch.undo()
    assert ask(store, TEXTS)[1] == TEXTS[2 + n_written :]


def test_a_disk_without_room_for_the_index(store, monkeypatch):
    texts = [f"{i} " + "a" * 1000 for i in range(9)]
    ask(store, texts[:2])
    size, connect = (store.folder / "index.db").stat().st_size, sqlite3.connect

    def connect_to_the_end(*args, **options):
        limited = connect(*args, **options)
        limited.execute(f"PRAGMA max_page_count = {size // 4096 + 1}")
        return limited

    monkeypatch.setattr(sqlite3, "connect", connect_to_the_end)
    with pytest.warns(FeatureCacheWarning, match="full.*temporary") as caught:
        X, embedded = ask(store, texts)
    assert len(caught) == 1 and embedded == texts[2:] and is_mapped(X)
    monkeypatch.undo()
    n_kept = data_file(store).stat().st_size // (2 * ROW)
    assert 2 <= n_kept < 9
    assert ask(store, texts)[1] == texts[n_kept:]


@pytest.mark.parametrize("n_written", [0, 2, 4])
def test_all_disks_full(store, monkeypatch, n_written):
    ask(store, TEXTS[:2])
    write, left = rows._write, [n_written]

    def fails(path, position, content):
        if store.folder in path.parents or not left[0]:
            full_disk()
        left[0] -= 1
        write(path, position, content)

    monkeypatch.setattr(rows, "_write", fails)
    with pytest.warns(FeatureCacheWarning, match="No space.*in memory") as caught:
        _, embedded = ask(store, TEXTS)
    assert len(caught) == 1 and embedded == TEXTS[2:]


@pytest.mark.parametrize("what", ["rows", "index"])
def test_full_while_a_file_begins(tmp_path, monkeypatch, what):
    store = FeatureStore(tmp_path / "store", WIDTH, max_bytes=4 * ROW)
    ask(store, ["a b", "c d"])
    if what == "index":
        monkeypatch.setattr(folder.CacheFolder, "_begin_index", full_disk)
    else:
        monkeypatch.setattr(Path, "touch", full_disk)
    with pytest.warns(FeatureCacheWarning, match="No space.*temporary"):
        ask(store, ["a b", "e f"])
    assert data_file(store)
    assert ask(store, ["a b", "c d"])[1] == []


def test_a_read_only_folder_is_read(store, monkeypatch):
    ask(store, TEXTS[:3])
    before = {path: path.read_bytes() for path in files_of(store)}
    connect = database._connect

    def read_only(path, mode, timeout):
        return connect(path, "ro", timeout)

    monkeypatch.setattr(database, "_connect", read_only)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    X, embedded = ask(store, TEXTS[:3])
    assert embedded == [] and is_mapped(X)
    with pytest.warns(FeatureCacheWarning, match="readonly.*temporary") as caught:
        X, embedded = ask(store, TEXTS)
    assert len(caught) == 1 and embedded == TEXTS[3:] and is_mapped(X)
    assert before == {path: path.read_bytes() for path in files_of(store)}


def test_an_index_that_cannot_be_opened_is_left_alone(store, monkeypatch):
    ask(store, TEXTS[:3])
    connect = database._connect

    def busy(path, mode, timeout):
        return connect(path, mode, 0.01)

    monkeypatch.setattr(database, "_connect", busy)
    with contextlib.closing(sqlite3.connect(store.folder / "index.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.warns(FeatureCacheWarning, match="is locked.*temporary"):
            assert ask(store, TEXTS)[1] == TEXTS
    assert ask(store, TEXTS)[1] == TEXTS[3:]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    store = FeatureStore(tmp_path / "file" / "store", WIDTH)
    with pytest.warns(FeatureCacheWarning, match="temporary"):
        X, _ = ask(store, TEXTS)
    assert is_mapped(X)


def test_random_histories(tmp_path):
    random_state = random.Random(0)
    texts = [" ".join("x" * (i % 5)) + str(i) for i in range(30)]
    store = FeatureStore(tmp_path / "store", WIDTH, max_bytes=60 * ROW)
    for _ in range(150):
        ask(store, random_state.choices(texts, k=random_state.randrange(12)))
    gc.collect()
    assert data_file(store).stat().st_size <= 60 * ROW


def test_damage_is_noticed_in_the_same_process(store):
    ask(store, TEXTS)
    ask(store, TEXTS)
    (path,) = store.folder.glob("features-*.bin")
    time.sleep(0.01)  # the clock of the file system
    with open(path, "r+b") as file:
        file.write(b"\x07" * 8)
    with pytest.warns(FeatureCacheWarning, match="embedded again"):
        assert ask(store, TEXTS)[1]


def test_results_of_workers_outlive_their_temporary_files():
    store = FeatureStore(None, WIDTH)
    with joblib.parallel_config("loky", n_jobs=2):
        results = joblib.Parallel()(
            joblib.delayed(embedded_alone)(store, TEXTS) for _ in range(2)
        )
    for X in results:
        assert_right(X, TEXTS)


def embedded_alone(store, texts):
    return ask(store, texts)[0]


def test_a_few_documents_do_not_hold_on_to_the_others(tmp_path):
    store = FeatureStore(tmp_path / "store", WIDTH)
    texts = ["a b c", *(f"t{i} u v w" for i in range(50)), "d e"]
    ask(store, texts)
    X, _ = ask(store, ["d e", "", "a b c", "d e"])
    assert len(X.features) == X.n_tokens == 7
    assert_right(X, ["d e", "", "a b c", "d e"])


def test_a_header_that_forbids_writing_is_damage(store):
    ask(store, TEXTS[:3])
    with open(store.folder / "index.db", "r+b") as file:
        file.seek(18)
        file.write(b"\x03")
    _, embedded, (caught,) = ask_damaged(store, TEXTS)
    assert embedded == TEXTS[3:] and "begins anew" in str(caught.message)
    assert ask_damaged(store, TEXTS)[1:] == ([], [])
