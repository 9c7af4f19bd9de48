"""Take automata and states out of a fitted classifier."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.model import Model
from skrational.structures.automata import final_weights
from skrational.utils.checks import is_integer

__all__ = ["check_states", "check_wfsas", "cut_automata", "packed_phrases"]


def check_wfsas(model: Model, wfsas: Iterable[int]) -> set[int]:
    """Return the numbers of automata that are to go.

    Parameters
    ----------
    model : Model
    wfsas : iterable of int

    Raises
    ------
    TypeError
        If they aren't integers, or the model has no automata.
    ValueError
        If one of them isn't there, or none would stay.
    """
    if isinstance(wfsas, (str, bytes, Mapping)) or not isinstance(wfsas, Iterable):
        raise TypeError(
            f"wfsas is {wfsas!r}; expected a list of the numbers of automata."
        )
    gone = {_check_number(model, "wfsas", wfsa) for wfsa in wfsas}
    if gone and len(gone) == model.automata.n_wfsas:
        raise ValueError(
            f"wfsas names all of the automata, {_listed(model)}: nothing would be left "
            "but the bias, which gives every document the same class. At least one has "
            "to stay."
        )
    return gone


def check_states(
    model: Model, states: Mapping[int, int] | None, gone: Collection[int]
) -> dict[int, int]:
    """Return how many states are to be left of automata that are shortened.

    Parameters
    ----------
    model : Model
    states : mapping of int to int, or None
    gone : collection of int
        Automata that are taken out.

    Raises
    ------
    TypeError
        If that isn't a mapping of integers, or the model has no automata.
    ValueError
        If an automaton isn't there, or hasn't as many states.
    """
    if states is None:
        return {}
    if not isinstance(states, Mapping):
        raise TypeError(
            f"states is {states!r}; expected a dict from the number of an automaton to "
            "how many states it keeps, such as {2: 1}."
        )
    kept = {}
    for wfsa, n in states.items():
        number = _check_number(model, "states", wfsa)
        length = model.automata.lengths[number]
        if number in gone:
            raise ValueError(
                f"WFSA {number} is in wfsas and in states; expected it in one of them."
            )
        if not is_integer(n):
            raise TypeError(f"states keeps {n!r} of WFSA {number}; expected an int.")
        if not 1 <= n <= length:
            raise ValueError(
                f"states keeps {n} states of WFSA {number}, which has {length}; "
                f"expected 1 to {length}. To take all of it out, name it in wfsas."
            )
        kept[number] = int(n)
    return kept


def _check_number(model: Model, name: str, wfsa: Any) -> int:
    """Return the number of an automaton that is there."""
    if not model.has_automata:
        raise TypeError(
            f"{name} is about weighted automata, which only a SparseRationalClassifier "
            f"or SparseRationalRegressor has; got a {type(model.classifier).__name__}."
        )
    if model.is_layered:
        raise TypeError(
            f"{name} is about a single layer of automata, and this "
            f"{type(model.classifier).__name__} has n_layers={len(model.layers)}: an "
            "automaton that goes would leave those of the next layer without what they "
            "read. Fit with n_layers=1 to edit automata."
        )
    model.require_automata()
    if not is_integer(wfsa):
        raise TypeError(f"{name} holds {wfsa!r}; expected the numbers of automata.")
    if not 0 <= wfsa < model.automata.n_wfsas:
        raise ValueError(
            f"{name} holds {wfsa}, but the automata are {_listed(model)}, as "
            "print(estimator) and explanations number them (columns of coef_; "
            f"before pruning {', '.join(map(str, model.automata.numbers))})."
        )
    return int(wfsa)


def _listed(model: Model) -> str:
    n = model.automata.n_wfsas
    return "WFSA 0 alone" if n == 1 else f"WFSA 0 to {n - 1}"


def cut_automata(clf: Any, kept: Sequence[int]) -> dict[str, Any]:
    """Return the fitted attributes of a classifier of which states were taken out.

    Parameters
    ----------
    clf : SparseRationalClassifier
        Fitted, of d automata.
    kept : sequence of int, length d
        How many states each keeps, from the first one on; 0 if it goes.

    Returns
    -------
    dict
        Those that change. What stays is copied, so that nothing of the rest is kept.
    """
    structure = clf.learned_structure_
    lengths, stays = np.array(structure.lengths), np.array(kept) > 0
    places = np.concatenate([np.arange(n) for n in lengths])
    rows = places < np.repeat(kept, lengths)
    weights = {name: values[rows].copy() for name, values in clf.weights_.items()}
    left = [n for n in kept if n]
    final = final_weights(clf._scoring_rule.readout, left, weights)
    # Those of whole automata stay as training computed them, to the bit.
    whole = np.repeat(lengths == kept, lengths)
    final[whole[rows]] = clf._final()[whole]
    changed = {
        "weights_": weights,
        "coef_": clf.coef_[:, stays].copy(),
        "_final_weights": final,
        "learned_structure_": _cut_structure(structure, kept, weights),
    }
    if "rules_" in vars(clf):
        changed["rules_"] = _without_longer(clf.rules_, lengths, kept)[stays]
    return changed


def _cut_structure(
    structure: Any, kept: Sequence[int], weights: Mapping[str, NDArray[Any]]
) -> Any:
    """Return the structure of which ``kept`` states of each automaton are left."""
    kept_lengths = [0] * structure.n_wfsas_initial
    for number, length in zip(structure.survivors, kept, strict=True):
        kept_lengths[number] = length
    n_fixed = 0
    if structure.n_fixed_self_loops:
        is_fixed = (weights["W_f"] == 0).all(axis=1) & (weights["b_f"] == 0)
        n_fixed = int(is_fixed.sum())
    return replace(
        structure, kept_lengths=tuple(kept_lengths), n_fixed_self_loops=n_fixed
    )


def _without_longer(
    rules: NDArray[np.str_], lengths: NDArray[np.intp], kept: Sequence[int]
) -> NDArray[np.str_]:
    """Leave out phrases of more words than a shortened automaton has states.

    Parameters
    ----------
    rules : ndarray of shape (d, 2, n_phrases), str
    lengths : ndarray of shape (d,)
        States of each automaton.
    kept : sequence of int, length d
        How many of them stay.
    """
    n_words = np.char.count(rules, " ") + 1
    most = np.array(kept)[:, None, None]
    return packed_phrases(rules, (n_words <= most) | (most == lengths[:, None, None]))


def packed_phrases(
    rules: NDArray[np.str_], stays: NDArray[np.bool_]
) -> NDArray[np.str_]:
    """Leave out phrases; those that stay move up.

    Parameters
    ----------
    rules : ndarray of shape (d, 2, n_phrases), str
    stays : ndarray of the same shape, bool

    Examples
    --------
    >>> rules = np.array([[["a", "b c", "d"], ["e", "", ""]]])
    >>> packed_phrases(rules, np.char.count(rules, " ") == 0).tolist()
    [[['a', 'd', ''], ['e', '', '']]]
    """
    left = np.where(stays, rules, "")
    order = np.argsort(left == "", axis=-1, kind="stable")
    return np.take_along_axis(left, order, axis=-1)
