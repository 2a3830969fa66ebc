"""Writes a flag file of flags that nobody would think of: python random_flags.py SEED COUNT."""

import json
import random
import sys

quoted = json.dumps
SEGMENTS = ["s0", "s1"]
WORDS = ["pro", "free", "te*m", "u*", "DE", "de", "beta", "2", '"x', "ä*"]
KEYS = [
    "user",
    "group",
    "role",
    "authenticated",
    "language",
    "country",
    "plan",
    "app_version",
    "header.x-account",
    "ip",
    "path",
    "host",
    "after",
    "before",
    "method",
    "user_agent",
    "query.q",
    "cookie.c",
    "segment",
]
PLURALS = {"user", "group", "role", "language"}
STEPS = [
    "[{ percent = 100 }]",
    '[{ percent = 30, hold = "1d" }]',
    '[{ percent = 0, hold = "1d" }, { percent = 50 }]',
    '[{ percent = 5, hold = "approval" }, { percent = 98, hold = "1d" }]',
    '[{ percent = 20, hold = "1d" }, { percent = 50, hold = "1d" }, { percent = 100, hold = "1d" }]',
]
TIMES = ["2026-01-01T00:00:00Z", '"2100-01-01T00:00:00+02:00"', "2026-01-01T10:00:00-05:00"]


class Writer:
    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.plain = []

    def one(self, *choices):
        return self.draw.choice(choices)

    def rarely(self, chance):
        return self.draw.random() < chance

    def some(self, values):
        return quoted(self.draw.sample(values, self.draw.randrange(1, len(values) + 1)), ensure_ascii=False)

    def wanted(self):
        word = quoted(self.draw.choice(WORDS), ensure_ascii=False)
        below = self.one('"3"', "2", "2.5", "2.0")
        return self.one(
            word,
            self.some(WORDS[:4]),
            f"{{ not = {word} }}",
            f"{{ not = {self.some(WORDS)} }}",
            f"{{ at_least = {quoted(self.one('1.9', '2.4', 'v2', '3.0.0-rc.1', '2.10'))} }}",
            f'{{ below = {below}, at_least = "1.0", not = {word} }}',
            f"{{ matches = {quoted(self.one('^p', 'o$', 'a.c', 'e+', 't[a-f]', '^team-?x*$', '[^a]r'))} }}",
            self.one("2", "2.5", "true"),
        )

    def condition(self, key):
        match key:
            case "authenticated":
                return self.one("true", "false")
            case "after" | "before":
                return self.draw.choice(TIMES)
            case "segment":
                return self.one('"s0"', '["s0", "s1"]', '{ not = "s1" }')
            case "ip":
                return self.one('"10.0.0.0/8"', '["192.0.2.1", "2001:db8::/32"]', '{ not = "10.0.0.0/8" }')
            case "language":
                return self.one('"de"', '["en", "fr"]', '{ not = "de" }', '"*"')
        return self.wanted()

    def conditions(self, keys=KEYS):
        chosen = self.draw.sample(keys, self.draw.randrange(3))
        written = [key + "s" if key in PLURALS and self.rarely(0.5) else quoted(key) for key in chosen]
        parts = [f"{name} = {self.condition(key)}" for name, key in zip(written, chosen, strict=True)]
        return f"{{ {', '.join(parts)} }}"

    def people(self):
        named = {"users": ["u1", "u2", "ä ö"], "groups": ["beta", "inside"], "roles": ["staff"], "languages": ["de", "en"]}
        named["segments"] = SEGMENTS
        parts = [f"{key} = {self.some(values)}" for key, values in named.items() if self.rarely(0.3)]
        parts += ["authenticated = true"] if self.rarely(0.2) else []
        return "{ " + ", ".join(parts or ['roles = ["admin"]']) + " }"

    def variants(self):
        names = self.draw.sample(["a", "b", "c.1", "1x", "on", "off", "control"], self.draw.randrange(1, 5))
        parts = [self.draw.random() for _ in names]
        weights = [round(part / sum(parts) * 100, 3) for part in parts]
        weights[-1] = round(100 - sum(weights[:-1]), 3)
        pairs = [f"{quoted(name)} = {weight}" for name, weight in zip(names, weights, strict=True)]
        return ["off", *names], f"{{ {', '.join(pairs)} }}"

    def formula(self, variants=None):
        """A formula of another system, with the order of the variants that are drawn."""
        keys = self.one(
            'as = "unleash", group = "G:é", total = 1000',
            'as = "unleash", variant_group = "v"',
            'as = "flagd", key = ""',
            'as = "flagd", version = 1',
            'as = "flagd", version = 3',
            'as = "flagd", version = 3, key = "", prefix = "ü"',
            'as = "growthbook", seed = "s"',
            'as = "growthbook", version = 2',
            'as = "launchdarkly", salt = "s", prefix = "p:"',
            'as = "launchdarkly", seed = -61',
            'as = "posthog"',
            'as = "flipper", prefix = "User;"',
            'as = "configcat", key = "k"',
            'as = "flagsmith"',
            'as = "goff", total = 3000',
            'as = "statsig", salt = "a.b"',
            'as = "statsig", salt = "a", buckets = 1000',
            'as = "flipt"',
            'as = "azure", group = "Grün", ignore_case = true',
            'as = "vercel", seed = 4294967295',
            'as = "sha256", prefix = "u"',
        )
        if variants and self.rarely(0.4):
            keys += f", order = {quoted(self.draw.sample(variants, len(variants)))}"
        return f"{{ {keys} }}"

    def rule(self, variants, drawn):
        if self.rarely(0.2):
            left = self.one("", ', otherwise = "next"')
            return f"{{ if = {self.conditions()}, percent = {self.one(30, 80)}, hash = {self.formula(drawn)}{left} }}"
        if self.rarely(0.2):
            own = self.draw.sample(drawn, self.draw.randrange(1, len(drawn) + 1))
            weights = [100 - 10 * (len(own) - 1), *[10] * (len(own) - 1)]
            pairs = ", ".join(f"{quoted(name)} = {weight}" for name, weight in zip(own, weights, strict=True))
            some = self.one("", ", percent = 40", ', percent = 40, otherwise = "next"', ', otherwise = "next"')
            formula = f", hash = {self.formula(own)}" if self.rarely(0.3) else ""
            return f"{{ if = {self.conditions()}, variants = {{ {pairs} }}{some}{formula} }}"
        if self.rarely(0.5):
            then = f"serve = {quoted(self.draw.choice(variants))}"
        else:
            left = self.one("", ', otherwise = "next"')
            then = f"percent = {self.one(0, 50, 100, 20.5)}{left}"
        return f"{{ if = {self.conditions()}, {then} }}"

    def requirement(self):
        flag = self.draw.choice(self.plain)
        return f"[{quoted(flag)}]" if self.rarely(0.6) else f"{{ {flag} = {quoted(self.one('on', 'off'))} }}"

    def flag(self, name):
        lines, variants, climbs = [f"[flags.{name}]"], ["off", "on"], self.rarely(0.15)
        if self.rarely(0.4):
            variants, written = self.variants()
            lines.append(f"variants = {written}")
        # `salt` counts for sha256 alone
        drawn, salted = variants[1:] if len(lines) > 1 else ["on", "off"], self.rarely(0.5)
        for chance, line in [
            (0.1, lambda: "enabled = false"),
            (0 if climbs else 0.6, lambda: f"percent = {self.one(0, 100, 50, 33.333, 0.1, 12.5, 99.999)}"),
            (0.3 if not salted else 0, lambda: f"hash = {self.formula(drawn)}"),
            (0.2 if salted else 0, lambda: f"salt = {quoted(self.one('s:alt', 'é', 'x' * 70), ensure_ascii=False)}"),
            (0.3, lambda: f"bucket_by = {quoted(self.one('visitor', 'user', 'session', 'header.X-Account'))}"),
            (0.3, lambda: f"allow = {self.people()}"),
            (0.2, lambda: f"deny = {self.people()}"),
            (0.3, lambda: 'goals = ["g"]'),
            (0.2, lambda: f"sticky = {quoted(self.one('none', 'session', 'visitor'))}"),
            (0.2 if self.plain else 0, lambda: f"requires = {self.requirement()}"),
            (0.4, lambda: f"rules = [{', '.join(self.rule(variants, drawn) for _ in range(self.draw.randrange(1, 4)))}]"),
        ]:
            lines += [line()] if self.rarely(chance) else []
        if climbs:
            lines += [f"[flags.{name}.rollout]", f"steps = {self.draw.choice(STEPS)}"]
            lines += [f"start = {self.draw.choice(TIMES)}"] if self.rarely(0.4) else []
        self.plain += [name] if variants == ["off", "on"] else []
        return "\n".join(lines)

    def document(self, count):
        tables = [self.flag(f"f{number}") for number in range(count)]
        tables.append('[goals.g]\non = "/g"')
        for segment in SEGMENTS:
            tables.append(f"[segments.{segment}]\nany = [{self.conditions(KEYS[:-1])}, {self.conditions(KEYS[:-1])}]")
        tables.append(f"[holdout]\npercent = {self.one(5, 30, 50)}")
        return "\n\n".join(tables) + "\n"


if __name__ == "__main__":
    print(Writer(int(sys.argv[1])).document(int(sys.argv[2])), end="")
