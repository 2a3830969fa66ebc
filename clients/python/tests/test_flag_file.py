"""The flag file, evaluated here. tests/e2e holds it against the program; these are the parts that it rests on."""

import csv
import json
import os
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

from flagstaff import NOBODY, FlagFile, FlagFileError, Source
from flagstaff.flag_file import Draw, file
from flagstaff.flag_file.formulas import _RECIPES, Formula
from flagstaff.flag_file.hash_functions import murmur3_32, xxhash32
from flagstaff.flag_file.matching import _SPACES, Version, fits_glob, fits_language, in_ranges, searcher, word
from flagstaff.flag_file.undecided import Undecided

VECTORS = Path(__file__).parent / "vectors" / "buckets.csv"


class Vectors(unittest.TestCase):
    def test_all(self):
        with VECTORS.open(newline="", encoding="utf-8") as rows:
            count = 0
            for row in csv.DictReader(rows):
                draw = Draw.of(row["key"], row["unit"])
                found = (draw.bucket, draw.position, draw.split)
                self.assertEqual(found, (int(row["bucket"]), int(row["position"]), int(row["split"])), row)
                count += 1
        self.assertGreater(count, 400)


class Formulas(unittest.TestCase):
    """The numbers of other systems, which are those that the program is held against too."""

    def test_all(self):
        def recipes(kind, **keys):
            return _RECIPES[kind](keys, "")

        def k(recipe, unit):
            return recipe.number("", unit)

        columns = {
            "unleash_rollout_1_100": lambda f, u: k(recipes("unleash", group=f).position, u) + 1,
            "unleash_variant_1_1000": lambda f, u: k(recipes("unleash", group=f).split, u) + 1,
            "flagd_hash": lambda f, u: k(recipes("flagd", key=f, total=2**32).position, u),
            "flagd_of_100": lambda f, u: k(recipes("flagd", key=f).position, u),
            "flagd_v1_of_100": lambda f, u: k(recipes("flagd", key=f, version=1).position, u),
            "flagd_v3_of_100": lambda f, u: k(recipes("flagd", key=f, version=3).position, u),
            "flagd_v3_text_of_100": lambda f, u: recipes("flagd", key="", version=3).position.number(f, u),
            "growthbook_v1": lambda f, u: k(recipes("growthbook", seed=f).position, u),
            "growthbook_v2": lambda f, u: k(recipes("growthbook", seed=f, version=2).position, u),
            "growthbook_namespace": lambda f, u: k(recipes("growthbook", seed=f"__{f}").position, u),
            "launchdarkly_salt_s": lambda f, u: k(recipes("launchdarkly", key=f, salt="s").position, u) / (16**15 - 1),
            "launchdarkly_seed_61": lambda f, u: k(recipes("launchdarkly", seed=61).position, u) / (16**15 - 1),
            "posthog": lambda f, u: k(recipes("posthog", key=f).position, u) / (16**15 - 1),
            "posthog_variant": lambda f, u: k(recipes("posthog", key=f).split, u) / (16**15 - 1),
            "flipper_of_100000": lambda f, u: k(recipes("flipper", key=f).position, u),
            "configcat_of_100": lambda f, u: k(recipes("configcat", key=f).position, u),
            "flagsmith_percent": lambda f, u: k(recipes("flagsmith", key=f).position, u) / 9998 * 100,
            "goff_of_100000": lambda f, u: k(recipes("goff", key=f).position, u),
            "statsig_salts_f_r": lambda f, u: k(recipes("statsig", salt=f"{f}.r").position, u),
            "statsig_user_bucket": lambda f, u: k(recipes("statsig", salt=f, buckets=1000).position, u),
            "azure_percent": lambda f, u: k(recipes("azure", key=f).position, u) / (2**32 - 1) * 100,
            "flipt_variant_of_1000": lambda f, u: k(recipes("flipt", key=f).named, u),
            "flipt_boolean_of_100": lambda f, u: k(recipes("flipt", key=f).position, u),
            "vercel_xxh32_seed_7": lambda f, u: k(recipes("vercel", seed=7).position, u),
        }
        rows = json.loads((VECTORS.parent / "formulas.json").read_text(encoding="utf-8"))
        self.assertEqual(len(rows), 14)
        for row in rows:
            flag, unit = row.pop("flag"), row.pop("unit")
            self.assertEqual(row.keys(), columns.keys())
            for column, expected in row.items():
                self.assertAlmostEqual(columns[column](flag, unit), expected, places=12, msg=f"{column} of {flag}, {unit}")

    def test_cbor_of_long_texts(self):
        lengths = {1: (31, 31), 23: (48, 44), 24: (90, 47), 255: (77, 88), 256: (32, 42), 65535: (62, 22), 65536: (71, 85)}
        for length, (in_list, alone) in lengths.items():
            text = "u" * length
            found = [_RECIPES["flagd"]({"key": key, "version": 3}, "").position.number("", text) for key in (text, "")]
            self.assertEqual(found, [in_list, alone], length)

    def test_functions(self):
        known = {b"": 0, b"\xff" * 4: 0x76293B50, b"\x21\x43\x65\x87": 0xF55B516B, b"\x21\x43\x65": 0x7E4A8634}
        for text, expected in known.items():
            self.assertEqual(murmur3_32(text), expected)
        self.assertEqual(xxhash32(b""), 0x02CC5D05)
        self.assertEqual(xxhash32(b"Nobody inspects the spammish repetition"), 0xE2293B2F)

    def test_what_is_not_known_is_not_guessed(self):
        for keys in ({"as": "other"}, {"as": "flagd", "version": 4}, {"as": "statsig"}, {"as": "vercel"}, {}):
            with self.assertRaises(KeyError):
                Formula(keys, "flag")


class Matching(unittest.TestCase):
    def test_globs(self):
        for pattern, text in [("*", ""), ("/contact*", "/contact/x"), ("a*b*c", "a1b2b3c"), ("a**c", "ac"), ("", "")]:
            self.assertTrue(fits_glob(pattern, text, False), (pattern, text))
        for pattern, text in [("*.example.com", "example.com"), ("a*b*c", "a1b2"), ("A", "a"), ("a.c", "abc")]:
            self.assertFalse(fits_glob(pattern, text, False), (pattern, text))
        self.assertTrue(fits_glob("DE", "de", True))
        self.assertFalse(fits_glob("Ä", "ä", True))
        self.assertFalse(fits_glob("*a" * 50, "b" * 10_000, False))

    def test_versions(self):
        order = ["1", "2.0.0-alpha", "2.0.0-alpha.1", "2.0.0-beta.2", "2.0.0-beta.11", "2.0.0-rc.1", "2", "2.9", "2.10", "10"]
        versions = [Version.read(text) for text in order]
        self.assertEqual(versions, sorted(versions))
        self.assertEqual(Version.read("v2.4"), Version.read("2.4.0+build"))
        for bad in ("", "x", "1..2", "1.x", "-1", "1.٢", "18446744073709551616"):
            self.assertIsNone(Version.read(bad), bad)

    def test_languages_and_addresses(self):
        self.assertTrue(fits_language(["de"], "DE-at") and fits_language(["*"], "fr"))
        self.assertFalse(fits_language(["de"], "den") or fits_language([], "de"))
        within = in_ranges(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])
        for address in ("10.9.9.9", "192.0.2.1", "::ffff:10.1.1.1", "2001:db8:1::1"):
            self.assertTrue(within(address), address)
        for address in ("11.0.0.1", "192.0.2.2", "::1", "no address", "fe80::1%eth0"):
            self.assertFalse(within(address), address)

    def test_expressions(self):
        for expression, text, fits in [
            ("^v[0-9]+$", "v12", True),
            ("a.c", "xabcx", True),
            ("^a$", "a\n", False),
            (r"\.", "ab", False),
        ]:
            self.assertIs(searcher(expression)(text), fits, expression)
        for other in (
            r"\d",
            "(a+)+",
            "a{2}",
            "(?i)a",
            "a|b",
            "[[:alpha:]]",
            "[a&&b]",
            "a*b*c*d*",
            "ä",
            "a**",
            r"\b",
            "^*",
            "[]a]",
        ):
            with self.assertRaises(Undecided, msg=other):
                searcher(other)

    def test_words(self):
        self.assertEqual([word(v) for v in (True, 2, 2.0, 2.5, 1e21, "x")], ["true", "2", "2", "2.5", "1" + "0" * 21, "x"])
        self.assertEqual(len(_SPACES), 25)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "flags.toml"
        self.now = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)

    def read(self, text, environment=None):
        self.path.write_text(text, encoding="utf-8")
        return FlagFile(self.path, environment)

    def one(self, table, *args, more="", **kwargs):
        """The variant of a flag `f`, or why it is not decided."""
        kwargs.setdefault("now", self.now)
        flags = self.read(f"[flags.f]\n{table}\n{more}").flags_for(*args, **kwargs)
        self.assertEqual(flags.source, Source.FILE)
        return flags.undecided.get("f") or str(flags.f)

    def test_what_needs_nobody(self):
        self.assertEqual(self.one(""), "on")
        self.assertEqual(self.one("enabled = false"), "off")
        self.assertEqual(self.one("percent = 0"), "off")
        self.assertEqual(self.one("percent = 100"), "on")
        self.assertEqual(self.one("percent = 0\nvariants = { a = 50, b = 50 }"), "a")
        self.assertEqual(self.read("[flags.f]").flags_for().variant("never_defined", "x"), "x")

    def test_a_draw_needs_its_unit(self):
        self.assertIn("visitor is not known", self.one("percent = 50", "42"))
        inside = next(f"v{n}" for n in range(99) if Draw.of("f", f"v{n}").bucket < 50)
        self.assertEqual(self.one("percent = 50", visitor=inside), "on")
        self.assertEqual(self.one('percent = 50\nbucket_by = "user"', inside), "on")
        self.assertEqual(self.one('percent = 50\nbucket_by = "user"', NOBODY), "off")
        self.assertIn("which user", self.one('percent = 50\nbucket_by = "user"', visitor="v"))
        drawn = {self.one('percent = 50\nbucket_by = "request"') for _ in range(60)}
        self.assertEqual(drawn, {"on", "off"})

    def test_what_is_not_known_matters_only_where_it_decides(self):
        allow = 'allow = { users = ["7"], groups = ["beta"] }'
        self.assertEqual(self.one(allow, "7"), "on")
        self.assertEqual(self.one(allow, "8", groups=["beta"]), "on")
        self.assertEqual(self.one(allow, "8", groups=[]), "off")
        self.assertEqual(self.one(allow, NOBODY), "off")
        self.assertIn("groups of the user are not known", self.one(allow, "8"))
        self.assertIn("which user", self.one(allow))
        rule = 'rules = [{ if = { country = "DE", plan = "pro" }, serve = "on" }]'
        self.assertEqual(self.one(rule, country="AT"), "off")
        self.assertIn("plan is not known", self.one(rule, country="DE"))
        self.assertEqual(self.one(rule, country="de", attributes={"plan": "pro"}), "on")

    def test_a_rule_may_leave_others_to_the_next(self):
        inside, outside = ({n for n in range(200) if (Draw.of("f", f"v{n}").bucket < 20) is side} for side in (True, False))
        rules = 'rules = [{{ percent = 20, otherwise = "{}" }}, {{ serve = "on" }}]'
        for otherwise, others in (("next", "on"), ("control", "off")):
            self.assertEqual({self.one(rules.format(otherwise), visitor=f"v{n}") for n in inside}, {"on"})
            self.assertEqual({self.one(rules.format(otherwise), visitor=f"v{n}") for n in outside}, {others})
            self.assertEqual(self.one(f'{rules.format(otherwise)}\nbucket_by = "user"', NOBODY), others)
        self.assertIn("not known to this version", self.one(rules.format("later"), visitor="v"))

    def test_facts_are_not_in_the_file(self):
        guard = '[flags.f.guard]\nerrors = "5xx"'
        self.assertIn("guard", self.one(guard))
        self.assertEqual(self.one(f"enabled = false\n{guard}"), "off")
        self.assertEqual(self.one(f"{guard}\nobserve = true"), "on")
        rollout = '[flags.f.rollout]\nsteps = [{ percent = 20, hold = "1h" }, { percent = 60 }]'
        sides = {}
        for n in range(200):
            bucket = Draw.of("f", f"v{n}").bucket
            side = "on" if bucket < 20 else "off" if bucket >= 60 else "step"
            sides[side] = self.one(rollout, visitor=f"v{n}")
        self.assertEqual((sides["on"], sides["off"]), ("on", "off"))
        self.assertIn("step of its rollout", sides["step"])
        later = f"{rollout}\nstart = {(self.now + timedelta(hours=1)).isoformat()}"
        self.assertEqual(self.one(later), "off")

    def test_what_is_remembered(self):
        goals = 'percent = 50\ngoals = ["g"]'
        more = '[goals.g]\non = "/g"'
        self.assertIn("remember", self.one(goals, visitor="v", more=more))
        self.assertIn(self.one(goals, visitor="v", more=more, remembered={}), ("on", "off"))
        for kept in ("on", "off"):
            self.assertEqual(self.one(goals, visitor="v", more=more, remembered={"f": kept}), kept)
        self.assertIn(self.one(f'{goals}\nsticky = "none"', visitor="v", more=more), ("on", "off"))
        self.assertIn(self.one(f'{goals}\nbucket_by = "user"', "7", more=more), ("on", "off"))

    def test_a_newer_file_is_not_guessed_at(self):
        self.assertIn("`colour` is not known", self.one('colour = "red"'))
        self.assertIn("cannot be read", self.one('percent = "half"'))
        self.assertIn(
            "may mean something else",
            self.one(r"rules = [{ if = { plan = { matches = '\d' } }, serve = 'on' }]", attributes={"plan": "x"}),
        )

    def test_requirements(self):
        text = (
            '[flags.a]\n{}\n[flags.b]\nrequires = ["a"]\n[flags.c]\nrequires = {{ a = "on" }}\n[flags.d]\nrequires = ["nowhere"]'
        )
        for a, wanted in (("", "on"), ("enabled = false", "off")):
            flags = self.read(text.format(a)).flags_for()
            self.assertEqual([str(flags[name]) for name in "bcd"], [wanted, wanted, "off"])
        flags = self.read(text.format("percent = 50")).flags_for()
        self.assertEqual(set(flags.undecided), {"a", "b", "c"})

    def test_defaults_are_for_what_is_undecided(self):
        flags = self.read("[flags.f]\npercent = 50\n[flags.g]\nenabled = false").flags_for(defaults={"f": "on", "g": "on"})
        self.assertTrue(flags.f)
        self.assertFalse(flags.g)

    def test_overlays_and_pins(self):
        self.path.with_name("flags.production.toml").write_text("[flags.f]\nenabled = false\n[flags.g]\n", encoding="utf-8")
        text = '[flags.f]\nwaffle_name = "my.Flag"'
        self.assertEqual(dict(self.read(text).flags_for()), {"f": "on"})
        both = self.read(text, "production").flags_for()
        self.assertEqual((dict(both), both.is_on("my.Flag")), ({"f": "off", "g": "on"}, False))
        for said, variant in {"on": "on", "TRUE": "on", "off": "off", "0": "off"}.items():
            with mock.patch.dict(os.environ, {"FLAGSTAFF_FLAG_F": said}):
                self.assertEqual(self.one("percent = 50"), variant)
        with mock.patch.dict(os.environ, {"FLAGSTAFF_FLAG_F": "blue"}):
            self.assertIn("pins it to `blue`", self.one(""))

    def test_bad_files(self):
        for bad in ("[flags", "flags = 3", 'flags = ["a"]', "[flags.f]\nx = 1\nx = 2"):
            with self.assertRaises(FlagFileError, msg=bad):
                self.read(bad)
        with self.assertRaises(FlagFileError):
            FlagFile(self.path.with_name("nowhere.toml"))
        self.path.write_bytes(b"\xff")
        with self.assertRaises(FlagFileError):
            FlagFile(self.path)

    def test_it_follows_the_file(self):
        with mock.patch.object(file, "LOOK_AGAIN", 0.0):
            flags = self.read("[flags.f]\nenabled = false")
            self.assertFalse(flags.flags_for().f)
            self.path.write_text("[flags.f]", encoding="utf-8")
            self.assertTrue(flags.flags_for().f)
            self.path.write_text("[flags.f", encoding="utf-8")
            with self.assertLogs("flagstaff", "WARNING") as logged:
                self.assertTrue(flags.flags_for().f)
                self.assertTrue(flags.flags_for().f)
            self.assertEqual(len(logged.output), 1)
            self.path.unlink()
            with self.assertLogs("flagstaff", "WARNING"):
                self.assertTrue(flags.flags_for().f)
            self.path.write_text("[flags.g]\n# and more", encoding="utf-8")
            self.assertFalse(flags.flags_for().f)


if __name__ == "__main__":
    unittest.main()
