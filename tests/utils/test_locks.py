"""Locks that end with their holder."""

import os
import subprocess
import sys
import time

import pytest

from skrational.utils import locks
from skrational.utils.locks import FileLock, HeldError, scratch_folder

HOLDER = """
import sys, time
from pathlib import Path
from skrational.utils.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_one_holder_at_a_time_and_nothing_is_left(tmp_path):
    path = tmp_path / "lock"
    lock = FileLock(path)
    with pytest.raises(HeldError, match=f"held by process {os.getpid()} on "):
        FileLock(path)
    lock.release()
    lock.release()
    assert not path.exists()
    again = FileLock(path)
    del again  # as is its end
    assert not path.exists()


def test_it_is_held_until_its_file_is_gone(tmp_path):
    path = tmp_path / "lock"
    lock = FileLock(path)
    assert lock.is_held
    path.unlink()
    assert not lock.is_held
    other = FileLock(path)
    assert other.is_held
    assert not lock.is_held
    lock.release()
    assert path.exists()
    other.release()
    assert not other.is_held


def test_it_ends_with_a_killed_process(tmp_path):
    path = tmp_path / "lock"
    call = [sys.executable, "-c", HOLDER, str(path)]
    holder = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(HeldError, match=f"process {holder.pid} on"):
        FileLock(path)
    holder.kill()
    holder.communicate()
    assert path.exists()
    FileLock(path).release()
    assert not path.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_does_not_hold_the_lock_of_its_parent(tmp_path):
    path = tmp_path / "lock"
    lock = FileLock(path)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        lock.release()
        os.write(writer, b"there" if path.exists() else b"gone")
        time.sleep(5)
        os._exit(0)
    try:
        assert os.read(reader, 9) == b"there"
        with pytest.raises(HeldError):
            FileLock(path)
        lock.release()
        FileLock(path).release()  # while the fork lives
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_a_file_that_another_has_made_since_is_left_alone(tmp_path):
    path = tmp_path / "lock"
    first = FileLock(path)
    path.unlink()
    second = FileLock(path)
    first.release()
    assert path.exists()
    with pytest.raises(HeldError):
        FileLock(path)
    second.release()


def test_where_there_are_no_locks_it_says_so(tmp_path, monkeypatch):
    def unknown(*args):
        raise OSError(95, "Operation not supported")

    if locks.fcntl is None:
        pytest.skip("needs fcntl")
    monkeypatch.setattr(locks.fcntl, "flock", unknown)
    lock = FileLock(tmp_path / "lock")
    assert "not supported" in lock.fault
    lock.release()


def test_scratch_folders_of_killed_processes_are_removed(tmp_path):
    left_over, mine = tmp_path / ".scratch-killed", tmp_path / "mine"
    for folder in (left_over, mine):
        folder.mkdir()
        (folder / "file").write_text("half")
    with scratch_folder(tmp_path, ".scratch-") as first:
        assert not left_over.exists()
        with scratch_folder(tmp_path, ".scratch-") as second:
            assert first.exists()
        assert not second.exists()
    assert list(tmp_path.iterdir()) == [mine]
