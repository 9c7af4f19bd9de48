import gzip
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from gensim import downloader
from gensim.models import KeyedVectors
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from skrational.exceptions import (
    FeatureCacheWarning,
    OutOfVocabularyWarning,
    UnusableVectorWarning,
    VectorFileError,
)
from skrational.sequences import SequenceArray
from skrational.text import WordVectorizer
from skrational.text.vectors import loading, vector_files

# Many of the texts here are empty.
pytestmark = pytest.mark.filterwarnings("ignore:[0-9]+ of [0-9]+ texts hold no word")

WORDS = {
    "good": [2.0, 0.0, 0.0],
    "bad": [-1.0, 1.0, 0.0],
    "not": [0.0, 0.5, 0.5],
    "zero": [0.0, 0.0, 0.0],
    "naïve": [0.25, -3.0, 1.0],
}
TEXTS = ["Good not bad", "", "naïve good good zero"]
ROWS = "".join(f"{w} {' '.join(map(str, v))}\n" for w, v in WORDS.items())
TEXT = ROWS.encode()
HEADER = f"{len(WORDS)} 3\n".encode()


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SKRATIONAL_CACHE", str(tmp_path / "cache"))
    loading.forget_tables()
    yield tmp_path / "cache"
    loading.forget_tables()


@pytest.fixture
def keyed():
    vectors = KeyedVectors(3)
    vectors.add_vectors(list(WORDS), np.array(list(WORDS.values()), dtype=np.float32))
    return vectors


@pytest.fixture
def glove(tmp_path):
    return write(tmp_path / "glove.txt", TEXT)


def write(path, content, zipped=False):
    path.write_bytes(gzip.compress(content) if zipped else content)
    return path


def plain(vectors, **options):
    """A vectorizer without start and end tokens."""
    return WordVectorizer(vectors, **{"start_token": None, "end_token": None} | options)


def no_parser(*args):
    raise AssertionError("the file was parsed again")


@pytest.fixture
def parsed(monkeypatch):
    """The files parsed so far."""
    paths = []

    def read(path, form):
        paths.append(path)
        return vector_files.read_vectors(path, form)

    monkeypatch.setattr(loading, "read_vectors", read)
    return paths


class TestFormats:
    def expected(self):
        return plain(WORDS).fit_transform(TEXTS)

    @pytest.mark.parametrize("name", ["v.txt", "v.txt.gz", "v.vec", "v", "odd.gz"])
    @pytest.mark.parametrize("header", [b"", HEADER])
    @pytest.mark.parametrize("zipped", [False, True])
    def test_text(self, tmp_path, name, header, zipped):
        path = write(tmp_path / name, header + TEXT, zipped)
        for vectors in (path, str(path)):
            assert plain(vectors).fit_transform(TEXTS) == self.expected()

    def test_text_of_the_word2vec_tool_and_of_windows(self, tmp_path):
        path = write(tmp_path / "v", HEADER + TEXT.replace(b"\n", b" \r\n") + b"\n")
        assert plain(path).fit_transform(TEXTS) == self.expected()

    @pytest.mark.parametrize("name", ["v.bin", "v.bin.gz", "v.gz", "v.model"])
    def test_binary(self, tmp_path, keyed, name):
        path = tmp_path / name
        keyed.save_word2vec_format(path, binary=True)
        assert plain(path).fit_transform(TEXTS) == self.expected()

    def test_saved(self, tmp_path, keyed):
        path = tmp_path / "v.kv"
        keyed.save(str(path))
        assert plain(path).fit_transform(TEXTS) == self.expected()

    def test_saved_in_parts_is_mapped(self, tmp_path, keyed):
        path = tmp_path / "v.kv"
        keyed.save(str(path), separately=["vectors"])
        assert isinstance(loading.load_table(path).vectors, np.memmap)
        assert plain(path).fit_transform(TEXTS) == self.expected()
        (tmp_path / "v.kv.vectors.npy").unlink()
        loading.forget_tables()
        with pytest.raises(VectorFileError, match=r"v\.kv.*vectors\.npy"):
            plain(path).fit(TEXTS)

    def test_keyed_vectors(self, keyed):
        assert plain(keyed).fit_transform(TEXTS) == self.expected()

    def test_words_with_spaces_and_duplicates(self, tmp_path):
        content = b". 1 0\n. . . 0 1\n. 5 5\nat a@b.com 3 4\n"
        table = loading.load_table(write(tmp_path / "v.txt", content))
        assert list(table.index) == [".", ". . .", "at a@b.com"]
        rows = table.take([".", ". . .", "at a@b.com"])
        np.testing.assert_array_equal(rows, [[1, 0], [0, 1], [3, 4]])

    def test_home(self, glove, monkeypatch):
        monkeypatch.setenv("HOME", str(glove.parent))
        assert plain("~/glove.txt").fit_transform(TEXTS) == self.expected()


class TestBadFiles:
    def fails(self, path, *parts, error=VectorFileError):
        with pytest.raises(error) as caught:
            plain(path).fit(TEXTS)
        for part in (str(path), *parts):
            assert part in str(caught.value)
        assert not list(Path(os.environ["SKRATIONAL_CACHE"]).rglob("*.npy"))

    @pytest.mark.parametrize(
        ("content", "parts"),
        [
            (b"", ["is empty"]),
            (b"\n\n", ["is empty"]),
            (b"a 1 2\nb 1\n", ["line 2", "1 numbers", "expected a word and 2"]),
            (b"a 1 2\nb 1 2 3\n", ["line 2", "more than 2"]),
            (b"a 1 2\nb 1 x\n", ["line 2", "'x'"]),
            (b"a 1 x\nb 1 2\n", ["line 1", "'x'"]),
            (b"a 1 2\n\nb 1", ["line 3", "1 numbers"]),
            (b"lonely\n", ["line 1", "0 numbers"]),
            (b"a 1 2\n\xff 1 2\n", ["line 2", "utf-8"]),
            (b"3 2\na 1 2\nb 1 2\n", ["ends after 2", "announces 3"]),
            (b"1 2\na 1 2\nb 1 2\n", ["ends after 2", "announces 1"]),
            (b"0 2\n", ["shape (0, 2)"]),
            (b"2 0\na\nb\n", ["line 2"]),
            (b"PK\x03\x04rest", ["zip"]),
            (b"\x80\x04damaged", ["gensim"]),
        ],
    )
    def test_content(self, tmp_path, content, parts):
        self.fails(write(tmp_path / "v.txt", content), *parts)

    def test_truncated_gzip(self, tmp_path):
        whole = gzip.compress(os.urandom(20_000).hex(" ").encode())
        self.fails(write(tmp_path / "a.gz", whole[: len(whole) // 2]), "line 1")
        many = b"".join(b"w%d 0.%d\n" % (i, i**3) for i in range(50_000))
        whole = gzip.compress(many)
        self.fails(write(tmp_path / "b.gz", whole[: len(whole) // 2]), "line 2")
        self.fails(write(tmp_path / "c.gz", whole[:5]), "damaged or cut off")

    def test_truncated_binary(self, tmp_path, keyed):
        keyed.save_word2vec_format(tmp_path / "v.bin", binary=True)
        content = (tmp_path / "v.bin").read_bytes()
        self.fails(write(tmp_path / "v.bin", content[:-5]), "unexpected end")

    def test_other_pickle(self, tmp_path):
        self.fails(write(tmp_path / "v.kv", pickle.dumps([1, 2])))

    def test_folder(self, tmp_path):
        self.fails(tmp_path, "folder")

    def test_not_there(self, tmp_path):
        self.fails(tmp_path / "v.txt", "There is no file", error=FileNotFoundError)

    @pytest.mark.parametrize("value", ["nan", "inf"])
    def test_a_vector_that_is_not_finite(self, tmp_path, value):
        path = write(tmp_path / "v.txt", f"good 1 2\nbad 1 {value}\n".encode())
        with pytest.warns(UnusableVectorWarning, match=r"'bad' in .*v\.txt \(1 in all"):
            vectorizer = plain(path).fit(["good"])
        assert vectorizer.transform(["good bad"]).labels.tolist() == ["good", "<unk>"]


class TestNames:
    name = "glove-tiny-3"

    @pytest.fixture(autouse=True)
    def offline(self, tmp_path, monkeypatch):
        def refuse(*args, **kwargs):
            raise OSError("no network")

        monkeypatch.setattr(downloader, "BASE_DIR", str(tmp_path / "gensim-data"))
        monkeypatch.setattr(downloader, "info", refuse)
        monkeypatch.setattr(downloader, "load", refuse)

    def test_offline(self):
        with pytest.raises(
            FileNotFoundError, match=r"no network.*gensim.downloader -d"
        ):
            plain(self.name).fit(TEXTS)

    @pytest.mark.parametrize("place", ["BASE_DIR", "base_dir"])
    def test_downloaded_before(self, tmp_path, monkeypatch, place):
        monkeypatch.setattr(downloader, place, str(tmp_path / "data"))
        folder = tmp_path / "data" / self.name
        folder.mkdir(parents=True)
        write(folder / f"{self.name}.gz", HEADER + TEXT, zipped=True)
        X = plain(self.name).fit_transform(TEXTS)
        assert X == plain(WORDS).fit_transform(TEXTS)

    def test_downloaded_now(self, glove, monkeypatch):
        monkeypatch.setattr(downloader, "info", lambda: {"models": {self.name: {}}})
        monkeypatch.setattr(downloader, "load", lambda name, return_path: str(glove))
        X = plain(self.name).fit_transform(TEXTS)
        assert X == plain(WORDS).fit_transform(TEXTS)

    def test_unknown_name(self, monkeypatch):
        monkeypatch.setattr(downloader, "info", lambda: {"models": {self.name: {}}})
        with pytest.raises(FileNotFoundError, match=r"not the name.*glove-tiny-3"):
            plain("glove-huge-3").fit(TEXTS)

    @pytest.mark.parametrize(
        "vectors", ["glove.txt", "a/glove-tiny-3", "v.gz", "x.kv", "glove"]
    )
    def test_a_path_is_not_looked_up(self, vectors):
        with pytest.raises(FileNotFoundError, match=r"no file .* not the name"):
            plain(vectors).fit(TEXTS)


class TestCache:
    def test_second_load_does_not_parse(self, glove, own_cache, monkeypatch):
        first = plain(glove).fit_transform(TEXTS)
        (entry,) = (own_cache / "vectors").rglob("*.npy")
        loading.forget_tables()
        monkeypatch.setattr(loading, "read_vectors", no_parser)
        assert plain(glove).fit_transform(TEXTS) == first
        table = loading.load_table(glove)
        assert isinstance(table.vectors.base, np.memmap)
        assert not table.vectors.flags.writeable
        assert list(entry.parent.iterdir()) == [entry]

    def test_same_process_does_not_even_read(self, glove, monkeypatch):
        first = plain(glove, cache=False).fit_transform(TEXTS)
        monkeypatch.setattr(loading, "find_format", no_parser)
        assert plain(glove, cache=False).fit_transform(TEXTS) == first

    def test_opt_out_and_other_folder(self, glove, own_cache, tmp_path):
        plain(glove, cache=False).fit(TEXTS)
        assert not own_cache.exists()
        for folder in (tmp_path / "other", str(tmp_path / "another")):
            plain(glove, cache=folder).fit(TEXTS)
            assert len(list(Path(folder).rglob("*.npy"))) == 1
        assert not own_cache.exists()

    def test_default_folder(self, glove, tmp_path, monkeypatch):
        monkeypatch.delenv("SKRATIONAL_CACHE")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        plain(glove).fit(TEXTS)
        folder = tmp_path / "xdg" / "skrational" / "vectors"
        assert len(list(folder.rglob("*.npy"))) == 1

    def test_changed_file_is_parsed_again(self, glove, own_cache):
        plain(glove).fit(TEXTS)
        glove.write_bytes(b"good 0 1\n")
        assert plain(glove, oov="drop").fit_transform(["good"]).n_features == 2
        assert len(list(own_cache.rglob("*.npy"))) == 1

    @pytest.mark.parametrize("fault", ["cut", "words", "empty", "garbage", "row"])
    def test_damaged_entry_is_parsed_again(self, glove, own_cache, fault):
        first = plain(glove).fit_transform(TEXTS)
        (entry,) = own_cache.rglob("*.npy")
        content = entry.read_bytes()
        loading.forget_tables()
        damaged = {
            "cut": content[:140],
            "words": content[:-30],
            "empty": b"",
            "garbage": b"\x80garbage" * 20,
            "row": content.replace(np.float32(2).tobytes(), b"\0\0\0\0"),
        }
        entry.write_bytes(damaged[fault])
        with pytest.warns(FeatureCacheWarning, match=r"copy of .*glove\.txt") as caught:
            assert plain(glove).fit_transform(TEXTS) == first
        assert len([w for w in caught if w.category is FeatureCacheWarning]) == 1
        assert entry.read_bytes() == content

    def test_folder_that_cannot_be_written(self, glove, monkeypatch, caplog):
        def full(*args):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        assert plain(glove).fit_transform(TEXTS) == plain(WORDS).fit_transform(TEXTS)
        assert "No space left" in caplog.text
        assert not list(Path(os.environ["SKRATIONAL_CACHE"]).rglob("*.*"))
        X = plain(glove, cache=glove).fit_transform(TEXTS)
        assert X == plain(WORDS).fit_transform(TEXTS)

    def test_threads_share_one_table(self, glove, parsed):
        vectorizers = [plain(glove) for _ in range(8)]
        threads = [threading.Thread(target=v.fit, args=(TEXTS,)) for v in vectorizers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(parsed) == 1
        assert len({id(v._table) for v in vectorizers}) == 1


class TestOptions:
    def test_features_are_the_words_that_occur(self):
        X = plain(WORDS).fit_transform(["bad good bad", "", "zero x"])
        assert isinstance(X, SequenceArray)
        assert X.features.dtype == np.float32
        assert X.labels.tolist() == ["bad", "good", "zero", "<unk>"]
        assert X.indices.tolist() == [0, 1, 0, 2, 3]
        assert X.lengths.tolist() == [3, 0, 2]

    def test_unit_norm(self):
        X = plain(WORDS).fit_transform(["good bad zero"])
        np.testing.assert_allclose(
            X.features, [[1, 0, 0], [-(0.5**0.5), 0.5**0.5, 0], [0, 0, 0]], rtol=1e-6
        )
        X = plain(WORDS, unit_norm=False).fit_transform(["good bad zero"])
        np.testing.assert_array_equal(
            X.features, [WORDS[w] for w in ("good", "bad", "zero")]
        )

    def test_start_and_end_tokens(self):
        X = WordVectorizer(WORDS).fit_transform(["good", ""])
        assert X.labels.tolist() == ["<s>", "good", "</s>"]
        assert X.indices.tolist() == [0, 1, 2, 0, 2]
        np.testing.assert_allclose(np.linalg.norm(X.features, axis=1), 1, rtol=1e-6)
        assert not np.allclose(X.features[0], X.features[2])

    def test_start_token_of_the_table(self):
        vectorizer = WordVectorizer(WORDS, start_token="zero", end_token=None)
        X = vectorizer.fit_transform(["good"])
        assert vectorizer.special_vectors_ == {}
        np.testing.assert_array_equal(X[0], [[0, 0, 0], [1, 0, 0]])

    def test_random_state(self):
        def features(**options):
            vectorizer = WordVectorizer(WORDS, **options)
            return vectorizer.fit_transform(["x good good good"]).features

        start, unknown, _, end = features()
        np.testing.assert_array_equal(features(), [start, unknown, [1, 0, 0], end])
        np.testing.assert_array_equal(features(end_token=None)[:2], [start, unknown])
        for other in (1, np.random.RandomState(2), None):
            assert not np.allclose(features(random_state=other)[0], start)
        drawn = features(unit_norm=False)[[0, 1, 3]]
        assert np.abs(drawn).max() <= 0.25
        assert len(np.unique(drawn)) == 9

    @pytest.mark.parametrize("oov", ["random", "zero", "drop"])
    def test_oov(self, oov):
        X = plain(WORDS, oov=oov).fit_transform(["x good good good y", "bad bad"])
        if oov == "drop":
            assert X.labels.tolist() == ["good", "bad"]
            assert X.lengths.tolist() == [3, 2]
            return
        assert X.labels.tolist() == ["<unk>", "good", "bad"]
        assert X.indices.tolist() == [0, 1, 1, 1, 0, 2, 2]
        norm = np.linalg.norm(X.features[0])
        assert norm == pytest.approx(0 if oov == "zero" else 1)

    def test_lowercase(self):
        with pytest.warns(OutOfVocabularyWarning, match="lowercase=True"):
            X = plain(WORDS, lowercase=False).fit_transform(["Good good"])
        assert X.labels.tolist() == ["<unk>", "good"]

    def test_tokenizer(self):
        texts = ["good good good not-bad"]
        default = plain(WORDS | {"not-bad": [1, 1, 1]}).fit_transform(texts)
        assert default.labels.tolist() == ["good", "not-bad"]
        X = plain(WORDS, tokenizer=lambda text: text.replace("-", " ").split())
        assert X.fit_transform(texts).labels.tolist() == ["good", "not", "bad"]
        X = plain({"it's": [1.0]}, tokenizer=str.split).fit_transform(["it's"])
        assert X.labels.tolist() == ["it's"]

    @pytest.mark.parametrize(
        ("keep", "labels"),
        [("start", ["<s>", "good", "bad"]), ("end", ["<s>", "bad", "not"])],
    )
    def test_max_length(self, keep, labels):
        vectorizer = WordVectorizer(WORDS, end_token=None, max_length=2, keep=keep)
        X = vectorizer.fit_transform(["good bad not", "bad"])
        assert X.labels.tolist() == labels
        assert X.lengths.tolist() == [3, 2]

    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({"lowercase": "yes"}, "lowercase"),
            ({"tokenizer": "split"}, "tokenizer"),
            ({"start_token": 1}, "start_token"),
            ({"end_token": b"</s>"}, "end_token"),
            ({"unit_norm": None}, "unit_norm"),
            ({"oov": "mean"}, "oov"),
            ({"max_length": 0}, "max_length"),
            ({"keep": "middle"}, "keep"),
            ({"cache": 3}, "cache"),
            ({"random_state": "x"}, "random_state"),
        ],
    )
    def test_wrong_parameters(self, options, name):
        with pytest.raises(ValueError, match=f"'{name}' parameter"):
            WordVectorizer("not-looked-at.txt", **options).fit(TEXTS)

    def test_wrong_vectors(self):
        with pytest.raises(TypeError, match=r"vectors must be a path.*got int"):
            WordVectorizer(300).fit(TEXTS)
        with pytest.raises(ValueError, match="empty dict"):
            WordVectorizer({}).fit(TEXTS)
        with pytest.raises(ValueError, match=r"'good'.*shape"):
            WordVectorizer({"good": 1.0}).fit(TEXTS)
        with pytest.warns(UnusableVectorWarning, match=r"'bad'.*\(2,\).*\(1,\)"):
            plain({"good": [1.0], "bad": [1.0, 2.0]}).fit_transform(["good"])
        with pytest.raises(ValueError, match="KeyedVectors that is empty"):
            WordVectorizer(KeyedVectors(3)).fit(TEXTS)

    def test_wrong_tokens(self):
        with pytest.raises(TypeError, match="tokenizer returned a str"):
            plain(WORDS, tokenizer=str.strip).fit(TEXTS)
        with pytest.raises(TypeError, match=r"token 3 \(int\)"):
            plain(WORDS, tokenizer=lambda text: [3]).fit(TEXTS)


class TestOutOfVocabulary:
    def test_share(self):
        vectorizer = WordVectorizer(WORDS).fit(["good x bad", "y good good", "good"])
        assert vectorizer.out_of_vocabulary_ == 2 / 7
        vectorizer = WordVectorizer(WORDS, max_length=1, oov="drop")
        assert vectorizer.fit(["good x bad", "y", "bad bad"] * 2 + ["good"] * 3)
        assert vectorizer.out_of_vocabulary_ == 2 / 9
        assert plain(WORDS).fit([""]).out_of_vocabulary_ == 0

    def test_warning_above_30_percent(self):
        plain(WORDS).fit(["x x x" + " good" * 7])
        with pytest.warns(
            OutOfVocabularyWarning, match=r"40% .* 'y', 'x'.*Try lowercase=False"
        ) as caught:
            plain(WORDS).fit(["x y y y" + " good" * 6])
            plain(WORDS).fit_transform(["x y y y" + " good" * 6])
        assert [warning.filename for warning in caught] == [__file__] * 2

    def test_transform_does_not_count(self):
        vectorizer = plain(WORDS).fit(["good"])
        before = dict(vars(vectorizer))
        vectorizer.transform(["x y z"])
        assert vars(vectorizer) == before


class TestInput:
    @pytest.mark.parametrize(
        "container",
        [
            tuple,
            iter,
            np.array,
            lambda texts: np.array(texts, dtype=object),
            pd.Series,
            lambda texts: pd.Series(texts, dtype=object, index=[7, 8, 9]),
        ],
    )
    def test_containers(self, container):
        vectorizer = plain(WORDS)
        expected = vectorizer.fit_transform(TEXTS)
        assert vectorizer.fit_transform(container(TEXTS)) == expected
        assert vectorizer.fit(container(TEXTS)).transform(container(TEXTS)) == expected

    @pytest.mark.parametrize("text", ["good", b"good"])
    def test_a_single_text(self, text):
        with pytest.raises(ValueError, match="Iterable over raw text documents"):
            plain(WORDS).fit(text)

    @pytest.mark.parametrize(
        "element", [None, np.nan, 3, b"good", ["good"], pd.NA], ids=repr
    )
    def test_elements(self, element):
        vectorizer = plain(WORDS).fit(["good"])
        for method in (vectorizer.fit, vectorizer.transform):
            with pytest.raises(TypeError, match=r"Text 1 of X is .*expected a str"):
                method(["good", element])

    @pytest.mark.parametrize(
        "X", [pd.DataFrame({"text": TEXTS}), np.array([TEXTS]), np.array("good"), 3]
    )
    def test_shapes(self, X):
        with pytest.raises(ValueError, match=r"X is a .* one-dimensional"):
            plain(WORDS).fit(X)

    def test_no_texts(self):
        vectorizer = plain(WORDS).fit(["good"])
        for method in (vectorizer.fit, vectorizer.transform, vectorizer.fit_transform):
            with pytest.raises(ValueError, match="X holds no texts"):
                method([])

    def test_empty_texts_only(self):
        X = plain(WORDS).fit_transform(["", " "])
        assert (len(X), X.n_tokens, X.n_features) == (2, 0, 3)

    def test_new_words(self):
        X = plain(WORDS).fit(["good"]).transform(["bad good"])
        assert X.labels.tolist() == ["bad", "good"]


class LengthClassifier(ClassifierMixin, BaseEstimator):
    """Predicts the class whose mean length is nearest; a stand-in."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.array([X.lengths[y == c].mean() for c in self.classes_])
        return self

    def predict(self, X):
        distances = np.abs(X.lengths[:, None] - self.means_)
        return self.classes_[distances.argmin(axis=1)]


class TestContract:
    def test_init_loads_nothing(self):
        vectorizer = WordVectorizer("not-there.txt", oov="nonsense")
        assert vectorizer.get_params()["vectors"] == "not-there.txt"
        with pytest.raises(NotFittedError):
            vectorizer.transform(TEXTS)

    def test_tags(self):
        tags = get_tags(WordVectorizer(WORDS))
        assert tags.input_tags.string
        assert not tags.input_tags.two_d_array
        assert tags.requires_fit

    def test_clone_shares(self, keyed):
        for vectors in (WORDS, keyed):
            vectorizer = WordVectorizer(vectors, oov="zero").fit(["good"])
            copy = clone(vectorizer)
            assert copy.vectors is vectors
            assert copy.oov == "zero"
            assert not hasattr(copy, "n_features_out_")
            assert clone(make_pipeline(vectorizer))[0].vectors is vectors

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_grid_search(self, glove, parsed, n_jobs, tmp_path):
        vectorizer = WordVectorizer(glove, cache=tmp_path if n_jobs > 1 else False)
        search = GridSearchCV(
            make_pipeline(vectorizer, LengthClassifier()),
            {"wordvectorizer__max_length": [1, None]},
            cv=2,
            n_jobs=n_jobs,
            error_score="raise",
        )
        texts = ["good", "bad good not bad"] * 4
        search.fit(texts, np.array([0, 1] * 4))
        assert search.best_params_ == {"wordvectorizer__max_length": None}
        assert search.predict(["bad", "good not not zero"]).tolist() == [0, 1]
        assert len(parsed) == (n_jobs == 1)

    def test_new_parameters_count_at_the_next_fit_of_the_table(self, glove):
        vectorizer = plain(glove).fit(TEXTS)
        first = vectorizer.transform(TEXTS)
        vectorizer.set_params(vectors="elsewhere.txt")
        assert vectorizer.transform(TEXTS) == first


class TestPickle:
    def test_file_is_not_embedded(self, tmp_path):
        rows = np.random.default_rng(0).normal(size=(2000, 10))
        content = "".join(
            f"w{i} {' '.join(map(str, row))}\n" for i, row in enumerate(rows)
        )
        path = write(tmp_path / "v.txt", content.encode())
        vectorizer = WordVectorizer(path).fit(["w1 w2"])
        dumped = pickle.dumps(vectorizer)
        assert len(dumped) < 5000
        copy = pickle.loads(dumped)
        loading.forget_tables()
        before = dict(vars(copy))
        assert copy.transform(["w3 w4 x"]) == vectorizer.transform(["w3 w4 x"])
        assert vars(copy) == before

    def test_dict_and_keyed_vectors_are_embedded_once(self, keyed):
        for vectors in (WORDS, keyed):
            unfitted = len(pickle.dumps(WordVectorizer(vectors)))
            vectorizer = WordVectorizer(vectors).fit(TEXTS)
            dumped = pickle.dumps(vectorizer)
            assert len(dumped) < unfitted + 1500
            copy = pickle.loads(dumped)
            assert copy.transform(TEXTS) == vectorizer.transform(TEXTS)

    def test_relative_path_from_another_folder(self, glove, tmp_path, monkeypatch):
        monkeypatch.chdir(glove.parent)
        copy = pickle.loads(pickle.dumps(plain("glove.txt").fit(TEXTS)))
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert copy.transform(TEXTS) == plain(WORDS).fit_transform(TEXTS)

    def test_file_gone_moved_or_changed(self, glove):
        copy = pickle.loads(pickle.dumps(plain(glove).fit(TEXTS)))
        moved = glove.rename(glove.with_name("moved.txt"))
        with pytest.raises(FileNotFoundError, match=r"glove\.txt.*set_params"):
            copy.transform(TEXTS)
        copy.set_params(vectors=moved)
        assert copy.transform(TEXTS) == plain(WORDS).fit_transform(TEXTS)
        moved.write_bytes(b"good 1 2 3\n")
        with pytest.raises(VectorFileError, match="not the table"):
            copy.transform(TEXTS)

    @pytest.mark.parametrize("row", [1, 300, 599])
    @pytest.mark.parametrize("cache", [False, True])
    def test_a_single_number_of_a_large_file_changed(
        self, cache, row, tmp_path, monkeypatch
    ):
        monkeypatch.setenv("SKRATIONAL_CACHE", str(tmp_path / "cache"))
        path, texts = tmp_path / "large.txt", ["w1 w2"]
        lines = [f"w{i} {i}.5 1.0\n" for i in range(600)]
        path.write_text("".join(lines))
        pickled = pickle.dumps(WordVectorizer(path, cache=cache).fit(texts))
        pickle.loads(pickled).transform(texts)
        lines[row] = f"w{row} {row}.5 1.5\n"
        path.write_text("".join(lines))
        with pytest.raises(VectorFileError, match="not the table"):
            pickle.loads(pickled).transform(texts)

    def test_another_process(self, glove, tmp_path):
        vectorizer = WordVectorizer(glove).fit(TEXTS)
        joblib.dump(vectorizer, tmp_path / "v.joblib")
        code = (
            "import joblib, sys\n"
            "from skrational.text.vectors import loading\n"
            "loading.read_vectors = None\n"
            f"vectorizer = joblib.load({str(tmp_path / 'v.joblib')!r})\n"
            f"X = vectorizer.transform({TEXTS!r})\n"
            f"joblib.dump(X, {str(tmp_path / 'X.joblib')!r})\n"
            "assert not {'torch', 'gensim'} & set(sys.modules)\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
        X = joblib.load(tmp_path / "X.joblib")
        assert X == vectorizer.transform(TEXTS)


@pytest.mark.data
@pytest.mark.skipif(
    "SKRATIONAL_DATA" not in os.environ,
    reason="SKRATIONAL_DATA names no folder of real data",
)
def test_token_coverage_of_kitchen_reviews():
    folder = Path(os.environ["SKRATIONAL_DATA"])
    texts = []
    for part in ("train", "dev"):
        with gzip.open(folder / "amazon_kitchen" / f"{part}.tsv.gz", "rt") as file:
            texts += [line.rstrip("\n").split("\t", 1)[1] for line in file]
    vectors = folder / "vectors" / "glove.840B.300d.q8.10k.txt.gz"
    vectorizer = WordVectorizer(vectors, tokenizer=str.split)
    X = vectorizer.fit_transform(texts)
    assert X.n_features == 300
    assert 1 - vectorizer.out_of_vocabulary_ == pytest.approx(0.871, abs=0.002)


def test_a_refit_that_only_warns_leaves_one_whole_fit():
    vectorizer = WordVectorizer({"good": [1.0, 0.0]}).fit(["good"])
    vectorizer.set_params(vectors={"bad": [1.0, 2.0, 3.0]})
    with pytest.raises(OutOfVocabularyWarning):
        vectorizer.fit(["good bad"])
    assert vectorizer.out_of_vocabulary_ == 0.5
    assert vectorizer.transform(["bad"]).n_features == vectorizer.n_features_out_ == 3


@pytest.mark.parametrize("kind", ["dict", "keyed", "file"])
def test_a_vocabulary_is_the_words_of_the_table(kind, keyed, glove):
    vectors = {"dict": WORDS, "keyed": keyed, "file": glove}[kind]
    vectorizer = WordVectorizer(vectors, end_token="good").fit(TEXTS)
    words = vectorizer.vocabulary()
    # The end token has a vector in the table, the start token one of its own.
    assert words.labels.tolist() == ["<s>", *WORDS]
    assert len(words) == words.n_tokens == len(WORDS) + 1
    for text, row in zip(words.labels[1:], words.features[1:], strict=True):
        X = vectorizer.transform([text])
        np.testing.assert_array_equal(X.features[X.indices[1]], row)
    np.testing.assert_array_equal(words.features[0], vectorizer.special_vectors_["<s>"])
    assert vectorizer.vocabulary(2).labels.tolist() == ["<s>", "good", "bad"]
    assert vectorizer.vocabulary(None) == words
    loaded = pickle.loads(pickle.dumps(vectorizer))
    assert loaded.vocabulary() == words


def test_a_vocabulary_needs_a_fit_and_a_number():
    with pytest.raises(NotFittedError):
        WordVectorizer(WORDS).vocabulary()
    for n_words in (0, 2.5, True, "all"):
        with pytest.raises(ValueError, match="expected an integer from 1 upwards"):
            plain(WORDS).fit(TEXTS).vocabulary(n_words)


def test_after_pickling_vectors_of_another_width_are_refused():
    fitted = WordVectorizer({"good": [1.0, 2.0]}).fit(["good"])
    again = pickle.loads(pickle.dumps(fitted)).set_params(vectors={"good": [1.0]})
    with pytest.raises(ValueError, match=r"of 1 numbers, but .* fitted with 2"):
        again.transform(["good"])


def test_a_tokenizer_that_returns_nothing_is_told_as_one_that_returns_a_str():
    for value, kind in ((None, "None"), ("a", "a str"), (5, "the int 5")):
        vectorizer = WordVectorizer({"a": [1.0]}, tokenizer=lambda text, v=value: v)
        with pytest.raises(TypeError, match=f"tokenizer returned {kind}; expected a l"):
            vectorizer.fit(["a"])


def test_what_a_prediction_without_known_words_rests_on():
    vectorizer = WordVectorizer({"a": [1.0]}).fit(["a"])
    around = "intercept and the start and end tokens"
    with pytest.warns(OutOfVocabularyWarning, match=around):
        vectorizer.transform(["", " ", "a a a"])
    with pytest.warns(
        OutOfVocabularyWarning, match="end tokens and the vector that unknown words sh"
    ):
        vectorizer.transform(["", "b", "a a a"])
