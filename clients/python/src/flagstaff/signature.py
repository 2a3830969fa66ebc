"""The signature of what Flagstaff tells an app (``X-Flags-Signature``)."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Sequence

_SIGNATURE = re.compile(r"t=([0-9]{1,15}), v1=([0-9a-f]{64})")
MOST_READINGS = 12


def problem(
    signature: str | None,
    *,
    keys: Sequence[bytes],
    visitor: str | None,
    flags: str,
    method: str,
    paths: Iterable[str],
    tolerance: float,
    now: float | None = None,
) -> str | None:
    """What is wrong with a signature; ``None`` when one of the keys made it for this request, not long ago.

    Servers hand a path on in more than one way, decoded or not, so several readings of it can be given: one must fit.
    """
    if not signature:
        return "the request has no X-Flags-Signature"
    found = _SIGNATURE.fullmatch(signature)
    if found is None:
        return "X-Flags-Signature cannot be read"
    t, v1 = found.groups()
    for path in list(dict.fromkeys(paths))[:MOST_READINGS]:
        text = "\n".join([t, visitor or "", flags, method, path]).encode("utf-8", "surrogateescape")
        if any(hmac.compare_digest(v1, hmac.new(key, text, hashlib.sha256).hexdigest()) for key in keys):
            break
    else:
        return "X-Flags-Signature was not made for this request with one of the keys"
    age = (time.time() if now is None else now) - int(t)
    if abs(age) > tolerance:
        return f"X-Flags-Signature is {age:.0f} seconds old"
    return None
