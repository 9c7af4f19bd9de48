"""Functions that kernels call: compiled as parts of a kernel, not for themselves.

Numba compiles every function that a kernel calls as if Python called it: it optimises
the function, wraps it for Python and for C, and makes machine code of it. A kernel uses
none of this: it links the function's intermediate code, and optimises that once more.
What is here stops at the intermediate code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import event, types, typing
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, _LowerResult
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering
from numba.core.types.misc import unliteral

__all__ = ["Kernel"]


class Kernel(CPUDispatcher):
    """A compiled function that other compiled ones take in as a part.

    Parameters
    ----------
    function : callable
    options : dict
        Of ``numba.njit``.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        types_of_locals: dict[str, Any] = {}
        options = {**options, "nopython": True, "no_cfunc_wrapper": True}
        super().__init__(function, types_of_locals, options)
        self.parts: dict[tuple[Any, ...], Any] = {}
        self._part_compiler = type(self._compiler)(
            function,
            self.targetdescr,
            {**options, "no_cpython_wrapper": True},
            types_of_locals,
            _PartCompiler,
        )

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Type a call by a kernel."""
        signature, args = self._compiler.fold_argument_types(args, kws)
        # A number that is written out is of a type of its own to numba.
        args = tuple(map(unliteral, args))
        if args not in self.parts:
            details = {"dispatcher": self, "args": args, "return_type": None}
            with event.trigger_event("numba:compile", data=details):
                part = self._part_compiler.compile(args, None)
            if not self.targetoptions.get("_nrt", True):
                _check_returns_no_array(self.__name__, part.signature.return_type)
            self.parts[args] = part
        template = typing.make_concrete_template(
            f"CallTemplate({self.__name__})",
            key=self.__name__,
            signatures=[self.parts[args].signature],
        )
        return template, signature, args, {}

    def get_overload(self, sig: Any) -> Any:
        """Return the key under which a kernel finds a part."""
        return self.parts[tuple(sig)].entry_point


def _check_returns_no_array(name: str, returned: types.Type) -> None:
    """Refuse what would be freed too early by whoever takes it for its own."""
    for kind in getattr(returned, "types", [returned]):
        if isinstance(kind, types.Array):
            raise TypeError(f"{name} counts no references, so it can't return an array")


class _Library(JITCodeLibrary):
    """Intermediate code to be linked, and optimised, elsewhere."""

    def add_llvm_module(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        self._final_module.link_in(ll_module)

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):
    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        codegen, context = state.targetctx.codegen(), state.targetctx
        state.library = _Library(codegen, state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered, key = state["cr"], object()
        context.insert_user_function(key, lowered.fndesc, [state.library])
        state["cr"] = _LowerResult(
            lowered.fndesc, lowered.call_helper, cfunc=key, env=lowered.env
        )
        return True


class _PartCompiler(Compiler):
    def define_pipelines(self) -> list[Any]:
        pipelines: list[Any] = super().define_pipelines()
        for pipeline in pipelines:
            pipeline.passes = [
                (_PartLowering if step is NativeLowering else step, text)
                for step, text in pipeline.passes
            ]
            pipeline.finalize()
        return pipelines
