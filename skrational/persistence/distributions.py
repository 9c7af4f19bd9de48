"""Distributions of scipy with their arguments, as randomised searches draw from."""

from __future__ import annotations

from typing import Any

__all__ = ["distribution_from", "parts_of_distribution"]


def parts_of_distribution(value: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """Return the name and the arguments of a distribution; no name if it's another.

    Examples
    --------
    >>> from scipy import stats
    >>> parts_of_distribution(stats.loguniform(0.1, 1))
    ('loguniform', (0.1, 1), {})
    >>> parts_of_distribution("norm")
    ('', (), {})
    """
    dist = getattr(value, "dist", None)
    name = str(getattr(dist, "name", ""))
    # What isn't from scipy may be of a class that anyone has written.
    if not type(value).__module__.startswith("scipy.stats."):
        return "", (), {}
    if type(dist) is not type(_known(name)):
        return "", (), {}
    return name, tuple(value.args), dict(value.kwds)


def distribution_from(name: str, args: tuple[Any, ...], kwds: dict[str, Any]) -> Any:
    """Make the distribution again.

    Raises
    ------
    ValueError
        If scipy has none of this name, or it can't have these arguments.
    """
    dist = _known(name)
    plain = all(type(v) in (int, float) for v in (*args, *kwds.values()))
    if dist is None or not plain:
        raise ValueError(f"{name!r:.99} with its arguments is no distribution of scipy")
    return dist(*args, **kwds)


def _known(name: str) -> Any:
    """Return scipy's distribution of a name; None: there is none."""
    from scipy import stats

    found = getattr(stats, name, None)
    return found if isinstance(found, stats.rv_continuous | stats.rv_discrete) else None
