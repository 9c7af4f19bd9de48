"""Estimators with a large table as a parameter: shown in a line, pickled in bulk.

Scikit-learn prints the parameters of an estimator, wherever it stands in pipelines and
searches, and prints a dict to its last number.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from skrational.text.vectors.packed import PackedWhenPickled

__all__ = ["TableParameterMixin"]


class TableParameterMixin:
    """For an estimator whose parameter ``vectors`` may be a large table.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> class Vectorizer(TableParameterMixin, BaseEstimator):
    ...     def __init__(self, vectors):
    ...         self.vectors = vectors
    >>> vectorizer = Vectorizer({f"w{i}": [0.0] for i in range(4000)})
    >>> vectorizer
    Vectorizer(vectors=<dict of 4,000 vectors>)
    >>> vectorizer.get_params()["vectors"] is vectorizer.vectors
    True
    """

    vectors: Any

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to get the parameters of estimators among them as well.

        Returns
        -------
        dict
            The values as they were given. It prints tables in a line; so do the
            ``items()`` of what ``deep=False`` gives, which scikit-learn prints.
        """
        params = super().get_params(deep)  # type: ignore[misc]
        return _PrintedParameters(params) if deep else _ShallowParameters(params)

    def _get_params_html(self, deep: bool = True, doc_link: str = "") -> Any:
        shown = super()._get_params_html(deep, doc_link)  # type: ignore[misc]
        shown["vectors"] = _shown(self.vectors)
        return shown

    def __reduce_ex__(self, protocol: Any) -> Any:
        reduced: Any = super().__reduce_ex__(protocol)
        make, args, state, *more = reduced
        state = {**state, "vectors": PackedWhenPickled.around(state["vectors"])}
        return make, args, state, *more

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A copy that isn't pickled gets what stands around the table.
        vectors = PackedWhenPickled.inside(state["vectors"])
        super().__setstate__({**state, "vectors": vectors})  # type: ignore[misc]

    def __sklearn_clone__(self) -> Self:
        # scikit-learn's own clone would copy the table.
        new = type(self)(**self.get_params(deep=False))
        for name in ("_metadata_request", "_skl_callbacks", "_sklearn_output_config"):
            if name in vars(self):
                setattr(new, name, getattr(self, name))
        return new


class _PrintedParameters(dict[str, Any]):
    def __repr__(self) -> str:
        return repr(_with_shown_table(dict.items(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class _ShallowParameters(_PrintedParameters):
    def items(self) -> Any:
        return _with_shown_table(super().items()).items()


def _with_shown_table(parameters: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return parameters with what stands for the table in print."""
    return {
        name: _shown(value) if name == "vectors" else value
        for name, value in parameters
    }


class _Shown:
    """An object that stands for another one, but prints in a line."""

    def __init__(self, shown: Any) -> None:
        self._shown = shown

    def __repr__(self) -> str:
        return f"<{type(self._shown).__name__} of {len(self._shown):,} vectors>"

    def __eq__(self, other: object) -> bool:
        mine, theirs = self._shown, getattr(other, "_shown", other)
        return mine is theirs or bool(mine == theirs)

    def __hash__(self) -> int:
        return hash(self._shown)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._shown, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._shown,)


class _ShownMapping(_Shown, Mapping[Any, Any]):
    def __getitem__(self, key: Any) -> Any:
        return self._shown[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._shown)

    def __len__(self) -> int:
        return len(self._shown)


def _shown(value: Any) -> Any:
    """Return what stands for a value in print: the value itself if that is short."""
    if isinstance(value, Mapping):
        return _ShownMapping(value)
    if isinstance(value, (str, bytes, os.PathLike)) or not hasattr(value, "__len__"):
        return value
    return _Shown(value)
