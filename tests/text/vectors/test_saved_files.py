"""What gensim saves, of all its versions, read without running code."""

import os
import pickle
import struct
import tracemalloc
from collections import OrderedDict
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from gensim.models import Doc2Vec, FastText, KeyedVectors, Word2Vec
from gensim.models.doc2vec import TaggedDocument
from gensim.test.utils import datapath
from hypothesis import given
from hypothesis import strategies as st

from skrational.exceptions import VectorFileError
from skrational.text import WordVectorizer
from skrational.text.vectors.subwords import SubwordTable
from skrational.text.vectors.vector_files import find_format, read_vectors

TEXTS = [["good", "bad", "not", "naïve"]] * 5
OPTIONS = {"vector_size": 6, "min_count": 1, "seed": 1, "workers": 1}


def read(path):
    return read_vectors(path, find_format(path))


@pytest.fixture(scope="module")
def models():
    documents = [TaggedDocument(text, [str(i)]) for i, text in enumerate(TEXTS)]
    return {
        "word2vec": Word2Vec(TEXTS, **OPTIONS),
        "fasttext": FastText(TEXTS, bucket=40, **OPTIONS),
        "plain": FastText(TEXTS, max_n=0, **OPTIONS),
        "doc2vec": Doc2Vec(documents, **OPTIONS),
    }


@pytest.mark.parametrize("kind", ["word2vec", "fasttext", "plain", "doc2vec"])
@pytest.mark.parametrize("part", ["model", "wv"])
@pytest.mark.parametrize("name", ["v.model", "v.gz"])
@pytest.mark.parametrize("options", [{}, {"sep_limit": 1}, {"pickle_protocol": 2}])
def test_what_gensim_saves(tmp_path, models, kind, part, name, options):
    model = models[kind]
    (model if part == "model" else model.wv).save(str(tmp_path / name), **options)
    table = read(tmp_path / name)
    words = [*model.wv.index_to_key]
    assert list(table.index) == words
    if kind == "fasttext":
        assert isinstance(table, SubwordTable)
        words += ["goodness", "x"]
    expected = [model.wv[word] for word in words]
    np.testing.assert_array_equal(table.take(words), expected)
    if options.get("sep_limit") and name == "v.model":
        assert isinstance(table.vectors, np.memmap)


@pytest.mark.parametrize(
    "name",
    ["old_keyedvectors_320.dat", "model-from-gensim-3.8.0.w2v", "word2vec_old_sep"]
    + [f"old_w2v_models/w2v_{v}.mdl" for v in ("0.13.4", "1.0.0", "2.3.0", "3.4.0")],
)
def test_old_versions(name):
    expected = KeyedVectors.load(datapath(name))
    expected = getattr(expected, "wv", expected)
    table = read(Path(datapath(name)))
    assert set(table.index) == set(expected.key_to_index)
    words = list(table.index)
    np.testing.assert_array_equal(table.take(words), [expected[w] for w in words])


@pytest.mark.parametrize("name", ["w2v-lee-v0.12.0", "word2vec_pre_kv_sep_py3"])
def test_models_of_before_there_were_keyed_vectors(name):
    table = read(Path(datapath(name)))
    assert len(table.index) == len(table.vectors)


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"a": x}, lambda x: [x]])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_no_code_is_run(tmp_path, models, wrap, protocol):
    made = tmp_path / "made"
    path = tmp_path / "v.kv"
    path.write_bytes(pickle.dumps(wrap(Harmful(str(made))), protocol))
    with pytest.raises(VectorFileError, match=r"asks for posix\.mkdir.*Nothing"):
        read(path)
    keyed = KeyedVectors(1)
    keyed.add_vectors(["good"], np.ones((1, 1)))
    keyed.harm = Harmful(str(made))
    keyed.save(str(path))
    with pytest.raises(VectorFileError, match=r"asks for posix\.mkdir"):
        WordVectorizer(path).fit(["good"])
    assert not made.exists()


@pytest.mark.parametrize(
    ("saved", "part"),
    [
        ({"good": [1.0]}, "a dict"),
        (np.eye(2), "an array"),
        (OrderedDict(a=1), "a OrderedDict"),
        ((["good"], np.eye(1)), "a tuple"),
        (pd.DataFrame({"good": [1.0]}), "asks for pandas"),
    ],
)
def test_other_pickles(tmp_path, saved, part):
    path = tmp_path / "v.pkl"
    path.write_bytes(pickle.dumps(saved))
    with pytest.raises(VectorFileError, match=rf"v\.pkl is a pickle.*{part}"):
        read(path)


def test_a_file_of_joblib(tmp_path):
    joblib.dump({"good": np.ones(300)}, tmp_path / "v.joblib")
    with pytest.raises(VectorFileError, match="joblib"):
        read(tmp_path / "v.joblib")


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02]r\xff\xff\xff\x7f.",
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
        b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b".",
        b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
        b"\x80\x02cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85R.",
        b"\x80\x02cbuiltins\nrange\nJ\xff\xff\xff\x7f\x85R.",
    ],
)
def test_what_a_pickle_announces_takes_no_memory(tmp_path, content):
    path = tmp_path / "v.kv"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(VectorFileError, match=r"v\.kv"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


@pytest.fixture(scope="module")
def saved(tmp_path_factory, models):
    path = tmp_path_factory.mktemp("v") / "damaged.kv"
    models["fasttext"].wv.save(str(path))
    return path, path.read_bytes()


@given(place=st.integers(2, 10_000), bit=st.integers(0, 7))
def test_damage_is_an_error_of_ours_or_harmless(saved, place, bit):
    path, content = saved[0], bytearray(saved[1])
    content[place % len(content)] ^= 1 << bit
    path.write_bytes(content)
    try:
        read(path)
    except VectorFileError as error:
        assert "damaged.kv" in str(error)


def test_what_lies_beside_is_damaged_or_an_object(tmp_path, models):
    path = tmp_path / "v.kv"
    models["word2vec"].wv.save(str(path), separately=["vectors"])
    beside = tmp_path / "v.kv.vectors.npy"
    content = beside.read_bytes()
    beside.write_bytes(content[:-4])
    with pytest.raises(VectorFileError, match=r"v\.kv\.vectors\.npy is damaged"):
        read(path)
    np.save(beside, np.array([Harmful(str(tmp_path / "made"))]), allow_pickle=True)
    with pytest.raises(VectorFileError, match=r"v\.kv\.vectors\.npy is damaged"):
        read(path)
    assert not (tmp_path / "made").exists()
    beside.unlink()
    with pytest.raises(VectorFileError, match="put it beside"):
        read(path)


def setting(module, name, state):
    """A pickle that names something and sets its state by BUILD."""
    head = b"\x80\x02c" + f"{module}\n{name}\n".encode()
    return head + pickle.dumps(state, 2)[2:-1] + b"b."


@pytest.mark.parametrize("protocol", ["plain", "slots"])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("collections", "Counter"),
        ("collections", "OrderedDict"),
        ("collections", "defaultdict"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy.core.numeric", "_frombuffer"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
        ("builtins", "bytes"),
        ("builtins", "dict"),
        ("builtins", "object"),
        ("copyreg", "_reconstructor"),
        ("gensim.models.keyedvectors", "KeyedVectors"),
    ],
)
def test_nothing_that_a_pickle_names_is_changed(tmp_path, protocol, module, name):
    import collections

    from skrational.text.vectors import pickles

    known = pickles._KNOWN.get((module, name), pickles.Inert)
    kept = [known, collections.Counter, pickles.Inert]
    before = [dict(vars(object_)) for object_ in kept if hasattr(object_, "__dict__")]
    defaults = getattr(known, "__defaults__", None)
    state = {"__defaults__": (1,), "most_common": 1, "harm": 1}
    content = setting(module, name, state if protocol == "plain" else (None, state))
    path = tmp_path / "v.kv"
    path.write_bytes(content)
    with pytest.raises(VectorFileError, match=r"v\.kv"):
        read(path)
    after = [dict(vars(object_)) for object_ in kept if hasattr(object_, "__dict__")]
    assert after == before
    assert getattr(known, "__defaults__", None) == defaults
