"""The binary copy of a parsed file."""

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
