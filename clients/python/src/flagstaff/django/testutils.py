"""Flags as a test wants them: ``@override_flag("new_form", active=True)``, for a function, a test class, or a block."""

from __future__ import annotations

from collections.abc import Callable

from django.test.utils import TestContextDecorator

from .. import testing

__all__ = ["override_flag", "override_sample", "override_switch"]


class _Override(TestContextDecorator):
    kind = "flag"

    def __init__(self, name: str, active: bool | str | float | None) -> None:
        super().__init__()
        self.name = name
        self.active = active
        self._ends: list[Callable[[], None]] = []

    def enable(self) -> None:
        """From now on the name is as wanted."""
        self._ends.append(testing.force(self.kind, self.name, self._variant()))

    def disable(self) -> None:
        """It is again as it was."""
        if self._ends:
            self._ends.pop()()

    def _variant(self) -> str | None:
        if self.active is None:
            return None
        return testing.as_variant(self.active) if isinstance(self.active, (bool, str)) else str(float(self.active))


class override_flag(_Override):
    """A flag is on (``True``), off (``False``), or has a variant (``"simple"``). ``None``: the request says it."""

    def __init__(self, name: str, active: bool | str | None) -> None:
        super().__init__(name, active)


class override_switch(_Override):
    """A switch is on or off."""

    kind = "switch"

    def __init__(self, name: str, active: bool) -> None:
        super().__init__(name, active)


class override_sample(_Override):
    """A sample is on, off, or on in this percentage of cases."""

    kind = "sample"

    def __init__(self, name: str, active: bool | float) -> None:
        super().__init__(name, active)
