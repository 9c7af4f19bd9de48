"""Automata over a vocabulary as graphs of networkx."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrational.inspection.exports.machines import EPSILON, build_machine, weigh_words
from skrational.inspection.model import check_wfsa, open_model
from skrational.utils.checks import check_count

__all__ = ["to_networkx"]


def to_networkx(
    estimator: Any, wfsa: int = 0, X: Any = None, *, n_words: int | None = None
) -> Any:
    """Make a networkx graph of an automaton over a vocabulary.

    The score of the WFSA on a document of T tokens, times ``T ** length_exponent``, is
    the sum over the final nodes of ``final`` times the semiring's sum of all paths from
    node 0 to it that read the document, 0 if there is none. With ``match="anywhere"``
    all states lead to one final node, K + 1; in the max semirings, where a score adds
    up the best paths into each state, to one of their own each: K + 1, K + 2, ...

    Parameters
    ----------
    estimator, X
        As for `to_openfst`.
    wfsa : int, default=0
        The WFSA, counted from 0 among those that are left (a column of ``coef_``).
    n_words : int or None, default=None
        Keep the edges of so many words from a node to the next, those of the largest
        absolute weights (in max-plus, largest weights); of equal ones the first. None:
        of all words, which may be very many.

    Returns
    -------
    networkx.MultiDiGraph
        With attributes ``wfsa``, ``number`` (before pruning), ``semiring``, ``match``,
        ``length_exponent`` and ``coef`` (list of n_outputs floats). Nodes have
        ``initial`` (bool) and ``final`` (float, 0 where it isn't). Edges have the word
        as key and ``label``, ``weight`` and ``kind``: "start", "main path",
        "self-loop" or, all that lead to nodes after K, "final". An edge that reads no
        word has the key "<eps>" and the label None.

    Raises
    ------
    ImportError
        If networkx isn't installed.
    NotFittedError, TypeError, ValueError
        As by `to_openfst`, and if ``n_words`` isn't an integer from 1 upwards.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 2. :arxiv:`1909.03011`

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(n_documents=400, random_state=0)
    >>> clf = SparseRationalClassifier(n_wfsas=8, random_state=0, max_epochs=5)
    >>> graph = to_networkx(clf.fit(data.X, data.y), 0, data.X, n_words=3)
    >>> graph.number_of_edges(0, 1)
    3
    """
    try:
        import networkx as nx  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise ImportError("A graph needs networkx: pip install networkx") from error
    model = open_model(estimator)
    wfsa, automata = check_wfsa(model, wfsa), model.automata
    if n_words is not None:
        check_count("n_words", n_words)
    words, u, f = weigh_words(model, X)
    states = automata.states(wfsa)
    machine = build_machine(
        automata, u[:, states], f[:, states], automata.final[states]
    )
    graph = nx.MultiDiGraph(
        wfsa=wfsa,
        number=int(automata.numbers[wfsa]),
        semiring=automata.semiring,
        match=automata.match,
        length_exponent=float(automata.length_exponent),
        coef=automata.coef[:, wfsa].tolist(),
    )
    for part in machine.transitions:
        ends = part.source, part.target
        for node in ends:
            final = machine.final.get(node, 0.0)
            graph.add_node(node, initial=node == 0, final=final)
        size = part.weights if automata.semiring == "max-plus" else abs(part.weights)
        for i in np.sort(np.argsort(-size, kind="stable")[:n_words]).tolist():
            label = words[i] if part.reads else None
            key = EPSILON if label is None else label
            weight = float(part.weights[i])
            graph.add_edge(*ends, key, label=label, weight=weight, kind=part.kind)
    return graph
