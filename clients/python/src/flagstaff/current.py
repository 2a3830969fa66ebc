"""The flags of the request that is being answered."""

from __future__ import annotations

from contextvars import ContextVar, Token

from .flags import Flags
from .settings import settings

_current: ContextVar[Flags | None] = ContextVar("flagstaff_flags", default=None)


def current() -> Flags:
    """The flags of the request that is being answered. Outside of one, flags have their defaults."""
    found = _current.get()
    if found is not None:
        return found
    spoken = settings()
    return Flags(defaults=spoken.defaults, names=spoken.known_names())


def current_or_none() -> Flags | None:
    """The flags of the request that is being answered, if one is."""
    return _current.get()


def enter(flags: Flags) -> Token[Flags | None]:
    """From now on these are the current flags, until :func:`leave`."""
    return _current.set(flags)


def leave(token: Token[Flags | None]) -> None:
    """Ends what :func:`enter` began."""
    _current.reset(token)
