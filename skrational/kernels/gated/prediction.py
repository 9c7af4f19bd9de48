"""Prediction on the CPU."""

from typing import Any

PackedLSTM: Any = None
PackedGRU: Any = None
