"""Whom a flag is decided for."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum

from .undecided import Undecided

_PLAIN_PATH = re.compile(r"/(?:[^%\\;/.][^%\\;/]*(?:/(?![/.])|$))*")
_PLAIN_HOST = re.compile(r"[^:]*[^:.]")


class Nobody(Enum):
    """See :data:`NOBODY`."""

    NOBODY = "nobody"


NOBODY = Nobody.NOBODY
"""Nobody is logged in: for ``user``, where ``None`` means that it is not known who is."""


@dataclass(frozen=True)
class Subject:
    """All that a decision may look at. What is ``None`` is not known."""

    user: str | Nobody | None = None
    groups: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    visitor: str | None = None
    session: str | None = None
    language: str | None = None
    country: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    remembered: Mapping[str, str] | None = None
    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    request: str = field(default_factory=lambda: secrets.token_hex(16))

    def person(self) -> str | None:
        """The user's id; ``None`` where nobody is logged in."""
        if self.user is None:
            raise Undecided("it is not known which user this is")
        return None if isinstance(self.user, Nobody) else self.user

    def of_person(self, what: str) -> tuple[str, ...]:
        """The user's ``groups`` or ``roles``."""
        if self.user is NOBODY:
            return ()
        found = self.groups if what == "groups" else self.roles
        if found is None:
            raise Undecided(f"the {what} of the user are not known")
        return found

    def values(self, key: str) -> tuple[str, ...]:
        """The values that a condition with this key looks at."""
        if key == "user":
            person = self.person()
            return () if person is None else (person,)
        if key in ("group", "role"):
            return self.of_person(key + "s")
        known = {"language": self.language, "country": self.country}.get(key)
        known = self.attributes.get(key) if known is None else known
        if known is None:
            raise Undecided(f"the {key} is not known")
        if (key == "path" and not _PLAIN_PATH.fullmatch(known)) or (key == "host" and not _PLAIN_HOST.fullmatch(known)):
            raise Undecided(f"the {key} can be read in more than one way")
        return (known,)

    def unit(self, bucket_by: str) -> str | None:
        """The id that is hashed; ``None`` where there is none."""
        if bucket_by == "user":
            return self.person()
        if bucket_by == "request":
            return self.request
        found = {"visitor": self.visitor, "session": self.session}.get(bucket_by)
        found = self.attributes.get(bucket_by) if found is None else found
        if found is None:
            raise Undecided(f"the {bucket_by} is not known")
        return found
