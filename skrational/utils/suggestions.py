"""What may be meant by a name that isn't there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Self

__all__ = ["SuggestsNames", "did_you_mean"]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names what is written alike, or nothing.

    Dashes before options don't count, which all of them have.

    Examples
    --------
    >>> did_you_mean("lable", ["text", "label"])
    " Did you mean 'label'?"
    >>> did_you_mean("stars", ["text", "label"])
    ''
    >>> did_you_mean("--lamda", ["--lambda"]), did_you_mean("--set", ["--quiet"])
    (" Did you mean '--lambda'?", '')
    """
    bare = {one.lstrip("-"): one for one in known}
    alike = get_close_matches(name.lstrip("-"), bare, n=1)
    return f" Did you mean {bare[alike[0]]!r}?" if alike else ""


class SuggestsNames:
    """For an estimator: faults of names and options say what may be meant.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> SparseRationalClassifier().set_params(n_wfsa=2)
    Traceback (most recent call last):
        ...
    ValueError: Invalid parameter 'n_wfsa' for estimator SparseRationalClassifier().
    Valid parameters are: [...]. Did you mean 'n_wfsas'?
    """

    def set_params(self, **params: Any) -> Self:
        """Set the parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Values by the names of parameters.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there is no parameter of a name.
        """
        try:
            return super().set_params(**params)  # type: ignore[misc]
        except ValueError as error:
            own = self.get_params(deep=False)  # type: ignore[attr-defined]
            names = (name.partition("__")[0] for name in params)
            wrong = next((name for name in names if name not in own), None)
            if wrong is None:  # it's of an estimator among the parameters
                raise
            raise ValueError(f"{error}{did_you_mean(wrong, own)}") from None

    def _validate_params(self) -> None:
        from sklearn.utils._param_validation import InvalidParameterError

        try:
            super()._validate_params()  # type: ignore[misc]
        except InvalidParameterError as error:
            raise InvalidParameterError(f"{error}{self._meant(str(error))}") from None

    def _meant(self, fault: str) -> str:
        """Say which option may be meant, of the parameter that a fault names."""
        from sklearn.utils._param_validation import StrOptions

        constraints: Any = self._parameter_constraints  # type: ignore[attr-defined]
        for name, value in self.get_params(deep=False).items():  # type: ignore[attr-defined]
            if fault.startswith(f"The {name!r} parameter") and isinstance(value, str):
                options = (c for c in constraints[name] if isinstance(c, StrOptions))
                return did_you_mean(value, (o for c in options for o in c.options))
        return ""
