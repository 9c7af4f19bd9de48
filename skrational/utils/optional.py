"""What needs a package that may be missing: data frames, and a progress bar."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["advancing", "asks_for_pandas", "check_progress", "data_frame"]

_MANY = 1000


def asks_for_pandas(transformer: Any) -> bool:
    """Whether ``set_output`` or scikit-learn's configuration asks for data frames."""
    from sklearn.utils._set_output import _get_output_config

    return _get_output_config("transform", transformer)["dense"] == "pandas"


def data_frame(data: Any, index: Any = None) -> Any:
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
    return pd.DataFrame(data, index=index)


def check_progress(progress: bool | None, n_documents: int) -> bool:
    """Return whether to show a bar; None: for many documents, if rich is there.

    Raises
    ------
    ImportError
        If a bar is asked for and rich isn't installed.
    """
    installed = importlib.util.find_spec("rich") is not None
    if progress is None:
        return installed and n_documents >= _MANY
    if progress and not installed:
        raise ImportError(
            "A progress bar needs rich: pip install 'skrational[progress]'"
        )
    return bool(progress)


@contextmanager
def advancing(
    name: str, n_documents: int | None, show: bool
) -> Iterator[Callable[[int], None]]:
    """Yield what to call after each part, with its number of documents.

    ``n_documents`` is None if nobody knows yet how many there are.
    """
    if not show:
        yield lambda n: None
        return
    from rich.console import Console
    from rich.progress import Progress

    # The output of a script stays what it prints.
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=n_documents)
        yield lambda n: bar.advance(task, n)
