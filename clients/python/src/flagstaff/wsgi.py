"""Flags for any WSGI app: ``app = FlagsMiddleware(app)``, then :func:`flagstaff.current`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any

from .current import enter
from .flags import Flags
from .headers import readings_of
from .settings import Settings
from .settings import settings as of_process

KEY = "flagstaff.flags"
"""Where the flags stand in the environment of a request."""

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def flags_of_environ(environ: dict[str, Any], settings: Settings | None = None) -> Flags:
    """The flags of a request, by its WSGI environment. They are read once, and kept there."""
    found = environ.get(KEY)
    if isinstance(found, Flags):
        return found
    headers = ((key[5:], value) for key, value in environ.items() if key.startswith("HTTP_X_") and isinstance(value, str))
    root, rest = _text(environ.get("SCRIPT_NAME", "")), _text(environ.get("PATH_INFO", ""))
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    paths = readings_of(root + rest or "/", raw if isinstance(raw, str) else None, root)
    flags = (settings or of_process()).of_request(str(environ.get("REQUEST_METHOD", "GET")), paths, headers)
    environ[KEY] = flags
    return flags


def _text(said: object) -> str:
    """WSGI says bytes as Latin-1 (PEP 3333)."""
    with suppress(UnicodeError):
        return str(said).encode("latin-1").decode()
    return str(said)


class FlagsMiddleware:
    """Reads the flags of each request: ``environ["flagstaff.flags"]``, and :func:`flagstaff.current` while it is answered."""

    def __init__(self, app: WSGIApp, settings: Settings | None = None) -> None:
        self.app = app
        self.settings = settings

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers a request."""
        context = copy_context()
        context.run(enter, flags_of_environ(environ, self.settings))
        answer = context.run(self.app, environ, start_response)
        wrapper = environ.get("wsgi.file_wrapper")
        # A list is made already, and servers send files in their own way.
        if isinstance(answer, (list, tuple)) or (isinstance(wrapper, type) and isinstance(answer, wrapper)):
            return answer
        return _InContext(answer, context)


class _InContext:
    """An answer that is made bit by bit, with the flags of its request."""

    def __init__(self, answer: Iterable[bytes], context: Context) -> None:
        self._answer = answer
        self._context = context
        self._parts: Iterator[bytes] = context.run(iter, answer)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(next, self._parts)

    def close(self) -> None:
        close = getattr(self._answer, "close", None)
        if close is not None:
            self._context.run(close)
