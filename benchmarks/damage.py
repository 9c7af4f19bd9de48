"""Damaged files for every reader: refused with a clear error, or read right.

    python -m benchmarks.damage --out FOLDER [--files 10000] [--readers NAME ...]

The same files come for the same numbers. It goes on where it was stopped: FOLDER holds
a line for each file that was tried (``results.jsonl``) and, at the end, ``table.md``. A
reader works in a process of its own, whose memory may grow by three times the size of
the file and a constant; one that dies or hangs is told in the table, and goes on with
the next file.

An outcome is **refused** if an error of Python's kind for such things, or one of ours,
names the file and says what is wrong; **right** if all that is read equals what the
intact file gives; **other** if it doesn't, of a format that has no checksum and can't
tell; **silent** if it doesn't, of one that has; **unclear** if the error is another, or
names no file. Files that skops and pyarrow open are refused by any error of theirs.
Dead and hanging processes, and memory, are counted by themselves.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._damage_files import KINDS, damaged
from benchmarks._damage_readers import READERS, Read, Reader, available

OUTCOMES = ("refused", "right", "other", "silent", "unclear", "dead", "hanging")
CONSTANT = 64 * 2**20
"""Bytes that a process may take beside three times the file: of caches and buffers."""
_BATCH = 100
_SECONDS = 120
_CLEAR = (ValueError, OSError, TypeError, ImportError)


def digest(value: Any) -> str:
    """Return what tells one value from another, whatever arrays are in it.

    Examples
    --------
    >>> digest([1, np.ones(2)]) == digest([1, np.ones(2)]) != digest([1, np.zeros(2)])
    True
    """
    found = hashlib.sha256()
    for part in _parts(value):
        found.update(part)
    return found.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    if isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype.str}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, dict):
        yield from _parts([pair for pair in value.items()])
    elif isinstance(value, (list, tuple)):
        yield f"({len(value)}".encode()
        for part in value:
            yield from _parts(part)
    else:
        yield repr(value).encode(errors="surrogatepass")


def attempt(
    read: Read,
    paths: list[Path],
    expected: str,
    checked: bool,
    foreign: bool = False,
) -> Any:
    """Read damaged files once; return the outcome, and what was said.

    Parameters
    ----------
    read : callable
    paths : list of Path
        The files of the reader, one of which an error should name.
    expected : str
        The digest of what intact files give.
    checked : bool
        Whether the format has a checksum.
    foreign : bool, default=False
        Whether another library opens the files, whose errors need not name them.
    """
    from skrational.cli.faults import Fault

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = digest(read())
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        named = any(
            str(place) in said for place in {*paths, *(p.parent for p in paths)}
        )
        clear = isinstance(error, (*_CLEAR, Fault)) and not _is_raw(error)
        return ("refused" if foreign or (clear and named) else "unclear"), said
    if found == expected:
        return "right", ""
    return ("silent" if checked else "other"), ""


def _is_raw(error: Exception) -> bool:
    return isinstance(error, UnicodeError | json.JSONDecodeError)


def try_files(
    reader: Reader, numbers: range, folder: Path, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Damage the files of a reader, one after the other, and read them.

    Parameters
    ----------
    reader : Reader
    numbers : range
        Of the damaged files.
    folder : Path
        Empty.
    seed : int, default=0

    Yields
    ------
    dict
        A line of the results.
    """
    _compile(folder)
    place = folder / "files"
    place.mkdir()
    read = reader.make(place)
    expected = digest(read())
    intact = {p: p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}
    if digest(read()) != expected:
        raise AssertionError(f"{reader.name} reads otherwise the second time")
    for number in numbers:
        _put_back(place, intact)
        kinds = list(intact)
        path = kinds[number // len(KINDS) % len(kinds)]
        kind, content = damaged(
            intact[path], (seed, list(READERS).index(reader.name), number)
        )
        path.write_bytes(content)
        before = _peak()
        outcome, said = attempt(read, kinds, expected, reader.checked, reader.foreign)
        grown = max(0, _peak() - before)
        if content == intact[path]:
            kind = "none"
        yield {
            "reader": reader.name,
            "number": number,
            "file": path.name,
            "kind": kind,
            "size": len(content),
            "outcome": outcome,
            "said": said[:500],
            "grown": grown,
        }


def _compile(folder: Path) -> None:
    """Load what is compiled for pickles: it takes memory once, in any process."""
    from skrational.text.vectors.pickles import read_pickle

    read_pickle(folder, pickle.dumps({}))


def _put_back(place: Path, intact: dict[Path, bytes]) -> None:
    for path in place.rglob("*"):
        if path.is_file() and path not in intact:
            path.unlink()
    for path, content in intact.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def is_greedy(row: dict[str, Any]) -> bool:
    """Whether reading a file took more memory than it may."""
    return bool(row["grown"] > 3 * row["size"] + CONSTANT)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the tables by reader and by kind of damage, as Markdown."""
    return "\n\n".join(_counted(rows, key) for key in ("reader", "kind"))


def _counted(rows: list[dict[str, Any]], key: str) -> str:
    names = list(dict.fromkeys(row[key] for row in rows))
    heads = [key, "files", *OUTCOMES, "most memory"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name in [*sorted(names), None]:
        chosen = [row for row in rows if name is None or row[key] == name]
        counts = Counter(row["outcome"] for row in chosen)
        most = max((row["grown"] for row in chosen), default=0) / 2**20
        cells = [
            name or "all",
            len(chosen),
            *(counts[o] for o in OUTCOMES),
            f"{most:.0f} MiB",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _read_results(path: Path) -> dict[tuple[str, int], dict[str, Any]]:
    if not path.exists():
        return {}
    rows = {}
    for line in path.read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:  # a killed run's last line
            continue
        rows[row["reader"], row["number"]] = row
    return rows


def _run_batch(name: str, numbers: range, results: Path) -> None:
    """Try some files in another process; tell of the one that kills it."""
    command = [sys.executable, "-m", "benchmarks.damage", "--out", str(results.parent)]
    command += ["--batch", name, str(numbers.start), str(numbers.stop)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as child:
        outcome = "dead"
        try:
            _, said = child.communicate(timeout=_SECONDS + 3 * len(numbers))
        except subprocess.TimeoutExpired:
            outcome = "hanging"
            child.kill()
            _, said = child.communicate()
    done = _read_results(results)
    missing = [n for n in numbers if (name, n) not in done]
    if child.returncode == 0 and not missing:
        return
    if outcome == "dead" and child.returncode == 1:
        raise RuntimeError(said.decode(errors="replace"))
    number = missing[0]
    row = {"reader": name, "number": number, "file": "", "kind": "?", "size": 0}
    row |= {"outcome": outcome, "said": str(child.returncode), "grown": 0}
    with results.open("a") as file:
        print(json.dumps(row), file=file)
    if len(missing) > 1:
        _run_batch(name, range(number + 1, numbers.stop), results)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--readers", nargs="*")
    parser.add_argument("--batch", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    results = args.out / "results.jsonl"
    if args.batch:
        name, start, stop = args.batch
        with tempfile.TemporaryDirectory() as folder, results.open("a") as file:
            numbers = range(int(start), int(stop))
            for row in try_files(READERS[name], numbers, Path(folder)):
                print(json.dumps(row), file=file, flush=True)
        return
    readers, left_out = available()
    print(*left_out, sep="\n", end="\n" * bool(left_out))
    readers = [r for r in readers if not args.readers or r.name in args.readers]
    each = -(-args.files // len(readers))
    for reader in readers:
        done = {n for name, n in _read_results(results) if name == reader.name}
        for start in range(0, each, _BATCH):
            numbers = [
                n for n in range(start, min(start + _BATCH, each)) if n not in done
            ]
            if numbers:
                _run_batch(reader.name, range(numbers[0], numbers[-1] + 1), results)
        rows = list(_read_results(results).values())
        print(
            _counted([r for r in rows if r["reader"] == reader.name], "reader"),
            flush=True,
        )
    rows = list(_read_results(results).values())
    (args.out / "table.md").write_text(table(rows) + "\n")
    print(table(rows))
    bad = [r for r in rows if r["outcome"] in OUTCOMES[3:] or is_greedy(r)]
    for row in bad[:20]:
        print(json.dumps(row))
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
