"""Models as folders: saved whole or not at all, loaded without running their code.

The names are loaded when they are first used.
"""

from typing import TYPE_CHECKING

from skrational.utils.lazy import lazy_names

if TYPE_CHECKING:
    from skrational.persistence.hub import load_from_hub, push_to_hub
    from skrational.persistence.loading import load
    from skrational.persistence.saving import save
    from skrational.persistence.trusted import TRUSTED_TYPES

__all__ = ["TRUSTED_TYPES", "load", "load_from_hub", "push_to_hub", "save"]

_HOMES = {
    "TRUSTED_TYPES": "skrational.persistence.trusted",
    "load": "skrational.persistence.loading",
    "load_from_hub": "skrational.persistence.hub",
    "push_to_hub": "skrational.persistence.hub",
    "save": "skrational.persistence.saving",
}

# Of a module with __getattr__, type checkers would take any name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _HOMES)
