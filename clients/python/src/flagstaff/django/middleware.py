"""The middleware: ``request.flags``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import Token
from inspect import iscoroutinefunction
from typing import cast

from asgiref.sync import markcoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..current import enter, leave
from ..flags import Flags
from . import conf
from .active import flags_of
from .identify import tell
from .streaming import keep

Next = Callable[[HttpRequest], HttpResponseBase]
AsyncNext = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class FlagsMiddleware:
    """Gives each request its flags: ``request.flags``, and :func:`flagstaff.current` while it is answered."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Next | AsyncNext) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answers a request."""
        if self._is_async:
            return self._answer(request)
        token = self._begin(request)
        try:
            response = keep(cast(Next, self.get_response)(request), flags_of(request))
            return tell(request, response) if conf.identifies() else response
        finally:
            leave(token)

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        token = self._begin(request)
        try:
            response = keep(await cast(AsyncNext, self.get_response)(request), flags_of(request))
            return await sync_to_async(tell)(request, response) if conf.identifies() else response
        finally:
            leave(token)

    def _begin(self, request: HttpRequest) -> Token[Flags | None]:
        flags = flags_of(request)
        request.flags = flags  # type: ignore[attr-defined]
        return enter(flags)


class WaffleMiddleware(FlagsMiddleware):
    """The same by django-waffle's name."""
