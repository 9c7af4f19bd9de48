"""One page about a fitted model, to be mailed to somebody who has no Python."""

from skrational.reporting.report import Report, report

__all__ = ["Report", "report"]
