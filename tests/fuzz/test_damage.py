"""Some hundred damaged files for the readers; `benchmarks.damage` tries thousands."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks import damage
from benchmarks._damage_files import KINDS, damaged
from benchmarks._damage_readers import READERS, available

THERE, LEFT_OUT = available()
N_FILES = 2 * len(KINDS)
SLOW = {"encoder of transformers"}


def test_what_is_left_out_is_told():
    assert len(THERE) + len(LEFT_OUT) == len(READERS)
    assert all("isn't there" in line for line in LEFT_OUT)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_the_same_for_the_same_number(kind):
    number = list(KINDS).index(kind)
    content = np.random.default_rng(0).bytes(500)
    found = [damaged(content, (0, 1, number)) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0][0] == kind


@pytest.mark.parametrize("reader", THERE, ids=lambda reader: reader.name)
def test_damaged_files_are_refused_or_right(reader):
    n_files = len(KINDS) if reader.name in SLOW else N_FILES
    # Elsewhere than the nightly run, which counts from 0.
    numbers = range(100_000 * len(KINDS), 100_000 * len(KINDS) + n_files)
    with tempfile.TemporaryDirectory() as folder:
        rows = list(damage.try_files(reader, numbers, Path(folder)))
    assert len(rows) == n_files
    allowed = {"refused", "right"} | ({"other"} if not reader.checked else set())
    assert [row for row in rows if row["outcome"] not in allowed] == []
    assert [row for row in rows if damage.is_greedy(row)] == []


def test_outcomes(tmp_path):
    path = tmp_path / "v.txt"

    def fail(error):
        def read():
            raise error

        return damage.attempt(read, [path], damage.digest(1), True)[0]

    assert fail(ValueError(f"{path} is damaged")) == "refused"
    assert fail(OSError(2, "no such file", str(path))) == "refused"
    assert fail(ValueError("is damaged")) == "unclear"
    assert fail(KeyError(str(path))) == "unclear"
    assert fail(UnicodeDecodeError("utf-8", b"", 0, 1, str(path))) == "unclear"
    for value, checked, outcome in (
        (1, True, "right"),
        (2, True, "silent"),
        (2, False, "other"),
    ):
        found = damage.attempt(lambda v=value: v, [path], damage.digest(1), checked)
        assert found == (outcome, "")
