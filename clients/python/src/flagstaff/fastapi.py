"""Flags for FastAPI, and for Starlette: ``def page(flags: RequestFlags): …``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from .asgi import FlagsMiddleware, flags_of_scope
from .flags import Flags

__all__ = ["FlagsMiddleware", "RequestFlags", "request_flags"]


async def request_flags(connection: HTTPConnection) -> Flags:
    """The flags of a request or a WebSocket: a dependency. It needs no middleware."""
    return flags_of_scope(connection.scope)


RequestFlags = Annotated[Flags, Depends(request_flags)]
"""An argument of this type is the flags of the request."""
