"""What versions tell of a model: what has changed since it was written."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

from skrational._version import __version__
from skrational.exceptions import ModelFileError, ModelVersionWarning
from skrational.utils.callers import caller_level

__all__ = ["CHANGES", "Change", "check_versions"]

_NUMBERS = re.compile(r"(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?")


@dataclass(frozen=True)
class Change:
    """A change after which some models predict otherwise than before.

    Attributes
    ----------
    version : str
        The first version that behaves as now.
    classes : frozenset of str
        Models that hold one of these are concerned.
    what : str
        What is different, in a sentence.
    """

    version: str
    classes: frozenset[str]
    what: str


CHANGES: tuple[Change, ...] = ()
"""Each change of what a saved model does; so far there is none."""


def check_versions(
    versions: dict[str, str], classes: Iterable[str], place: str
) -> None:
    """Hold the versions that wrote a model against those that load it.

    Parameters
    ----------
    versions : dict from str to str
        By the names of packages.
    classes : iterable of str
        Those of the model.
    place : str
        What messages call the manifest.

    Raises
    ------
    ModelFileError
        If a later version of this package wrote it, whose models this one may
        misunderstand.

    Warns
    -----
    ModelVersionWarning
        If the model behaves otherwise since then, or holds estimators of another
        version of scikit-learn.
    """
    written, present, known = versions["skrational"], __version__, set(classes)
    if _numbers(written, place)[:2] > _numbers(present, place)[:2]:
        raise ModelFileError(
            f"{place}: the model was written by skrational {written}; this is "
            f"{present}. Load it with that version or a later one."
        )
    faults = [
        f"since {change.version}, {change.what}"
        for change in CHANGES
        if _numbers(change.version, place) > _numbers(written, place)
        and known & change.classes
    ]
    if fault := _other_sklearn(versions, known):
        faults.append(fault)
    if faults:
        warnings.warn(
            f"The model was written by skrational {written}; this is {present}. It may "
            f"predict otherwise: {'; '.join(faults)}.",
            ModelVersionWarning,
            stacklevel=caller_level(),
        )


def _other_sklearn(versions: dict[str, str], classes: set[str]) -> str:
    """Say that estimators of another scikit-learn are in a model, if there are."""
    import sklearn

    written = versions.get("scikit-learn", "")
    foreign = sorted(name for name in classes if name.startswith("sklearn."))
    if not foreign or written.split(".")[:2] == sklearn.__version__.split(".")[:2]:
        return ""
    return (
        f"scikit-learn {written or '?'} wrote its {', '.join(foreign)}, and "
        f"{sklearn.__version__} loads it"
    )


def _numbers(text: str, place: str) -> tuple[int, ...]:
    found = _NUMBERS.match(text)
    if found is None:
        raise ModelFileError(f"{place}: {text!r:.99} is no version.")
    return tuple(int(number or 0) for number in found.groups())
