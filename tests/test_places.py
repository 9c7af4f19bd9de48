"""Homes and file names as containers have them."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from skrational.datasets import get_data_home
from skrational.text import StaticVectorizer, WordVectorizer
from skrational.utils import files

TABLE = "good 1 0\nbad -1 0\n"


@pytest.fixture
def homeless(monkeypatch):
    """No variable names a folder, and the system knows no home."""
    for name in ("HOME", "XDG_CACHE_HOME", "SKRATIONAL_CACHE", "SKRATIONAL_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)


def test_without_a_home_no_cache_is_kept_and_all_works(tmp_path, homeless):
    assert files.cache_folder(True) is None
    path = tmp_path / "v.txt"
    path.write_text(TABLE)
    for vectors in (path, str(path)):
        X = WordVectorizer(vectors).fit_transform(["good bad"])
        assert X.labels.tolist() == ["<s>", "good", "bad", "</s>"]
    with pytest.raises(OSError, match=r"no home folder.*SKRATIONAL_HOME"):
        get_data_home()
    assert get_data_home(tmp_path / "sets").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="no user numbers")
def test_a_user_whom_the_system_does_not_know(tmp_path):
    if os.getuid():
        pytest.skip("only root may become another user")
    path = Path(tempfile.mkdtemp(), "v.txt")
    path.write_text(TABLE)
    code = (
        "import os, sys\n"
        "from skrational.text import WordVectorizer\n"
        "from gensim import downloader\n"
        "WordVectorizer({'good': [1.0]}).fit_transform(['good'])\n"
        "os.setgid(54321); os.setuid(54321)\n"
        "print(WordVectorizer(sys.argv[1]).fit_transform(['good bad']))"
    )
    path.chmod(0o644)
    path.parent.chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if "HOME" not in k}
    environment["NUMBA_CACHE_DIR"] = str(tmp_path / "numba")
    environment.pop("SKRATIONAL_CACHE", None)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=environment,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    shutil.rmtree(path.parent)
    assert "1 sequences, 4 tokens" in done.stdout, done.stderr


def test_homes_of_users_that_are_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"no file '~nouser-of-this-name/v.txt'"
    ):
        WordVectorizer("~nouser-of-this-name/v.txt").fit(["good"])
    with pytest.raises(OSError, match="~nouser-of-this-name/m"):
        StaticVectorizer("~nouser-of-this-name/m").fit(["good"])
    folder = tmp_path / "~nouser-of-this-name"
    folder.mkdir()
    (folder / "v.txt").write_text(TABLE)
    vectorizer = WordVectorizer("~nouser-of-this-name/v.txt", cache="~nouser-too")
    assert vectorizer.fit_transform(["good"]).n_tokens == 3


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_names_that_are_no_utf8(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    path = folder / os.fsdecode(b"v\xff.txt")
    path.write_text(TABLE)
    for _ in range(2):  # the second time from the cache
        vectorizer = WordVectorizer(path, cache=folder / os.fsdecode(b"\xfe"))
        assert vectorizer.fit_transform(["good"]).n_tokens == 3
    path.write_text("good 1 0\nbad x 0\n")
    with pytest.raises(ValueError, match="line 2"):
        vectorizer.fit(["good"])
