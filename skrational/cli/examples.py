"""Texts and labels of a table, each checked, with the line that it is on."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from skrational.cli.columns import Columns, choose_columns
from skrational.cli.faults import Fault, UsageFault
from skrational.cli.messages import note, warn
from skrational.cli.rows import LINES, Layout, Row, Rows, open_rows

__all__ = ["Examples", "begin", "chunks", "layout_of", "read_examples", "text_of"]

_SAMPLE = 200
"""Rows by which columns are guessed."""
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


class Examples(NamedTuple):
    """What a model learns from, or is measured by.

    Attributes
    ----------
    texts : list of str
    labels : list of (int or str)
        Empty if none were asked for. Integers if all of them look so.
    lines : list of int
        Where each row begins.
    name : str
        Of the file.
    """

    texts: list[str]
    labels: list[Any]
    lines: list[int]
    name: str


def layout_of(args: argparse.Namespace) -> Layout:
    """Return how tables are written, as the command line says."""
    if args.delimiter is not None and args.format in ("jsonl", LINES):
        raise UsageFault(f"--delimiter has no meaning for --format {args.format}.")
    return Layout(args.format, args.encoding, args.header, args.quotes, args.delimiter)


def read_examples(
    path: str, args: argparse.Namespace, needs_label: bool | None = True
) -> Examples:
    """Read all texts of a table, with their labels.

    ``needs_label`` may be None: labels are read if it's clear where they are.

    Raises
    ------
    Fault
        If a text or a label is missing, unless rows without one are to be skipped; the
        message names the line.
    """
    with open_rows(path, layout_of(args)) as table:
        columns, rows = begin(table, args, needs_label)
        kept, skipped = [], []
        for row in rows:
            try:
                kept.append((*_example(row, columns), row.line))
            except Fault as fault:
                if not args.skip_incomplete:
                    raise Fault(
                        f"{table.name}, line {row.line}: {fault} (--skip-incomplete "
                        "leaves such rows out.)"
                    ) from None
                skipped.append(row.line)
    if skipped:
        warn(
            f"{table.name}: {len(skipped)} rows without a text or a label are left "
            f"out, the first on line {skipped[0]}."
        )
    if not kept:
        raise Fault(f"{table.name} holds no row with a text.")
    texts, labels, lines = map(list, zip(*kept, strict=True))
    found = _as_integers(labels) if columns.label is not None else []
    return Examples(texts, found, lines, table.name)


def begin(
    table: Rows, args: argparse.Namespace, needs_label: bool | None
) -> tuple[Columns, Iterator[Row]]:
    """Choose the columns; return them with all rows."""
    sample = list(islice(table.rows, _SAMPLE))
    label = getattr(args, "label", None)
    columns = choose_columns(table.columns, sample, args.text, label, needs_label)
    if columns.guessed:
        labels = f", labels in {columns.label!r}" if columns.label else ""
        note(
            f"{table.name}: texts are taken to be in column {columns.text!r}{labels}; "
            "name others by --text" + (" and --label." if labels else ".")
        )
    return columns, chain(sample, table.rows)


def text_of(row: Row, column: str) -> str:
    """Return the text of a row, which may be empty; null counts as empty."""
    value = row.cells.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Fault(f"{column!r} is {json.dumps(value)[:40]}; expected a string.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Fault(f"{column!r} holds half a surrogate pair ({error}).") from error
    return value


def _example(row: Row, columns: Columns) -> tuple[str, str]:
    """Return the text and the label of a row."""
    text = text_of(row, columns.text)
    if not text.strip():
        raise Fault(f"the text ({columns.text!r}) is empty.")
    if columns.label is None:
        return text, ""
    return text, _label_of(row, columns.label)


def _label_of(row: Row, column: str) -> str:
    value = row.cells.get(column)
    if isinstance(value, (dict, list)):
        raise Fault(f"the label ({column!r}) is {json.dumps(value)[:40]}.")
    is_text = value is None or isinstance(value, str)
    label = (value or "").strip() if is_text else json.dumps(value)
    if label in ("", "NaN"):
        raise Fault(f"the label ({column!r}) is missing.")
    return str(label)


def _as_integers(labels: Sequence[str]) -> list[Any]:
    """Turn labels into integers if all of them are written as such.

    Examples
    --------
    >>> _as_integers(["1", "0"]), _as_integers(["1", "good"])
    ([1, 0], ['1', 'good'])
    """
    if all(map(_INTEGER.fullmatch, labels)):
        return list(map(int, labels))
    return list(labels)


def chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Yield so many rows at a time."""
    rows = iter(rows)
    while part := list(islice(rows, size)):
        yield part
