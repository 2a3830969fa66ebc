"""Views of Django REST framework that are there only for those who have a flag."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from .active import flag_is_active
from .decorators import said


class FlagPermission(BasePermission):
    """Refuses (403) while the flag that the view names in ``waffle_flag`` is off. ``"!name"`` means while it is on."""

    flag_name: str | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the flag is as wanted."""
        name = self.flag_name or getattr(view, "waffle_flag", None)
        if not name:
            raise ImproperlyConfigured(f"{type(view).__name__} needs `waffle_flag`, the flag that FlagPermission asks for")
        return said(name, lambda flag: flag_is_active(request._request, flag))


def flag_permission(name: str) -> type[FlagPermission]:
    """A permission for one flag: ``permission_classes = [flag_permission("new_api")]``."""
    return type("FlagPermission", (FlagPermission,), {"flag_name": name})
