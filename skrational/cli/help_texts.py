"""What ``--help`` says: of the whole, and of each command."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ABOUT", "HELP", "START", "Help"]


class Help(NamedTuple):
    """What is said of a command.

    Attributes
    ----------
    usage : str
        The command, and the arguments that it can't do without.
    summary : str
        In the list of commands.
    about : str
    examples : str
    """

    usage: str
    summary: str
    about: str
    examples: str


ABOUT = "Text classifiers that can be read, from a table of texts."

START = """\
start with these:
  skrational fit train.csv --text review --label stars --out model
  skrational test model test.csv --text review --label stars
  skrational predict model new.csv --text review --out predictions.csv
  skrational explain model --document "Looks great, but not worth the money."

then choose a size:
  skrational path train.csv --text review --label stars --max-transitions 20 \\
      --out small
  skrational report small test.csv --text review --label stars --out report.html

Tables are CSV, TSV or JSON lines, with a header, in UTF-8; "-" is the standard input.
`skrational COMMAND --help` says more of a command.

exit codes: 0 all is done; 1 data or a model are at fault; 2 the arguments are; 130
interrupted. A model, and any --out, is written whole or not at all.
"""

HELP = {
    "fit": Help(
        "fit TABLE --out MODEL",
        "learn a model",
        """\
Learn to tell the classes of texts apart, and write the model: a scikit-learn pipeline
from texts to classes, of a vectorizer and a SparseRationalClassifier. --out names a
folder, which holds all that the model needs and is safe to load (skrational.load), or
a file that ends in .joblib, for joblib.load.
""",
        """\
examples:
  skrational fit train.csv --text review --label stars --out model
  skrational fit train.jsonl --lambda 5e-3 --out smaller
  skrational fit train.tsv --vectors glove.6B.100d.txt --out model
  zcat train.tsv.gz | skrational fit - --no-header --text 2 --label 1 --out model
""",
    ),
    "path": Help(
        "path TABLE --out MODEL",
        "choose a size",
        """\
Fit the whole curve of accuracy against size in one run, print it, and write one point
of it as a model: the most accurate one of at most --max-transitions or, without that,
the smallest one that is within a standard error of the best.
""",
        """\
examples:
  skrational path train.csv --text review --label stars --out model
  skrational path train.csv --max-transitions 20 --dev dev.csv --out model \\
      --curve curve.csv
""",
    ),
    "test": Help(
        "test MODEL TABLE",
        "measure a model",
        """\
Measure a model on texts whose classes are known: accuracy beside that of the most
frequent class, log loss, and precision, recall and F1 of each class.
""",
        """\
examples:
  skrational test model test.csv --text review --label stars
  skrational test model test.csv --json --out scores.json
""",
    ),
    "predict": Help(
        "predict MODEL TABLE",
        "label texts",
        """\
Write the class of each text and the probability of every class, a row for each row of
the table, in its order. Empty texts are predicted, too, and named in a warning.
""",
        """\
examples:
  skrational predict model new.csv --text review --out predictions.csv
  skrational predict model new.jsonl --keep --out new-with-classes.jsonl
  echo "Not worth the money." | skrational predict model - --format lines
""",
    ),
    "explain": Help(
        "explain MODEL [TABLE] [--document TEXT]",
        "say why",
        """\
Say why a model predicts what it predicts: which automata speak for it, by which
phrases, and what every word adds.
""",
        """\
examples:
  skrational explain model --document "Looks great, but not worth the money."
  skrational explain model test.csv --text review --first 5
  skrational explain model test.csv --out explanations.html
""",
    ),
    "report": Help(
        "report MODEL TABLE --out PAGE",
        "write a page",
        """\
Write one page of HTML that can be mailed: size and scores of a model, its automata with
their words and phrases, and errors explained. A name that ends in .md gets the model
card instead, in Markdown.
""",
        """\
examples:
  skrational report model test.csv --text review --label stars --out report.html
  skrational report model test.csv --out model_card.md
""",
    ),
    "get": Help(
        "get [NAME]",
        "download a table",
        """\
Download a table of word vectors by gensim, and say where it is. From then on
`--vectors NAME` finds it, without a network.
""",
        """\
examples:
  skrational vectors get                              # the names that there are
  skrational vectors get glove-wiki-gigaword-100
""",
    ),
    "learn": Help(
        "learn TABLE [TABLE ...] --out VECTORS",
        "learn a table from texts",
        """\
Learn word vectors from texts, which need no labels, and write them as a table of
word2vec (text, or binary if FILE ends in .bin) for `--vectors FILE`.
""",
        """\
examples:
  skrational vectors learn train.csv unlabelled.csv --text review --out vectors.txt
  skrational fit train.csv --vectors vectors.txt --out model
""",
    ),
    "warm-up": Help(
        "warm-up",
        "compile after an installation",
        """\
Compile the kernels of predictions, and with --fit those of fits, keep the machine code,
and print the folders where it is. Without this the first calls compile what they need,
which takes seconds.
""",
        """\
examples:
  skrational warm-up --fit
  NUMBA_CACHE_DIR=/srv/kernels skrational warm-up     # where they are kept
""",
    ),
}
"""By the name of the command; of ``vectors get`` it is "get"."""
