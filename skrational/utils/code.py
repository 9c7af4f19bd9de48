"""What functions compute, as a hash: their code, and whatever that refers to."""

from __future__ import annotations

import dis
import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

__all__ = ["functions_in", "hash_functions"]

_READS = ("LOAD_GLOBAL", "LOAD_NAME")


def hash_functions(
    functions: list[FunctionType], describe: Callable[[Any], Any]
) -> str:
    """Hash the code of functions and of those that they call by their names.

    Defaults, what a function encloses and the global values that it reads count; what
    it finds in modules and classes doesn't.

    Parameters
    ----------
    functions : list of functions
    describe : callable
        Takes a value that is no function; `repr` of what it returns counts.

    Examples
    --------
    >>> double, triple = (lambda x: 2 * x), (lambda x: 3 * x)
    >>> hash_functions([double], repr) == hash_functions([triple], repr)
    False
    """
    hashed, waiting, seen = hashlib.sha256(), list(functions), set[int]()
    while waiting:
        function = waiting.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        names = list(_parts(function.__code__, describe, hashed.update))
        for name, value in {**_bound(function), **_global(function, names)}.items():
            inner = list(functions_in(value))
            waiting.extend(inner)
            is_named = bool(inner) or isinstance(value, (ModuleType, type))
            told = getattr(value, "__name__", "") if is_named else describe(value)
            hashed.update(repr((name, told)).encode(errors="surrogatepass"))
    return hashed.hexdigest()[:12]


def functions_in(value: Any, depth: int = 4) -> Iterator[FunctionType]:
    """Yield the functions that a value is, or holds in attributes and containers."""
    if isinstance(value, FunctionType):
        yield value
    elif isinstance(value, MethodType):
        yield from functions_in(value.__func__, depth)
        yield from functions_in(value.__self__, depth)
    elif depth and not isinstance(value, (type, ModuleType)):
        held: list[Any] = []
        if isinstance(value, partial):
            held = [value.func, *value.args, *value.keywords.values()]
        elif isinstance(value, (list, tuple)):
            held = list(value)
        elif isinstance(value, Mapping):
            held = list(value.values())
        for part in (*held, *getattr(value, "__dict__", {}).values()):
            yield from functions_in(part, depth - 1)


def _parts(
    code: CodeType, describe: Callable[[Any], Any], update: Callable[[bytes], Any]
) -> Iterator[str]:
    """Hash instructions and constants, also of inner functions; yield global names.

    Parameters
    ----------
    code : code
    describe : callable
    update : callable
        Takes the bytes that count.
    """
    update(code.co_code)
    update(repr(code.co_names).encode(errors="surrogatepass"))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _parts(constant, describe, update)
        else:
            update(repr(describe(constant)).encode(errors="surrogatepass"))
    for instruction in dis.get_instructions(code):
        if instruction.opname in _READS:
            yield str(instruction.argval)


def _bound(function: FunctionType) -> dict[str, Any]:
    """Return defaults and what is enclosed."""
    bound = {f"default {i}": v for i, v in enumerate(function.__defaults__ or ())}
    bound |= function.__kwdefaults__ or {}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        try:
            bound[name] = cell.cell_contents
        except ValueError:  # a name that has no value yet
            continue
    return bound


def _global(function: FunctionType, names: list[str]) -> dict[str, Any]:
    space = function.__globals__
    return {name: space[name] for name in names if name in space}
