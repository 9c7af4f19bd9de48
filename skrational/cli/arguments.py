"""Arguments that several commands share, each value checked as it is read."""

from __future__ import annotations

import argparse
import math
from typing import Any

__all__ = [
    "add_columns",
    "add_general",
    "add_learning",
    "add_output",
    "add_table",
    "filled",
    "positive",
]

_MOST = 2**32 - 1


def add_general(command: argparse.ArgumentParser) -> None:
    """Add what every command has."""
    group = command.add_argument_group("general")
    group.add_argument(
        "-q", "--quiet", action="store_true", help="say nothing but faults and warnings"
    )
    group.add_argument(
        "--debug", action="store_true", help="show the traceback of an error"
    )
    group.add_argument("-h", "--help", action="help", help="show this, and end")


def add_table(command: argparse.ArgumentParser) -> None:
    """Add how tables are written."""
    group = command.add_argument_group("how the table is written")
    group.add_argument(
        "--format",
        choices=("csv", "tsv", "jsonl", "lines"),
        help="lines: a text a line. Without it the file's name tells, or else its "
        "first line",
    )
    group.add_argument(
        "--delimiter",
        type=delimiter,
        metavar="CHARACTER",
        help="what stands between cells, such as ';' or tab. Without it a tab in TSV; "
        "in CSV the comma, semicolon or tab that the header holds most often",
    )
    group.add_argument(
        "--encoding", default="utf-8", metavar="NAME", help="default: utf-8"
    )
    group.add_argument(
        "--no-header",
        dest="header",
        action="store_false",
        help="the first row is data, too; columns are called 1, 2, ...",
    )
    group.add_argument(
        "--no-quotes",
        dest="quotes",
        action="store_false",
        help="quotes are characters like others",
    )


def add_columns(
    command: argparse.ArgumentParser, label: bool = True, skip: bool = True
) -> None:
    """Add which columns there are."""
    group = command.add_argument_group("columns")
    group.add_argument("--text", metavar="COLUMN", help="that of the texts")
    if label:
        group.add_argument(
            "--label",
            metavar="COLUMN",
            help="that of the classes; of two columns both are guessed, and said",
        )
    if skip:
        group.add_argument(
            "--skip-incomplete",
            action="store_true",
            help="leave out rows without a text or a label, instead of stopping there",
        )


def add_output(command: argparse.ArgumentParser, what: str, required: bool) -> None:
    """Add where to write."""
    command.add_argument(
        "-o",
        "--out",
        type=filled,
        metavar="FILE",
        required=required,
        default=None,
        help=what,
    )


def add_learning(command: argparse.ArgumentParser, strengths: bool) -> None:
    """Add what a fit and a path have in common, but for the strength of a penalty."""
    group = command.add_argument_group("what is learned (start with these)")
    if strengths:
        group.add_argument(
            "--lambda",
            dest="lambda_",
            type=strength,
            default=2e-3,
            metavar="X",
            help="strength of the penalty, default: 2e-3; a larger one leaves a "
            "smaller model",
        )
    group.add_argument(
        "--vectors",
        action="append",
        metavar="VECTORS",
        help="where words get their numbers: corpus (from these texts, the default), a "
        "file of GloVe, word2vec or fastText, a name that `skrational vectors get` "
        "knows, or wordllama. Several tables are joined: --vectors corpus,glove.txt",
    )
    group.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="N",
        help="of all that is random, default: 0; equal seeds give equal models",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other parameter of SparseRationalClassifier, such as n_wfsas=12, or "
        "of the vectorizer, such as vectorizer__min_count=1; may be repeated",
    )
    group.add_argument(
        "--checkpoint",
        type=filled,
        metavar="FOLDER",
        help="keep what is done so far there: the same command goes on after it was "
        "killed; each model needs a folder of its own",
    )
    group.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="a line for each epoch instead of a bar",
    )


def delimiter(text: str) -> str:
    """Read the character between cells; a tab may be spelled out."""
    character = "\t" if text.lower() in ("tab", "\\t") else text
    if len(character) != 1 or character in '"\r\n':
        raise argparse.ArgumentTypeError(
            f"{text!r} is no delimiter; expected one character, such as ';', or tab"
        )
    return character


def filled(text: str) -> str:
    """Read a name, which may not be empty."""
    if not text:
        raise argparse.ArgumentTypeError("a name is missing")
    return text


def strength(text: str) -> float:
    """Read a strength of the penalty."""
    value = _number(float, text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 upwards")
    return float(value)


def positive(text: str) -> int:
    """Read a count."""
    value = _number(int, text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is no integer from 1 upwards")
    return int(value)


def seed(text: str) -> int:
    """Read a seed."""
    value = _number(int, text)
    if not 0 <= value <= _MOST:
        raise argparse.ArgumentTypeError(f"{text} is no integer from 0 to {_MOST}")
    return int(value)


def _number(kind: type, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        name = "integer" if kind is int else "number"
        raise argparse.ArgumentTypeError(f"{text!r} is no {name}") from None
