"""How one structure of automata differs from another."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["StructureDiff"]


@dataclass(frozen=True, repr=False)
class StructureDiff:
    """How one structure differs from another in what it keeps; false if it doesn't.

    Parameters
    ----------
    rows : tuple of (int, int, int)
        For each WFSA whose length differs: its original index (from 0), the states
        kept here and the states kept there.
    n_transitions, n_parameters : int
        Main-path transitions and parameters there, minus those here.

    Examples
    --------
    >>> StructureDiff(rows=((3, 4, 1),), n_transitions=-3, n_parameters=-303)
    1 WFSA differs, -3 transitions, -303 parameters
      WFSA 3: 4 -> 1 states
    >>> bool(StructureDiff((), 0, 0))
    False
    """

    rows: tuple[tuple[int, int, int], ...]
    n_transitions: int
    n_parameters: int

    def __bool__(self) -> bool:
        return bool(self.rows) or self.n_parameters != 0

    def __repr__(self) -> str:
        if not self:
            return "no difference"
        differ = "WFSA differs" if len(self.rows) == 1 else "WFSAs differ"
        head = (
            f"{len(self.rows)} {differ}, {self.n_transitions:+d} transitions, "
            f"{self.n_parameters:+d} parameters"
        )
        rows = [f"  WFSA {i}: {here} -> {there} states" for i, here, there in self.rows]
        return "\n".join([head, *rows])
