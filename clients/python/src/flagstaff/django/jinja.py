"""``waffle.flag("new_form")`` in Jinja's templates: an extension of its environment."""

from __future__ import annotations

from jinja2 import Environment, pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context

from .active import flag_is_active, sample_is_active, switch_is_active
from .views import script


@pass_context
def _flag(context: Context, flag_name: str) -> bool:
    return flag_is_active(context.get("request"), flag_name)


@pass_context
def _script(context: Context) -> str:
    return script(context["request"])


class WaffleExtension(Extension):
    """The same as django-waffle's."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        functions = {"flag": _flag, "switch": switch_is_active, "sample": sample_is_active, "wafflejs": _script}
        environment.globals["waffle"] = functions
