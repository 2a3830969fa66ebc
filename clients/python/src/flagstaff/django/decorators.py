"""Views that are there only for those who have a flag."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse

from .active import flag_is_active, switch_is_active

_View = TypeVar("_View", bound=Callable[..., Any])
RedirectTo = Callable[..., Any] | str | None


def waffle_flag(flag_name: str, redirect_to: RedirectTo = None) -> Callable[[_View], _View]:
    """The view is a 404 while the flag is off, or a redirect. ``"!name"`` means while it is on."""
    return _guarded(redirect_to, lambda request: said(flag_name, lambda name: flag_is_active(request, name)))


def waffle_switch(switch_name: str, redirect_to: RedirectTo = None) -> Callable[[_View], _View]:
    """The view is a 404 while the switch is off, or a redirect. ``"!name"`` means while it is on."""
    return _guarded(redirect_to, lambda _: said(switch_name, switch_is_active))


def said(name: str, is_active: Callable[[str], bool]) -> bool:
    """Whether a flag is as wanted: on, or off where its name begins with ``!``."""
    return not is_active(name[1:]) if name.startswith("!") else is_active(name)


def _guarded(redirect_to: RedirectTo, is_there: Callable[[HttpRequest], bool]) -> Callable[[_View], _View]:
    def decorator(view: _View) -> _View:
        if iscoroutinefunction(view):

            @wraps(view)
            async def awaited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                return await view(request, *args, **kwargs) if is_there(request) else _instead(redirect_to, args, kwargs)

            return cast(_View, awaited)

        @wraps(view)
        def called(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return view(request, *args, **kwargs) if is_there(request) else _instead(redirect_to, args, kwargs)

        return cast(_View, called)

    return decorator


def _instead(redirect_to: RedirectTo, args: tuple[Any, ...], kwargs: dict[str, Any]) -> HttpResponseBase:
    """The redirect, with the arguments of the view; a 404 where none is wanted or none fits."""
    if redirect_to:
        try:
            return redirect(reverse(redirect_to, args=args, kwargs=kwargs))
        except NoReverseMatch:
            pass
    raise Http404("Inactive flag")
