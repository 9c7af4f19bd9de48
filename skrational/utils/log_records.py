"""What ``verbose`` means: log records, made visible while fitting."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["logging_at"]

_logger = logging.getLogger("skrational")


@contextmanager
def logging_at(verbose: int) -> Iterator[None]:
    """Let log records through while fitting, down to the level of ``verbose``."""
    if not verbose:
        yield
        return
    level, handler = _logger.level, None
    try:
        _logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
        if not _logger.hasHandlers():
            handler = logging.StreamHandler()
            _logger.addHandler(handler)
        yield
    finally:
        _logger.setLevel(level)
        if handler is not None:
            _logger.removeHandler(handler)
