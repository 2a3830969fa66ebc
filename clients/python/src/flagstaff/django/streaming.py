"""Answers that are made bit by bit, with the flags of their request: Django makes the bits when the middleware has ended."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from django.http.response import HttpResponseBase

from ..current import enter, leave
from ..flags import Flags


def keep(response: HttpResponseBase, flags: Flags) -> HttpResponseBase:
    """Has these be the current flags also while the content of an answer is made, and while it is closed."""
    # Servers send files in their own way.
    if not response.streaming or getattr(response, "file_to_stream", None) is not None:
        return response
    streamed: Any = response
    closers = getattr(streamed, "_resource_closers", [])
    closers[:] = [_closing(close, flags) for close in closers]
    content = streamed.streaming_content
    streamed.streaming_content = _later(content, flags) if hasattr(content, "__aiter__") else _parts(content, flags)
    return response


def _parts(content: Iterable[bytes], flags: Flags) -> Iterator[bytes]:
    parts = iter(content)
    while True:
        token = enter(flags)
        try:
            part = next(parts)
        except StopIteration:
            return
        finally:
            leave(token)
        yield part


async def _later(content: AsyncIterable[bytes], flags: Flags) -> AsyncIterator[bytes]:
    parts = aiter(content)
    while True:
        token = enter(flags)
        try:
            part = await anext(parts)
        except StopAsyncIteration:
            return
        finally:
            leave(token)
        yield part


def _closing(close: Callable[[], object], flags: Flags) -> Callable[[], None]:
    def closed() -> None:
        token = enter(flags)
        try:
            close()
        finally:
            leave(token)

    return closed
