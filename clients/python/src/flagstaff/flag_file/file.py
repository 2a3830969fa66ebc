"""The flag file, and its flags for people without a request."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..flags import Flags, Source
from ..once import logger
from .decide import Document
from .matching import word
from .subject import Nobody, Subject
from .toml import TomlError, loads

PIN = "FLAGSTAFF_FLAG_"
LARGEST = 4 * 1024 * 1024
# A file is looked at again after so many seconds.
LOOK_AGAIN = 1.0


class FlagFileError(Exception):
    """A flag file that cannot be read. ``flagstaff check`` says more about mistakes in it."""


class FlagFile:
    """A flag file, for background jobs and commands. It is read again when it changes; a bad file changes nothing."""

    def __init__(self, path: str | os.PathLike[str], environment: str | None = None) -> None:
        """Reads a file, and with an environment ``flags.ENVIRONMENT.toml`` beside it, laid over it key by key.

        Raises :class:`FlagFileError` when that cannot be done.
        """
        self.path = Path(path)
        self.overlay = None if environment is None else self.path.with_suffix(f".{environment}{self.path.suffix}")
        self._lock = threading.Lock()
        self._seen = self._state()
        self._looked = time.monotonic()
        self._document = self._read()

    def flags_for(
        self,
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
        defaults: Mapping[str, str] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> Flags:
        """The flags of a person, as far as the file alone can say. :func:`flagstaff.flags_for` has the words."""
        subject = Subject(
            user=user if user is None or isinstance(user, Nobody) else str(user),
            groups=None if groups is None else tuple(groups),
            roles=None if roles is None else tuple(roles),
            visitor=visitor,
            session=session,
            language=language,
            country=country,
            attributes={_key(key): word(value) for key, value in (attributes or {}).items()},
            remembered=remembered,
            now=_aware(now),
        )
        document = self.document()
        variants, undecided = document.decide(subject)
        return Flags(
            variants,
            source=Source.FILE,
            visitor=visitor,
            defaults=defaults,
            undecided=undecided,
            names={**document.waffle_names, **(names or {})},
        )

    def waffle_names(self) -> Mapping[str, str]:
        """The flags that have another name in django-waffle."""
        return self.document().waffle_names

    def names(self) -> list[str]:
        """The names of all flags."""
        return list(self.document().flags)

    def document(self) -> Document:
        """What the file says now; what it said before, where it cannot be read."""
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_AGAIN:
                self._looked = time.monotonic()
                self._look()
            return self._document

    def _look(self) -> None:
        state = self._state()
        if state == self._seen:
            return
        try:
            self._document = self._read()
        except FlagFileError as error:
            logger.warning("the flags stay as they were: %s", error)
        self._seen = state

    def _state(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_state_of(path) for path in (self.path, self.overlay) if path is not None)

    def _read(self) -> Document:
        tables = _tables(self.path)
        if self.overlay is not None and self.overlay.exists():
            lay_over(tables, _tables(self.overlay))
        pins = {k[len(PIN) :].lower(): v for k, v in os.environ.items() if k.startswith(PIN)}
        try:
            return Document(tables, pins)
        except (TypeError, AttributeError, ValueError) as error:
            raise FlagFileError(f"{self.path} is not a flag file ({error}): ask `flagstaff check`") from error


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _tables(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise FlagFileError(f"{path} is larger than {LARGEST} bytes")
        return loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, TomlError, RecursionError) as error:
        raise FlagFileError(f"{path} cannot be read: {error}") from error


def lay_over(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Lays one document over another, key by key: tables are joined, everything else is replaced."""
    for key, value in above.items():
        there = below.get(key)
        if isinstance(there, dict) and isinstance(value, dict):
            lay_over(there, value)
        else:
            below[key] = value


def _key(key: str) -> str:
    return key.lower() if key.lower().startswith("header.") else key


def _aware(now: datetime | None) -> datetime:
    if now is None:
        return datetime.now(timezone.utc)
    if now.tzinfo is None:
        raise ValueError("`now` needs its offset from UTC, such as datetime.now(timezone.utc)")
    return now
