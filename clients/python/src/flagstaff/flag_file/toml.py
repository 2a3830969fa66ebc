"""TOML: Python reads it since 3.11; before, the package tomli does."""

from __future__ import annotations

from importlib import import_module
from typing import Any

TomlError = ValueError
"""What both raise is one of these."""


def loads(text: str) -> dict[str, Any]:
    """Reads a document. Raises :data:`TomlError`."""
    for module in ("tomllib", "tomli"):
        try:
            reader = import_module(module)
        except ImportError:
            continue
        document: dict[str, Any] = reader.loads(text.removeprefix("\ufeff"))
        return document
    raise TomlError("Python 3.10 needs the package tomli to read a flag file: pip install 'flagstaff[toml]'")
