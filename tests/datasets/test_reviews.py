import gzip

import numpy as np
import pytest

from skrational.datasets import data_folder, load_reviews, reviews_available
from skrational.exceptions import DatasetNotFoundError

LINES = "1\tworks well\n0\tnot\x85worth \r it\n2\t\n"


@pytest.fixture
def home(tmp_path):
    for path in ("toasters/train", "toasters/raw/train", "pans/test"):
        file = tmp_path / f"{path}.tsv.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = LINES.title() if "raw" in path else LINES
        file.write_bytes(gzip.compress(text.encode()))
    (tmp_path / "vectors").mkdir()
    (tmp_path / "README.md").write_text("not a set")
    return tmp_path


def test_reads_texts_and_labels(home):
    texts, labels = load_reviews("toasters", data_home=home)
    assert texts == ["works well", "not\x85worth \r it", ""]
    assert labels.dtype == np.int64
    assert labels.tolist() == [1, 0, 2]


def test_raw_and_split(home):
    assert load_reviews("toasters", data_home=home, raw=True).texts[0] == "Works Well"
    assert len(load_reviews("pans", "test", data_home=str(home)).texts) == 3


def test_variable_names_the_folder(home, monkeypatch):
    monkeypatch.setenv("SKRATIONAL_DATA", str(home))
    assert data_folder() == home
    assert reviews_available()
    assert len(load_reviews("toasters").labels) == 3


@pytest.mark.parametrize(
    ("value", "message"), [(None, "is not set"), ("/no/such", "names no folder")]
)
def test_without_a_folder(monkeypatch, value, message):
    monkeypatch.delenv("SKRATIONAL_DATA", raising=False)
    if value:
        monkeypatch.setenv("SKRATIONAL_DATA", value)
    assert data_folder() is None
    assert not reviews_available()
    with pytest.raises(DatasetNotFoundError, match=f"SKRATIONAL_DATA {message}"):
        load_reviews("toasters")


@pytest.mark.parametrize(
    ("name", "split", "raw", "message"),
    [
        ("kettles", "train", False, "no set 'kettles' .* available: pans, toasters"),
        ("../toasters", "train", False, "available: pans, toasters"),
        ("vectors", "train", False, "available: pans, toasters"),
        ("pans", "train", False, "train.tsv.gz does not exist"),
        ("pans", "test", True, "try raw=False"),
    ],
)
def test_what_is_missing_is_named(home, name, split, raw, message):
    with pytest.raises(DatasetNotFoundError, match=message):
        load_reviews(name, split, raw=raw, data_home=home)


def test_empty_and_missing_data_home(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="available: none"):
        load_reviews("toasters", data_home=tmp_path)
    with pytest.raises(DatasetNotFoundError, match="is no folder"):
        load_reviews("toasters", data_home=tmp_path / "new")


def test_unknown_split(home):
    with pytest.raises(ValueError, match="train, dev, test; got 'all'"):
        load_reviews("toasters", "all", data_home=home)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"1\tgood\n0 bad\n"), "train.tsv.gz, line 2: no tab"),
        (gzip.compress(b"1\tgood\nbad\tbad\n"), "line 2: the label is 'bad'.*integer"),
        (gzip.compress(b"1\tcaf\xe9 bad\n"), "damaged after line 0.*utf-8"),
        (gzip.compress(LINES.encode())[:-12], "damaged after line"),
        (b"1\tgood\n", "damaged after line 0.*gzip"),
        (b"", "train.tsv.gz holds no line"),
        (gzip.compress(b""), "train.tsv.gz holds no line"),
    ],
)
def test_damaged_files(home, content, message):
    (home / "toasters" / "train.tsv.gz").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_reviews("toasters", data_home=home)


LABELS = {
    "9223372036854775807": 2**63 - 1,
    "-9223372036854775808": -(2**63),
    "+1": 1,
    "007": 7,
    "9223372036854775808": None,
    "1" + "0" * 30: None,
    "1" * 5000: None,
    "1.0": None,
    "1_0": None,
    " 1": None,
    "١": None,
    "\x001": None,
    "-": None,
    "": None,
}


@pytest.mark.parametrize("label", LABELS, ids=lambda text: ascii(text)[:30])
def test_a_label_is_an_integer_of_64_bits(home, label):
    content = gzip.compress(f"0\tbad\n{label}\tgood\n".encode())
    (home / "toasters" / "train.tsv.gz").write_bytes(content)
    if LABELS[label] is not None:
        labels = load_reviews("toasters", data_home=home).labels
        assert labels.tolist() == [0, LABELS[label]]
        return
    with pytest.raises(ValueError, match=r"train\.tsv\.gz, line 2: the label is"):
        load_reviews("toasters", data_home=home)


def test_labels_may_be_names(home):
    content = gzip.compress("card_arrival\twhere is it\nÄrger, groß\tno\n".encode())
    (home / "toasters" / "train.tsv.gz").write_bytes(content)
    labels = load_reviews("toasters", data_home=home).labels
    assert labels.dtype.kind == "U"
    assert labels.tolist() == ["card_arrival", "Ärger, groß"]


@pytest.mark.parametrize("label", ["1", "", " ", "_", "\x00a"])
def test_names_are_names_in_all_lines(home, label):
    content = gzip.compress(f"card\twhere\n{label}\tno\n".encode())
    (home / "toasters" / "train.tsv.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"train\.tsv\.gz, line 2: the label is"):
        load_reviews("toasters", data_home=home)


def test_a_byte_order_mark_is_no_part_of_a_label(home):
    content = gzip.compress(LINES.encode("utf-8-sig"))
    (home / "toasters" / "train.tsv.gz").write_bytes(content)
    assert load_reviews("toasters", data_home=home).labels.tolist() == [1, 0, 2]


def test_a_folder_in_place_of_a_file(home):
    (home / "toasters" / "dev.tsv.gz").mkdir()
    with pytest.raises(DatasetNotFoundError, match=r"dev\.tsv\.gz is no file"):
        load_reviews("toasters", "dev", data_home=home)


@pytest.mark.data
@pytest.mark.skipif(not reviews_available(), reason="SKRATIONAL_DATA is not set")
@pytest.mark.parametrize(
    ("name", "sizes", "n_classes"),
    [
        ("amazon_kitchen", (3264, 842, 4002), 2),
        ("amazon_dvd", (3218, 822, 4108), 2),
        ("amazon_books", (3670, 956, 4416), 2),
        ("sst2", (6920, 872, 1821), 2),
        ("trec", (4869, 500, 500), 6),
    ],
)
def test_sizes_of_the_real_sets(name, sizes, n_classes):
    for split, size in zip(("train", "dev", "test"), sizes, strict=True):
        texts, labels = load_reviews(name, split)
        assert len(texts) == len(labels) == size
        assert np.unique(labels).tolist() == list(range(n_classes))


@pytest.mark.data
@pytest.mark.skipif(not reviews_available(), reason="SKRATIONAL_DATA is not set")
def test_raw_lines_have_the_same_labels():
    raw, tokenised = (
        load_reviews("amazon_kitchen", "dev", raw=r) for r in (True, False)
    )
    np.testing.assert_array_equal(raw.labels, tokenised.labels)
    assert raw.texts != tokenised.texts


@pytest.mark.parametrize("last", ["", "\r\n"])
def test_lines_of_another_system_end_before_the_return(home, last):
    file = home / "pans" / "train.tsv.gz"
    file.write_bytes(gzip.compress(f"good\tworks\r well\r\nbad\t{last}".encode()))
    texts, labels = load_reviews("pans", data_home=home)
    assert texts == ["works\r well", ""]
    assert labels.tolist() == ["good", "bad"]
