"""Class-based views that are there only for those who have a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest

from .active import flag_is_active, sample_is_active, switch_is_active
from .decorators import said


class BaseWaffleMixin:
    """What the mixins share. A view may override both methods."""

    def validate_waffle(self, waffle: str, func: Callable[[str], bool]) -> bool:
        """Whether the view is there: ``"!name"`` means while the flag is off."""
        return said(waffle, func)

    def invalid_waffle(self) -> Any:
        """What is answered instead."""
        raise Http404("Inactive flag")

    def _checked(self, word: str, func: Callable[[str], bool]) -> bool:
        name = getattr(self, word, None)
        if not name:
            raise ImproperlyConfigured(f"{type(self).__name__} needs `{word}`, the name that it asks for")
        return self.validate_waffle(name, func)


class WaffleFlagMixin(BaseWaffleMixin):
    """A 404 while the flag is off."""

    waffle_flag: str | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answers a request, or not."""
        if not self._checked("waffle_flag", lambda name: flag_is_active(request, name)):
            return self.invalid_waffle()
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class WaffleSwitchMixin(BaseWaffleMixin):
    """A 404 while the switch is off."""

    waffle_switch: str | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answers a request, or not."""
        if not self._checked("waffle_switch", switch_is_active):
            return self.invalid_waffle()
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class WaffleSampleMixin(BaseWaffleMixin):
    """A 404 while the sample is off."""

    waffle_sample: str | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answers a request, or not."""
        if not self._checked("waffle_sample", sample_is_active):
            return self.invalid_waffle()
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
