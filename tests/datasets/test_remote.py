import hashlib
import io
import tarfile
import zipfile

import numpy as np
import pytest

from skrational.datasets import fetch_amazon_reviews, fetch_sst2
from skrational.exceptions import DatasetNotFoundError

REVIEW = (
    "<review>\n<rating>\n5.0\n</rating>\n<title>\nT & <b>\n</title>\n"
    "<review_text>\n{}\n</review_text>\n</review>\n"
)
TREES = [
    "(3 (2 It) (4 (2 's) (4 (2 good\\/fine) (2 -LRB-))))",
    "(2 (2 So) (2 what))",
    "(0 (2 Bad) (1 (2 1\xa01\\/2) (2 stars)))",
    "",
]


def tar_of(**files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def reviews_of(*texts):
    return "".join(REVIEW.format(text) for text in texts).encode("latin-1")


def zip_of(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def served(site, content):
    """Options that fetch this content in place of the official archive."""
    return {
        "url": site.put("archive", content),
        "checksum": hashlib.sha256(content).hexdigest(),
    }


@pytest.fixture
def amazon(site):
    books = "sorted_data_acl/books/"
    return served(
        site,
        tar_of(
            **{
                "../../escape": b"x",
                "sorted_data_acl/books/._positive.review": b"x",
                books + "positive.review": reviews_of("Très bien.\n\nReally.", "Good"),
                books + "negative.review": reviews_of("Bad & ugly"),
                books + "unlabeled.review": reviews_of("What?"),
            }
        ),
    )


def test_amazon_reviews(amazon, site, tmp_path):
    reviews = fetch_amazon_reviews("books", data_home=tmp_path, **amazon)
    assert reviews.data == ["Bad & ugly", "Très bien.\n\nReally.", "Good"]
    assert reviews.target.tolist() == [0, 1, 1]
    assert reviews.target.dtype == np.int64
    assert reviews.target_names == ["negative", "positive"]
    assert reviews.filename == str(tmp_path / "domain_sentiment_data.tar.gz")
    X, y = fetch_amazon_reviews("books", data_home=tmp_path, return_X_y=True)
    assert X == reviews.data
    np.testing.assert_array_equal(y, reviews.target)
    assert len(site.requests) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "domain_sentiment_data.tar.gz",
        "domain_sentiment_data.tar.gz.sha256",
    ]


def test_amazon_without_the_domain(amazon, tmp_path):
    with pytest.raises(ValueError, match=r"no dvd/negative.review.*clear_data_home"):
        fetch_amazon_reviews("dvd", data_home=tmp_path, **amazon)
    with pytest.raises(ValueError, match="books, dvd, electronics, kitchen_&_house"):
        fetch_amazon_reviews("kitchen", data_home=tmp_path, **amazon)


@pytest.mark.parametrize(
    "content",
    [
        b"<html>Please log in</html>",
        tar_of(a=bytes(range(256)) * 400)[:-300],
        tar_of(**{"books/positive.review": b"<review>", "books/negative.review": b""}),
    ],
)
def test_damaged_amazon_archive(site, tmp_path, content):
    with pytest.raises(ValueError, match="domain_sentiment_data"):
        fetch_amazon_reviews("books", data_home=tmp_path, **served(site, content))


def test_sst2(site, tmp_path):
    options = served(site, zip_of(**{"trees/train.txt": "\n".join(TREES)}))
    sentences = fetch_sst2(data_home=tmp_path, **options)
    assert sentences.data == ["It 's good/fine (", "Bad 1\xa01/2 stars"]
    assert sentences.target.tolist() == [1, 0]
    X, y = fetch_sst2(data_home=tmp_path, return_X_y=True, **options)
    assert (X, y.tolist()) == (sentences.data, [1, 0])
    assert len(site.requests) == 1


def test_sst2_must_be_the_published_archive(site, tmp_path):
    url = served(site, zip_of(**{"trees/train.txt": "\n".join(TREES)}))["url"]
    with pytest.raises(OSError, match=r"differs from expected .*5c613a4f673f"):
        fetch_sst2(data_home=tmp_path, url=url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no zip", "not a zip file.*clear_data_home"),
        (zip_of(**{"trees/dev.txt": ""}), "no trees/train.txt"),
        (zip_of(**{"trees/train.txt": "(2 (2 a))\n(3 (2 a)"}), "train.txt, line 2"),
        (zip_of(**{"trees/train.txt": "(7 (2 a))"}), "train.txt, line 1"),
        (zip_of(**{"trees/train.txt": "(3 )"}), "train.txt, line 1"),
    ],
)
def test_damaged_sst2_archive(site, tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        fetch_sst2(data_home=tmp_path, **served(site, content))


def test_sst2_invalid_split_makes_no_request(site, tmp_path):
    with pytest.raises(ValueError, match="train, dev, test; got 'all'"):
        fetch_sst2("all", data_home=tmp_path, url=site.url)
    assert site.requests == []


@pytest.mark.parametrize("fetch", [fetch_amazon_reviews, fetch_sst2])
def test_no_download_unless_asked(fetch, tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"https://.* there"):
        fetch(data_home=tmp_path, download_if_missing=False)
