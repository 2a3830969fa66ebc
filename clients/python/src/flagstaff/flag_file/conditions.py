"""Conditions: ``if = { country = ["DE", "AT"], app_version = { at_least = "2.4.0" } }``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any

from .matching import Version, fits_glob, fits_language, in_ranges, searcher, word, words
from .subject import Subject
from .undecided import Undecided, all_of, any_of

Segments = Mapping[str, Any]
Test = Callable[[str], bool]

_SINGULAR = {"users": "user", "groups": "group", "roles": "role", "languages": "language", "countries": "country"}
_ANY_CASE = ("country", "host", "method", "user_agent")
_FAMILIES = ("header", "cookie", "query")
_PEOPLE = ("users", "groups", "roles", "authenticated", "languages", "segments")


def holds(conditions: Mapping[str, Any], subject: Subject, segments: Segments) -> bool:
    """Whether all conditions hold."""
    return all_of(partial(_holds, key, wanted, subject, segments) for key, wanted in _flat(conditions))


def _flat(conditions: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """``header.x-plan`` is a table in a table where the key has no quotes."""
    flat: list[tuple[str, Any]] = []
    for key, wanted in conditions.items():
        if key in _FAMILIES:
            flat.extend((f"{key}.{name}", inner) for name, inner in wanted.items())
        else:
            flat.append((key, wanted))
    return flat


def _holds(key: str, wanted: Any, subject: Subject, segments: Segments) -> bool:
    key = _SINGULAR.get(key, key)
    if key == "authenticated":
        return (subject.person() is not None) is bool(wanted)
    if key in ("segment", "segments"):
        return _in_segments(wanted, subject, segments)
    if key == "after":
        return subject.now >= moment(wanted)
    if key == "before":
        return subject.now < moment(wanted)
    return _value_holds(key, wanted, subject)


def _in_segments(wanted: Any, subject: Subject, segments: Segments) -> bool:
    if isinstance(wanted, dict):
        return not in_segments(words(wanted["not"]), subject, segments)
    return in_segments(words(wanted), subject, segments)


def in_segments(names: list[str], subject: Subject, segments: Segments) -> bool:
    """Whether the subject is in one of these segments."""
    lists = [conditions for name in names for conditions in segments.get(name, {}).get("any", [])]
    return any_of(partial(holds, conditions, subject, {}) for conditions in lists)


def _value_holds(key: str, wanted: Any, subject: Subject) -> bool:
    tests = _tests(key, wanted)
    values = subject.values(key)

    def fits(test: Test, negated: bool) -> bool:
        return any_of(partial(test, value) for value in values) is not negated

    return all_of(partial(fits, test, negated) for test, negated in tests)


def _tests(key: str, wanted: Any) -> list[tuple[Test, bool]]:
    """What a value must pass, each with whether it must not."""
    if not isinstance(wanted, dict):
        return [(_one_of(key, words(wanted)), False)]
    if key == "language" and set(wanted) != {"not"}:
        raise Undecided("a language is compared as a text")
    tests: list[tuple[Test, bool]] = []
    for bound, inner in wanted.items():
        if bound == "not":
            tests.append((_one_of(key, words(inner)), True))
        elif bound == "matches":
            tests.append((searcher(word(inner)), False))
        else:
            tests.append((_version_test(bound, word(inner)), False))
    if not tests:
        raise ValueError("a condition asks for nothing")
    return tests


def _version_test(bound: str, text: str) -> Test:
    limit = Version.read(text)
    if limit is None or bound not in ("at_least", "below"):
        raise ValueError(f"`{bound} = {text!r}` is not a condition")
    at_least, bounded = bound == "at_least", limit

    def test(value: str) -> bool:
        version = Version.read(value)
        return version is not None and (version >= bounded) is at_least

    return test


def _one_of(key: str, wanted: list[str]) -> Test:
    if key == "language":
        return partial(fits_language, wanted)
    if key == "ip":
        return in_ranges(wanted)
    any_case = key in _ANY_CASE
    return lambda value: any(fits_glob(one, value, any_case) for one in wanted)


def moment(value: Any) -> datetime:
    """A time of the file, with its offset from UTC."""
    if isinstance(value, str):
        text = value[:-1] + "+00:00" if value.endswith(("Z", "z")) else value
        value = datetime.fromisoformat(text)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"`{value}` is not a time with its offset")
    return value.astimezone(timezone.utc)


def includes(people: Mapping[str, Any], subject: Subject, segments: Segments) -> bool:
    """Whether ``allow`` or ``deny`` names this subject: one match is enough."""
    if any(key not in _PEOPLE for key in people):
        raise Undecided("`allow` or `deny` names people in a way that is not known here")
    users, groups, roles = (people.get(key, []) for key in ("users", "groups", "roles"))
    tests: list[Callable[[], bool]] = []
    if users:
        tests.append(lambda: subject.person() in users)
    if groups:
        tests.append(lambda: any(group in groups for group in subject.of_person("groups")))
    if roles:
        tests.append(lambda: any(role in roles for role in subject.of_person("roles")))
    if people.get("authenticated", False):
        tests.append(lambda: subject.person() is not None)
    if people.get("languages"):
        tests.append(lambda: _value_holds("language", people["languages"], subject))
    if people.get("segments"):
        tests.append(lambda: in_segments(people["segments"], subject, segments))
    return any_of(tests)
