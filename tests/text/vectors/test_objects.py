"""Objects in place of vectors, and files that look like something else."""

import io
import sqlite3
import tarfile

import joblib
import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import torch
from gensim.models import KeyedVectors, Word2Vec
from gensim.models.poincare import PoincareModel

from skrational.exceptions import UnusableVectorWarning, VectorFileError
from skrational.text import WordVectorizer
from skrational.text.vectors.vector_files import find_format


@pytest.mark.parametrize(
    ("vectors", "advice"),
    [
        (Word2Vec([["good"]], min_count=1, vector_size=2), r"word2vec\.wv"),
        (PoincareModel([("good", "word")], size=2), r"poincaremodel\.kv"),
        (np.eye(2), r"dict\(zip\(words, array\)\)"),
        (pd.DataFrame(np.eye(2)), "to_numpy"),
        (torch.nn.Embedding(2, 2), "detach"),
        (b"glove.txt", "as str"),
        (io.BytesIO(b"good 1 2"), "not the open file"),
        (None, "got NoneType"),
    ],
)
def test_objects_that_hold_no_words(vectors, advice):
    with pytest.raises(TypeError, match=rf"vectors must be a path.*{advice}"):
        WordVectorizer(vectors).fit(["good"])


def test_an_object_whose_vectors_are_no_array():
    keyed = KeyedVectors(2)
    keyed.key_to_index, keyed.vectors = {"good": 0}, [[1.0, 2.0]]
    with pytest.raises(TypeError, match=r"vectors are list; expected an ndarray.*dict"):
        WordVectorizer(keyed).fit(["good"])


def test_an_empty_object():
    with pytest.raises(ValueError, match=r"a KeyedVectors that is empty"):
        WordVectorizer(KeyedVectors(2)).fit(["good"])


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (torch.ones(2, requires_grad=True), r"\.detach\(\)\.float\(\)\.numpy"),
        (torch.ones(2, dtype=torch.bfloat16), r"\.detach\(\)\.float\(\)\.numpy"),
        (np.ones(2, dtype=complex), "complex numbers, not real ones"),
        ([1j, 2j], "complex, not numbers"),
    ],
)
def test_values_that_are_no_rows_are_named(row, fault):
    with pytest.warns(UnusableVectorWarning, match=fault):
        WordVectorizer({"odd": row, "good": [1.0, 2.0]}).fit(["good good"])


def of_fasttext():
    kind = type("_FastText", (), {"__module__": "fasttext.FastText"})
    return kind()


def test_an_object_of_fasttext():
    with pytest.raises(TypeError, match=r"_FastText.*save_model"):
        WordVectorizer(of_fasttext()).fit(["good"])


def in_tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("v.txt"))
    return file.getvalue()


def by(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "look"),
    [
        (by(lambda file: np.save(file, np.eye(2))), "numpy array"),
        (by(lambda file: np.savez(file, a=np.eye(2))), "npz"),
        (by(lambda file: torch.save({}, file)), "PyTorch"),
        (
            by(lambda f: torch.save({}, f, _use_new_zipfile_serialization=False)),
            "PyTorch",
        ),
        (safetensors.numpy.save({"a": np.eye(2)}), "safetensors"),
        (in_tar(), "tar archive"),
        *((by(lambda f, n=n: joblib.dump([1], f, n)), "zlib") for n in range(1, 10)),
        (b"\x28\xb5\x2f\xfd\x04\0", "zstd"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"PAR1\x15\x04\x15", "Parquet"),
        (b"ARROW1\0\0", "Arrow"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        (b"GGUF\3\0\0\0", "GGUF"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path, content, look):
    path = tmp_path / "v.txt"
    path.write_bytes(content)
    with pytest.raises(VectorFileError, match=rf"v\.txt .*{look}"):
        find_format(path)


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_blank_files_are_empty(tmp_path, content):
    path = tmp_path / "v.txt"
    path.write_bytes(content)
    with pytest.raises(VectorFileError, match="is empty"):
        find_format(path)


def test_words_that_look_compressed(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("x^2 1 2\nx^é 3 4\n")
    assert find_format(path) == "text"


def test_a_database(tmp_path):
    path = tmp_path / "v.magnitude"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE a (b)")
    database.close()
    with pytest.raises(VectorFileError, match="SQLite"):
        find_format(path)


def test_folders_devices_and_dangling_links(tmp_path):
    (tmp_path / "vectors" / "vocab").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / ".git" / "annex" / "objects" / "x")
    for path, error, part in [
        (tmp_path / "vectors", VectorFileError, "folder of spaCy"),
        (tmp_path, VectorFileError, "is a folder; expected a file"),
        ("/dev/null", VectorFileError, "device or pipe"),
        (tmp_path / "link", FileNotFoundError, "git-annex"),
    ]:
        with pytest.raises(error, match=part):
            WordVectorizer(path).fit(["good"])
