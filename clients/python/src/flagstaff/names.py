"""Names of flags, and what they are called in headers."""

from __future__ import annotations

import re
from collections.abc import Mapping

FLAG_PREFIX = "x-flag-"
LONGEST_NAME = 64

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def is_name(text: str) -> bool:
    """Whether this can be the name of a flag: snake_case, a letter first, at most 64 characters."""
    return _NAME.fullmatch(text) is not None


def header_name(flag: str) -> str:
    """The header of a flag: ``new_form`` is ``X-Flag-New-Form``."""
    return "X-Flag-" + "-".join(part.capitalize() for part in flag.split("_"))


def name_of_header(header: str) -> str | None:
    """The flag that a header is of, in any case and with ``_`` for ``-``; ``None`` for other headers."""
    plain = header.lower().replace("_", "-")
    if not plain.startswith(FLAG_PREFIX):
        return None
    name = plain[len(FLAG_PREFIX) :].replace("-", "_")
    return name if is_name(name) else None


def snake_case(text: str) -> str:
    """The nearest name of a flag: ``ShowNew-Form`` becomes ``show_new_form``, as ``flagstaff check`` suggests it."""
    out: list[str] = []
    after_lower = False
    for char in text:
        if "A" <= char <= "Z" and after_lower:
            out.append("_")
        after_lower = "a" <= char <= "z" or "0" <= char <= "9"
        lower = char.lower() if char.isascii() else char
        if "a" <= lower <= "z" or "0" <= lower <= "9":
            out.append(lower)
        elif not out or out[-1] != "_":
            out.append("_")
    return re.sub("^[^a-z]+", "", "".join(out).strip("_"))[:LONGEST_NAME]


def resolve(name: str, names: Mapping[str, str]) -> str:
    """The name of the flag itself, where an app may call it otherwise."""
    return names.get(name) or snake_case(name)
