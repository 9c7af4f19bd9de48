"""Tables as people write them: quotes, byte order marks, ragged rows, encodings."""

import gzip
import random

import pandas as pd
import pytest

from skrational.cli.faults import Fault, UsageFault
from skrational.cli.rows import Layout, open_rows


def read(path, **layout):
    with open_rows(str(path), Layout(**layout)) as table:
        return table.columns, [(row.line, *row.cells.values()) for row in table.rows]


def write(tmp_path, content, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def fault(path, kind=Fault, **layout):
    with pytest.raises(kind) as caught:
        read(path, **layout)
    return str(caught.value)


def test_lines_are_those_where_rows_begin(tmp_path):
    path = write(tmp_path, 'text,label\n"one\ntwo, ""three""",1\nfour,0\n\n\nfive,1\n')
    columns, rows = read(path)
    assert columns == ["text", "label"]
    assert rows == [(2, 'one\ntwo, "three"', "1"), (4, "four", "0"), (7, "five", "1")]


def test_what_pandas_writes_is_read_as_pandas_reads_it(tmp_path):
    rng = random.Random(0)
    texts = ["".join(rng.choices("ab ,\"\n\t'é😀;", k=12)) for _ in range(200)]
    frame = pd.DataFrame({"text": texts, "label": range(200)})
    for name, sep in (("t.csv", ","), ("t.tsv", "\t"), ("t.csv.gz", ",")):
        frame.to_csv(tmp_path / name, index=False, sep=sep)
        _, rows = read(tmp_path / name)
        assert [row[1] for row in rows] == texts
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    _, rows = read(tmp_path / "t.jsonl")
    assert [row[1:] for row in rows] == list(zip(texts, range(200), strict=True))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_byte_order_mark_and_any_line_ends_are_no_part_of_a_cell(tmp_path, mark, end):
    path = write(tmp_path, f"{mark}text,label{end}good,1{end}")
    assert read(path) == (["text", "label"], [(2, "good", "1")])


def test_a_cell_may_be_longer_than_the_standard_library_allows(tmp_path):
    path = write(tmp_path, f"text,label\n{'long ' * 40_000},1\n")
    assert len(read(path)[1][0][1]) == 200_000


def test_ragged_rows_are_named(tmp_path):
    path = write(tmp_path, 'text,label\n"a\nb",1\nno, quotes,0\n')
    assert "line 4: 3 cells, but the header has 2 (text, label)" in fault(path)
    path = write(tmp_path, "text,label\nshort\n")
    assert "line 2: 1 cells" in fault(path)


def test_quotes_that_do_not_match_are_named_and_can_be_letters(tmp_path):
    path = write(tmp_path, 'text\tlabel\n6" pan\t1\n"Great" pan\t1\n', "t.tsv")
    assert "line 3: quotes don't match up" in fault(path)
    _, rows = read(path, quotes=False)
    assert [row[1] for row in rows] == ['6" pan', '"Great" pan']
    path = write(tmp_path, 'text,label\nfine,1\n"never closed,0\nmore,1\n')
    assert "line 3: quotes don't match up" in fault(path)


def test_other_encodings_are_named_by_line_and_can_be_given(tmp_path):
    path = write(tmp_path, "text,label\nplain,1\ncafé,0\n".encode("latin-1"))
    message = fault(path)
    assert "line 3: not written in utf-8 (byte 0xe9 at character 4)" in message
    assert read(path, encoding="latin-1")[1][1] == (3, "café", "0")
    path = write(tmp_path, "text,label\ncafé,0\n".encode("utf-16"))
    assert "line 1: not written in utf-8" in fault(path)
    assert read(path, encoding="utf-16")[1] == [(2, "café", "0")]
    assert "no such encoding" in fault(path, UsageFault, encoding="klingon")


def test_headers(tmp_path):
    assert "'text' more than once" in fault(write(tmp_path, "text,text\na,b\n"))
    path = write(tmp_path, "1\tgood\n0\tbad\n", "t.tsv")
    assert read(path, header=False) == (["1", "2"], [(1, "1", "good"), (2, "0", "bad")])


def test_one_column_keeps_blank_lines_amid_its_texts(tmp_path):
    path = write(tmp_path, "text\none\n\ntwo\n\n\n")
    assert read(path)[1] == [(2, "one"), (3, ""), (4, "two")]
    path = write(tmp_path, "one\n\ntwo\n", "t.txt")
    assert read(path)[1] == [(1, "one"), (2, ""), (3, "two")]


def test_the_format_is_told_by_name_or_first_line(tmp_path):
    assert read(write(tmp_path, "a\tb\n1\t2\n", "x"))[0] == ["a", "b"]
    assert read(write(tmp_path, '{"a": 1, "b": 2}\n', "x"))[1] == [(1, 1, 2)]
    assert read(write(tmp_path, "a,b\n1,2\n", "x"))[0] == ["a", "b"]
    assert read(write(tmp_path, "a,b\n1,2\n", "x"), form="lines")[0] == ["text"]


def test_json_lines_name_what_is_none(tmp_path):
    path = write(tmp_path, '{"a": 1}\n\n{"a": \n', "t.jsonl")
    assert "line 3: not JSON" in fault(path)
    path = write(tmp_path, '{"a": 1}\n[1, 2]\n', "t.jsonl")
    assert "line 2: a JSON list; expected an object" in fault(path)


def test_files_that_are_empty_damaged_or_not_there(tmp_path):
    assert "is empty" in fault(write(tmp_path, ""))
    assert "holds no row" in fault(write(tmp_path, "\n\n"))
    assert "No such file" in fault(tmp_path / "nowhere.csv")
    assert "Is a directory" in fault(tmp_path)
    packed = gzip.compress(b"text,label\n" + b"good,1\n" * 50_000)
    assert "is damaged" in fault(write(tmp_path, packed[:-40], "t.csv.gz"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "header", ["review|stars", '"review"|"stars"', '"a;;b,,\t\t"|c']
)
def test_the_header_tells_the_delimiter(tmp_path, delimiter, header):
    row = '"u;v,w\tx"|"1"'
    content = f"\ufeff{header}\n{row}\n".replace("|", delimiter)
    columns, rows = read(write(tmp_path, content))
    assert columns == header.replace('"', "").split("|")
    assert rows == [(2, "u;v,w\tx", "1")]


def test_a_delimiter_can_be_named_and_is_named_as_the_likely_fault(tmp_path):
    path = write(tmp_path, '"review"|"stars"\n"a"|"b"\n')
    assert "name it by --delimiter" in fault(path)
    assert read(path, delimiter="|") == (["review", "stars"], [(2, "a", "b")])


def test_texts_without_a_header_do_not_tell_the_delimiter(tmp_path):
    path = write(tmp_path, "good; nice; fine,1\nbad,0\n")
    assert read(path, header=False)[0] == ["1", "2"]
