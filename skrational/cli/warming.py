"""``skrational warm-up``: kernels compiled ahead of the first call."""

from __future__ import annotations

import argparse

__all__ = ["warm_up"]


def warm_up(args: argparse.Namespace) -> None:
    """Compile the kernels, and print the folders where they are kept."""
    from skrational.deployment import warm_up

    for folder in warm_up(fit=args.fit):
        print(folder)
