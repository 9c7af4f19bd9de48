"""Tables that a command writes: CSV, TSV or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from typing import IO, Any

from skrational.cli.files import open_output, plain_suffix

__all__ = ["form_of", "row_writer", "write_table"]

_FORMS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl"}
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def form_of(name: str | None, form: str | None) -> str:
    """Return the format that is asked for, or that a file's name tells, or CSV."""
    return form or _FORMS.get(plain_suffix(name or ""), "csv")


def row_writer(
    file: IO[str], form: str, columns: list[str]
) -> Callable[[dict[str, Any]], None]:
    """Begin a table; return what writes a row of it."""
    if form == "jsonl":
        return lambda row: print(_as_json(row), file=file)
    writer = csv.DictWriter(
        file, columns, delimiter=_DELIMITERS[form], lineterminator="\n", restval=""
    )
    writer.writeheader()
    return lambda row: writer.writerow({k: _cell(v) for k, v in row.items()})


def write_table(
    name: str | None, form: str | None, rows: Iterable[dict[str, Any]]
) -> None:
    """Write rows that have the columns of the first one."""
    rows = list(rows)
    with open_output(name) as file:
        write = row_writer(file, form_of(name, form), list(rows[0]))
        for row in rows:
            write(row)


def _as_json(row: dict[str, Any]) -> str:
    """Write a row as JSON, which has no NaN."""
    plain = {k: None if value != value else value for k, value in row.items()}
    return json.dumps(plain, ensure_ascii=False)


def _cell(value: Any) -> Any:
    """Return a value as a cell holds it: what JSON alone can hold as JSON."""
    if value != value:  # NaN
        return ""
    return json.dumps(value) if isinstance(value, (dict, list, bool)) else value
