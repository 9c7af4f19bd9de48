r"""Automata over a vocabulary in OpenFst's text format.

A file of arcs has lines
``source<TAB>target<TAB>symbol<TAB>weight``, the first of which leaves the start, then
``state<TAB>weight`` for each final state. The table of symbols has lines
``symbol<TAB>number``; ``<eps>``, 0, is for arcs that read no word.

A symbol is the word, but can't hold white space. Such characters, others that can't be
printed, and backslashes are written as in Python: ``\u0020`` or ``\U000e0020`` by their
number, ``\\``. The empty word is ``<empty>``; the words ``<empty>`` and ``<eps>`` begin
with ``\u003c``. Any symbol but these two is read back by
``symbol.encode("latin-1", "backslashreplace").decode("unicode_escape")``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from skrational.inspection.exports.machines import (
    EPSILON,
    Floats,
    Machine,
    build_machine,
    weigh_words,
)
from skrational.inspection.model import open_model
from skrational.inspection.tables import choose_wfsas
from skrational.structures.automata import WeightedAutomata
from skrational.utils.locks import scratch_folder

__all__ = ["to_openfst"]

_EMPTY = "<empty>"


def to_openfst(
    estimator: Any,
    folder: str | os.PathLike[str],
    X: Any = None,
    *,
    wfsas: Iterable[int] | None = None,
    weights: Literal["real", "negative_log"] = "real",
) -> dict[int, list[Path]]:
    r"""Write automata over a vocabulary as text files for OpenFst.

    The score of a WFSA on a document of T tokens (a column of ``transform(X)``), times
    ``T ** automata_.length_exponent``, is the sum over its files of the weight of the
    document: the semiring's sum of all accepting paths, 0 if there is none. In
    plus-times it has one file, ``wfsa_0.txt``. In the max semirings, where a score adds
    up the best paths into each final state, it has one for each of these,
    ``wfsa_0_state_1.txt``. In max-plus the factor of a final state is on every arc:
    ``final * (u + f)`` is ``final * u + final * f``.

    Parameters
    ----------
    estimator : SparseRationalClassifier, or an estimator that holds one
        A fitted classifier, a pipeline that ends with one, or a search or another
        wrapper around either, as `explain` takes it.
    folder : path-like
        Created if missing. Files of the same names are replaced, others stay: take a
        folder for each model. Nothing is replaced before all is written, so that an
        error, such as that of a full disk, leaves the folder as it was.
    X : SequenceArray, array-like or None, default=None
        Documents whose words are taken, in the form that the classifier or its
        pipeline reads: all rows of a SequenceArray, of those with the same label the
        first. None: the words of the pipeline's vectorizer, as its ``vocabulary()``
        returns them.
    wfsas : iterable of int or None, default=None
        WFSAs, counted from 0 among those that are left. None: all.
    weights : {"real", "negative_log"}, default="real"
        Write each weight itself, to the digit, or ``-log(w)``, ``Infinity`` for 0, as
        OpenFst's log (plus-times) and tropical semirings (max-times) have it. Weights
        of max-plus are logarithms already: for these it is ``-w``, tropical.

    Returns
    -------
    dict of int to list of Path
        The files of each WFSA; their symbols are in ``symbols.txt`` beside them.

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError
        If the estimator holds no such classifier, or a WFSA isn't an integer.
    ValueError
        If no WFSA is left or there is no such one, if there are no words, X isn't what
        is read, or ``weights`` is another word or "negative_log" where a weight is
        negative, as main-path weights of plus-times may be.
    OSError
        If the folder can't be written; a NotADirectoryError if it is a file.

    Notes
    -----
    State 0 is the start, and each word has an arc from it to itself of weight one, as a
    match may begin anywhere; the main path leads from k - 1 to k, the self-loop from k
    to k. With ``match="end"`` the states are final. With ``match="anywhere"`` arcs that
    read no word lead from them to a final state K + 1, which loops on every word with
    weight one.

    ``fstcompile --acceptor --isymbols=symbols.txt --arc_type=log64 wfsa_0.txt`` reads
    negative logarithms of plus-times; without ``--arc_type``, those of the max
    semirings. These arc types would take weights of "real" for costs.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 2. :arxiv:`1909.03011`
    .. [2] Allauzen, Riley, Schalkwyk, Skut, Mohri, "OpenFst: A General and Efficient
       Weighted Finite-State Transducer Library", CIAA 2007.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = to_openfst(clf.fit(data.X, data.y), folder, data.X)
    ...     lines = files[0][0].read_text(encoding="utf-8").splitlines()
    >>> files[0][0].name, lines[0].split("\t")[:2], len(files) == clf.coef_.shape[1]
    ('wfsa_0.txt', ['0', '0'], True)
    """
    if weights not in ("real", "negative_log"):
        raise ValueError(f"weights is {weights!r}; expected 'real' or 'negative_log'.")
    model = open_model(estimator)
    files: dict[int, list[Path]] = {wfsa: [] for wfsa in choose_wfsas(model, wfsas)}
    home = Path(os.path.abspath(folder))
    # On the file system of the folder, and nothing is left of it after an error.
    nearby = next(path for path in (home, *home.parents) if path.exists())
    if not nearby.is_dir():
        raise NotADirectoryError(f"folder is {str(home)!r}, but {nearby} is a file.")
    words, u, f = weigh_words(model, X)
    if weights == "negative_log":
        _check_positive(model.automata, files, words, u)
    symbols = [_symbol(word) for word in words]
    with scratch_folder(nearby, ".openfst-") as scratch:
        numbered = enumerate([EPSILON, *symbols])
        table = (f"{symbol}\t{number}\n" for number, symbol in numbered)
        names = [_write(scratch, "symbols.txt", table)]
        for wfsa, paths in files.items():
            for name, machine in _acceptors(model.automata, wfsa, u, f):
                lines = _lines(machine, symbols, weights, model.automata.semiring)
                names.append(_write(scratch, name, lines))
                paths.append(home / name)
        _move(names, scratch, home)
    return files


def _acceptors(
    automata: WeightedAutomata, wfsa: int, u: Floats, f: Floats
) -> Iterator[tuple[str, Machine]]:
    """Name the machines whose weights of a document add up to its score.

    Parameters
    ----------
    automata : WeightedAutomata
    wfsa : int
    u, f : ndarray of shape (n_words, S)
        Weights of all transitions for each word.

    Yields
    ------
    str, Machine
        The name of its file, and the machine.
    """
    states = automata.states(wfsa)
    u, f, final = u[:, states], f[:, states], automata.final[states]
    if automata.semiring == "plus-times":
        yield f"wfsa_{wfsa}.txt", build_machine(automata, u, f, final)
        return
    for k in np.flatnonzero(final > 0) + 1:
        name, only = f"wfsa_{wfsa}_state_{k}.txt", np.zeros(k)
        only[-1] = factor = float(final[k - 1])
        if automata.semiring == "max-times":
            yield name, build_machine(automata, u[:, :k], f[:, :k], only)
            continue
        parts, ends = build_machine(
            automata, factor * u[:, :k], factor * f[:, :k], only
        )
        yield name, Machine(parts, dict.fromkeys(ends, 0.0))


def _check_positive(
    automata: WeightedAutomata, wfsas: Iterable[int], words: list[str], u: Floats
) -> None:
    """Raise a ValueError if a weight has no logarithm; self-loops always have one.

    Parameters
    ----------
    automata : WeightedAutomata
    wfsas : iterable of int
    words : list of str
    u : ndarray of shape (n_words, S)
        Weights of all main-path transitions for each word.
    """
    for wfsa in wfsas:
        weights = u[:, automata.states(wfsa)].T
        for k, word in np.argwhere(weights < 0)[:1]:
            raise ValueError(
                "weights is 'negative_log', but a negative weight has no logarithm: "
                f"WFSA {wfsa} enters state {k + 1} with {weights[k, word]:.3g} on "
                f"{words[word]!r}. Write weights='real'."
            )


def _lines(
    machine: Machine, symbols: list[str], weights: str, semiring: str
) -> Iterator[str]:
    """Write the lines of a file of arcs.

    Parameters
    ----------
    machine : Machine
    symbols : list of str
        Of the words.
    weights : {"real", "negative_log"}
    semiring : str

    Yields
    ------
    str
    """

    def numbers(values: Any) -> Iterator[str]:
        if weights == "negative_log":
            with np.errstate(divide="ignore"):
                # Less than nothing would write -0.0 for one.
                values = 0.0 - (values if semiring == "max-plus" else np.log(values))
        return ("Infinity" if x == np.inf else repr(x) for x in values.tolist())

    for part in machine.transitions:
        names = symbols if part.reads else [EPSILON]
        for name, number in zip(names, numbers(part.weights), strict=True):
            yield f"{part.source}\t{part.target}\t{name}\t{number}\n"
    finals = numbers(np.array(list(machine.final.values())))
    for state, number in zip(machine.final, finals, strict=True):
        yield f"{state}\t{number}\n"


def _symbol(word: str) -> str:
    """Write a word without white space, as the module's documentation says."""
    if word in (EPSILON, _EMPTY):
        return "\\u003c" + word[1:]
    return "".join(map(_escape, word)) or _EMPTY


def _escape(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable() and character != " ":
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _write(folder: Path, name: str, lines: Iterable[str]) -> str:
    with open(folder / name, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    return name


def _move(names: list[str], source: Path, target: Path) -> None:
    for name in names:
        if (target / name).is_dir():
            raise IsADirectoryError(f"{target / name} is a folder; expected a file.")
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        os.replace(source / name, target / name)
