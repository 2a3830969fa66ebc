"""``flags`` in every template."""

from __future__ import annotations

from django.http import HttpRequest

from ..flags import Flags
from .active import flags_of


def flags(request: HttpRequest) -> dict[str, Flags]:
    """``{% if flags.new_form %}``."""
    return {"flags": flags_of(request)}
