"""What is done with a model: ``test``, ``predict``, ``explain`` and ``report``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from html import escape
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any

from skrational.cli.examples import (
    Examples,
    begin,
    chunks,
    layout_of,
    read_examples,
    text_of,
)
from skrational.cli.faults import Fault, UsageFault
from skrational.cli.files import (
    STREAM,
    check_apart,
    check_writable,
    form_by_name,
    open_output,
)
from skrational.cli.messages import note, warn
from skrational.cli.models import describe, load_model, predicts_numbers
from skrational.cli.progress import wants_bar
from skrational.cli.rows import Row, open_rows
from skrational.cli.scores import Predictor, measure, shown
from skrational.cli.tables import form_of, row_writer
from skrational.utils.optional import advancing

__all__ = ["explain", "predict", "report", "test"]

_AT_ONCE = 4096
"""Texts that are predicted together: output begins soon, and memory has a bound."""

_EXPLAINED = {
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".jsonl": "jsonl",
    ".json": "jsonl",
}
_REPORTED = {".html": "html", ".htm": "html", ".md": "markdown"}

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font-family: system-ui, sans-serif; margin: 2em auto; max-width: 60em;
       padding: 0 1em; }}
section {{ margin: 2em 0; border-top: 1px solid rgba(127, 127, 127, .5); }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def test(args: argparse.Namespace) -> None:
    """Measure a model on texts whose classes are known."""
    model = _open_model(args)
    if predicts_numbers(model):
        raise Fault(
            "The model predicts numbers, and `skrational test` counts classes; "
            "`skrational report` measures such a model."
        )
    examples = read_examples(args.table, args)
    predictor = Predictor(model)
    scores = {"model": describe(model)} | measure(
        predictor, examples.texts, _labels_of(examples, predictor)
    )
    with open_output(args.out) as file:
        text = json.dumps(scores, indent=2) if args.json else shown(scores)
        print(text, file=file)


def predict(args: argparse.Namespace) -> None:
    """Write the class and the probabilities of each text."""
    predictor = Predictor(_open_model(args))
    with open_rows(args.table, layout_of(args)) as table:
        columns, rows = begin(table, args, needs_label=False)
        names = _free_names(predictor.columns, table.columns if args.keep else [])
        kept = table.columns if args.keep else []
        shows = wants_bar(args.quiet) and args.out not in (None, STREAM)
        empty: list[int] = []
        parts = _predicted(predictor, rows, table.name, columns.text, empty)
        # A model that can't predict texts is at fault before anything is written.
        first = list(islice(parts, 1))
        with (
            open_output(args.out) as file,
            advancing("predict", None, shows) as advance,
        ):
            form = form_of(args.out, args.output_format)
            write = row_writer(file, form, [*kept, *names])
            for part, predictions in chain(first, parts):
                for row, values in zip(part, predictions, strict=True):
                    own = row.cells if args.keep else {}
                    write({**own, **dict(zip(names, values, strict=True))})
                advance(len(part))
    if empty:
        warn(
            f"{table.name}: {len(empty)} texts are empty, the first on line "
            f"{empty[0]}; what is predicted for them rests on no word."
        )


def explain(args: argparse.Namespace) -> None:
    """Say why a model predicts what it predicts."""
    from skrational import inspection

    if args.table is None and not args.document:
        raise UsageFault("Nothing to explain: give a TABLE, or texts by --document.")
    form = args.output_format or form_by_name(args.out, _EXPLAINED, "text")
    model = _open_model(args)
    named = [(text, text) for text in args.document]
    named += [] if args.table is None else list(_first_texts(args))
    names, texts = zip(*named, strict=True)
    explanations = inspection.explain(model, list(texts), progress=False)
    with open_output(args.out) as file:
        for line in _written(form, names, explanations, Path(args.model).name):
            print(line, file=file)


def report(args: argparse.Namespace) -> None:
    """Write a page about a model, or its model card."""
    form = form_by_name(args.out, _REPORTED, "html")
    try:
        make = import_module("skrational.reporting").report
    except (ImportError, AttributeError) as error:
        raise Fault(f"This installation can't write reports: {error}.") from error
    model = _open_model(args)
    examples = read_examples(args.table, args, needs_label=None)
    labels = _targets_of(examples, model) if examples.labels else None
    title = {"title": args.title} if args.title else {}
    page = make(model, examples.texts, labels, **title)
    with open_output(args.out) as file:
        file.write(page.to_html() if form == "html" else page.to_markdown())
    note(f"Wrote {args.out}.")


def _open_model(args: argparse.Namespace) -> Any:
    """Load the model, when it's clear that there is a place for what it's used for."""
    check_apart(args)
    check_writable(args.out)
    if args.model == STREAM == args.table:
        raise UsageFault("MODEL and TABLE can't both be the standard input.")
    return load_model(args.model)


def _targets_of(examples: Examples, model: Any) -> list[Any]:
    """Return what a model is to predict: classes, or numbers of a regressor."""
    if not predicts_numbers(model):
        return _labels_of(examples, Predictor(model))
    values = []
    for line, label in zip(examples.lines, examples.labels, strict=True):
        try:
            values.append(float(label))
        except (TypeError, ValueError):
            raise Fault(
                f"{examples.name}, line {line}: {label!r} is no number, which is what "
                "the model predicts."
            ) from None
    return values


def _labels_of(examples: Examples, predictor: Predictor) -> list[Any]:
    """Return labels as the model's classes, however the file writes them."""
    by_text = {_as_text(label): label for label in predictor.classes}
    found = []
    for line, label in zip(examples.lines, examples.labels, strict=True):
        if str(label) not in by_text:
            raise Fault(
                f"{examples.name}, line {line}: the model knows no class {label!r}; it "
                f"knows {', '.join(by_text)}."
            )
        found.append(by_text[str(label)])
    return found


def _as_text(label: Any) -> str:
    return json.dumps(label) if isinstance(label, bool) else str(label)


def _free_names(names: list[str], taken: list[str]) -> list[str]:
    """Give columns names that aren't taken."""
    free = []
    for name in names:
        while name in taken:
            name += "_"
        free.append(name)
    return free


def _text(name: str, row: Row, column: str) -> str:
    try:
        return text_of(row, column)
    except Fault as fault:
        raise Fault(f"{name}, line {row.line}: {fault}") from None


def _predicted(
    predictor: Predictor, rows: Iterator[Row], name: str, column: str, empty: list[int]
) -> Iterator[tuple[list[Row], list[list[Any]]]]:
    """Yield rows, some at a time, with what is predicted for them.

    Parameters
    ----------
    predictor : Predictor
    rows : iterator of Row
    name, column : str
        Of the table, and of its texts.
    empty : list of int
        Gets the lines of texts without a word.
    """
    for part in chunks(rows, _AT_ONCE):
        texts = [_text(name, row, column) for row in part]
        empty += [
            row.line for row, text in zip(part, texts, strict=True) if not text.strip()
        ]
        yield part, list(predictor.rows(texts))


def _first_texts(args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Yield the first texts of the table, each after its name."""
    with open_rows(args.table, layout_of(args)) as table:
        columns, rows = begin(table, args, needs_label=False)
        for row in islice(rows, args.first):
            name = f"{table.name}, line {row.line}"
            yield name, _text(table.name, row, columns.text)
        if next(rows, None) is not None:
            note(f"These are the first {args.first} texts; --first N gives more.")


def _written(
    form: str, names: tuple[str, ...], explanations: Any, model: str
) -> Iterator[str]:
    """Yield the parts of what is written.

    Parameters
    ----------
    form : {"text", "html", "jsonl"}
    names : tuple of str
        Of the texts.
    explanations : Explanations
    model : str
        Its name.
    """
    if form == "jsonl":
        yield from (explanation.to_json() for explanation in explanations)
    elif form == "html":
        sections = (
            f"<section><p>{escape(name)}</p>\n{explanation.to_html()}</section>"
            for name, explanation in zip(names, explanations, strict=True)
        )
        title = escape(f"Predictions of {model}, explained")
        yield _PAGE.format(title=title, body="\n".join(sections)).rstrip()
    else:
        for i, (name, explanation) in enumerate(zip(names, explanations, strict=True)):
            yield ("\n" if i else "") + f"{name}\n{explanation.to_text()}"
