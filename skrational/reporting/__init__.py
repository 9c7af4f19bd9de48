"""One page about a fitted model, to be mailed to somebody who has no Python."""

from skrational.reporting.report import Report, report
from skrational.utils.lazy import listing

__all__ = ["Report", "report"]

__dir__ = listing(__all__)
