"""The recurrence, dispatched to the fastest kernel that can compute it.

``SKRATIONAL_KERNEL``, set to ``reference``, ``numba`` or ``triton``, overrides the
choice.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from skrational.utils.devices import has_triton

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["choose_kernel", "document_scores", "token_scores"]

_MODULES = {
    "numba": "skrational.kernels.cpu.operation",
    "reference": "skrational.kernels.reference",
    "triton": "skrational.kernels.cuda.operation",
}
_OVER_TOKENS = "skrational.kernels.cpu.token_operation"


def choose_kernel(device_type: str, semiring: str) -> str:
    """Name the kernel for a device and a semiring.

    Parameters
    ----------
    device_type : str
        ``torch.device.type``.
    semiring : str

    Returns
    -------
    {"numba", "reference", "triton"}

    Raises
    ------
    ValueError
        If the environment variable SKRATIONAL_KERNEL names no kernel, or one that
        can't compute this.
    ImportError
        If it names the Triton kernel and Triton isn't installed, or is too old.
    """
    forced = os.environ.get("SKRATIONAL_KERNEL", "")
    if forced:
        _check_forced(forced, device_type, semiring)
        return forced
    if device_type == "cpu":
        return "numba"
    on_cuda = device_type == "cuda" and semiring == "plus-times"
    return "triton" if on_cuda and has_triton() else "reference"


def _check_forced(name: str, device_type: str, semiring: str) -> None:
    if name not in _MODULES:
        expected = ", ".join(map(repr, sorted(_MODULES)))
        raise ValueError(f"SKRATIONAL_KERNEL is {name!r}; expected {expected}.")
    if name == "triton" and not has_triton():
        raise ImportError(
            "SKRATIONAL_KERNEL is 'triton', but Triton 3.4 or later isn't installed: "
            "pip install 'triton>=3.4' (Linux on an NVIDIA GPU), or unset the variable."
        )
    device = {"numba": "cpu", "triton": "cuda"}.get(name, device_type)
    if device_type != device or (name == "triton" and semiring != "plus-times"):
        what = "plus-times" if name == "triton" else "automata"
        raise ValueError(
            f"SKRATIONAL_KERNEL is {name!r}, which computes {what} on "
            f"device={device!r}; got semiring={semiring!r} on device={device_type!r}. "
            "Unset the variable, or set it to 'reference'."
        )


def document_scores(x: Tensor, *args: Any, semiring: str, **options: Any) -> Tensor:
    """Score every automaton; see `skrational.kernels.reference.document_scores`."""
    name = choose_kernel(x.device.type, semiring)
    module = import_module(_MODULES[name])
    if name == "numba":
        return module.document_scores(x, *args, semiring=semiring, **options)
    reference = import_module(_MODULES["reference"])
    return reference.document_scores(
        x, *args, semiring=semiring, states_of=module.state_scores, **options
    )


def token_scores(x: Tensor, *args: Any, semiring: str, **options: Any) -> Tensor:
    """Score every automaton after every token, as the reference's `token_scores`.

    There is a compiled kernel for the CPU; on other devices the reference computes it.
    """
    reference = import_module(_MODULES["reference"])
    states_of = reference.token_states
    if choose_kernel(x.device.type, semiring) == "numba":
        states_of = import_module(_OVER_TOKENS).token_states
    return reference.token_scores(
        x, *args, semiring=semiring, states_of=states_of, **options
    )
