"""Read a fitted model: paths, phrases, explanations, pictures, exports."""

from skrational.inspection.paths import Path, Paths, find_paths

__all__ = ["Path", "Paths", "find_paths"]
