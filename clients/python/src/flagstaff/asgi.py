"""Flags for any ASGI app: ``app = FlagsMiddleware(app)``, then :func:`flagstaff.current`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .current import enter, leave
from .flags import Flags
from .headers import readings_of
from .settings import Settings
from .settings import settings as of_process

KEY = "flagstaff.flags"
"""Where the flags stand in the scope of a request."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


def flags_of_scope(scope: Scope, settings: Settings | None = None) -> Flags:
    """The flags of a request or a WebSocket, by its scope. They are read once, and kept there."""
    found = scope.get(KEY)
    if isinstance(found, Flags):
        return found
    headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope.get("headers", ()))
    raw = scope.get("raw_path")
    raw = raw.decode("latin-1") if isinstance(raw, bytes) else None
    paths = readings_of(str(scope.get("path") or "/"), raw, root_of(scope))
    # A WebSocket begins as a GET.
    flags = (settings or of_process()).of_request(str(scope.get("method") or "GET"), paths, headers)
    scope[KEY] = flags
    return flags


def root_of(scope: Scope) -> str:
    """Where the server says that the app is. Starlette keeps it under another name for the parts of an app."""
    return str(scope.get("app_root_path", scope.get("root_path")) or "")


class FlagsMiddleware:
    """Reads the flags of each request: ``scope["flagstaff.flags"]``, and :func:`flagstaff.current` while it is answered."""

    def __init__(self, app: ASGIApp, settings: Settings | None = None) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope.get("type") not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        token = enter(flags_of_scope(scope, self.settings))
        try:
            await self.app(scope, receive, send)
        finally:
            leave(token)
