"""What the figures in the README and the docs came from.

Each module prints its own: ``python -m benchmarks.training_step`` and so on.
"""
