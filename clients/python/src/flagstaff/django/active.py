"""Which flags are on: for a request, for a person, for everybody."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest

import flagstaff

from .. import testing
from ..asgi import root_of
from ..current import current, current_or_none
from ..flag_file import NOBODY, Nobody
from ..flags import OFF, ON, Flags
from ..headers import readings_of
from ..settings import settings
from . import conf

_KEPT = "_flagstaff_flags"


def flags_of(request: HttpRequest) -> Flags:
    """The flags of a request. They are read once; the middleware is not needed for it."""
    found = getattr(request, _KEPT, None)
    if isinstance(found, Flags):
        return found
    meta = request.META
    headers = ((key[5:], value) for key, value in meta.items() if key.startswith("HTTP_X_") and isinstance(value, str))
    # FORCE_SCRIPT_NAME may say another root than the server.
    roots = (str(meta.get("SCRIPT_NAME") or ""), root_of(getattr(request, "scope", {})))
    paths = readings_of(request.path, _raw_path(request), *roots)
    flags = settings().of_request(request.method or "GET", paths, headers)
    setattr(request, _KEPT, flags)
    return flags


def _raw_path(request: HttpRequest) -> str | None:
    """The path as it was asked for, where the server says it."""
    raw: Any = request.META.get("REQUEST_URI") or request.META.get("RAW_URI")
    raw = raw or getattr(request, "scope", {}).get("raw_path")
    return raw.decode("latin-1") if isinstance(raw, bytes) else raw


def flag_is_active(request: HttpRequest | None, flag_name: str, read_only: bool = False) -> bool:
    """Whether a flag is anything but off for this request. ``read_only`` changes nothing: nothing is written here."""
    flags = current() if request is None else flags_of(request)
    if flags.is_forced(flag_name) or flags.knows(flag_name):
        return flags.is_on(flag_name)
    return flags.variant(flag_name, ON if conf.default("flag") else None) != OFF


def switch_is_active(switch_name: str) -> bool:
    """Whether a switch is on: a flag that is the same for everybody, so it needs no request."""
    return _without_request("switch", switch_name) != OFF


def sample_is_active(sample_name: str) -> bool:
    """Whether a sample is on: a flag with ``bucket_by = "request"``. In one request it stays the same."""
    variant = _without_request("sample", sample_name)
    try:
        share = float(variant)
    except ValueError:
        return variant != OFF
    return random.uniform(0, 100) < share  # noqa: S311  (a test asked for a share)


def _without_request(kind: str, name: str) -> str:
    forced = testing.forced(kind, name, settings().known_names())
    if forced is not None:
        return forced
    flags = current_or_none()
    if flags is None or not flags.knows(name):
        flags = flagstaff.flags_for()
    return flags.decided(name, ON if conf.default(kind) and not flags.knows(name) else None)


def flags_for(
    user: Any = None,
    *,
    visitor: str | None = None,
    session: str | None = None,
    roles: list[str] | None = None,
    language: str | None = None,
    country: str | None = None,
    attributes: Mapping[str, object] | None = None,
    remembered: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Flags:
    """The flags of a user of Django where there is no request, as :func:`flagstaff.flags_for` says.

    The user's id is the primary key, and the groups are the names of Django's groups. Without ``roles``, they are ``staff`` and
    ``superuser`` for those who are. An ``AnonymousUser`` is nobody; ``None`` means that it is not known who it is.
    """
    person, groups = _person(user)
    if roles is None and isinstance(person, str) and not isinstance(user, (str, int)):
        roles = known_roles(user)
    return flagstaff.flags_for(
        person,
        visitor=visitor,
        session=session,
        groups=groups,
        roles=roles,
        language=language,
        country=country,
        attributes=attributes,
        remembered=remembered,
        now=now,
    )


def _person(user: Any) -> tuple[str | Nobody | None, list[str] | None]:
    if user is None or isinstance(user, (str, int, Nobody)):
        return (str(user) if isinstance(user, (str, int)) else user), None
    if not getattr(user, "is_authenticated", True):
        return NOBODY, None
    return str(user.pk), known_groups(user)


def known_groups(user: Any) -> list[str]:
    """The names of a user's groups."""
    groups = getattr(user, "groups", None)
    return [] if groups is None else list(groups.values_list("name", flat=True))


def known_roles(user: Any) -> list[str]:
    """``staff`` and ``superuser``, for users who are."""
    named = {"staff": "is_staff", "superuser": "is_superuser"}
    return [role for role, attribute in named.items() if getattr(user, attribute, False)]
