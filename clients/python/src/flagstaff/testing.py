"""Flags as a test wants them, whatever the request says.

Overrides count for the whole process, so that they reach a server that a test runs in a thread of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any, TypeVar, cast

from .names import resolve

_F = TypeVar("_F", bound=Callable[..., Any])

_lock = threading.Lock()
_forced: list[tuple[object, str, str, str | None]] = []


def force(kind: str, name: str, variant: str | None) -> Callable[[], None]:
    """Forces a variant until the function that is returned is called. ``None`` lets the request decide again."""
    global _forced
    token = object()
    with _lock:
        _forced = [*_forced, (token, kind, name, variant)]

    def end() -> None:
        global _forced
        with _lock:
            _forced = [entry for entry in _forced if entry[0] is not token]

    return end


def forced(kind: str, name: str, names: Mapping[str, str]) -> str | None:
    """The variant that a test forces, if one does. Test and app may each call a flag by any name that it has (``my.Flag``)."""
    flag = None
    for _, of, by_name, variant in reversed(_forced):
        flag = flag or resolve(name, names)
        if of == kind and resolve(by_name, names) == flag:
            return variant
    return None


class override:
    """Forces variants: ``with override(new_form="on", pricing="simple"): …``, or as a decorator of a test.

    ``True`` means ``on``, ``False`` means ``off``. Any name of a flag counts: ``override(**{"my.Flag": True})``.
    """

    def __init__(self, **variants: str | bool) -> None:
        self._variants = {name: as_variant(variant) for name, variant in variants.items()}
        self._ends: list[Callable[[], None]] = []

    def __enter__(self) -> override:
        self._ends = [force("flag", name, variant) for name, variant in self._variants.items()]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        while self._ends:
            self._ends.pop()()

    def __call__(self, function: _F) -> _F:
        if iscoroutinefunction(function):

            @wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)

            return cast(_F, awaited)

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return cast(_F, called)

    @contextmanager
    def _again(self) -> Iterator[None]:
        with override(**self._variants):
            yield


def as_variant(value: str | bool) -> str:
    """``True`` is ``on``, ``False`` is ``off``."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return value
