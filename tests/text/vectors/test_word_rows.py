import copy
import pickle
import threading

import joblib
import numpy as np
import pytest
from gensim.models import KeyedVectors
from sklearn.base import clone

from skrational.exceptions import UnusableVectorWarning
from skrational.sequences import SequenceArray
from skrational.text import WordVectorizer
from skrational.text.tokenize import tokenize
from skrational.text.vectors import loading, word_rows

# Many of the texts here are empty.
pytestmark = [
    pytest.mark.filterwarnings("ignore:[0-9]+ of [0-9]+ texts hold no word"),
    pytest.mark.filterwarnings("ignore:[0-9]+% of the tokens of this call"),
]

RNG = np.random.default_rng(0)
VECTORS = {f"w{i}": row for i, row in enumerate(RNG.normal(size=(5000, 4)))}


def texts_of(seed, n_texts=30, n_words=6000):
    """Texts of which some words have no vector."""
    rng = np.random.default_rng(seed)
    return [
        " ".join(f"w{i}" for i in rng.integers(n_words, size=rng.integers(40)))
        for _ in range(n_texts)
    ]


def base(array):
    while array.base is not None:
        array = array.base
    return array


@pytest.fixture(params=["random", "zero", "drop"])
def options(request):
    return {"oov": request.param, "max_length": 30, "keep": "end"}


def test_used_and_fresh_vectorizers_agree(options):
    used = WordVectorizer(VECTORS, **options).fit(texts_of(0))
    fresh = WordVectorizer(VECTORS, **options).fit(texts_of(0))
    before = []
    for seed in range(12):
        X = used.transform(texts_of(seed, n_texts=150))
        first = clone(fresh).fit_transform(texts_of(seed, n_texts=150))
        assert (
            X == first == fresh.fit(texts_of(0)).transform(texts_of(seed, n_texts=150))
        )
        before.append((X, first))
    # More rows were made than the first arrays had room for.
    assert base(before[0][0].features) is not base(before[-1][0].features)
    for X, first in before:
        assert X == first


def test_equal_to_the_python_path(options):
    compiled = WordVectorizer(VECTORS, **options)
    by_function = WordVectorizer(
        VECTORS, tokenizer=lambda text: iter(tokenize(text)), **options
    )
    A, B = compiled.fit_transform(texts_of(0)), by_function.fit_transform(texts_of(0))
    assert A == B
    assert A.labels.tolist() == B.labels.tolist()
    assert compiled.out_of_vocabulary_ == by_function.out_of_vocabulary_ > 0
    assert compiled.transform(texts_of(1)) == by_function.transform(texts_of(1))


def test_rows_are_shared_and_frozen():
    vectorizer = WordVectorizer(VECTORS)
    first = vectorizer.fit_transform(texts_of(0))
    second = vectorizer.transform(texts_of(1, n_texts=3))
    assert base(first.features) is base(second.features)
    assert base(first.labels) is base(second.labels)
    n_rows = len(first.features)
    assert len(second.features) > n_rows
    np.testing.assert_array_equal(second.features[:n_rows], first.features)
    for part in (second.features, second.labels):
        for array in (part, base(part)):
            assert not array.flags.writeable
        with pytest.raises(ValueError, match="WRITEABLE"):
            part.flags.writeable = True
    assert not first.features.flags.writeable


def test_results_join():
    vectorizer = WordVectorizer(VECTORS).fit(texts_of(0))
    parts = [vectorizer.transform(texts_of(seed)) for seed in (0, 1, 0)]
    joined = SequenceArray.concatenate(parts)
    assert joined == vectorizer.transform(texts_of(0) + texts_of(1) + texts_of(0))


def test_fit_starts_anew():
    vectorizer = WordVectorizer(VECTORS)
    first = vectorizer.fit_transform(["w1 w2"])
    second = vectorizer.fit_transform(["w2 w3"])
    assert first.labels.tolist() == ["<s>", "w1", "w2", "</s>"]
    assert second.labels.tolist() == ["<s>", "w2", "w3", "</s>"]
    X = vectorizer.fit(["w1 w2"]).transform(["w2", "w3 x y", "w2"])
    assert X.labels.tolist() == ["<s>", "w2", "</s>", "w3", "<unk>"]


def words_known_to(vectorizer):
    lexicon = vectorizer._rows._rows.lexicon
    return lexicon.words(np.arange(len(lexicon)))


def test_unknown_words_are_forgotten_at_the_bound(monkeypatch):
    monkeypatch.setattr(word_rows, "MOST_LEXICON_BYTES", 2**18)
    vectorizer = WordVectorizer(VECTORS).fit(["w1"])
    first = vectorizer.transform([*texts_of(0), "w1"])
    sizes = []
    for i in range(40):
        vectorizer.transform([" ".join(f"{i}x{j} w1" for j in range(1000))])
        sizes.append(vectorizer._rows._rows.lexicon.n_bytes)
    assert max(sizes) < 2**20
    assert len(words_known_to(vectorizer)) < 40_000
    # The rows, and the words that have one, are still there.
    again = vectorizer.transform([*texts_of(0), "w1"])
    assert again == first
    assert base(again.features) is base(first.features)
    assert len(again.features) == len(first.features)
    assert set(first.labels) - {"<unk>"} <= set(words_known_to(vectorizer))


def test_long_words_count_by_their_bytes(monkeypatch):
    monkeypatch.setattr(word_rows, "MOST_LEXICON_BYTES", 2**20)
    vectorizer = WordVectorizer(VECTORS).fit(["w1"])
    for i in range(8):
        vectorizer.transform([f"{i}{'x' * 10**6} w1"])
        assert vectorizer._rows._rows.lexicon.n_bytes < 2**23


class AnyWord(dict):
    """A table that has a vector for every word, as one of subwords has."""

    def __contains__(self, word):
        return True

    def __missing__(self, word):
        return [float(len(word)), 1.0]


def test_all_words_are_forgotten_where_their_rows_take_too_much(monkeypatch):
    monkeypatch.setattr(word_rows, "MOST_ROW_BYTES", 2**14)
    vectorizer = WordVectorizer(AnyWord(a=[1.0, 1.0]), unit_norm=False).fit(["a"])
    many = vectorizer.transform([" ".join(f"w{i}" for i in range(3000))])
    few = vectorizer.transform(["w12"])
    assert few.labels.tolist() == ["<s>", "w12", "</s>"]
    assert few[0][1].tolist() == many[0][13].tolist() == [3, 1]


class Counting(np.ndarray):
    """Counts how many entries the operations on it read and write."""

    n = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        arrays = [np.asarray(x) for x in inputs if isinstance(x, np.ndarray)]
        Counting.n += max(array.size for array in arrays)
        inputs = [np.asarray(x) if isinstance(x, np.ndarray) else x for x in inputs]
        return getattr(ufunc, method)(*inputs, **options)


def test_a_call_does_not_look_at_the_words_met_before(monkeypatch):
    """Of what grows with the words, a call reads and makes as much as it has tokens."""
    vectorizer = WordVectorizer(VECTORS).fit(["w1"])
    sizes = []
    for name in ("empty", "zeros", "full", "arange"):
        make = getattr(np, name)

        def counted(shape, *args, make=make, **options):
            sizes.append(int(np.prod(shape)))
            return make(shape, *args, **options)

        monkeypatch.setattr(np, name, counted)

    def largest(text):
        rows = vectorizer._rows._rows
        sizes.clear()
        Counting.n = 0
        rows._row_of = rows._row_of.view(Counting)
        vectorizer.transform([text])
        rows._row_of = np.asarray(vectorizer._rows._rows._row_of)
        return max([Counting.n, *sizes])

    vectorizer.transform(["a b w1"])
    largest("a b w1")
    few = largest("q w2 w1")
    vectorizer.transform([" ".join(f"x{i} w{i % 4000}" for i in range(50_000))])
    assert len(words_known_to(vectorizer)) > 50_000
    vectorizer.transform(["makes room"])
    assert largest("r w4001 w1") <= few


@pytest.mark.parametrize("kind", ["dict", "keyed"])
def test_an_unpickled_vectorizer_opens_its_table_once(kind, monkeypatch):
    vectors = VECTORS
    if kind == "keyed":
        vectors = KeyedVectors(4)
        vectors.add_vectors(list(VECTORS), np.float32(list(VECTORS.values())))
    twin = pickle.loads(pickle.dumps(WordVectorizer(vectors).fit(["w1"])))
    opened = []

    def reload(*args):
        opened.append(args)
        return loading.reload_tables(*args)

    monkeypatch.setattr("skrational.text.vectors.kept.reload_tables", reload)
    for _ in range(3):
        twin.transform(["w1 w2"])
    assert len(opened) == 1


def test_predictions_of_threads_survive_forgetting(monkeypatch):
    monkeypatch.setattr(word_rows, "MOST_LEXICON_BYTES", 2**17)
    vectorizer = WordVectorizer(VECTORS).fit(["w1"])
    expected = WordVectorizer(VECTORS).fit(["w1"]).transform(texts_of(1))
    faults = []

    def work(number):
        for i in range(30):
            text = " ".join(f"{number}y{i}y{j}" for j in range(300))
            X = vectorizer.transform([*texts_of(1), f"w1 {text}"])
            if X[: len(expected)] != expected:
                faults.append((number, i))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


@pytest.mark.parametrize("tokenizer", [None, str.split])
def test_threads(tokenizer):
    vectorizer = WordVectorizer(VECTORS, tokenizer=tokenizer).fit(texts_of(0))
    expected = [clone(vectorizer).fit_transform(texts_of(seed)) for seed in range(8)]
    results = {}

    def work(seed):
        results[seed] = [vectorizer.transform(texts_of(seed)) for _ in range(3)]

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(8):
        assert all(X == expected[seed] for X in results[seed])


def test_copies_start_without_rows(tmp_path):
    vectorizer = WordVectorizer(VECTORS).fit(texts_of(0))
    size = len(pickle.dumps(vectorizer))
    expected = vectorizer.transform(texts_of(1))
    assert len(pickle.dumps(vectorizer)) == size
    joblib.dump(vectorizer, tmp_path / "v.joblib")
    for twin in (
        pickle.loads(pickle.dumps(vectorizer)),
        joblib.load(tmp_path / "v.joblib"),
        copy.deepcopy(vectorizer),
        copy.copy(vectorizer),
    ):
        for _ in range(2):
            assert twin.transform(texts_of(1)) == expected
        X = twin.transform(["w1"])
        assert base(X.features) is not base(expected.features)
        assert base(X.features) is base(twin.transform(["w1"]).features)


def test_results_pickle(tmp_path):
    X = WordVectorizer(VECTORS).fit_transform(texts_of(0))
    assert len(pickle.dumps(X)) < 2 * (X.features.nbytes + X.indices.nbytes) + 10**5
    assert pickle.loads(pickle.dumps(X)) == X
    joblib.dump(X, tmp_path / "X.joblib")
    assert joblib.load(tmp_path / "X.joblib", mmap_mode="r") == X


def test_transform_leaves_the_dict_alone():
    vectorizer = WordVectorizer(VECTORS).fit(texts_of(0))
    before = dict(vars(vectorizer))
    vectorizer.transform(texts_of(1))
    assert vars(vectorizer) == before


def test_a_generator_may_transform():
    vectorizer = WordVectorizer(VECTORS).fit(["w1"])

    def texts():
        for text in texts_of(0):
            vectorizer.transform([text])
            yield text

    assert vectorizer.transform(texts()) == vectorizer.transform(texts_of(0))


def failing_texts():
    yield from texts_of(1, n_texts=300)
    yield None


class TestFaults:
    def test_a_bad_text(self):
        vectorizer = WordVectorizer(VECTORS).fit(["w1"])
        with pytest.raises(TypeError, match="Text 300 of X is None"):
            vectorizer.transform(failing_texts())
        X = vectorizer.transform(["w2 w1"])
        assert X.labels.tolist() == ["<s>", "w2", "w1", "</s>"]

    def test_a_bad_vector(self):
        vectors = {"good": [1.0, 2.0], "bad": [np.nan, 0.0], "new": [3.0, 4.0]}
        vectorizer = WordVectorizer(vectors, unit_norm=False, oov="zero")
        with pytest.warns(UnusableVectorWarning, match="'bad'.*NaN"):
            vectorizer.fit_transform(["good"])
        for _ in range(2):
            X = vectorizer.transform(["new bad", "good"])
            assert X[0][1:-1].tolist() == [[3, 4], [0, 0]]
            assert X[1][1:-1].tolist() == [[1, 2]]

    @pytest.mark.parametrize("method", ["fit", "fit_transform"])
    def test_a_failing_fit_changes_nothing(self, method):
        vectorizer = WordVectorizer(VECTORS).fit(["w1"])
        X = vectorizer.transform(["w1"])
        before = dict(vars(vectorizer))
        with pytest.raises(TypeError, match="Text 300 of X is None"):
            getattr(vectorizer, method)(failing_texts())
        assert vars(vectorizer) == before
        assert base(vectorizer.transform(["w1"]).features) is base(X.features)

    def test_no_usable_vector(self):
        vectorizer = WordVectorizer({"good": [1.0]}).fit(["good"])
        before = dict(vars(vectorizer))
        vectorizer.set_params(vectors={"bad": [np.inf]})
        with pytest.raises(ValueError, match="no usable vector: that of 'bad'"):
            vectorizer.fit_transform(["good bad"])
        assert vars(vectorizer) == before | {"vectors": vectorizer.vectors}


def test_other_parameters_start_anew():
    vectorizer = WordVectorizer({"a": [3.0, 4.0]}, start_token=None, end_token=None)
    X = vectorizer.fit_transform(["a"])
    np.testing.assert_allclose(X[0], [[0.6, 0.8]], rtol=1e-6)
    vectorizer.set_params(unit_norm=False)
    assert vectorizer.transform(["a"])[0].tolist() == [[3, 4]]
    twin = pickle.loads(pickle.dumps(vectorizer)).set_params(vectors={"a": [1.0, 2.0]})
    assert twin.transform(["a"])[0].tolist() == [[1, 2]]
    twin.set_params(vectors={"a": [5.0, 6.0]})
    assert twin.transform(["a"])[0].tolist() == [[5, 6]]
