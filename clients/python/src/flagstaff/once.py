"""What is said once in the log, and not with every request."""

from __future__ import annotations

import logging
import threading

logger = logging.getLogger("flagstaff")

_MOST_KINDS = 1000
_lock = threading.Lock()
_said: set[str] = set()


def warn_once(kind: str, message: str, *arguments: object) -> None:
    """Warns, the first time that something of this kind happens in this process."""
    with _lock:
        if kind in _said or len(_said) >= _MOST_KINDS:
            return
        _said.add(kind)
    logger.warning(message, *arguments)


def forget() -> None:
    """Lets everything be said again: for tests."""
    with _lock:
        _said.clear()
