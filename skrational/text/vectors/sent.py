"""Word vectors that other processes have been sent once, and then know by name."""

from __future__ import annotations

import weakref
from typing import Any, Self
from uuid import uuid4

__all__ = ["SentVectors"]


class SentVectors:
    """Stands for word vectors that each process of a cluster has; pickles as a name.

    Parameters
    ----------
    vectors : Table, KeyedVectors or mapping from str to array-like
        This process keeps them as long as this object lives.
    name : str, default=None
        By which others know them. None: a new one.

    Examples
    --------
    >>> import pickle
    >>> sent = SentVectors({"good": [1.0, 0.0]})
    >>> sent
    <sent vectors: dict>
    >>> pickle.loads(pickle.dumps(sent)).vectors is sent.vectors
    True
    """

    def __init__(self, vectors: Any, name: str | None = None) -> None:
        self.name = name or f"vectors-{uuid4().hex}"
        self._vectors = vectors
        _here[self.name] = self

    @property
    def vectors(self) -> Any:
        """The vectors.

        Raises
        ------
        FileNotFoundError
            If this process hasn't been sent any of this name.
        """
        here = self if self._vectors is not None else _here.get(self.name)
        if here is None:
            raise FileNotFoundError(
                "These word vectors were sent to the workers of a cluster, and this "
                "process is none of them: give them by set_params(vectors=...)."
            )
        return here._vectors

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SentVectors) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        here = self if self._vectors is not None else _here.get(self.name)
        if here is None:
            return "<sent vectors, which are not here>"
        return f"<sent vectors: {type(here._vectors).__name__}>"


_here: weakref.WeakValueDictionary[str, SentVectors] = weakref.WeakValueDictionary()


def _named(name: str) -> SentVectors:
    """Return what stands for the vectors of a name, wherever it's unpickled."""
    found = _here.get(name)
    if found is None:
        found = SentVectors.__new__(SentVectors)
        found.name, found._vectors = name, None
    return found
