import hashlib
import os
import socket

import pytest

from skrational.datasets import clear_data_home, get_data_home
from skrational.datasets.download import ARCHIVES, Archive, fetch_archive
from skrational.exceptions import DatasetNotFoundError

CONTENT = b"an archive" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
WRONG = "0" * 64


@pytest.fixture
def archive(site):
    return Archive("reviews.tar.gz", site.put("reviews.tar.gz", CONTENT))


def fetch(archive, home, **options):
    return fetch_archive(archive, data_home=home, **{"delay": 0, **options})


def names(home):
    return sorted(path.name for path in home.iterdir())


def test_downloads_once_and_records_the_checksum(archive, site, tmp_path):
    path = fetch(archive, tmp_path)
    assert path == tmp_path / "reviews.tar.gz"
    assert path.read_bytes() == CONTENT
    record = tmp_path / "reviews.tar.gz.sha256"
    assert record.read_text() == f"{DIGEST}  reviews.tar.gz\n"
    assert fetch(archive, tmp_path, download_if_missing=False) == path
    assert site.requests == ["/reviews.tar.gz"]
    assert names(tmp_path) == ["reviews.tar.gz", "reviews.tar.gz.sha256"]


@pytest.mark.parametrize("known", [True, False])
def test_wrong_checksum_leaves_nothing(archive, tmp_path, known):
    if known:
        archive, checksum = Archive(archive.filename, archive.url, WRONG), None
    else:
        checksum = WRONG
    message = f"{DIGEST}.* differs from expected .*{WRONG}"
    with pytest.raises(OSError, match=message) as info:
        fetch(archive, tmp_path, checksum=checksum)
    assert not isinstance(info.value, DatasetNotFoundError)
    assert names(tmp_path) == []


def test_passed_checksum_precedes_the_known_one(archive, tmp_path):
    archive = Archive(archive.filename, archive.url, WRONG)
    assert fetch(archive, tmp_path, checksum=DIGEST.upper()).is_file()


def test_damaged_file_is_noticed_and_kept(archive, tmp_path):
    path = fetch(archive, tmp_path)
    path.write_bytes(b"damaged")
    with pytest.raises(OSError, match=r"expected by reviews.tar.gz.sha256.*Delete"):
        fetch(archive, tmp_path)
    assert path.read_bytes() == b"damaged"


RECORDS = {
    "empty": b"",
    "cut": f"{DIGEST}  reviews".encode(),
    "of another file": f"{DIGEST}  reviews.zip\n".encode(),
    "no digest": b"z" * 64 + b"  reviews.tar.gz\n",
    "no text": b"\xff" * 99,
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_damaged_record_is_named_or_made_anew(archive, site, tmp_path, record):
    fetch(archive, tmp_path)
    path = tmp_path / "reviews.tar.gz.sha256"
    path.write_bytes(record)
    with pytest.raises(OSError, match=r"tar\.gz\.sha256 is damaged; expected the SHA"):
        fetch(archive, tmp_path)
    assert path.read_bytes() == record
    fetch(archive, tmp_path, checksum=DIGEST)
    assert path.read_text() == f"{DIGEST}  reviews.tar.gz\n"
    assert len(site.requests) == 1


@pytest.mark.parametrize("name", ["reviews.tar.gz", "reviews.tar.gz.sha256"])
def test_a_folder_in_place_of_a_file(archive, site, tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError, match=f"{name} is a folder; expected a file"):
        fetch(archive, tmp_path)
    assert site.requests == []


def test_a_file_in_place_of_the_data_home(archive, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(NotADirectoryError, match=r"data_home=.*file' is a file; expec"):
        fetch(archive, file)


def test_second_download_must_equal_the_first(archive, site, tmp_path):
    fetch(archive, tmp_path).unlink()
    site.put("reviews.tar.gz", b"something else")
    with pytest.raises(OSError, match=f"differs from expected .*{DIGEST}"):
        fetch(archive, tmp_path)
    assert names(tmp_path) == ["reviews.tar.gz.sha256"]


def test_file_put_there_by_hand_is_used(archive, site, tmp_path):
    (tmp_path / archive.filename).write_bytes(CONTENT)
    assert fetch(archive, tmp_path, checksum=DIGEST).read_bytes() == CONTENT
    assert site.requests == []


def test_not_found(site, tmp_path):
    archive = Archive("gone.zip", f"{site.url}/gone.zip")
    with pytest.raises(DatasetNotFoundError, match=r"could not download .*404") as info:
        fetch(archive, tmp_path, n_retries=0)
    assert str(tmp_path / "gone.zip") in str(info.value)
    assert len(site.requests) == 1
    assert names(tmp_path) == []


def test_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.zip"
        with (
            pytest.warns(UserWarning, match="Retry downloading"),
            pytest.raises(DatasetNotFoundError, match=r"is offline, download .*a\.zip"),
        ):
            fetch(Archive("a.zip", url), tmp_path, n_retries=1)
    assert names(tmp_path) == []


@pytest.mark.parametrize("fault", ["truncate", 503])
def test_retries(archive, site, tmp_path, fault):
    site.faults = [fault, fault]
    with pytest.warns(UserWarning, match="Retry downloading"):
        assert fetch(archive, tmp_path, n_retries=2).read_bytes() == CONTENT
    assert len(site.requests) == 3


@pytest.mark.parametrize(
    ("fault", "message"),
    [("truncate", "only 5000 out of 10000 bytes"), (503, "503")],
)
def test_retries_come_to_an_end(archive, site, tmp_path, fault, message):
    site.faults = [fault] * 2
    with (
        pytest.warns(UserWarning, match="Retry downloading"),
        pytest.raises(DatasetNotFoundError, match=message),
    ):
        fetch(archive, tmp_path, n_retries=1)
    assert len(site.requests) == 2
    assert names(tmp_path) == []


def test_a_connection_that_breaks(archive, site, tmp_path):
    site.faults = ["reset"]
    with pytest.raises(DatasetNotFoundError, match="save it as"):
        fetch(archive, tmp_path)
    assert names(tmp_path) == []
    assert fetch(archive, tmp_path).read_bytes() == CONTENT


def test_a_file_of_this_machine(tmp_path):
    there = tmp_path / "there is.zip"
    there.write_bytes(CONTENT)
    (tmp_path / "home").mkdir()
    archive = Archive("here.zip", there.as_uri())
    assert fetch(archive, tmp_path / "home").read_bytes() == CONTENT
    there.unlink()
    with pytest.raises(DatasetNotFoundError, match="could not download"):
        fetch(Archive("other.zip", there.as_uri()), tmp_path / "home", n_retries=0)
    assert names(tmp_path / "home") == ["here.zip", "here.zip.sha256"]


def test_download_if_missing_false(archive, site, tmp_path):
    with pytest.raises(DatasetNotFoundError, match="download_if_missing=True"):
        fetch(archive, tmp_path, download_if_missing=False)
    assert site.requests == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"checksum": "abc"}, ValueError, "64 hexadecimal digits"),
        ({"url": "reviews.zip"}, ValueError, "http, https or file"),
        ({"n_retries": -1}, ValueError, "must not be negative"),
        ({"n_retries": 1.5}, TypeError, "n_retries"),
        ({"delay": "1"}, TypeError, "delay"),
    ],
)
def test_invalid_parameters(archive, site, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        fetch(archive, tmp_path / "new", **options)
    assert site.requests == []
    assert not (tmp_path / "new").exists()


def test_data_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SKRATIONAL_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert get_data_home() == tmp_path / ".cache" / "skrational" / "datasets"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert get_data_home() == tmp_path / "cache" / "skrational" / "datasets"
    monkeypatch.setenv("SKRATIONAL_HOME", str(tmp_path / "home"))
    assert get_data_home() == tmp_path / "home"
    assert get_data_home("~/mine") == tmp_path / "mine"
    assert os.path.isdir(tmp_path / "mine")


def test_clear_data_home_deletes_only_its_own(tmp_path):
    own = ARCHIVES["sst2"].filename
    for name in (
        own,
        f"{own}.sha256",
        f"{own}.part_x1",
        f"{own}.sha256.x1.part",
        "thesis.zip",
        "thesis.zip.sha256",
    ):
        (tmp_path / name).write_text("")
    clear_data_home(tmp_path)
    assert names(tmp_path) == ["thesis.zip", "thesis.zip.sha256"]
