"""Which file of a model's folder is damaged, as far as its bytes tell."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from skrational.text.vectors.signatures import name_text

__all__ = ["find_damage"]


def find_damage(folder: Path, weights_only: bool = False) -> str:
    """Name the first damaged file of a model, and what is wrong with it.

    Weights are looked at from outside: that they are as long as their header says.

    Parameters
    ----------
    folder : Path
    weights_only : bool, default=False
        Whether to look at weights alone, which takes no time.

    Returns
    -------
    str
        Empty if no file looks damaged, or there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "config.json")
    ...     _ = path.write_text("{")
    ...     find_damage(Path(folder)).replace(folder, "...")
    '.../config.json is no JSON (Expecting property name enclosed in double quotes: ...'
    """
    if not folder.is_dir():
        return ""
    for pattern, look in _LOOKS.items():
        if weights_only and look == "JSON":
            continue
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and (fault := _fault_of(path, look)):
                return fault
    return ""


def _fault_of(path: Path, look: str) -> str:
    with open(path, "rb") as file:
        head = file.read(1000)
    if not head.strip():
        return f"{path} is empty."
    if "git-lfs" in str(head[:60]) and (named := name_text(head)):
        return f"{path} is {named}."
    try:
        if look == "JSON":
            json.loads(path.read_bytes())
        elif look == "safetensors":
            from safetensors import safe_open

            with safe_open(path, "numpy") as tensors:
                tensors.keys()
        elif head.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                archive.infolist()
    except Exception as error:  # each parser has its own
        reason = " ".join(str(error).split())
        return f"{path} is no {look} ({reason}), or cut off."
    return ""


_LOOKS = {
    "*.json": "JSON",
    "*.safetensors": "safetensors",
    "*.bin": "archive of PyTorch",
}
