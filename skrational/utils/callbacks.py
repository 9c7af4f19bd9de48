"""The one place that touches scikit-learn's callbacks, experimental since 1.9.

The fit of a classifier is a tree of tasks, fit -> {warmup, regularize, finetune} ->
epoch, and a callback may end the level it is called on. That of a vectorizer is one
task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.callback import CallbackSupportMixin, with_callbacks

__all__ = ["CallbackSupportMixin", "FitTask", "with_callbacks"]


class FitTask:
    """The root task of one call of ``fit``.

    Parameters
    ----------
    estimator : estimator with `CallbackSupportMixin`
    n_phases : int or None
        0 for a fit that has no parts; None if nobody knows yet.
    data : dict
        ``X``, ``y`` and ``metadata``, passed on to the callbacks.
    """

    def __init__(
        self, estimator: Any, n_phases: int | None, data: dict[str, Any]
    ) -> None:
        self._estimator = estimator
        self._data = data
        self._context = estimator._init_callback_context(max_subtasks=n_phases)
        self._begin(self._context)

    def phase(self, name: str, n_epochs: int) -> PhaseTask:
        """Begin a phase of at most ``n_epochs``."""
        context = self._context.subcontext(task_name=name, max_subtasks=n_epochs)
        self._begin(context)
        return PhaseTask(self, context)

    def end(self, fitted: Callable[[], dict[str, Any]] | None = None) -> None:
        """End the fit; ``fitted`` returns its attributes, should anyone ask."""
        self._end(self._context, fitted)

    def _begin(self, context: Any) -> None:
        context.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def _end(self, context: Any, fitted: Callable[[], dict[str, Any]] | None) -> bool:
        return bool(
            context.call_on_fit_task_end(
                estimator=self._estimator,
                reconstruction_attributes=fitted,
                **self._data,
            )
        )


class PhaseTask:
    """A phase's node in the tree of tasks."""

    def __init__(self, fit: FitTask, context: Any) -> None:
        self._fit = fit
        self._context = context

    def begin_epoch(self) -> Any:
        """Begin the next epoch."""
        context = self._context.subcontext(task_name="epoch")
        self._fit._begin(context)
        return context

    def end_epoch(self, epoch: Any, fitted: Callable[[], dict[str, Any]]) -> bool:
        """End an epoch; return whether a callback wants the phase to stop."""
        return self._fit._end(epoch, fitted)

    def end(self, fitted: Callable[[], dict[str, Any]]) -> bool:
        """End the phase; return whether a callback wants the fit to stop."""
        return self._fit._end(self._context, fitted)
