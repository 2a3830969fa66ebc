"""From the headers of a request to its flags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from .names import is_name, name_of_header
from .once import warn_once

_LONGEST = 256 * 1024
_MEMBER = re.compile(r'([a-z][a-z0-9_]*)=(?:([A-Za-z][A-Za-z0-9_.-]*)|"([A-Za-z0-9_.-]*)")')
# What RFC 3986 lets stand in a path, beside letters and digits.
_PLAIN_IN_PATH = "/:@!$&'()*+,;=-._~"


class RequestHeaders:
    """The headers of one request that are ours."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        self.each: dict[str, str] = {}
        self.flags: str | None = None
        self.visitor: str | None = None
        self.signature: str | None = None
        for name, value in headers:
            self._take(name.lower().replace("_", "-"), value.strip())

    def _take(self, name: str, value: str) -> None:
        if name == "x-flags":
            # Two fields of one name are one list (RFC 9110, 5.3).
            self.flags = value if self.flags is None else f"{self.flags}, {value}"
        elif name == "x-visitor-id":
            self.visitor = value
        elif name == "x-flags-signature":
            self.signature = value
        else:
            flag = name_of_header(name)
            if flag is not None:
                self.each[flag] = value


def read_dictionary(text: str) -> dict[str, str] | None:
    """The flags in ``X-Flags``: a dictionary of RFC 9651. One that is not understood completely says nothing: ``None``."""
    flags: dict[str, str] = {}
    for member in text[: _LONGEST + 1].split(",") if text else ():
        found = _MEMBER.fullmatch(member.strip(" \t"))
        if found is None or not is_name(found[1]) or len(text) > _LONGEST:
            warn_once("x-flags", "X-Flags cannot be read, and is passed over: %r", text[:200])
            return None
        flags[found[1]] = found[3] if found[2] is None else found[2]
    return flags


def readings_of(path: str, raw: str | None, *roots: str) -> list[str]:
    """The ways in which a path may have been written: as the server says that it was, escaped as browsers do it, and plain.

    ``roots`` are where the server says that the app is (``root_path``, ``SCRIPT_NAME``). Servers put it before the path
    although nobody asked for it there. So each way may also have been written without.
    """
    readings = [] if raw is None else [without_query(raw)]
    readings += [quote(path, safe=_PLAIN_IN_PATH), path]
    starts = {start for root in roots for start in (root, root.rstrip("/"), quote(root, safe=_PLAIN_IN_PATH)) if start}
    shorter = [r[len(start) :] for start in sorted(starts) for r in readings if r.startswith(start)]
    return list(dict.fromkeys([*readings, *(rest for rest in shorter if rest.startswith("/"))]))


def without_query(target: str) -> str:
    """The path of a request's target, which may be a whole address."""
    if not target.startswith("/") and "://" in target:
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    return target.split("?", 1)[0].split("#", 1)[0]
