"""Text tables, as word2vec, GloVe, fastText, pandas, R and spreadsheets write them."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.exceptions import VectorFileError
from skrational.text.vectors.signatures import name_binary
from skrational.text.vectors.text_files import read_text

WORDS = {"New York, NY": [1.5, -0.25], '"': [0.0, 2.0], "naïve": [-3.0, 1e-3]}


def read(folder, content):
    path = folder / "v.txt"
    path.write_bytes(content)
    index, vectors = read_text(path)
    return {word: vectors[row].tolist() for word, row in index.items()}


def written(separator, end="\n", first=None, header=""):
    """Words and numbers, with another separator behind the word perhaps."""
    rows = [
        f"{w}{first or separator}{separator.join(map(str, v))}{end}"
        for w, v in WORDS.items()
    ]
    return header + "".join(rows)


def same(found, expected=WORDS):
    assert list(found) == list(expected)
    for word, row in expected.items():
        np.testing.assert_array_equal(found[word], np.float32(row))


@pytest.mark.parametrize(
    ("separator", "first"),
    [(" ", None), ("  ", None), ("\t", None), (" ", "\t"), ("\t", " "), ("|", None)],
)
@pytest.mark.parametrize("header", ["", "3 2", "3\t2"])
def test_separators_ends_and_marks(tmp_path, separator, first, header):
    for end in ("\n", "\r\n", " \n", "\n\n", "\r"):
        text = written(separator, end, first, header and header + end)
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
            same(read(tmp_path, text.encode(encoding)))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("options", [{}, {"header": False}, {"quoting": csv.QUOTE_ALL}])
@pytest.mark.parametrize("label", [None, "word", "Unnamed: 0"])
def test_pandas(tmp_path, separator, options, label):
    table = pd.DataFrame(WORDS).T
    text = table.to_csv(sep=separator, index_label=label, **options)
    same(read(tmp_path, text.encode()))
    named = table.rename(columns={0: "dim_a", 1: "dim_b"})
    same(read(tmp_path, named.to_csv(sep=separator, **options).encode()))


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_decimal_commas(tmp_path, separator):
    table = pd.DataFrame({"good": [1.5, -0.25], "bad": [2.0, 3.5]}).T
    text = table.to_csv(sep=separator, decimal=",", header=False)
    same(read(tmp_path, text.encode()), {"good": [1.5, -0.25], "bad": [2.0, 3.5]})


def test_tables_of_r(tmp_path):
    text = '"V1" "V2"\n"good" 1.5 2\n"bad" 3 4\n'
    same(read(tmp_path, text.encode()), {"good": [1.5, 2], "bad": [3, 4]})


@given(
    st.lists(
        st.text(
            st.characters(exclude_characters="\n\r\t\x0b\x0c ", exclude_categories="C"),
            min_size=1,
        ).map(lambda word: f"a{word}"),
        unique=True,
        min_size=1,
    )
)
def test_any_word_without_spaces(tmp_path_factory, words):
    rows = {word: [i + 0.5, -1.0] for i, word in enumerate(words)}
    text = f"{len(rows)} 2\n" + "".join(f"{w} {a} {b}\n" for w, (a, b) in rows.items())
    same(read(tmp_path_factory.mktemp("v"), text.encode()), rows)


def test_phrases_may_hold_anything_once_the_width_is_known(tmp_path):
    words = [
        "good",
        "area 51",
        ". . .",
        "web 2.0",
        "2010",
        "a\u00a0b",
        "x\u2028y",
        "nan",
    ]
    rows = {word: [i + 0.5, -1.0] for i, word in enumerate(words)}
    text = "".join(f"{w} {a} {b}\n" for w, (a, b) in rows.items())
    for header in ("", f"{len(rows)} 2\n"):
        same(read(tmp_path, (header + text).encode()), rows)
    same(read(tmp_path, text.replace(" 0.5", "\t0.5").encode()), rows)


def test_looks_of_other_files_are_words_in_a_table(tmp_path):
    words = ["<html>", "{", "[", "%PDF-1.4", "GGUF", "PAR1", "LZIP", "version", "BZh9"]
    rows = {word: [1.0, 2.0] for word in words}
    for word in words:
        text = f"{word} 1 2\n" + "".join(f"{w} 1 2\n" for w in words)
        assert name_binary(text.encode()) is None
        same(read(tmp_path, text.encode()), {word: [1.0, 2.0]} | rows)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("good,0.1 0.2\nbad,0.1 0.2\n", ["line 1", "'good,0.1'", "same separator"]),
        ("good:0.1 0.2\nbad:0.1 0.2\n", ["'good:0.1'"]),
        ("a 1 2\nb 1_0 2\nc 1 2\n", ["line 2", "'1_0'", "underscore"]),
        ("a 1 2\nb 1D-3 2\nc 1 2\n", ["line 2", "'1D-3'", "Fortran"]),
        ("a 1 2\nb 0x1p3 2\nc 1 2\n", ["line 2", "hexadecimal"]),
        ("a 1 2\nb −1 2\nc 1 2\n", ["line 2", "minus sign"]),
        ("a 1.0 2\nb 1,5 2\nc 1.0 2\n", ["line 2", "'1,5'", "decimal comma"]),
        ("a 1 2\nb 1.#QNAN 2\nc 1 2\n", ["line 2", "write nan"]),
        ("a\t1\t2\nb\t\t2\nc\t1\t2\n", ["line 2", "missing"]),
        ("a 1 2\nb NA 2\nc 1 2\n", ["line 2", "missing"]),
        ("a [1, 2]\nb [1, 2]\n", ["lists as Python prints them"]),
        ("a 1\nb 1 2\nc 1 2\n", ["line 1", "1 numbers"]),
        ("2 2\na 1 2 3\nb 1 2 3\n", ["line 1", "2 numbers", "there are 3"]),
        ("2 1\n3 5\n", ["ends after 1", "announces 2"]),
        ("a 1 2\nb 1 2\ncafé 1 2\n".encode("cp1252"), ["line 3", "utf-8", "iconv"]),
        ("a 1 2\n中 1 2\n".encode("gbk"), ["line 2", "utf-8"]),
        ("a 1 2\nb 1 2\n".encode("utf-16-le"), ["UTF-16", "byte order mark"]),
        ("<!DOCTYPE html>\n<html><p>Sign in", ["an HTML page"]),
        ("<?xml version='1.0'?>\n<Error><Code>1</Code>", ["XML"]),
        ('{"good": [0.1, 0.2]}', ["a JSON file"]),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 12\n",
            ["LFS"],
        ),
        ("/annex/objects/SHA256E-s1--1.txt\n", ["git-annex"]),
        ("outs:\n- md5: 1\n  size: 10\n", ["DVC"]),
        ("5 3 4 5 2 21 < >\n0 1 2 3\n", ["floret"]),
        ("(dp0\nVgood\np1\n", ["a pickle"]),
        ("Not Found", ["line 1", "0 numbers"]),
    ],
)
def test_what_is_refused(tmp_path, content, parts):
    path = tmp_path / "v.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(VectorFileError) as caught:
        read_text(path)
    for part in (str(path), *parts):
        assert part in str(caught.value)


def test_a_line_without_an_end_is_not_read_whole(tmp_path):
    with pytest.raises(VectorFileError, match="line 1 is longer than"):
        read(tmp_path, b"a" * (2**24 + 1))


def test_a_flipped_bit_in_a_header_is_noticed(tmp_path):
    rows = "".join(f"w{i} {i}.5 -1.25 0.75\n" for i in range(12))
    whole = f"12 3\n{rows}".encode()
    expected = read(tmp_path, whole)
    for bit in range(8 * len(b"12 3\n")):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            found = read(tmp_path, bytes(damaged))
        except VectorFileError:
            continue
        same(found, expected)


def test_numbers_are_those_of_numpy(tmp_path):
    numbers = ["1", "-.5", "+3.", "1e-45", "1E+5", "0.1234567890123456789", "-0"]
    found = read(tmp_path, f"a {' '.join(numbers)}\n".encode())
    expected = np.loadtxt(io.StringIO(" ".join(numbers)), dtype=np.float32)
    np.testing.assert_array_equal(found["a"], expected)
