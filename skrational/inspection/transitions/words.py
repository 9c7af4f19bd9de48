"""The words that single transitions weigh most and least, without a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from skrational.inspection.meaning import readout_signs
from skrational.inspection.model import open_model
from skrational.inspection.tables import (
    Cell,
    Column,
    Table,
    WFSATables,
    choose_wfsas,
    facts,
    three_digits,
)
from skrational.inspection.transitions.strengths import largest
from skrational.inspection.transitions.vocabulary import read_vocabulary
from skrational.utils.checks import check_count
from skrational.utils.optional import data_frame

__all__ = ["TransitionWord", "TransitionWords", "top_words"]

_LISTS = tuple(product(("main path", "self-loop"), ("top", "bottom")))


@dataclass(frozen=True)
class TransitionWord:
    """A word that a transition weighs high or low.

    Attributes
    ----------
    wfsa : int
        The WFSA, counted from 0 among those that are left (a column of ``coef_``).
    transition : int
        From 1: the main-path transition into this state, or the state's self-loop.
    kind : {"main path", "self-loop"}
    side : {"top", "bottom"}
        Whether the word is among those of the highest or of the lowest weight.
    rank : int
        From 1, the most extreme one.
    word : str
    weight : float
        u of the main path, or f of the self-loop. That u of the first transition is
        multiplied by -1 where the WFSA's sign is turned: see `TransitionWords`.

    Examples
    --------
    >>> word = TransitionWord(
    ...     wfsa=0,
    ...     transition=1,
    ...     kind="main path",
    ...     side="top",
    ...     rank=1,
    ...     word="great",
    ...     weight=1.9,
    ... )
    >>> word.word, word.weight
    ('great', 1.9)
    """

    wfsa: int
    transition: int
    kind: str
    side: str
    rank: int
    word: str
    weight: float


@dataclass(frozen=True, eq=False, repr=False)
class TransitionWords(WFSATables):
    """The words that transitions weigh most and least; prints and shows as tables.

    The sign of the readout is folded into the WFSAs, as in `Phrases`, so that high
    scores always speak for something: where it is negative, the weights u of the first
    transition, which every path takes, and those of ``coef`` are multiplied by -1. In
    max-plus and max-times nothing is.

    A word speaks for a class by itself only where it makes a path by itself. In HTML
    the weights u of a WFSA of a single transition have the colour of that class; of a
    longer one a word of a negative weight turns the sign of the path's score.

    Attributes
    ----------
    rows : tuple of TransitionWord
        By WFSA, transition, kind (the main path first), side (the top first) and rank.
        Iterating over TransitionWords yields them.
    wfsas : tuple of int
        The WFSAs that were asked for, columns of ``coef``.
    lengths, numbers : tuple of int, length d
        Transitions of each WFSA that is left, and its number before pruning.
    coef : ndarray of shape (n_outputs, d)
        Weights of their scores, without the signs that are folded into these.
    classes : tuple, length n_classes

    Examples
    --------
    >>> import numpy as np
    >>> great = TransitionWord(0, 1, "main path", "top", 1, "great", 1.9)
    >>> words = TransitionWords(
    ...     rows=(great,),
    ...     wfsas=(0,),
    ...     lengths=(1,),
    ...     numbers=(0,),
    ...     coef=np.array([[2.0]]),
    ...     classes=("bad", "good"),
    ... )
    >>> [word.word for word in words]
    ['great']
    >>> words.class_of(0, 1.0)
    'good'
    """

    rows: tuple[TransitionWord, ...]

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, a row for each word of each list.

        Returns
        -------
        DataFrame
            Columns wfsa, transition, kind, side, rank, word, weight.

        Raises
        ------
        ImportError
            If pandas isn't installed.
        """
        return data_frame(self._columns(TransitionWord.__dataclass_fields__))

    def _table(self, wfsa: int) -> Table:
        columns = [Column("transition", True)]
        for kind, side in _LISTS:
            weight = "u" if kind == "main path" else "f"
            columns += [Column(f"{kind}, {side}"), Column(weight, True)]
        lines: dict[tuple[int, int], list[Cell]] = {}
        for row in self.rows:
            if row.wfsa == wfsa:
                begin = Cell(str(row.transition) if row.rank == 1 else "")
                line = lines.setdefault((row.transition, row.rank), [begin])
                colour = None
                if self.lengths[wfsa] == 1 and row.kind == "main path":
                    colour = self.colour_of(wfsa, row.weight)
                line += [Cell(row.word), Cell(three_digits(row.weight), colour=colour)]
        return Table(self._heading(wfsa), columns, list(lines.values()), "No words.")


def top_words(
    estimator: Any,
    X: Any = None,
    n: int = 10,
    *,
    wfsas: Any = None,
    min_count: int | None = None,
) -> TransitionWords:
    """Find the words that each single transition weighs most and least.

    Parameters
    ----------
    estimator : SparseRationalClassifier, or an estimator that holds one
        A fitted classifier, a pipeline that ends with one, or a search or another
        wrapper around either, as `explain` takes it.
    X : SequenceArray or array-like, default=None
        Documents whose words are weighed: what the classifier reads or, with a
        pipeline, what that reads. Without labels, words are shown by their rows, as
        "#3". None: the vocabulary of the pipeline's vectorizer, the 20,000 first words
        of its table.
    n : int, default=10
        Words of each list, at most. There are four for a transition: the words of the
        highest and of the lowest weight, of the main path and of the self-loop.
    wfsas : sequence of int, default=None
        Columns of ``coef_``, in the order to be shown. None: all.
    min_count : int, default=None
        How often a word has to occur in the documents. Those that don't come behind all
        others, if lists aren't full, since rare words are weighed by chance. None:
        once for every 150 documents; 0: weights alone decide.

    Returns
    -------
    TransitionWords

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError, ValueError
        If the estimator holds no such classifier or no WFSA is left, X isn't what it
        reads, X is None without a vocabulary, n isn't an integer from 1 upwards,
        ``min_count`` none from 0 upwards, or a WFSA doesn't exist.

    Notes
    -----
    In plus-times, the main-path weight is ``u = (1 - f) * (W_u @ x)``, of either sign,
    and the self-loop weight f is between 0 and 1. In max-times and max-plus, u is
    ``sigmoid(W_u @ x)``. In max-plus the self-loop weight is a logarithm, 0 at most.

    A path multiplies its transitions (in max-plus it adds them up), so that a word of
    a negative weight turns the sign of the score. The sign of the readout is folded
    into the first transition: see `TransitionWords`.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, sections 2 and 4. :arxiv:`1909.03011`

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> words = top_words(clf.fit(data.X, data.y), data.X, n=3, wfsas=[0])
    >>> words.to_frame().columns.tolist()
    ['wfsa', 'transition', 'kind', 'side', 'rank', 'word', 'weight']
    >>> print(words)
    WFSA 0 ... transitions, weight ...
    """
    model = open_model(estimator)
    n, chosen = check_count("n", n), choose_wfsas(model, wfsas)
    least = None if min_count is None else check_count("min_count", min_count, least=0)
    words, features, *_ = vocabulary = read_vocabulary(model, X)
    is_frequent = vocabulary.frequent(least)
    u, f = model.automata.transition_weights(features)
    u[:, model.automata.starts[:-1]] *= readout_signs(model.automata)
    weights = {"main path": u + 0.0, "self-loop": f}  # no weight is -0.0
    rows = []
    for wfsa in chosen:
        states = range(model.automata.n_transitions)[model.automata.states(wfsa)]
        for (k, state), (kind, side) in product(enumerate(states, 1), _LISTS):
            column = weights[kind][:, state]
            keys = column if side == "top" else -column
            for rank, i in enumerate(largest(keys, n, is_frequent), 1):
                what = wfsa, k, kind, side, rank
                rows.append(TransitionWord(*what, words[i], float(column[i])))
    return TransitionWords(rows=tuple(rows), wfsas=chosen, **facts(model))
