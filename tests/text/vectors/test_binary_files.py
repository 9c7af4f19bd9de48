"""Binary files: those of gensim and of Facebook's tool, and damaged ones."""

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.models.fasttext import load_facebook_vectors
from gensim.test.utils import datapath

from skrational.exceptions import VectorFileError
from skrational.text import WordVectorizer
from skrational.text.vectors.loading import load_table
from skrational.text.vectors.streams import naming_faults
from skrational.text.vectors.subwords import SubwordTable
from skrational.text.vectors.vector_files import find_format, read_vectors

FASTTEXT = "crime-and-punishment.bin"


def read(path):
    return read_vectors(path, find_format(path))


def zipped(content, *names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


PACKERS = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda content: zipped(content, "folder/", "folder/v", "__MACOSX/._v"),
}


@pytest.fixture(scope="module")
def word2vec(tmp_path_factory):
    rows = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    keyed = KeyedVectors(5)
    keyed.add_vectors([f"w{i}é" for i in range(40)], rows)
    path = tmp_path_factory.mktemp("v") / "v.bin"
    keyed.save_word2vec_format(path, binary=True)
    return path.read_bytes(), rows


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_word2vec(tmp_path, word2vec, packer, end):
    content, rows = word2vec
    # The word2vec tool ends each row with a new line.
    content = _with_ends(content) if end else content
    path = tmp_path / "v"
    path.write_bytes(PACKERS[packer](content))
    table = read(path)
    np.testing.assert_array_equal(table.vectors, rows)
    assert list(table.index) == [f"w{i}é" for i in range(40)]
    path.write_bytes(PACKERS[packer](content)[:-9])
    with pytest.raises(VectorFileError, match=str(path)):
        read(path)


def _with_ends(content):
    head, _, rest = content.partition(b"\n")
    parts, place = [head + b"\n"], 0
    while place < len(rest):
        end = rest.index(b" ", place) + 1 + 20
        parts.append(rest[place:end] + b"\n")
        place = end
    return b"".join(parts)


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize(
    "size", [b"2000000000 300", b"1 2000000000", b"9" * 18 + b" 9"]
)
def test_what_a_file_announces_takes_no_memory(tmp_path, packer, size):
    path = tmp_path / "v.bin"
    path.write_bytes(PACKERS[packer](size + b"\na " + b"\0\1\2\3" * 18))
    tracemalloc.start()
    with pytest.raises(VectorFileError, match=r"v\.bin.*announces"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


@pytest.mark.parametrize("word", ["a\0b", "\0", "c"])
def test_words_of_a_text_may_hold_nul(tmp_path, word):
    path = tmp_path / "v.txt"
    path.write_text(f"2 2\n{word} 1 2\nd\0 3 4\n")
    table = read(path)
    assert list(table.index) == [word, "d\0"]
    np.testing.assert_array_equal(table.vectors, [[1, 2], [3, 4]])


def test_what_stands_beside_the_table_in_an_archive(tmp_path):
    path = tmp_path / "v.zip"
    names = {"README.md": "Words", ".DS_Store": "\0", "LICENSE": "Free"}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (names | {"f/v.txt": "a 1 2\nb 3 4\n"}).items():
            archive.writestr(name, content)
    assert list(read(path).index) == ["a", "b"]


@pytest.mark.parametrize("bit", range(8 * len(b"40 5\n")))
def test_a_flipped_bit_in_a_header_is_noticed(tmp_path, word2vec, bit):
    content, rows = word2vec
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    path = tmp_path / "v.bin"
    path.write_bytes(damaged)
    try:
        table = read(path)
    except VectorFileError:
        return
    np.testing.assert_array_equal(table.vectors, rows)


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("name", [FASTTEXT, "lee_fasttext_new.bin", "toy-model.bin"])
def test_fasttext_as_gensim_reads_it(tmp_path, name, packer):
    content = Path(datapath(name)).read_bytes()
    path = tmp_path / "v.bin"
    path.write_bytes(PACKERS[packer](content))
    table, expected = read(path), load_facebook_vectors(datapath(name))
    assert list(table.index) == expected.index_to_key
    # Gensim adds n-grams to the end of sentences, which Facebook's tool doesn't.
    words = [w for w in expected.index_to_key if w != "</s>"]
    words += ["unheard", "нетакогослова", "x"]
    np.testing.assert_array_equal(table.take(words), [expected[w] for w in words])


@pytest.mark.parametrize("name", ["crime-and-punishment", "lee_fasttext_new"])
def test_fasttext_as_its_tool_prints_it(name):
    table = load_table(datapath(f"{name}.bin"))
    printed = load_table(datapath(f"{name.removesuffix('_new')}.vec"), cache=False)
    words = [word for word in printed.index if word in table.index]
    assert len(words) > 200
    if name == "crime-and-punishment":
        assert "</s>" in words
        np.testing.assert_allclose(table.take(words), printed.take(words), atol=1e-5)


@pytest.mark.parametrize("place", range(8, 80))
def test_a_damaged_header_of_fasttext_takes_no_memory(tmp_path, place):
    content = bytearray(Path(datapath(FASTTEXT)).read_bytes())
    content[place : place + 4] = struct.pack("<i", 2**31 - 7)
    path = tmp_path / "v.bin"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        read(path)
    except VectorFileError as error:
        assert str(path) in str(error)
    assert tracemalloc.get_traced_memory()[1] < 2**25
    tracemalloc.stop()


@pytest.mark.parametrize("length", [4, 50, 90, 5000, 12_000, -3000, -1])
def test_fasttext_cut_off(tmp_path, length):
    content = Path(datapath(FASTTEXT)).read_bytes()
    path = tmp_path / "v.bin"
    path.write_bytes(content[:length])
    with pytest.raises(VectorFileError, match=str(path)):
        read(path)


def test_subwords_serve_words_outside_the_table(tmp_path):
    expected = load_facebook_vectors(datapath(FASTTEXT))
    texts = ["и unheard procrastination ~"]
    path = tmp_path / "v.bin"
    path.write_bytes(Path(datapath(FASTTEXT)).read_bytes())
    for vectors in (path, expected):
        vectorizer = WordVectorizer(vectors, tokenizer=str.split, unit_norm=False)
        X = vectorizer.fit_transform(texts)
        # The marks around a single character make an n-gram of three.
        assert vectorizer.out_of_vocabulary_ == 0
        rows = [expected[word] for word in texts[0].split()]
        np.testing.assert_array_equal(X[0][1:-1], rows)
        copy = pickle.loads(pickle.dumps(vectorizer))
        assert copy.transform(texts) == X
        words = vectorizer.vocabulary(None).labels.tolist()
        assert words == expected.index_to_key
    assert isinstance(load_table(path), SubwordTable)


def test_a_fit_that_knew_no_subwords_goes_on_without():
    expected = load_facebook_vectors(datapath(FASTTEXT))
    words_only = KeyedVectors(expected.vector_size)
    words_only.add_vectors(expected.index_to_key, expected.vectors)
    vectorizer = WordVectorizer(words_only, oov="drop").fit(["и"])
    copy = pickle.loads(pickle.dumps(vectorizer)).set_params(vectors=expected)
    assert copy.transform(["и unheard"]).labels.tolist() == ["<s>", "и", "</s>"]


def test_words_without_parts_are_unknown():
    table = load_table(load_facebook_vectors(datapath(FASTTEXT)))
    table.subwords.vectors[:] = np.nan
    vars(table.subwords).pop("_bad_rows", None)
    assert "unheard" not in table
    assert "a\ud800" not in table
    assert "и" in table


@pytest.mark.parametrize(
    ("flags", "method", "match"),
    [
        (1, 0, "encrypted"),
        (0, 99, "compression method"),
        (0x40, 0, "strong encryption"),
    ],
)
def test_archives_that_cannot_be_unpacked_here(tmp_path, flags, method, match):
    content = bytearray(zipped(b"good 1 2\nbad 3 4\n", "v.txt"))
    # Flags and method in the member's own header, and in the directory behind it.
    for start in (content.index(b"PK\3\4") + 6, content.index(b"PK\1\2") + 8):
        content[start : start + 4] = flags.to_bytes(2, "little") + bytes([method, 0])
    path = tmp_path / "v.zip"
    path.write_bytes(content)
    with pytest.raises(VectorFileError, match=rf"v\.zip is a zip .*{match}.*unpack it"):
        read(path)


def test_an_error_of_ours_is_no_damage(tmp_path):
    with pytest.raises(RuntimeError, match="ours"), naming_faults(tmp_path / "v"):
        raise RuntimeError("ours")


ROWS = [b"ab 1,25 2,5 3,5", b"cd 4,25 5,5 6,5", b"ef 7,25 8,5 9,5"]


@pytest.mark.parametrize("place", range(4))
def test_a_zero_byte_makes_no_text_binary(tmp_path, place):
    # Behind each word are twelve bytes, as three numbers of a binary file would be.
    words = [row.split()[0] for row in ROWS]
    content = b"3 3\n" + b"\n".join(ROWS) + b"\n"
    if place:
        damaged = words[place - 1][:1] + b"\0"
        content = content.replace(words[place - 1], damaged)
        words[place - 1] = damaged
    path = tmp_path / "v.txt"
    path.write_bytes(content)
    assert find_format(path) == "text"
    table = read(path)
    assert list(table.index) == [word.decode() for word in words]
    np.testing.assert_array_equal(table.vectors[2], [7.25, 8.5, 9.5])


@pytest.mark.parametrize("number", [b"1,25", b"8,5"])
def test_a_zero_byte_in_a_number_is_named(tmp_path, number):
    path = tmp_path / "v.txt"
    content = b"3 3\n" + b"\n".join(ROWS) + b"\n"
    path.write_bytes(content.replace(number, b"\0" + number[1:]))
    with pytest.raises(VectorFileError, match=r"v\.txt"):
        read(path)


@pytest.mark.parametrize("width", [1, 2, 5, 300])
@pytest.mark.parametrize("make", ["ones", "random", "halves", "small"])
def test_binary_files_remain_binary(tmp_path, width, make):
    rng = np.random.default_rng(0)
    rows = {
        "ones": np.ones((20, width)),
        "random": rng.normal(size=(20, width)),
        "halves": rng.normal(size=(20, width)).astype(np.float16),
        "small": 1e-30 * rng.normal(size=(20, width)),
    }[make].astype(np.float32)
    path = tmp_path / "v.bin"
    path.write_bytes(
        f"20 {width}\n".encode()
        + b"".join(f"word{i} ".encode() + row.tobytes() for i, row in enumerate(rows))
    )
    assert find_format(path) == "binary"
    np.testing.assert_array_equal(read(path).vectors, rows)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_model_is_read_to_its_checksum(tmp_path, pack):
    content = Path(datapath(FASTTEXT)).read_bytes()
    path = tmp_path / "v.bin"
    path.write_bytes(pack(content))
    assert len(read(path).index) > 0
    # The output matrix, which isn't needed, is cut, too long, or has other numbers.
    for damaged in (content[:-4], content + b"\0"):
        path.write_bytes(pack(damaged))
        with pytest.raises(VectorFileError, match=r"v\.bin"):
            read(path)
    packed = bytearray(pack(content))
    packed[-9] ^= 1
    path.write_bytes(packed)
    with pytest.raises(VectorFileError, match=r"v\.bin"):
        read(path)
