"""Properties that are computed once."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

__all__ = ["cached_property", "lasting_state"]

if TYPE_CHECKING:
    from functools import cached_property
else:

    class cached_property(functools.cached_property):
        """Python's own as it is from 3.12 on: without a lock.

        That of 3.11 holds one for all objects of a class while it computes for one of
        them: threads wait for each other, and the child of a fork may wait for ever.
        """

        def __get__(self, instance: Any, owner: Any = None) -> Any:
            if instance is None:
                return self
            values = vars(instance)
            if self.attrname not in values:
                values[self.attrname] = self.func(instance)
            return values[self.attrname]


def lasting_state(value: Any) -> dict[str, Any]:
    """Return the attributes of an object but those that are computed once.

    A pickle has no need of these, and would change with what was asked for before.

    Examples
    --------
    >>> class Circle:
    ...     radius = 1.0
    ...     area = cached_property(lambda self: 3.14 * self.radius**2)
    >>> circle = Circle()
    >>> circle.radius = 2.0
    >>> circle.area, lasting_state(circle)
    (12.56, {'radius': 2.0})
    """
    computed = functools.cached_property
    return {
        name: attribute
        for name, attribute in vars(value).items()
        if not isinstance(getattr(type(value), name, None), computed)
    }
