"""What is installed here, found out without importing it."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["is_available"]


def is_available() -> bool:
    """Whether Triton, which compiles the kernels for CUDA, is installed."""
    return find_spec("triton") is not None
