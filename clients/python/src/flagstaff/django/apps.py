"""The app: ``"flagstaff.django"`` in ``INSTALLED_APPS``."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import setting_changed

from . import conf, identify


class FlagstaffConfig(AppConfig):
    """Reads ``FLAGSTAFF`` when Django starts."""

    name = "flagstaff.django"
    label = "flagstaff"
    verbose_name = "Flagstaff"

    def ready(self) -> None:
        """Reads the settings, and again where a test changes them."""
        conf.load()
        identify.listen()
        setting_changed.connect(conf.changed, dispatch_uid="flagstaff")
