"""Probabilities that are as sure as they are right: the parameter ``calibration``."""

from __future__ import annotations

from typing import Any

__all__ = ["TemperatureMixin"]


class TemperatureMixin:
    """A classifier with a temperature, which its logits are divided by."""

    calibration: str | None
    temperature_: float

    def _adopt(self, fitted: dict[str, Any]) -> None:
        super()._adopt(_with_temperature(fitted))  # type: ignore[misc]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(_with_temperature(state))  # type: ignore[misc]


def _with_temperature(attributes: dict[str, Any]) -> dict[str, Any]:
    """Add the temperature 1 to fitted attributes of a version that had none."""
    is_fitted = "classes_" in attributes
    return {"temperature_": 1.0} | attributes if is_fitted else attributes
