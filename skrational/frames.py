"""Data frames, for those who have pandas."""

from __future__ import annotations

from typing import Any

__all__ = ["data_frame"]


def data_frame(data: Any) -> Any:
    """Make a DataFrame of what its constructor takes.

    Raises
    ------
    ImportError
        If pandas isn't installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("A data frame needs pandas: pip install pandas") from error
    return pd.DataFrame(data)
