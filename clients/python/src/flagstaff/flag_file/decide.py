"""The steps of a decision in their order, as docs/flags.md has them; the first answer wins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from .conditions import holds, includes, moment
from .draw import WHOLE, Draw
from .formulas import Arm, Formula, at
from .rules import OFF, ON, FlagRules, Shares, steps_of, thousandths
from .subject import Subject
from .undecided import Undecided, any_of

_MOST_DEEP = 64


class Document:
    """The flags of a file, and what they name."""

    def __init__(self, tables: Mapping[str, Any], pins: Mapping[str, str]) -> None:
        self.pins = pins
        self.segments: Mapping[str, Any] = tables.get("segments", {})
        self.holdout: Mapping[str, Any] | None = tables.get("holdout")
        self.flags: dict[str, FlagRules | Undecided] = {}
        self.waffle_names: dict[str, str] = {}
        for name, table in tables.get("flags", {}).items():
            self.flags[name] = _read(name, table)
            if isinstance(table, dict) and isinstance(table.get("waffle_name"), str):
                self.waffle_names[table["waffle_name"]] = name
        self.slices = _slices(tables.get("layers", {}))

    def decide(self, subject: Subject) -> tuple[dict[str, str], dict[str, str]]:
        """The variant of each flag, and of each that cannot be decided the reason."""
        decision = Decision(self, subject)
        variants: dict[str, str] = {}
        undecided: dict[str, str] = {}
        for name in self.flags:
            try:
                variants[name] = decision.of(name)
            except Undecided as reason:
                undecided[name] = str(reason)
        return variants, undecided


def _read(name: str, table: Any) -> FlagRules | Undecided:
    try:
        return FlagRules(name, table)
    except Undecided as reason:
        return reason
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, ZeroDivisionError) as error:
        return Undecided(f"the flag cannot be read ({error}): ask `flagstaff check`")


def _slices(layers: Mapping[str, Any]) -> dict[str, tuple[str, Any, Formula | None]]:
    """The layer of each flag that has a slice, its slices there, and what the layer draws by."""
    slices: dict[str, tuple[str, Any, Formula | None]] = {}
    for layer, table in layers.items():
        formula = Formula(table["hash"], layer) if "hash" in table else None
        for flag, bounds in table.get("slices", {}).items():
            slices.setdefault(flag, (layer, bounds, formula))
    return slices


class Decision:
    """All flags for one subject. Each is decided once."""

    def __init__(self, document: Document, subject: Subject) -> None:
        self.document = document
        self.subject = subject
        self.made: dict[str, str | Undecided] = {}
        self.deep = 0

    def of(self, name: str) -> str:
        """The variant of a flag."""
        if name not in self.made:
            self.made[name] = self._made(name)
        found = self.made[name]
        if isinstance(found, Undecided):
            raise found
        return found

    def _made(self, name: str) -> str | Undecided:
        rules = self.document.flags.get(name, OFF)
        if isinstance(rules, (str, Undecided)):
            return rules
        if self.deep > _MOST_DEEP:
            return Undecided("it requires too many flags, one behind the other")
        self.deep += 1
        try:
            return FlagDecision(self, rules).variant()
        except Undecided as reason:
            return reason
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            return Undecided(f"the flag cannot be read ({error}): ask `flagstaff check`")
        finally:
            self.deep -= 1


class FlagDecision:
    """One flag for one subject."""

    def __init__(self, decision: Decision, rules: FlagRules) -> None:
        self.decision = decision
        self.document = decision.document
        self.subject = decision.subject
        self.rules = rules

    def variant(self) -> str:
        """The variant of the flag."""
        pin = self.document.pins.get(self.rules.name)
        if pin is not None:
            return _pinned(pin, self.rules.variants())
        variant = self._unpinned()
        if variant != OFF and self.rules.has_guard:
            raise Undecided("its guard may have rolled it back, which is not in the file")
        return variant

    def _unpinned(self) -> str:
        rules, subject, segments = self.rules, self.subject, self.document.segments
        if not rules.enabled or any_of(partial(self._is_unmet, *need) for need in rules.requires):
            return OFF
        if rules.deny is not None and includes(rules.deny, subject, segments):
            return OFF
        if rules.allow is not None and includes(rules.allow, subject, segments):
            return self._named()
        for rule in rules.rules:
            if holds(rule.get("if", {}), subject, segments):
                variant = self._by_rule(rule)
                if variant is not None:
                    return variant
        return self._drawn()

    def _is_unmet(self, flag: str, wanted: str | None) -> bool:
        variant = self.decision.of(flag)
        return variant == OFF if wanted is None else variant != wanted

    def _by_rule(self, rule: Mapping[str, Any]) -> str | None:
        """What a rule gives; None where it leaves the subject to the next one."""
        if "serve" in rule:
            return str(rule["serve"])
        formula, arms = self.rules.by_rule(rule)
        goes_on = rule.get("otherwise") == "next"
        draw = self._draw_for(self.rules.salt, formula, arms)
        if draw is None:
            return None if goes_on else OFF
        if draw.position >= (WHOLE if "percent" not in rule and "variants" in rule else thousandths(rule["percent"])):
            return None if goes_on else self.rules.control
        return ON if arms is None else at(arms, draw.split)

    def _named(self) -> str:
        """The variant of somebody who is named, not drawn: on, or one by weight."""
        if self.rules.arms is None:
            return ON
        draw = self._draw()
        return OFF if draw is None else self.rules.at(draw.split)

    def _drawn(self) -> str:
        shares = self._shares()
        if self._is_held_out(shares):
            return self.rules.control
        outside = self._outside_layer()
        if outside is not None:
            return outside
        if self.rules.is_remembered and shares.most > 0:
            kept = self._remembered(shares)
            if kept is not None:
                return kept
        return self._by_share(shares)

    def _by_share(self, shares: Shares) -> str:
        rules = self.rules
        if shares.most == 0:
            return rules.control
        for_all = shares.least == WHOLE and rules.arms is None
        if for_all and rules.bucket_by in ("visitor", "session", "request"):
            return ON
        draw = self._draw()
        if draw is None:
            return OFF
        return rules.at(draw.split) if shares.holds(draw.position) else rules.control

    def _shares(self) -> Shares:
        rollout = self.rules.rollout
        if rollout is None:
            share = self.rules.share_of_the_rest()
            return Shares(share, share)
        if "start" in rollout and self.subject.now < moment(rollout["start"]):
            return Shares(0, 0)
        return steps_of(rollout)

    def _is_held_out(self, shares: Shares) -> bool:
        """Whether the visitor is in no experiment, and the flag is one."""
        holdout, rules = self.document.holdout, self.rules
        if holdout is None or not rules.goals or rules.bucket_by == "request" or shares.most == 0:
            return False
        if shares.least == WHOLE and not rules.draws_variants():
            return False
        visitor = self.subject.unit("visitor")
        draw = Draw.of(holdout.get("salt", "holdout"), visitor or "")
        if draw.position >= thousandths(holdout["percent"]):
            return False
        if shares.least != shares.most:
            raise Undecided("whether it is an experiment depends on the step of its rollout, which is not in the file")
        return True

    def _outside_layer(self) -> str | None:
        """What those get who are outside the flag's slice of its layer."""
        found = self.document.slices.get(self.rules.name)
        if found is None:
            return None
        layer, bounds, formula = found
        draw = self._draw_for(layer, formula, None)
        if draw is None:
            return OFF
        parts = bounds if isinstance(bounds[0], list) else [bounds]
        inside = any(thousandths(a) <= draw.position < thousandths(b) for a, b in parts)
        return None if inside else self.rules.control

    def _remembered(self, shares: Shares) -> str | None:
        if self.subject.remembered is None:
            raise Undecided("the visitor's browser may remember a variant")
        variant = self.subject.remembered.get(self.rules.name)
        return variant if variant in self.rules.variants() else None

    def _draw(self) -> Draw | None:
        return self._draw_for(self.rules.salt, self.rules.hash, self.rules.arms)

    def _draw_for(self, salt: str, formula: Formula | None, arms: list[Arm] | None) -> Draw | None:
        unit = self.subject.unit(self.rules.bucket_by)
        if unit is None:
            return None
        return Draw.of(salt, unit) if formula is None else formula.draw(unit, arms)


_TRUTH = {"true": ON, "1": ON, "on": ON, "yes": ON, "false": OFF, "0": OFF, "off": OFF, "no": OFF}


def _pinned(value: str, variants: list[str]) -> str:
    """The variant that an environment variable names, as the program reads it."""
    word = value.strip()
    if word in variants:
        return word
    lower = word.lower()
    for name in variants:
        if name.lower() == lower:
            return name
    meant = _TRUTH.get(lower)
    if meant in variants:
        return str(meant)
    raise Undecided(f"a variable pins it to `{value}`, which it has not")
