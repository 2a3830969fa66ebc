"""``{% load waffle_tags %}``: ``{% flag "new_form" %}…{% else %}…{% endflag %}``, and the same for ``switch`` and ``sample``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token, VariableDoesNotExist
from django.template.context import Context
from django.utils.safestring import SafeString, mark_safe

from ..active import flag_is_active, sample_is_active, switch_is_active
from ..views import script

register = template.Library()

IsActive = Callable[[Any, str], bool]


class FlagNode(template.Node):
    """What stands between a tag and its end."""

    child_nodelists = ("nodelist_true", "nodelist_false")

    def __init__(self, name: str, expression: FilterExpression, parts: tuple[NodeList, NodeList], is_active: IsActive) -> None:
        self.name = name
        self.expression = expression
        self.nodelist_true, self.nodelist_false = parts
        self.is_active = is_active

    def __repr__(self) -> str:
        return f"<FlagNode: {self.name}>"

    def __iter__(self) -> Iterator[template.Node]:
        yield from self.nodelist_true
        yield from self.nodelist_false

    def render(self, context: Context) -> SafeString:
        """Renders one of the two parts."""
        is_on = self.is_active(context.get("request"), self._name(context))
        return (self.nodelist_true if is_on else self.nodelist_false).render(context)

    def _name(self, context: Context) -> str:
        """The name in quotes, or that in a variable; a word that is no variable is the name itself."""
        try:
            return self.expression.resolve(context) or self.name
        except VariableDoesNotExist:
            return self.name


def _node(parser: Parser, token: Token, is_active: IsActive) -> FlagNode:
    tag, *words = token.split_contents()
    if not words:
        raise template.TemplateSyntaxError(f"{tag!r} needs the name of a {tag}")
    end = f"end{tag}"
    expression = parser.compile_filter(words[0])
    first, second = parser.parse(("else", end)), NodeList()
    if parser.next_token().contents == "else":
        second = parser.parse((end,))
        parser.delete_first_token()
    return FlagNode(words[0], expression, (first, second), is_active)


@register.tag
def flag(parser: Parser, token: Token) -> FlagNode:
    """``{% flag "new_form" %}``."""
    return _node(parser, token, flag_is_active)


@register.tag
def switch(parser: Parser, token: Token) -> FlagNode:
    """``{% switch "payments" %}``."""
    return _node(parser, token, lambda _, name: switch_is_active(name))


@register.tag
def sample(parser: Parser, token: Token) -> FlagNode:
    """``{% sample "tracing" %}``."""
    return _node(parser, token, lambda _, name: sample_is_active(name))


class ScriptNode(template.Node):
    """The script that defines ``window.waffle``."""

    def render(self, context: Context) -> SafeString:
        """Renders it."""
        return mark_safe(script(context["request"]))  # noqa: S308  (made of JSON alone)


@register.tag
def wafflejs(parser: Parser, token: Token) -> ScriptNode:
    """``<script>{% wafflejs %}</script>``."""
    return ScriptNode()
