import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.cells.batches import Corpus
from skrational.sequences import SequenceArray

CPU = torch.device("cpu")


def expand(X):
    return SequenceArray(X.features[X.indices], X.offsets)


def permute(X, rng):
    """The same documents over a shuffled table with rows that no token uses."""
    unused = rng.normal(size=(3, X.n_features)).astype(X.dtype)
    order = rng.permutation(len(X.features) + 3)
    features = np.concatenate([X.features, unused])[order]
    return SequenceArray(features, X.offsets, np.argsort(order)[X.indices])


def draw_words(seed, lengths, n_words=9, width=4, dtype=np.float32):
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *lengths])
    table = rng.normal(size=(n_words, width)).astype(dtype)
    return SequenceArray(table, offsets, rng.integers(0, n_words, offsets[-1]))


def assert_identical(mine, theirs):
    assert torch.equal(mine.x, theirs.x)
    np.testing.assert_array_equal(mine.ids, theirs.ids)
    np.testing.assert_array_equal(mine.offsets, theirs.offsets)


def assert_holds(batch, X):
    vectors = batch.x.numpy()[batch.ids]
    expected = X.to_list()
    assert batch.offsets.tolist() == [0, *np.cumsum(X.lengths)]
    for vector, other in zip(
        vectors, np.concatenate([np.empty((0, X.n_features)), *expected]), strict=True
    ):
        np.testing.assert_array_equal(vector, other)


drawn = st.lists(st.integers(0, 9), min_size=1, max_size=12)


@settings(max_examples=60)
@given(st.integers(0, 2**16), drawn, st.data())
def test_batches_do_not_depend_on_how_the_documents_are_packed(seed, lengths, data):
    X = draw_words(seed, lengths)
    rng = np.random.default_rng(seed)
    forms = [expand(X), permute(X, rng), permute(permute(X, rng), rng)]
    positions = st.lists(st.integers(0, len(X) - 1), min_size=1, max_size=6)
    documents = np.array(data.draw(positions))
    batch = Corpus(X, torch.float32, CPU).batch(documents)
    assert_holds(batch, X[documents])
    for form in forms:
        assert form == X
        assert_identical(Corpus(form, torch.float32, CPU).batch(documents), batch)


def test_words_that_repeat_are_held_once():
    X = draw_words(0, [20, 30, 0, 10], n_words=5)
    corpus = Corpus(expand(X), torch.float64, CPU)
    batch = corpus.batch(np.array([1, 0]))
    assert len(batch.x) == 5
    assert batch.ids[0] == 0  # numbered by first occurrence
    assert batch.x.dtype == torch.float64
    again = corpus.batch(np.array([1, 0]))
    assert_identical(again, batch)


def test_vectors_that_do_not_repeat_are_held_once_a_token():
    vectors = np.random.default_rng(1).normal(size=(30, 4))
    X = SequenceArray(vectors, [0, 10, 10, 25, 30])
    batch = Corpus(X, torch.float64, CPU).batch(np.array([3, 1, 0]))
    np.testing.assert_array_equal(batch.ids, np.arange(15))
    assert_holds(batch, X[[3, 1, 0]])


@settings(max_examples=60)
@given(st.integers(0, 2**16), drawn, st.integers(1, 30))
def test_batches_cover_all_documents_in_order(seed, lengths, max_tokens):
    X = draw_words(seed, lengths)
    batches = list(Corpus(X, torch.float32, CPU).batches(max_tokens))
    sizes = [len(batch.offsets) - 1 for batch in batches]
    assert sum(sizes) == len(X)
    assert min(sizes) > 0
    start = 0
    for batch, size in zip(batches, sizes, strict=True):
        assert_holds(batch, X[start : start + size])
        assert len(batch.ids) <= max_tokens or size == 1
        start += size


def test_a_document_longer_than_a_batch_is_a_batch_of_its_own():
    X = draw_words(2, [2, 50, 3, 0])
    batches = list(Corpus(X, torch.float32, CPU).batches(10))
    assert [np.diff(b.offsets).tolist() for b in batches] == [[2], [50], [3, 0]]


def test_no_documents_give_no_batches():
    X = draw_words(3, [2, 3])[:0]
    assert list(Corpus(X, torch.float32, CPU).batches(10)) == []


@pytest.mark.parametrize("n_words", [6, 500])
def test_memory_maps_of_half_precision_are_converted(tmp_path, n_words):
    X = draw_words(4, [12, 0, 7, 30], n_words=n_words, dtype=np.float16)
    file = np.memmap(tmp_path / "table", np.float16, "w+", shape=X.features.shape)
    file[:] = X.features
    mapped = SequenceArray(file, X.offsets, X.indices)
    for dtype in (torch.float32, torch.float64):
        batch = Corpus(mapped, dtype, CPU).batch(np.array([3, 0, 1]))
        assert batch.x.dtype == dtype
        assert_holds(batch, X[[3, 0, 1]])


@pytest.mark.parametrize("repeated", [False, True])
def test_offsets_and_indices_may_be_mapped_too(tmp_path, repeated):
    """As joblib hands them to a worker."""
    X = draw_words(5, [12, 0, 7, 30], n_words=6 if repeated else 500)
    parts = []
    for name in ("features", "offsets", "indices"):
        np.save(tmp_path / name, getattr(X, name))
        parts.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    mapped = Corpus(SequenceArray._trusted(*parts, None), torch.float32, CPU)
    documents = np.array([2, 0, 3])
    assert mapped.repeats == repeated
    assert_identical(
        mapped.batch(documents), Corpus(X, torch.float32, CPU).batch(documents)
    )


def test_a_batch_is_independent_of_the_features():
    features = np.random.default_rng(6).normal(size=(8, 3)).astype(np.float32)
    batch = Corpus(SequenceArray(features, [0, 8]), torch.float32, CPU).batch(
        np.array([0])
    )
    batch.x.zero_()
    assert features.all()
