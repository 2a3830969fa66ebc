"""Flagstaff for Django: the functions, tags, decorators, mixins and test helpers of django-waffle, by the same names."""

from __future__ import annotations

from .active import flag_is_active, flags_for, flags_of, sample_is_active, switch_is_active

__all__ = ["flag_is_active", "flags_for", "flags_of", "sample_is_active", "switch_is_active"]
