"""A bar on the error stream while a model is fitted."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

__all__ = ["FitBar", "wants_bar"]


def wants_bar(quiet: bool) -> bool:
    """Whether someone is there to see a bar, and rich to draw it."""
    return not quiet and sys.stderr.isatty() and find_spec("rich") is not None


class FitBar:
    """A callback of scikit-learn: one bar that counts the phases, and their epochs.

    scikit-learn's own bars are written to the standard output, which is the command's.

    Parameters
    ----------
    name : str
        Stands before the bar.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def setup(self, estimator: Any, context: Any) -> None:
        """Show the bar."""
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task(self.name, total=context.max_subtasks)
        self._n_phases, self._n_epochs = 0, 0

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Name the phase that begins."""
        if context.parent is not None and context.task_name != "epoch":
            text = f"{self.name}: {context.task_name}"
            self._bar.update(self._task, description=text)

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Go on by an epoch, or to the end of a phase."""
        if context.parent is None:
            return
        if context.task_name == "epoch":
            self._n_epochs += 1
            done = self._n_phases + self._n_epochs / (context.parent.max_subtasks or 1)
        else:
            self._n_phases, self._n_epochs = self._n_phases + 1, 0
            done = self._n_phases
        self._bar.update(self._task, completed=done)

    def teardown(self, estimator: Any, context: Any) -> None:
        """Take the bar away."""
        self._bar.stop()
