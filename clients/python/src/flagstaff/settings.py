"""How an app reads its flags."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import signature
from .flag_file import FlagFile
from .flags import Flags, Source
from .headers import RequestHeaders, read_dictionary
from .once import warn_once

_SHORTEST_KEY = 32


@dataclass(frozen=True)
class Settings:
    """How an app reads its flags. :func:`configure` makes one for the whole process."""

    keys: tuple[bytes, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    file: FlagFile | None = None
    tolerance: float = 60.0

    @classmethod
    def of(
        cls,
        *,
        keys: Sequence[str | bytes] | str | bytes = (),
        defaults: Mapping[str, str | bool] | None = None,
        names: Mapping[str, str] | None = None,
        flags: FlagFile | str | os.PathLike[str] | None = None,
        environment: str | None = None,
        tolerance: float = 60.0,
    ) -> Settings:
        """Checks what an app says.

        - ``keys``: accept only requests with a good ``X-Flags-Signature``, made with one of these keys (``FLAGSTAFF_KEYS``).
        - ``defaults``: the variants of flags where no headers came, ``True`` for ``on``.
        - ``names``: flags that the app calls otherwise, ``{"my.Flag": "my_flag"}``.
        - ``flags``: the flag file, for :func:`flags_for`; ``environment`` lays the file of that environment over it.
        - ``tolerance``: how many seconds a signature may be old.
        """
        file = flags if flags is None or isinstance(flags, FlagFile) else FlagFile(Path(flags), environment)
        spoken = {name: ("on" if v else "off") if isinstance(v, bool) else v for name, v in (defaults or {}).items()}
        return cls(tuple(_keys(keys)), spoken, dict(names or {}), file, tolerance)

    def of_request(self, method: str, paths: Iterable[str], headers: Iterable[tuple[str, str]]) -> Flags:
        """The flags of a request. Nothing in it makes this fail: what cannot be believed is passed over."""
        ours = RequestHeaders(headers)
        names = self.known_names()
        compact = read_dictionary(ours.flags or "")
        if self.keys:
            wrong = signature.problem(
                ours.signature,
                keys=self.keys,
                visitor=ours.visitor,
                flags=ours.flags or "",
                method=method,
                paths=paths,
                tolerance=self.tolerance,
            )
            if wrong is not None:
                # How old it is does not make it another kind.
                warn_once("signature: " + re.sub("[0-9]+", "", wrong), "flags have their defaults: %s", wrong)
                return Flags(defaults=self.defaults, names=names)
            # Only X-Flags is signed.
            return self._told(compact, compact, ours.visitor, names)
        # Flagstaff says always who the visitor is, also when every flag is off.
        told = None if ours.visitor is None else compact
        return self._told({**ours.each, **(compact or {})}, told, ours.visitor, names)

    def _told(
        self,
        variants: Mapping[str, str] | None,
        compact: Mapping[str, str] | None,
        visitor: str | None,
        names: Mapping[str, str],
    ) -> Flags:
        """These flags. All others are off where everything was told and understood, and else they have their defaults."""
        source = Source.DEFAULTS if compact is None else Source.HEADERS
        return Flags(variants, source=source, visitor=visitor, defaults=self.defaults, names=names)

    def known_names(self) -> Mapping[str, str]:
        """The flags that an app calls otherwise: by these settings, or by ``waffle_name`` in the flag file."""
        return self.names if self.file is None else {**self.file.waffle_names(), **self.names}


def _keys(keys: Sequence[str | bytes] | str | bytes) -> Iterable[bytes]:
    if isinstance(keys, (str, bytes)):
        keys = keys.split(",") if isinstance(keys, str) else keys.split(b",")
    plain_keys = [(key.encode() if isinstance(key, str) else key).strip() for key in keys]
    # What is empty between commas is no key for the program either.
    there = [plain for plain in plain_keys if plain]
    if plain_keys and not there:
        raise ValueError(f"`keys` has no key of at least {_SHORTEST_KEY} bytes: leave it out to believe every header")
    for plain in there:
        if len(plain) < _SHORTEST_KEY:
            raise ValueError(f"a key of Flagstaff has at least {_SHORTEST_KEY} bytes, and this one has {len(plain)}")
        yield plain


_settings = Settings()


def configure(
    *,
    keys: Sequence[str | bytes] | str | bytes = (),
    defaults: Mapping[str, str | bool] | None = None,
    names: Mapping[str, str] | None = None,
    flags: FlagFile | str | os.PathLike[str] | None = None,
    environment: str | None = None,
    tolerance: float = 60.0,
) -> Settings:
    """Says for this process how flags are read; :meth:`Settings.of` has the words. Call it once, where the app is made."""
    return use(Settings.of(keys=keys, defaults=defaults, names=names, flags=flags, environment=environment, tolerance=tolerance))


def use(settings: Settings) -> Settings:
    """Makes these the settings of the process."""
    global _settings
    _settings = settings
    return settings


def settings() -> Settings:
    """How flags are read in this process."""
    return _settings
