"""The key `hash`: where a unit falls by the formula of another system, as docs/flags.md has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from .draw import WHOLE, Draw
from .hash_functions import cbor, crc32, fnv1a32, md5_repeated, murmur3_32, sha1_digits, sha256_bytes, utf8, xxhash32

_LARGEST_15_DIGITS = 16**15 - 1
_UNLEASH_VARIANTS = 86_028_157


class Arm(NamedTuple):
    """A variant that is drawn, and where it lies among 100,000."""

    name: str
    start: int
    end: int


def in_order(arms: Sequence[Arm], order: Sequence[str]) -> list[Arm]:
    """The same arms lying one after the other in another order; the list stays in its own."""
    sizes = {arm.name: arm.end - arm.start for arm in arms}
    if sorted(order) != sorted(sizes):
        raise ValueError("`order` does not name every variant once")
    starts, start = {}, 0
    for name in order:
        starts[name] = start
        start += sizes[name]
    return [Arm(arm.name, starts[arm.name], starts[arm.name] + sizes[arm.name]) for arm in arms]


def at(arms: Sequence[Arm], position: int) -> str:
    """The variant at a position."""
    return next((arm.name for arm in arms if arm.start <= position < arm.end), arms[-1].name)


class Recipe(NamedTuple):
    """A text around the unit, and what makes a number of it: `k` of `grid`."""

    function: Callable[[bytes], int]
    grid: int
    before: str = ""
    after: str = ""
    lower: bool = False
    wrap: Callable[[str], bytes] = utf8

    def number(self, prefix: str, unit: str) -> int:
        """The number of a unit."""
        text = f"{self.before}{prefix}{unit.lower() if self.lower else unit}{self.after}"
        return self.function(self.wrap(text))


def _position(number: int, grid: int, arm: Arm | None = None) -> int:
    """Where a number falls: of all, or inside an arm, whose first part a share takes."""
    start, size = (arm.start, arm.end - arm.start) if arm else (0, WHOLE)
    return min(max(number * WHOLE - start * grid, 0) * WHOLE // (grid * size), WHOLE - 1)


class Formula:
    """What a flag, a rule or a layer draws by."""

    def __init__(self, table: Mapping[str, Any], name: str) -> None:
        self.order: list[str] | None = table.get("order")
        self._prefix = str(table.get("prefix", ""))
        self._salt = name
        self._recipes = None if table["as"] == "sha256" else _RECIPES[table["as"]](table, name)

    def draw(self, unit: str, arms: Sequence[Arm] | None) -> Draw:
        """Where a unit falls. Without arms it is off or on."""
        draw = self._drawn(unit, arms)
        if arms is None and self.order is not None and self.order[0] == "off":
            return Draw(WHOLE - 1 - draw.position, draw.split)
        return draw

    def _drawn(self, unit: str, arms: Sequence[Arm] | None) -> Draw:
        if self._recipes is None:
            return Draw.of(self._salt, self._prefix + unit)
        return self._recipes.draw(self._prefix, unit, arms)


class Recipes(NamedTuple):
    """The recipe of off and on, that of named variants with one number, or that of variants with a number of their own."""

    position: Recipe
    named: Recipe | None = None
    split: Recipe | None = None

    def draw(self, prefix: str, unit: str, arms: Sequence[Arm] | None) -> Draw:
        """Where a unit falls."""
        if arms is None:
            position = _position(self.position.number(prefix, unit), self.position.grid)
            return Draw(position, position)
        if self.split is not None:
            position = _position(self.position.number(prefix, unit), self.position.grid)
            return Draw(position, _position(self.split.number(prefix, unit), self.split.grid))
        recipe = self.named or self.position
        number = recipe.number(prefix, unit)
        split = _position(number, recipe.grid)
        arm = next((arm for arm in arms if arm.start <= split < arm.end), None)
        return Draw(_position(number, recipe.grid, arm) if arm else split, split)


def _remainder(function: Callable[[bytes], int], grid: int, before: str = "", after: str = "") -> Recipe:
    return Recipe(lambda text: function(text) % grid, grid, before, after)


def _unleash(table: Mapping[str, Any], name: str) -> Recipes:
    group = table.get("group", name)
    variant_group = table.get("variant_group", group)
    split = _remainder(partial(murmur3_32, seed=_UNLEASH_VARIANTS), table.get("total", 1000), f"{variant_group}:")
    return Recipes(_remainder(murmur3_32, 100, f"{group}:"), split=split)


def _flagd(table: Mapping[str, Any], name: str) -> Recipes:
    total, key = table.get("total", 100), table.get("key", name)
    versions: dict[int, tuple[str, Callable[[str], bytes]]] = {
        1: (key, utf8),
        2: (key, utf8),
        3: ("", partial(cbor, key or None)),
    }
    before, wrap = versions[table.get("version", 2)]
    number = _signed if table.get("version", 2) == 1 else _scaled
    return Recipes(Recipe(lambda text: number(murmur3_32(text), total), total, before, wrap=wrap))


def _scaled(hashed: int, total: int) -> int:
    return hashed * total >> 32


def _signed(hashed: int, total: int) -> int:
    """Of the size of a signed number; a cell holds its end, so the quotient is rounded up."""
    size = min(hashed, 2**32 - hashed)
    return max(-(-size * total // 2**31) - 1, 0)


def _growthbook(table: Mapping[str, Any], name: str) -> Recipes:
    seed = str(table.get("seed", name))
    if table.get("version", 1) == 1:
        return Recipes(_remainder(fnv1a32, 1000, after=seed))
    return Recipes(_remainder(lambda text: fnv1a32(str(fnv1a32(text)).encode()), 10_000, seed))


def _launchdarkly(table: Mapping[str, Any], name: str) -> Recipes:
    before = f"{table['seed']}." if "seed" in table else f"{table.get('key', name)}.{table['salt']}."
    return Recipes(Recipe(partial(sha1_digits, digits=15), _LARGEST_15_DIGITS, before))


def _posthog(table: Mapping[str, Any], name: str) -> Recipes:
    recipe = Recipe(partial(sha1_digits, digits=15), _LARGEST_15_DIGITS, f"{table.get('key', name)}.")
    return Recipes(recipe, split=recipe._replace(after="variant"))


def _flipper(table: Mapping[str, Any], name: str) -> Recipes:
    return Recipes(_remainder(crc32, WHOLE, table.get("key", name)))


def _configcat(table: Mapping[str, Any], name: str) -> Recipes:
    return Recipes(_remainder(partial(sha1_digits, digits=7), 100, table.get("key", name)))


def _flagsmith(table: Mapping[str, Any], name: str) -> Recipes:
    return Recipes(Recipe(partial(md5_repeated, grid=9998), 9998, f"{table.get('key', name)},"))


def _goff(table: Mapping[str, Any], name: str) -> Recipes:
    return Recipes(_remainder(fnv1a32, table.get("total", WHOLE), table.get("key", name)))


def _statsig(table: Mapping[str, Any], _name: str) -> Recipes:
    return Recipes(_remainder(partial(sha256_bytes, count=8), table.get("buckets", 10_000), f"{table['salt']}."))


def _flipt(table: Mapping[str, Any], name: str) -> Recipes:
    key = table.get("key", name)
    return Recipes(_remainder(crc32, 100, after=key), named=_remainder(crc32, 1000, key))


def _azure(table: Mapping[str, Any], name: str) -> Recipes:
    lower, group = table.get("ignore_case", False), table.get("group")
    after = f"\n{table.get('key', name)}"
    if group is not None:
        after += f"\n{group.lower() if lower else group}"
    return Recipes(Recipe(partial(sha256_bytes, count=4, little=True), 2**32 - 1, after=after, lower=lower))


def _vercel(table: Mapping[str, Any], _name: str) -> Recipes:
    return Recipes(Recipe(partial(xxhash32, seed=table["seed"]), 2**32))


_RECIPES: Mapping[str, Callable[[Mapping[str, Any], str], Recipes]] = {
    "unleash": _unleash,
    "flagd": _flagd,
    "growthbook": _growthbook,
    "launchdarkly": _launchdarkly,
    "posthog": _posthog,
    "flipper": _flipper,
    "configcat": _configcat,
    "flagsmith": _flagsmith,
    "goff": _goff,
    "statsig": _statsig,
    "flipt": _flipt,
    "azure": _azure,
    "vercel": _vercel,
}
