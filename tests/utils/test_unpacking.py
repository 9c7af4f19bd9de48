"""Files that unpack to far more than they should: every reader that unpacks stops."""

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

from skrational.cli.rows import Layout, open_rows
from skrational.datasets import load_reviews, remote
from skrational.text.vectors import saved_files
from skrational.text.vectors.vector_files import find_format, read_vectors
from skrational.utils import unpacking
from skrational.utils.unpacking import BombError, bounded, most_unpacked

SIZE = 2**23
LONG = 2**25
"""Characters: more than the command line reads of a line."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(unpacking, "_FREE", 2**20)


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v.txt", content)
    return file.getvalue()


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
PACKERS["zip"] = zipped


def peak_of(read):
    tracemalloc.start()
    try:
        with pytest.raises(Exception) as caught:
            read()
        return tracemalloc.get_traced_memory()[1], caught.value
    finally:
        tracemalloc.stop()


CONTENTS = {
    "one line": b"a" * SIZE,
    "one line with a header": b"10 3\n" + b"a" * SIZE,
    "binary": b"10 300000000\nword " + b"\1" * SIZE,
    "fasttext": bytes.fromhex("ba164f2f0b000000") + b"\1" * SIZE,
    "pickle": b"\x80\x02]X" + (SIZE - 20).to_bytes(4, "little") + b"a" * SIZE,
    "rows": (b"w " + b"1 " * 400 + b"\n") * (SIZE // 803),
}


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("packer", ["gz", "zip"])
def test_vectors(tmp_path, kind, packer):
    path = tmp_path / "v"
    path.write_bytes(PACKERS[packer](CONTENTS[kind]))
    peak, error = peak_of(lambda: read_vectors(path, find_format(path)))
    assert peak < SIZE
    assert type(error).__name__ == "VectorFileError"
    assert str(path) in str(error)


@pytest.mark.parametrize("packer", PACKERS)
def test_the_limit_is_that_of_what_is_unpacked(tmp_path, packer):
    content = np.random.default_rng(0).bytes(2**20)
    path = tmp_path / "v"
    path.write_bytes(PACKERS[packer](content))
    most = most_unpacked(path)
    assert most > 2**25
    with bounded(io.BytesIO(bytes(most)), path) as stream:
        assert len(stream.read()) == most
    with bounded(io.BytesIO(bytes(most + 1)), path) as stream:
        with pytest.raises(BombError, match="v unpacks to more than"):
            stream.read()


def test_arrays_beside_a_saved_file(tmp_path):
    path = tmp_path / "v.npz"
    for shape in ((2**40,), (SIZE // 4,)):
        header = io.BytesIO()
        described = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, described)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            rest = bytes(4 * shape[0]) if shape[0] < 2**30 else b""
            archive.writestr("val.npy", header.getvalue() + rest)
        peak, error = peak_of(lambda: saved_files._read_packed(path))
        assert peak < SIZE
        assert isinstance(error, ValueError)
    np.savez_compressed(path, val=np.eye(3, order="F"))
    np.testing.assert_array_equal(saved_files._read_packed(path), np.eye(3))


ROWS = {
    "a line": b"text,label\n" + b"a" * LONG,
    "a cell of many lines": b'text,label\n"' + (b"a" * 4095 + b"\n") * (LONG // 4096),
    "a record of many lines": b"text,label\n"
    + (b'"' + b"a" * 4092 + b'\n",') * (LONG // 4096),
    "JSON": b'{"text": "' + b"a" * LONG,
}


@pytest.mark.parametrize("kind", ROWS)
def test_tables_of_the_command_line(tmp_path, kind):
    path = tmp_path / ("t.jsonl.gz" if kind == "JSON" else "t.csv.gz")
    path.write_bytes(gzip.compress(ROWS[kind]))

    def read():
        with open_rows(str(path), Layout()) as rows:
            list(rows.rows)

    peak, error = peak_of(read)
    assert peak < 6 * LONG
    assert type(error).__name__ == "Fault"
    assert f"{path}, line" in str(error)
    assert "16,777,216" in str(error)


@pytest.mark.parametrize("content", [b"1\t" + b"a" * SIZE, b"1\ta\n" * (SIZE // 4)])
def test_reviews(tmp_path, content):
    (tmp_path / "toasters").mkdir()
    path = tmp_path / "toasters" / "train.tsv.gz"
    path.write_bytes(gzip.compress(content))
    read = lambda: load_reviews("toasters", data_home=tmp_path)  # noqa: E731
    peak, error = peak_of(read)
    # A text of one letter takes 60 bytes and its label 40, of 4.
    assert peak < 2**26
    assert str(path) in str(error)


def test_archives_of_data_sets(tmp_path):
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("x/books/positive.review")
        info.size = SIZE
        archive.addfile(info, io.BytesIO(bytes(SIZE)))
    names = ["positive.review"]
    peak, error = peak_of(lambda: remote._read_tar(path, "books", names))
    assert peak < SIZE
    assert str(path) in str(error)
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(bytes(SIZE)))
    peak, error = peak_of(lambda: remote._read_zip(path, "v.txt"))
    assert peak < SIZE
    assert str(path) in str(error)


def test_a_pickle_is_no_exception(tmp_path):
    path = tmp_path / "v.kv.gz"
    path.write_bytes(gzip.compress(pickle.dumps({"a": bytes(SIZE)})))
    peak, error = peak_of(lambda: read_vectors(path, "saved"))
    assert peak < SIZE
    assert str(path) in str(error)
