"""Flagstaff for Python: the flags of a request, as the proxy decided them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from .current import current
from .flag_file import NOBODY, FlagFile, FlagFileError, Nobody
from .flags import Flags, Source, Variant
from .settings import Settings, configure, settings
from .testing import override

__version__ = "0.1.0"

__all__ = [
    "NOBODY",
    "FlagFile",
    "FlagFileError",
    "Flags",
    "Nobody",
    "Settings",
    "Source",
    "Variant",
    "configure",
    "current",
    "flags_for",
    "override",
    "settings",
]


def flags_for(
    user: str | int | Nobody | None = None,
    *,
    visitor: str | None = None,
    session: str | None = None,
    groups: Iterable[str] | None = None,
    roles: Iterable[str] | None = None,
    language: str | None = None,
    country: str | None = None,
    attributes: Mapping[str, object] | None = None,
    remembered: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Flags:
    """The flags of a person where there is no request, from the flag file of :func:`configure`.

    What is not given is not known, which is not the same as missing: a flag that depends on it has its default, and
    ``flags.undecided`` says why. :data:`NOBODY` as the user means that nobody is logged in.
    """
    spoken = settings()
    if spoken.file is None:
        return Flags(defaults=spoken.defaults, names=spoken.names)
    return spoken.file.flags_for(
        user,
        visitor=visitor,
        session=session,
        groups=groups,
        roles=roles,
        language=language,
        country=country,
        attributes=attributes,
        remembered=remembered,
        now=now,
        defaults=spoken.defaults,
        names=spoken.names,
    )
