"""Flags for Flask: ``FlagsExtension(app)``, then ``g.flags``, and ``flags`` in templates."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, has_request_context, request

from .current import current
from .flags import Flags
from .settings import Settings
from .wsgi import FlagsMiddleware, flags_of_environ


class FlagsExtension:
    """Gives each request its flags."""

    def __init__(self, app: Flask | None = None, settings: Settings | None = None) -> None:
        self.settings = settings
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Joins an app that was made without it."""
        app.extensions["flagstaff"] = self
        app.wsgi_app = FlagsMiddleware(app.wsgi_app, self.settings)  # type: ignore[method-assign]
        app.before_request(self._before_request)
        app.context_processor(self._in_templates)

    def _before_request(self) -> None:
        g.flags = flags_of_environ(request.environ, self.settings)

    def _in_templates(self) -> dict[str, Any]:
        return {"flags": self._flags()}

    def _flags(self) -> Flags:
        return flags_of_environ(request.environ, self.settings) if has_request_context() else current()
