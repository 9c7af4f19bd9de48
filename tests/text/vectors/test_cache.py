"""The binary copy of a parsed file."""

import os
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.exceptions import FeatureCacheWarning
from skrational.text import WordVectorizer
from skrational.text.vectors import loading
from skrational.text.vectors.cache import read_entry, write_entry
from skrational.text.vectors.tables import VectorTable
from skrational.utils.locks import FileLock

WORDS = ["good", "bad", "naïve", "a\nb", "\u2028", ""]


@pytest.fixture(scope="module")
def entry(tmp_path_factory):
    path = tmp_path_factory.mktemp("cache") / "folder" / "entry.npy"
    rows = np.random.default_rng(0).normal(size=(len(WORDS), 3)).astype(np.float32)
    table = VectorTable({word: row for row, word in enumerate(WORDS)}, rows)
    write_entry(path, table)
    return path, table


def test_an_entry_is_the_table(entry):
    path, table = entry
    found = read_entry(path, path)
    assert list(found.index) == WORDS
    np.testing.assert_array_equal(found.vectors, table.vectors)
    assert found.fingerprint == table.fingerprint


@given(data=st.data())
def test_any_damage_is_noticed(entry, data):
    path, _ = entry
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    flips = data.draw(st.integers(1, 255))
    cut = data.draw(st.booleans())
    changed = bytes([content[place] ^ flips])
    damaged = path.with_name("damaged.npy")
    rest = b"" if cut else changed + content[place + 1 :]
    damaged.write_bytes(content[:place] + rest)
    with pytest.raises(ValueError):
        read_entry(damaged, path)


@pytest.mark.parametrize("place", ["folder", "entry"])
def test_folders_and_files_in_the_way(tmp_path, place):
    path = tmp_path / "v.txt"
    path.write_text("good 1 0\nbad 0 1\n")
    cache = tmp_path / "cache"
    expected = WordVectorizer(path, cache=cache).fit_transform(["good bad"])
    (entry,) = cache.rglob("*.npy")
    entry.unlink()
    if place == "entry":
        entry.mkdir()
    else:
        entry.parent.rmdir()
        entry.parent.write_text("in the way")
    loading.forget_tables()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert WordVectorizer(path, cache=cache).fit_transform(["good bad"]) == expected


def test_a_damaged_entry_is_made_anew_with_one_warning(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("good 1 0\nbad 0 1\n")
    cache = tmp_path / "cache"
    vectors = loading.load_table(path, cache).vectors.copy()
    (entry,) = cache.rglob("*.npy")
    whole = entry.read_bytes()
    # Half of a number changes, which neither shape nor words tell.
    entry.write_bytes(whole.replace(np.float32(1).tobytes(), np.float32(1.5).tobytes()))
    loading.forget_tables()
    with pytest.warns(FeatureCacheWarning, match="checksum is wrong") as caught:
        again = loading.load_table(path, cache)
    assert len(caught) == 1
    np.testing.assert_array_equal(again.vectors, vectors)
    assert entry.read_bytes() == whole


def test_files_of_one_size_and_date_are_told_apart(tmp_path):
    path, cache = tmp_path / "v.bin", tmp_path / "cache"
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(3000)]

    def write(rows):
        lines = b"".join(
            word.encode() + b" " + row.tobytes() + b"\n"
            for word, row in zip(words, rows, strict=True)
        )
        path.write_bytes(b"%d 100\n" % len(words) + lines)
        os.utime(path, ns=(10**18, 10**18))

    found = []
    for _ in range(2):
        rows = rng.normal(size=(len(words), 100)).astype(np.float32)
        write(rows)
        table = loading.load_table(path, cache)
        np.testing.assert_array_equal(np.asarray(table.vectors), rows)
        loading.forget_tables()
        found += cache.rglob("*.npy")
    assert len(set(found)) == 2
    assert len(list(cache.rglob("*.npy"))) == 1
    # In the same process not even one number in the midst goes unnoticed.
    loading.load_table(path, cache)
    rows[1500, 50] += 1
    write(rows)
    state = loading.load_table(path, cache=False)
    np.testing.assert_array_equal(np.asarray(state.vectors), rows)


def test_what_killed_writers_left_is_removed(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("good 1 0\nbad 0 1\n")
    cache = tmp_path / "cache"
    loading.load_table(path, cache)
    (entry,) = cache.rglob("*.npy")
    left_over = entry.with_name(f"{entry.name}.0a1b.part")
    earlier = entry.with_name("0123.npy.0a1b.part")
    for part in (left_over, earlier):
        part.write_bytes(b"half")
    entry.unlink()
    lock = FileLock(entry.parent / "lock")  # another writer is at work
    loading.forget_tables()
    loading.load_table(path, cache)
    assert left_over.exists()
    lock.release()
    entry.unlink()
    loading.forget_tables()
    loading.load_table(path, cache)
    assert list(entry.parent.iterdir()) == [entry]
