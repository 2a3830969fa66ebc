"""How a Django project reads its flags: ``FLAGSTAFF = {…}`` in its settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from ..flag_file import FlagFileError
from ..settings import Settings, settings, use

_KEYS = {
    "KEYS": "keys",
    "DEFAULTS": "defaults",
    "NAMES": "names",
    "FLAGS": "flags",
    "ENVIRONMENT": "environment",
    "TOLERANCE": "tolerance",
}

_IDENTIFY = "IDENTIFY"


def load() -> Settings:
    """Reads ``FLAGSTAFF``. A mistake in it is told at once."""
    spoken: Any = getattr(django_settings, "FLAGSTAFF", None)
    if spoken is None:
        return settings()
    known = [*_KEYS, _IDENTIFY]
    unknown = sorted(set(spoken) - set(known))
    if unknown:
        raise ImproperlyConfigured(f"FLAGSTAFF has no key {unknown[0]!r}; it has {', '.join(known)}")
    try:
        return use(Settings.of(**{word: spoken[key] for key, word in _KEYS.items() if key in spoken}))
    except (ValueError, TypeError, AttributeError, FlagFileError) as error:
        raise ImproperlyConfigured(f"FLAGSTAFF: {error}") from error


def changed(*, setting: str, value: Any = None, **_: Any) -> None:
    """A test changed the settings (``override_settings``)."""
    if setting == "FLAGSTAFF":
        if value is None:
            use(Settings())
        load()


def identifies() -> bool:
    """Whether the proxy is told which user this is."""
    return bool((getattr(django_settings, "FLAGSTAFF", None) or {}).get(_IDENTIFY, False))


def default(kind: str) -> bool:
    """What a flag, switch or sample is that is not known here: ``WAFFLE_FLAG_DEFAULT`` and the like, as in django-waffle."""
    return bool(getattr(django_settings, f"WAFFLE_{kind.upper()}_DEFAULT", False))
