"""The commands and their arguments, with what ``--help`` says of them.

What a command does is imported once it is called: help and faults of usage are there
at once.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from skrational._version import __version__
from skrational.cli.arguments import (
    add_columns,
    add_general,
    add_learning,
    add_output,
    add_table,
    filled,
    positive,
)
from skrational.cli.help_texts import ABOUT, HELP, START
from skrational.utils.suggestions import did_you_mean

__all__ = ["build_parser", "parse"]


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the arguments; a SystemExit tells of help that was given, or a fault."""
    parser = build_parser()
    args, unknown = parser.parse_known_args(argv)
    if "run" not in args:
        getattr(args, "parser", parser).print_help(sys.stderr)
        raise SystemExit(2)
    if unknown:
        args.parser.fail_on(unknown)
    return args


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    parser = _Parser(
        prog="skrational",
        description=ABOUT,
        epilog=START,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"skrational {__version__}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_fit(commands)
    _add_path(commands)
    _add_test(commands)
    _add_predict(commands)
    _add_explain(commands)
    _add_report(commands)
    _add_vectors(commands)
    _add_warm_up(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """A parser whose faults are short, and name what may be meant."""

    def error(self, message: str) -> NoReturn:
        choice = re.match(r"argument COMMAND: invalid choice: '(.*?)' \(", message)
        if choice and self._subparsers is not None:
            names = self._subparsers._group_actions[0].choices or ()
            message = (
                f"there is no command {choice[1]!r}; there are {', '.join(names)}."
                f"{did_you_mean(choice[1], map(str, names))}"
            )
        print(f"error: {message}", file=sys.stderr)
        print(f"`{self.prog} --help` shows how it is used.", file=sys.stderr)
        raise SystemExit(2)

    def fail_on(self, unknown: Sequence[str]) -> NoReturn:
        """End for arguments that no one knows."""
        options = [name for action in self._actions for name in action.option_strings]
        first = unknown[0].partition("=")[0]
        hint = did_you_mean(first, options) if first.startswith("-") else ""
        self.error(f"unknown: {' '.join(unknown)}.{hint}")


def _add(commands: Any, name: str, run: str) -> argparse.ArgumentParser:
    """Add a command to what ``add_subparsers`` returned.

    ``run`` is "module:function" of what it does.
    """
    about = HELP[name]
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        usage=f"{commands._prog_prefix} {about.usage} [OPTION ...]",
        help=about.summary,
        description=about.about,
        epilog=about.examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    command.set_defaults(run=f"skrational.cli.{run}", parser=command)
    return command


def _add_fit(commands: Any) -> None:
    command = _add(commands, "fit", "learning:fit")
    command.add_argument("table", metavar="TABLE", help="texts and labels; - is stdin")
    add_output(
        command, "the model: a folder, or a file such as model.joblib", required=True
    )
    add_columns(command)
    add_learning(command, strengths=True)
    add_table(command)
    add_general(command)


def _add_path(commands: Any) -> None:
    command = _add(commands, "path", "learning:path")
    command.add_argument("table", metavar="TABLE", help="texts and labels; - is stdin")
    add_output(command, "the chosen point, as a model", required=True)
    add_columns(command)
    group = command.add_argument_group("which point")
    group.add_argument(
        "--max-transitions", type=positive, metavar="N", help="its size, at most"
    )
    group.add_argument(
        "--dev",
        metavar="TABLE",
        help="chooses the point; without it a tenth of the texts is held out",
    )
    group.add_argument("--test", metavar="TABLE", help="scores each point, too")
    group.add_argument(
        "--points", type=positive, default=20, metavar="N", help="default: 20"
    )
    group.add_argument(
        "--curve",
        type=filled,
        metavar="FILE",
        help="write all points, as CSV, TSV or JSON lines",
    )
    add_learning(command, strengths=False)
    add_table(command)
    add_general(command)


def _add_test(commands: Any) -> None:
    command = _add(commands, "test", "using:test")
    _add_model_and_table(command, "texts and labels; - is stdin")
    add_output(command, "the scores; without it they are printed", required=False)
    command.add_argument("--json", action="store_true", help="as one JSON object")
    add_columns(command)
    add_table(command)
    add_general(command)


def _add_predict(commands: Any) -> None:
    command = _add(commands, "predict", "using:predict")
    _add_model_and_table(command, "texts; - is stdin")
    add_output(command, "CSV, TSV or JSON lines, by its name", required=False)
    command.add_argument(
        "--output-format",
        choices=("csv", "tsv", "jsonl"),
        help="without it the name of --out tells; csv for the standard output",
    )
    command.add_argument(
        "--keep", action="store_true", help="write the table's own columns, too"
    )
    add_columns(command, label=False, skip=False)
    add_table(command)
    add_general(command)


def _add_explain(commands: Any) -> None:
    command = _add(commands, "explain", "using:explain")
    _add_model_and_table(command, "texts; - is stdin", nargs="?")
    command.add_argument(
        "-d",
        "--document",
        action="append",
        default=[],
        metavar="TEXT",
        help="a text to explain; may be repeated",
    )
    command.add_argument(
        "--first",
        type=positive,
        default=10,
        metavar="N",
        help="so many rows of the table, default: 10",
    )
    add_output(command, "text, HTML or JSON lines, by its name", required=False)
    command.add_argument(
        "--output-format",
        choices=("text", "html", "jsonl"),
        help="without it the name of --out tells; text for the standard output",
    )
    add_columns(command, label=False, skip=False)
    add_table(command)
    add_general(command)


def _add_report(commands: Any) -> None:
    command = _add(commands, "report", "using:report")
    _add_model_and_table(command, "texts, with labels or without; - is stdin")
    add_output(command, "report.html: the page; card.md: the model card", required=True)
    command.add_argument("--title", metavar="TITLE", help="of the page")
    add_columns(command)
    add_table(command)
    add_general(command)


def _add_vectors(commands: Any) -> None:
    vectors = commands.add_parser(
        "vectors",
        help="get or learn word vectors",
        description="Get word vectors from elsewhere, or learn them from texts.",
        allow_abbrev=False,
    )
    vectors.set_defaults(parser=vectors)
    kinds = vectors.add_subparsers(title="commands", metavar="COMMAND")
    get = _add(kinds, "get", "vectors:get")
    get.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="of the table; without it the names are listed",
    )
    add_general(get)
    learn = _add(kinds, "learn", "vectors:learn")
    learn.add_argument("tables", metavar="TABLE", nargs="+", help="texts; - is stdin")
    add_output(learn, "the table, such as vectors.txt", required=True)
    _add_width(learn)
    add_columns(learn, label=False)
    add_table(learn)
    add_general(learn)


def _add_warm_up(commands: Any) -> None:
    command = _add(commands, "warm-up", "warming:warm_up")
    command.add_argument(
        "--fit", action="store_true", help="compile what fits need, too"
    )
    add_general(command)


def _add_width(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("what is learned")
    for name, default, about in (
        ("n-features", 200, "width of the vectors"),
        ("window", 5, "how many words away neighbours are"),
        ("min-count", 3, "how often a word has to occur"),
    ):
        group.add_argument(
            f"--{name}",
            type=positive,
            default=default,
            metavar="N",
            help=f"{about}, default: {default}",
        )


def _add_model_and_table(
    command: argparse.ArgumentParser, about: str, nargs: Any = None
) -> None:
    command.add_argument(
        "model",
        metavar="MODEL",
        help="what `skrational fit` wrote; load only files that you trust, for a "
        "pickle can run code",
    )
    command.add_argument("table", metavar="TABLE", nargs=nargs, help=about)
