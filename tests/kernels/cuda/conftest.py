import pkgutil
import sys
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
import torch

from skrational import kernels

try:
    import triton.language as tl
except ImportError:
    tl = None

ROOM = "skrational.kernels.cuda"


def load_room(interpret):
    """Import the room afresh: whether it is interpreted is settled by the import.

    What has been imported before is left as it was.
    """
    triton = pytest.importorskip(
        "triton", minversion="3.4", reason="Triton 3.4 or later is not installed"
    )
    paths = find_spec(ROOM).submodule_search_locations
    modules = {m.name: f"{ROOM}.{m.name}" for m in pkgutil.iter_modules(paths)}
    modules["newton"] = "skrational.penalties.newton_cuda"
    with pytest.MonkeyPatch.context() as patch, triton.knobs.runtime.scope():
        patch.setattr(kernels, "cuda", None, raising=False)
        for name in (ROOM, *modules.values()):
            # Set first, so that leaving takes out what is imported here.
            patch.setitem(sys.modules, name, None)
            del sys.modules[name]
        triton.knobs.runtime.interpret = interpret
        room = SimpleNamespace(**{k: import_module(v) for k, v in modules.items()})
        if interpret:
            room.newton._total = triton.jit(interpreted_total)
        return room


def interpreted_total(x):
    """`triton.language.sum`, which was made to be compiled when Triton was imported."""
    return tl.reduce(x, 0, tl.standard._sum_combine)


@pytest.fixture(scope="session")
def compiled():
    """The modules of the room, whose kernels Triton compiles."""
    return load_room(interpret=False)


@pytest.fixture(scope="session")
def room(compiled):
    """The modules of the room, whose kernels run here."""
    return compiled if torch.cuda.is_available() else load_room(interpret=True)


@pytest.fixture(scope="session")
def cuda(room):
    """What computes the scores."""
    return room.operation
