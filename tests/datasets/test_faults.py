"""A damaged file is read as it was, or named in an error, whatever the damage is."""

import gzip
import hashlib
import io
import tarfile
import zipfile

import numpy as np
import pytest

from skrational.datasets import fetch_amazon_reviews, fetch_sst2, load_reviews

BOOKS = {"negative": b"It broke twice.", "positive": b"Tr\xe8s bien."}
TREES = b"(3 (2 It) (4 works))\n(0 (2 Bad) (1 stars))\n" * 5
LINES = "".join(f"{i % 2}\tword {i}\n" for i in range(9)).encode()


def amazon():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in BOOKS.items():
            content = b"<review><review_text>%b</review_text></review>" % text
            member = tarfile.TarInfo(f"books/{name}.review")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def treebank(method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("trees/train.txt", TREES)
    return buffer.getvalue()


def read_amazon(home, raw):
    name, sha256 = "domain_sentiment_data.tar.gz", hashlib.sha256(raw).hexdigest()
    (home / name).write_bytes(raw)
    options = {"data_home": home, "return_X_y": True, "checksum": sha256}
    return fetch_amazon_reviews("books", **options)


def read_treebank(home, raw):
    name, sha256 = "trainDevTestTrees_PTB.zip", hashlib.sha256(raw).hexdigest()
    (home / name).write_bytes(raw)
    return fetch_sst2(data_home=home, return_X_y=True, checksum=sha256)


def read_lines(home, raw):
    (home / "toys").mkdir(exist_ok=True)
    (home / "toys" / "train.tsv.gz").write_bytes(raw)
    return load_reviews("toys", data_home=home)


def damages(raw, step):
    for i in range(0, len(raw), step):
        yield raw[:i] + bytes([raw[i] ^ 1 << i % 8]) + raw[i + 1 :]
        yield raw[:i] + b"\xff" * 4 + raw[i + 4 :]
        yield raw[:i] + bytes(16) + raw[i + 16 :]
        yield raw[:i] + raw[i + 16 :]
        yield raw[:i]


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (read_amazon, amazon()),
        (read_treebank, treebank(zipfile.ZIP_STORED)),
        (read_treebank, treebank(zipfile.ZIP_DEFLATED)),
        (read_treebank, treebank(zipfile.ZIP_BZIP2)),
        (read_lines, gzip.compress(LINES)),
    ],
    ids=["tar", "stored zip", "deflated zip", "bzip2 zip", "lines"],
)
def test_damage(tmp_path, read, raw):
    texts, labels = read(tmp_path, raw)
    for damaged in damages(raw, step=1 + len(raw) // 100):
        try:
            found = read(tmp_path, damaged)
        except ValueError as error:
            assert str(tmp_path) in str(error)
        else:
            assert found[0] == texts
            np.testing.assert_array_equal(found[1], labels)


def test_no_room_is_made_for_what_an_archive_can_not_hold(tmp_path):
    member = tarfile.TarInfo("books/negative.review")
    member.size = 2**40
    content = gzip.compress(member.tobuf())
    with pytest.raises(ValueError, match=r"negative\.review can't have 1099511627776"):
        read_amazon(tmp_path, content)


def test_an_empty_split_is_no_data_set(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("trees/train.txt", b"\n(2 (2 So) (2 what))\n")
    with pytest.raises(ValueError, match="has no sentence with a polarity"):
        read_treebank(tmp_path, buffer.getvalue())


def test_text_of_another_encoding_is_named(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("trees/train.txt", b"(3 (2 caf\xe9))")
    with pytest.raises(ValueError, match=r"PTB\.zip .*trees/train\.txt: 'utf-8' codec"):
        read_treebank(tmp_path, buffer.getvalue())
