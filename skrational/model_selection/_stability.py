"""How much a learned structure depends on the sample and on the seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed

from skrational.model_selection._one_se import final_estimator
from skrational.model_selection._seeds import check_seeds, seeded
from skrational.structures import Structure
from skrational.utils.optional import data_frame

__all__ = ["StructureStability", "structure_stability"]


@dataclass(frozen=True, repr=False)
class StructureStability:
    """The structures that several runs learned, and how far they agree.

    Standard deviations are those of a sample (ddof=1).

    Parameters
    ----------
    structures : tuple of Structure, length n_runs
        What each run learned.
    scores : tuple of float, length n_runs
        Score of each run on the fold that was left out, NaN where none was.
    folds : tuple of int or None, length n_runs
        The fold left out, from 0; None where none was.
    seeds : tuple of int or None, length n_runs
        The seed of each run; None for the estimator's own ``random_state``.

    Raises
    ------
    ValueError
        If there is no run, or the lengths differ.

    Examples
    --------
    >>> from skrational.structures import RationalStructure
    >>> def structure(*kept):
    ...     return RationalStructure((4, 4, 4), kept, n_features=300, n_outputs=1)
    >>> runs = structure(4, 2, 0), structure(2, 0, 4), structure(4, 0, 0)
    >>> StructureStability(runs, (0.9, 0.92, 0.88), (None,) * 3, (0, 1, 2))
    3 runs (3 seeds)
      transitions  5.33 ± 1.15
      WFSAs        1.67 ± 0.577
      score        0.9 ± 0.02
      agreement    0.667
    """

    structures: tuple[Structure, ...]
    scores: tuple[float, ...]
    folds: tuple[int | None, ...]
    seeds: tuple[int | None, ...]

    def __post_init__(self) -> None:
        n_runs = [
            len(v) for v in (self.structures, self.scores, self.folds, self.seeds)
        ]
        if len(set(n_runs)) > 1 or not self.structures:
            raise ValueError(
                f"structures, scores, folds and seeds have the lengths {n_runs}; "
                "expected the same for each, at least 1."
            )

    @property
    def mean_size(self) -> float:
        """Mean size, of automata the number of main-path transitions."""
        return float(np.mean([s.size for s in self.structures]))

    @property
    def std_size(self) -> float:
        """Standard deviation of the size."""
        return _std([s.size for s in self.structures])

    @property
    def mean_n_transitions(self) -> float:
        """The same as `mean_size`."""
        return self.mean_size

    @property
    def std_n_transitions(self) -> float:
        """The same as `std_size`."""
        return self.std_size

    @property
    def mean_score(self) -> float:
        """Mean score; NaN if there are none."""
        return float(np.mean(self.scores))

    @property
    def std_score(self) -> float:
        """Standard deviation of the score."""
        return _std(self.scores)

    @property
    def agreement(self) -> float:
        r"""How alike the structures are, 0 to 1; NaN for a single run.

        The mean over all pairs of runs of the Jaccard similarity of their multisets of
        parts, which are the lengths of automata,
        :math:`\sum_k \min(a_k, b_k) / \sum_k \max(a_k, b_k)`, where a and b count the
        WFSAs of length k. It is 1 if all runs learned as many WFSAs of each
        length, in whatever order, and 0 if no two runs share a length. Two empty models
        agree. WFSAs of the same length count as the same, whatever they match.
        """
        counts = [Counter(s.parts()) for s in self.structures]
        pairs = [_jaccard(a, b) for a, b in combinations(counts, 2)]
        return float(np.mean(pairs)) if pairs else float("nan")

    def to_frame(self) -> Any:
        """Return a DataFrame with a row a run.

        For automata, its columns are ``fold``, ``seed``, ``n_transitions``,
        ``n_wfsas``, ``lengths`` (a tuple in descending order) and ``score``.
        """
        runs = zip(self.structures, self.folds, self.seeds, self.scores, strict=True)
        rows = [
            {
                "fold": fold,
                "seed": seed,
                f"n_{structure.size_name}": structure.size,
                **{f"n_{k.lower()}": n for k, n in structure.counts().items()},
                f"{structure.part_name}s": _multiset(structure),
                "score": score,
            }
            for structure, fold, seed, score in runs
        ]
        return data_frame(rows)

    def lengths_frame(self) -> Any:
        """Return a DataFrame with a row for each length that a WFSA can have.

        Its columns are ``share``, that of the runs in which the length occurs, and the
        ``mean``, ``std``, ``min`` and ``max`` of the number of WFSAs of that length.
        For other structures, a row is a value that a part can have.
        """
        return data_frame(self._part_rows()).set_index(self._first.part_name)

    def counts_frame(self) -> Any:
        """Return a DataFrame with a row for each multiset of lengths, by frequency.

        Its columns are ``n_wfsas``, ``lengths`` (a tuple in descending order),
        ``n_runs`` that learned them, and their ``share``. For the numbers of WFSAs
        alone, ``counts_frame().groupby("n_wfsas")["n_runs"].sum()``.
        """
        recurring = Counter(map(_multiset, self.structures)).most_common()
        rows = [
            {
                f"n_{self._counted.lower()}": len(parts),
                f"{self._first.part_name}s": parts,
                "n_runs": n_runs,
                "share": n_runs / len(self.structures),
            }
            for parts, n_runs in recurring
        ]
        return data_frame(rows)

    @property
    def _counted(self) -> str:
        """What the parts are called in tables: "WFSAs"."""
        return next(iter(self._first.counts()), self._first.size_name)

    @property
    def _first(self) -> Structure:
        """A structure, for the names that all of them have in common."""
        return self.structures[0]

    def __repr__(self) -> str:
        rows = self._summary()
        width = max(map(len, rows))
        return "\n".join(
            [self._title(), *(f"  {k:{width}}  {v}" for k, v in rows.items())]
        )

    def _repr_html_(self) -> str:
        rows = self._part_rows()
        head = "".join(f"<th>{name}</th>" for name in rows[0])
        body = "".join(
            f"<tr>{''.join(f'<td>{v:.3g}</td>' for v in row.values())}</tr>"
            for row in rows
        )
        summary = "; ".join(f"{k} {v}" for k, v in self._summary().items())
        return (
            f"<div><div>{escape(self._title())}: {escape(summary)}</div>\n<table>"
            f"<caption>{self._counted} of each {self._first.part_name}: share of runs, "
            "and number</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _title(self) -> str:
        """Count the runs, and the folds and seeds they come from."""
        parts = [
            f"{n} {name}"
            for name, labels in (("folds", self.folds), ("seeds", self.seeds))
            if (n := len(set(labels))) > 1
        ]
        n_runs = len(self.structures)
        return f"{n_runs} run{'s' * (n_runs > 1)} ({' x '.join(parts) or 'one seed'})"

    def _summary(self) -> dict[str, str]:
        scored = {} if np.isnan(self.scores).all() else {"score": _spread(self.scores)}
        counts = {
            name: _spread([s.counts()[name] for s in self.structures])
            for name in self._first.counts()
        }
        return {
            self._first.size_name: _spread([s.size for s in self.structures]),
            **counts,
            **scored,
            "agreement": f"{self.agreement:.3g}",
        }

    def _part_rows(self) -> list[dict[str, Any]]:
        values = dict.fromkeys(v for s in self.structures for v in s.possible_parts())
        of_runs = [Counter(s.parts()) for s in self.structures]
        rows = []
        for value in sorted(values):
            n = np.array([counter[value] for counter in of_runs])
            rows.append(
                {
                    self._first.part_name: value,
                    "share": float(np.mean(n > 0)),
                    "mean": float(n.mean()),
                    "std": _std(n),
                    "min": int(n.min()),
                    "max": int(n.max()),
                }
            )
        return rows


def structure_stability(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    cv: Any = 5,
    random_states: Iterable[int] | None = None,
    scoring: str | Callable[..., float] | None = None,
    n_jobs: int | None = None,
) -> StructureStability:
    """Learn the structure again and again, on other samples or from other seeds.

    Parameters
    ----------
    estimator : SparseRationalClassifier, another of its family, \
            SparseRationalClassifierCV or Pipeline
        A pipeline ends in one of them. Clones of it are fitted, for each seed on each
        fold.
    X : sequences, or what the first step of the pipeline reads
    y : array-like of shape (n_sequences,)
        Class labels.
    cv : int, splitter, iterable of (train, test) or None, default=5
        The folds, drawn once for all seeds; an int means stratified folds without
        shuffling. None fits all the data each time, and then the seeds alone differ.
    random_states : iterable of int, default=None
        Seeds, each of which replaces every ``random_state`` of the estimator and of its
        parts. None leaves the estimator's own.
    scoring : str, callable or None, default=None
        Score on the fold left out; None is the estimator's own ``score``.
    n_jobs : int, default=None
        Runs at a time, as in joblib; the result doesn't depend on it.

    Returns
    -------
    StructureStability

    Raises
    ------
    ValueError
        If ``cv`` is no splitter, ``random_states`` is empty, repeats a seed or has no
        parameter to go to, or ``cv`` and ``random_states`` make only one run.
    TypeError
        If ``random_states`` holds something else than integers.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.datasets import make_planted_patterns
    >>> data = make_planted_patterns(80, random_state=0)
    >>> clf = SparseRationalClassifier(
    ...     n_wfsas=2, n_states=2, lambda_=0, max_epochs=1, finetune_epochs=1
    ... )
    >>> runs = structure_stability(clf, data.X, data.y, cv=2, random_states=[0, 1])
    >>> runs.agreement
    1.0
    """
    seeds = check_seeds(random_states)
    estimators = [seeded(estimator, seed) for seed in seeds]
    splits = _splits(estimator, X, y, cv)
    if len(seeds) * len(splits) < 2:
        raise ValueError(
            f"cv={cv!r} and random_states={random_states!r} make a single run; "
            "expected folds, or at least two seeds."
        )
    scorer = check_scoring(estimator, scoring=scoring)
    runs = list(product(enumerate(splits), zip(seeds, estimators, strict=True)))
    fitted = Parallel(n_jobs=n_jobs)(
        delayed(_learned)(clone(template), X, y, split, scorer)
        for (_, split), (_, template) in runs
    )
    structures, scores = zip(*fitted, strict=True)
    folds = tuple(None if split is None else fold for (fold, split), _ in runs)
    return StructureStability(structures, scores, folds, tuple(s for _, (s, _) in runs))


def _learned(
    estimator: Any, X: Any, y: ArrayLike, split: tuple[Any, Any] | None, scorer: Any
) -> tuple[Structure, float]:
    """Fit the estimator; return its structure, and its score if data is left out.

    Parameters
    ----------
    estimator : estimator
    X : sequences, or what a pipeline reads
    y : array-like of shape (n_sequences,)
    split : tuple of two ndarrays, or None
        Positions for training and test.
    scorer : callable
    """
    if split is None:
        estimator.fit(X, y)
        return final_estimator(estimator).learned_structure_, float("nan")
    train, test = split
    estimator.fit(_safe_indexing(X, train), _safe_indexing(y, train))
    score = scorer(estimator, _safe_indexing(X, test), _safe_indexing(y, test))
    return final_estimator(estimator).learned_structure_, float(score)


def _splits(estimator: Any, X: Any, y: ArrayLike, cv: Any) -> list[Any]:
    """Draw the folds once for all seeds.

    Parameters
    ----------
    estimator : estimator
    X, y : like those of ``fit``
    cv : int, splitter, iterable or None
    """
    if cv is None:
        return [None]
    return list(check_cv(cv, y, classifier=is_classifier(estimator)).split(X, y))


def _multiset(structure: Structure) -> tuple[Any, ...]:
    return tuple(sorted(structure.parts(), reverse=True))


def _jaccard(a: Counter[int], b: Counter[int]) -> float:
    union = (a | b).total()
    return (a & b).total() / union if union else 1.0


def _std(values: Any) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _spread(values: Any) -> str:
    return f"{np.mean(values):.3g} ± {_std(values):.3g}"
