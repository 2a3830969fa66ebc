"""Tells the proxy which user this is: ``FLAGSTAFF = {"IDENTIFY": True}``."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..once import warn_once
from .active import known_groups, known_roles

HEADER = "X-Flag-Identify"
NOBODY = "none"
# Signs that mean nothing in a list of a header.
_TOKEN = re.compile(r"[\w.@+:/-]+", re.ASCII)
_LOGGED_OUT = "_flagstaff_logged_out"
_MOST = 64
_LONGEST = 256


def listen() -> None:
    """Notices who logs out."""
    user_logged_out.connect(_note_logout, dispatch_uid="flagstaff")


def _note_logout(*, request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        setattr(request, _LOGGED_OUT, True)


def looked_up(request: HttpRequest) -> Any:
    """The user that this request has looked up already; nobody is looked up for us."""
    kept = vars(request)
    # Login and logout put a user in the place of the one that was looked up.
    return _plain(kept.get("user")) or kept.get("_cached_user") or kept.get("_acached_user")


def _plain(user: Any) -> Any:
    """A user that is one; a lazy one that nobody asked for yet is none."""
    return user if type(user).__name__ != "SimpleLazyObject" else None


def tell(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Answers who this is, where the request knows it. An app that says it itself is left alone."""
    if response.has_header(HEADER):
        return response
    user = looked_up(request)
    if user is not None and getattr(user, "is_authenticated", False):
        response[HEADER] = line(str(user.pk), known_groups(user), known_roles(user))
    elif getattr(request, _LOGGED_OUT, False):
        response[HEADER] = NOBODY
    return response


def line(user: str, groups: list[str], roles: list[str]) -> str:
    """``42; groups="beta, vip"; roles="staff"``, as docs/headers.md has it.

    A header has no way to say an id beyond ASCII that every server keeps. The proxy would refuse it, or take it for another. Such
    a person is nobody, so that nobody else's flags stay.
    """
    if not _is_plain(user):
        warn_once("identify", "the proxy is not told of users whose ids are beyond ASCII, empty, not printable or too long")
        return NOBODY
    said = [user if _TOKEN.fullmatch(user) and user.lower() != NOBODY else quoted(user)]
    for name, values in (("groups", groups), ("roles", roles)):
        # A name with a comma would be two.
        fit = [value for value in values if "," not in value and _is_plain(value)][:_MOST]
        if fit:
            said.append(f"{name}={quoted(', '.join(fit))}")
    return "; ".join(said)


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable()


def quoted(text: str) -> str:
    """A text in quotes (RFC 9651, 3.3.3)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
