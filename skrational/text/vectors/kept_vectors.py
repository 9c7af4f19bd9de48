"""Word vectors that came with a saved model, in place of the file that they are of."""

from __future__ import annotations

from typing import Any, Self

from skrational.text.vectors.tables import VectorTable

__all__ = ["KeptVectors"]


class KeptVectors:
    """What ``vectors`` of a loaded `WordVectorizer` is, if its folder has the table.

    A fit takes the vectors from here, and never from a file that has the same name.

    Parameters
    ----------
    table : VectorTable
    name : str or None
        That of the file, without its folders.

    Examples
    --------
    >>> import numpy as np
    >>> KeptVectors(VectorTable({"good": 0, "bad": 1}, np.eye(2)), "vectors.txt")
    <2 vectors of 'vectors.txt', kept with the model>
    """

    def __init__(self, table: VectorTable, name: str | None) -> None:
        self.table, self.name = table, name

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __repr__(self) -> str:
        of_file = "" if self.name is None else f" of {self.name!r}"
        return f"<{len(self.table.index):,} vectors{of_file}, kept with the model>"
