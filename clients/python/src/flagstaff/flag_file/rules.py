"""A flag as the file writes it, read once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .draw import WHOLE
from .formulas import Arm, Formula, at, in_order
from .undecided import Undecided

OFF, ON = "off", "on"

# Keys that change no decision.
_NOTES = {
    "description", "owner", "ticket", "created", "expires", "metadata", "gate", "upstream", "exposed_on", "client", "testing",
    "values", "waffle_name", "waffle_cookie_until",
}  # fmt: skip
_DECIDING = {
    "enabled", "percent", "variants", "salt", "hash", "bucket_by", "sticky", "layer", "requires", "allow", "deny", "rules",
    "rollout", "guard", "goals",
}  # fmt: skip
_OF_A_RULE = {"if", "serve", "percent", "variants", "hash", "otherwise"}
_KEPT_BACK = 5_000


@dataclass(frozen=True)
class Shares:
    """The share of units in the flag, in thousandths of a percent: which of a rollout's steps is in force is not known."""

    least: int
    most: int

    def holds(self, position: int) -> bool:
        """Whether a position is in."""
        if position < self.least:
            return True
        if position >= self.most:
            return False
        raise Undecided("the step of its rollout is not in the file")


class FlagRules:
    """What decides about one flag."""

    def __init__(self, name: str, table: Mapping[str, Any]) -> None:
        for key in table:
            if key not in _NOTES and key not in _DECIDING:
                raise Undecided(f"`{key}` is not known to this version of the package")
        self.name = name
        self.enabled = _of_kind(table.get("enabled", True), bool)
        self.salt = _of_kind(table.get("salt", name), str)
        self.bucket_by = _bucket_by(_of_kind(table.get("bucket_by", "visitor"), str))
        self.goals: list[str] = table.get("goals", [])
        self.allow: Mapping[str, Any] | None = table.get("allow")
        self.deny: Mapping[str, Any] | None = table.get("deny")
        self.rules: list[Mapping[str, Any]] = table.get("rules", [])
        self.rollout: Mapping[str, Any] | None = table.get("rollout")
        self.requires = _requires(table.get("requires", []))
        self.has_guard = _can_trip(table.get("guard"))
        arms = _arms(table["variants"]) if "variants" in table else None
        self.hash = Formula(table["hash"], self.salt) if "hash" in table else None
        self.order = None if self.hash is None else self.hash.order
        self.arms = arms if arms is None or self.order is None else in_order(arms, self.order)
        self.percent = thousandths(table["percent"]) if "percent" in table else None
        self.is_remembered = self._is_remembered(table.get("sticky"))

    def _is_remembered(self, sticky: str | None) -> bool:
        scope = sticky or ("session" if self.goals else "none")
        return (self.bucket_by == "visitor" and scope != "none") or (self.bucket_by == "session" and scope == "session")

    @property
    def control(self) -> str:
        """What those get who are not in."""
        return OFF if self.arms is None else self.arms[0].name

    def variants(self) -> list[str]:
        """All that the flag can be."""
        return [OFF, ON] if self.arms is None else [OFF, *(arm.name for arm in self.arms if arm.name != OFF)]

    def at(self, split: int) -> str:
        """The variant of those who are in, by where the draw of weights falls."""
        return ON if self.arms is None else at(self.arms, split)

    def by_rule(self, rule: Mapping[str, Any]) -> tuple[Formula | None, list[Arm] | None]:
        """What a rule draws by, and where the variants lie for it."""
        for key in rule:
            if key not in _OF_A_RULE:
                raise Undecided(f"`{key}` of a rule is not known to this version of the package")
        otherwise = rule.get("otherwise", "control")
        if otherwise not in ("control", "next"):
            raise Undecided(f"`otherwise` of a rule says {otherwise!r}, which is not known to this version of the package")
        own = Formula(rule["hash"], self.salt) if "hash" in rule else None
        if "variants" not in rule and own is None:
            return self.hash, self.arms
        arms = _arms(rule["variants"]) if "variants" in rule else self.arms
        if arms is None:
            return own, None
        order = self.order if own is None else own.order
        lying = [arm.name for arm in arms] if order is None else order
        if own is None:
            lying = [name for name in lying if any(arm.name == name for arm in arms)]
        return own or self.hash, in_order(arms, lying)

    def draws_variants(self) -> bool:
        """Whether more than one variant has a weight."""
        return sum(arm.start < arm.end for arm in self.arms or []) > 1

    def share_of_the_rest(self) -> int:
        """The share of those whom nothing names."""
        if self.percent is not None:
            return self.percent
        someone_is_named = self.allow is not None or any(rule.get("serve") != OFF for rule in self.rules)
        return 0 if someone_is_named else WHOLE


def steps_of(rollout: Mapping[str, Any]) -> Shares:
    """The least and the most that a rollout that has begun gives."""
    steps = [(thousandths(step["percent"]), "hold" in step) for step in rollout["steps"]]
    last, is_held = steps[-1]
    before = steps[-2][0] if len(steps) > 1 else 0
    kept_back = min(last, max(WHOLE - _KEPT_BACK, before)) if is_held else last
    return Shares(steps[0][0] if len(steps) > 1 else kept_back, last)


def thousandths(percent: Any) -> int:
    """A percentage of the file, in thousandths of a percent."""
    if isinstance(percent, bool) or not isinstance(percent, (int, float)) or not 0 <= percent <= 100:
        raise ValueError(f"{percent!r} is not a percentage")
    return rounded(percent * 1000.0)


def rounded(number: float) -> int:
    """The nearest whole number, half away from zero."""
    whole = math.floor(number)
    return whole + 1 if number - whole >= 0.5 else whole


def _of_kind(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{value!r} has the wrong type")
    return value


def _bucket_by(text: str) -> str:
    family, dot, name = text.partition(".")
    if family == "header" and dot:
        return f"header.{name.lower()}"
    if text in ("visitor", "user", "session", "request") or (family == "cookie" and dot):
        return text
    raise ValueError(f"`{text}` is not a unit")


def _requires(table: Any) -> list[tuple[str, str | None]]:
    return list(table.items()) if isinstance(table, dict) else [(name, None) for name in table]


def _can_trip(guard: Mapping[str, Any] | None) -> bool:
    return guard is not None and guard.get("on_trip", "off") != "hold" and not guard.get("observe", False)


def _arms(weights: Mapping[str, Any]) -> list[Arm]:
    """Where each variant lies. Added one by one, as the program does it: `sum` is more exact, and so not the same."""
    total = 0.0
    for weight in weights.values():
        total += float(weight)
    arms: list[Arm] = []
    upto, start = 0.0, 0
    for name, weight in weights.items():
        upto += float(weight)
        end = rounded(upto / total * float(WHOLE))
        arms.append(Arm(name, start, end))
        start = end
    return arms
