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
        ("Not Found", ["a server's message"]),
        ("404: Not Found", ["a server's message", "the download went wrong"]),
        ("Entry not found", ["a server's message"]),
        ('{"error": "Repository not found"}', ["a server's message"]),
        ('<table border="1">\n  <thead>\n', ["pandas.read_html"]),
        ("the\n", ["line 1", "0 numbers"]),
        ("# 2 2\na .1 .2\nb .3 .4\n", ["line 1", "number of words"]),
        ("% 2 2\na .1 .2\nb .3 .4\n", ["line 1", "number of words"]),
        ("2 2 5\na .1 .2\nb .3 .4\n", ["line 1", "number of words"]),
        ("2, 2\na .1 .2\nb .3 .4\n", ["line 1", "number of words"]),
        ("400,000 2\na .1 .2\nb .3 .4\n", ["line 1", "number of words"]),
        ("a 1 2\rb 3 4\r\nc 5 6\r\n", ["line 1", "a line ends otherwise"]),
        ("a 1 2\fb 3 4\nc 5 6\n", ["line 1", "a line ends otherwise"]),
        ("a 1 2\vb 3 4\nc 5 6\n", ["line 1", "a line ends otherwise"]),
        ("a 1 2\x85b 3 4\nc 5 6\n", ["line 1", "a line ends otherwise"]),
        ("a 1,5 2,5\nb 1.5 2.5\nc 1.5 2.5\n", ["line 1", "'1,5'", "comma"]),
        ("a;0,5;0,2\nb;1,5x;0,2\n", ["line 2", "'1,5x' is no number"]),
        ("a 1D-3 2D-3\nb 1D-3 2D-3\n", ["line 1", "Fortran"]),
        ("a 0x1 0x2\nb 0x1 0x2\n", ["line 1", "hexadecimal"]),
        ("a 1% 2%\nb 1% 2%\n", ["line 1", "percent"]),
        ("a\u00a0.1\u00a0.2\nb\u00a0.1\u00a0.2\n", ["line 1", "no-break space"]),
        ("a 1:.5 2:.5\nb 1:.5 2:.5\n", ["line 1", "a sparse row"]),
        ("a,.1,.2,\nb,.1,.2,\n", ["line 1", "ends with a separator"]),
        (".1 .2 a\n.1 .2 b\n", ["line 1", "the word must come first"]),
        ('word,vector\na,"[.1 .2]"\n', ["lists as Python prints them"]),
        ('word,vector\na,"array([.1, .2])"\n', ["lists as Python prints them"]),
        ('word,vector\na,"tensor([.1, .2])"\n', ["lists as Python prints them"]),
        ("}q\0(X\4\0\0\0goodq\1", ["a pickle"]),
        ("the \1\2\0\3of \1\2\0\3", ["word2vec without its first line"]),
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


ROWS = {"the": [0.25, 0.5], "of": [-1.5, 0.75], "New York": [1.0, -2.5]}


def frame():
    return pd.DataFrame(ROWS).T.rename_axis("word").reset_index()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC])
def test_row_numbers_that_pandas_leaves_in(tmp_path, separator, header, first, quoting):
    table = frame()
    table.index += first
    # Between spaces marks belong to words, unless all have them.
    rows = (1, 2) if separator == " " else (1, 3)
    for n in rows:
        text = table[:n].to_csv(sep=separator, header=header, quoting=quoting)
        same(read(tmp_path, text.encode()), dict(list(ROWS.items())[:n]))


@pytest.mark.parametrize(
    "text",
    [
        '"word" "V1" "V2"\n"1" "the" 0.25 0.5\n"2" "of" -1.5 0.75\n',
        '"","word","V1","V2"\n"1","the",0.25,0.5\n"2","of",-1.5,0.75\n',
        '"word"\t"V1"\t"V2"\n"1"\t"the"\t0.25\t0.5\n"2"\t"of"\t-1.5\t0.75\n',
        "1. the 0.25 0.5\n2. of -1.5 0.75\n",
        "1 the 0.25 0.5\n2 of -1.5 0.75\n",
        "0\tthe\t0.25\t0.5\n1\tof\t-1.5\t0.75\n",
        "  word     0     1\n0  the  0.25  0.5\n1   of  -1.5  0.75\n",
    ],
)
def test_row_numbers_of_other_programs(tmp_path, text):
    same(read(tmp_path, text.encode()), {w: ROWS[w] for w in ("the", "of")})


@pytest.mark.parametrize(
    "text",
    [
        "the,DET,.1,.2\nof,ADP,.1,.2\n",
        '"the","DET",.1,.2\n"of","ADP",.1,.2\n',
        "the\tDET\t.1\t.2\nof\tADP\t.1\t.2\n",
        "17,the,.1,.2\n12,of,.1,.2\n",
        "17 the .1 .2\n12 of .1 .2\n",
    ],
)
def test_other_columns_beside_the_word(tmp_path, text):
    with pytest.raises(VectorFileError, match=r"v\.txt.*remove the other column"):
        read(tmp_path, text.encode())


def numbers_alone():
    rows = np.random.default_rng(0).normal(size=(20, 4))
    for options in ({}, {"fmt": "%.3f", "delimiter": "\t"}, {"delimiter": ","}):
        file = io.StringIO()
        np.savetxt(file, rows, **options)
        yield file.getvalue()
    yield pd.DataFrame(rows).to_csv(index=False)
    yield pd.DataFrame(rows).to_csv(index=False, sep=";", decimal=",")


@pytest.mark.parametrize("text", [*numbers_alone()])
def test_numbers_without_words(tmp_path, text):
    with pytest.raises(VectorFileError, match=r"without words; give dict\(zip\(words"):
        read(tmp_path, text.encode())


@pytest.mark.parametrize(
    "row",
    [
        "{}\t0.1,0.2,0.3",
        "{} 0.1, 0.2, 0.3",
        "{},1 2 3",
        "{}:1 2 3",
        "{}:1e-3 2e-3",
        "{}=0.5 0.25",
        "{};1.234,5;0,2",
        "{}|0.5 0.25 1",
        "{}\t1,2,3",
        "{}: 0.5 0.25",
        "{}, 0.5 0.25",
    ],
)
def test_another_separator_behind_the_word_loses_no_dimension(tmp_path, row):
    text = "".join(f"{row.format(word)}\n" for word in ("the", "of", "café"))
    with pytest.raises(VectorFileError, match=r"ends with a|stands before"):
        read(tmp_path, text.encode())


def test_names_of_ontologies_end_with_numbers(tmp_path):
    rows = {"GO:8150": [0.5, 0.25], "CHEBI:15377": [1.5, 2.0]}
    text = "".join(f"{w} {a} {b}\n" for w, (a, b) in rows.items())
    same(read(tmp_path, text.encode()), rows)


@pytest.mark.parametrize(
    "headings",
    [
        "lemma,0,1",
        "text,1,2",
        "word,5,6",
        "word,0.0,1.0",
        '"",0,1',
        "word,v0,v1",
    ],
)
@pytest.mark.parametrize("separator", [",", ";", " ", "\t"])
def test_headings_that_count(tmp_path, headings, separator):
    text = f"{headings}\nthe,0.25,0.5\nof,-1.5,0.75\n".replace(",", separator)
    same(read(tmp_path, text.encode()), {w: ROWS[w] for w in ("the", "of")})


@pytest.mark.parametrize("separator", [",", ";", " ", "\t"])
def test_headings_of_any_name_that_count_to_five(tmp_path, separator):
    rows = {"der": [0.25] * 5, "von": [0.5] * 5}
    lines = [("Wörter", range(5)), *rows.items()]
    text = "".join(f"{separator.join(map(str, (w, *r)))}\n" for w, r in lines)
    same(read(tmp_path, text.encode()), rows)


def test_headings_as_pandas_prints_them(tmp_path):
    table = pd.DataFrame({w: ROWS[w] for w in ("the", "of")}).T
    same(read(tmp_path, table.to_string().encode()), table.T.to_dict("list"))
    wide = pd.concat([table, table], axis=1, ignore_index=True)
    same(read(tmp_path, wide.to_string().encode()), wide.T.to_dict("list"))


def test_toy_tables_have_no_headings(tmp_path):
    same(read(tmp_path, b"a 0 1\nb 1 0\n"), {"a": [0, 1], "b": [1, 0]})
    same(read(tmp_path, b'"a",0,1\n"b",1,0\n'), {"a": [0, 1], "b": [1, 0]})
    same(read(tmp_path, b"a 1 2\nb 3 4\n"), {"a": [1, 2], "b": [3, 4]})
    same(read(tmp_path, b"a 1 2\nb .5 4\n"), {"a": [1, 2], "b": [0.5, 4]})


@pytest.mark.parametrize("names", ["count,v0,v1", "count,0,1", "v0,v1,rank", "a,pos,b"])
def test_columns_that_are_no_dimensions_are_named(tmp_path, names):
    column = next(n for n in names.split(",") if n in ("count", "rank", "pos"))
    text = f"word,{names}\nthe,5,.1,.2\nof,4,.1,.3\n"
    with pytest.raises(VectorFileError, match=f"line 1: the column '{column}'"):
        read(tmp_path, text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "  2 2\nthe 0.25 0.5\nof -1.5 0.75\n",
        "sep=;\nword;0;1\nthe;0,25;0,5\nof;-1,5;0,75\n",
        "the 0.25 0.5\nof -1.5 0.75\n\x1a",
        "# my vectors\nthe 0.25 0.5\nof -1.5 0.75\n",
    ],
)
def test_lines_that_are_no_rows(tmp_path, text):
    same(read(tmp_path, text.encode()), {w: ROWS[w] for w in ("the", "of")})


def test_tables_of_a_single_number(tmp_path):
    for heading in ("word,0\n", "word,v0\n", ""):
        found = read(tmp_path, f"{heading}the,0.5\nof,0.25\n".encode())
        same(found, {"the": [0.5], "of": [0.25]})
    same(read(tmp_path, b"a 1\nb 0.5\n"), {"a": [1], "b": [0.5]})


def test_quotation_marks_within_words_of_r(tmp_path):
    text = '"V1" "V2"\n"a\\"b" 1.5 2.5\n"c" 3 4\n'
    same(read(tmp_path, text.encode()), {'a"b': [1.5, 2.5], "c": [3, 4]})


@pytest.mark.parametrize("gap", ["", "NA", "null", '""'])
@pytest.mark.parametrize("row", ["{},{},0.5", "{},0.5,{}"])
def test_a_missing_number_makes_a_word_unusable(tmp_path, gap, row):
    text = row.format("gap", gap) + "\nthe,0.25,0.5\nof,-1.5,0.75\n"
    found = read(tmp_path, text.encode())
    assert sorted(np.isnan(found.pop("gap"))) == [False, True]
    same(found, {w: ROWS[w] for w in ("the", "of")})


def test_a_word_cut_off_within_a_character(tmp_path):
    words = ["café", "naïve", "über"]
    rows = b"".join(f"{w} 1 2\n".encode() for w in words) + b"caf\xc3 3 4\n"
    assert read(tmp_path, rows)["caf\ufffd"] == [3, 4]


@pytest.mark.parametrize("encoding", ["cp1251", "gbk", "shift_jis", "koi8-r"])
def test_other_scripts_are_not_called_latin(tmp_path, encoding):
    word = "слово" if encoding in ("cp1251", "koi8-r") else "中文"
    with pytest.raises(VectorFileError, match=r"line 1.*utf-8: save") as caught:
        read(tmp_path, f"{word} 1 2\ngood 3 4\n".encode(encoding))
    assert "latin" not in str(caught.value)
