"""What a value must look like."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from functools import total_ordering
from typing import Any

from .undecided import Undecided

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LARGEST = 2**64 - 1
# White space of Unicode, as Rust trims it.
_SPACES = "".join(char for char in map(chr, range(0x3001)) if char.isspace() and not "\x1c" <= char <= "\x1f")
_LONGEST_SEARCHED = 4096
# Expressions that mean the same to Rust's regex and to Python's, and end soon with both: no escapes but of signs, no groups,
# no classes of a language.
_SAME_EVERYWHERE = re.compile(
    r"\^?(?:(?:[A-Za-z0-9_ /@:=,;%&~<>!#'\"-]|\\[.+*?()\[\]{}|^$/-]|\.|\[\^?[A-Za-z0-9_](?:[A-Za-z0-9_.]|-(?=[A-Za-z0-9_]))*\])"
    r"(?:[*+?](?![*+?]))?)*\$?"
)
_MOST_REPEATS = 3


def word(value: Any) -> str:
    """A word of the file, which may be written as a number or as true or false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = format(Decimal(repr(value)), "f")
        return text[:-2] if text.endswith(".0") else text
    if isinstance(value, (str, int)):
        return str(value)
    raise ValueError(f"{value!r} is not a word")


def words(value: Any) -> list[str]:
    """A word, or a list of words."""
    return [word(one) for one in value] if isinstance(value, list) else [word(value)]


def fits_glob(pattern: str, text: str, any_case: bool) -> bool:
    """Whether the whole text fits, where ``*`` stands for any text. Takes at most pattern times text steps."""
    p, t = pattern.encode(), text.encode("utf-8", "surrogatepass")
    if any_case:
        p, t = p.lower(), t.lower()  # of bytes: ASCII only
    at = eaten = 0
    star: tuple[int, int] | None = None
    while eaten < len(t):
        if at < len(p) and p[at] == 0x2A:
            star = (at, eaten)
            at += 1
        elif at < len(p) and p[at] == t[eaten]:
            at, eaten = at + 1, eaten + 1
        elif star is None:
            return False
        else:
            star = (star[0], star[1] + 1)
            at, eaten = star[0] + 1, star[1]
    return all(byte == 0x2A for byte in p[at:])


def fits_language(wanted: list[str], tag: str) -> bool:
    """Whether a language is one of the wanted or a regional form of one, in any case."""
    lower = tag.encode("utf-8", "surrogatepass").lower()
    for one in wanted:
        head = one.encode().lower()
        if one == "*" or lower == head or lower.startswith(head + b"-"):
            return True
    return False


def in_ranges(ranges: list[str]) -> Callable[[str], bool]:
    """A test for addresses in one of these ranges."""
    networks = [ipaddress.ip_network(text, strict=False) for text in ranges]

    def test(text: str) -> bool:
        address = _address(text)
        return address is not None and any(address.version == network.version and address in network for network in networks)

    return test


def _address(text: str) -> Address | None:
    if "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


@total_ordering
class Version:
    """A version such as ``2.4``, ``2.4.0`` or ``3.0.0-beta.1``: missing numbers are zero, a pre-release is before its release."""

    __slots__ = ("_key",)

    def __init__(self, numbers: list[int], pre: list[str]) -> None:
        while numbers and numbers[-1] == 0:
            numbers = numbers[:-1]
        parts = tuple((0, int(p), "") if _is_number(p) else (1, 0, p) for p in pre)
        self._key = (tuple(numbers), not pre, parts)

    @classmethod
    def read(cls, text: str) -> Version | None:
        """Reads a version; ``None`` when a text is none."""
        plain = text.strip(_SPACES).lstrip("vV").split("+", 1)[0]
        numbers, _, pre = plain.partition("-")
        parts = numbers.split(".")
        if not all(_is_number(part) for part in parts):
            return None
        return cls([int(part) for part in parts], pre.split(".") if pre else [])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 200 and int(text) <= _LARGEST


def searcher(expression: str) -> Callable[[str], bool]:
    """A test for texts in which an expression is found, where Python certainly finds what the program finds."""
    repeats = len(re.findall(r"(?<!\\)[*+]", expression))
    if _SAME_EVERYWHERE.fullmatch(expression) is None or repeats > _MOST_REPEATS:
        raise Undecided(f"`matches = {expression!r}` may mean something else to Python")
    ends = expression.endswith("$") and not expression.endswith("\\$")
    compiled = re.compile(expression[:-1] + r"\Z" if ends else expression)

    def test(text: str) -> bool:
        if len(text) > _LONGEST_SEARCHED:
            raise Undecided("a text is too long to be searched")
        return compiled.search(text) is not None

    return test
