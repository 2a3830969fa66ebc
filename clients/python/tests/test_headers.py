"""The headers of a request, and their signature."""

import hashlib
import hmac
import json
import time
import unittest
from pathlib import Path

from flagstaff import Settings, Source
from flagstaff.headers import read_dictionary, readings_of, without_query
from flagstaff.once import forget
from flagstaff.signature import MOST_READINGS

KEY = "a key of at least thirty-two bytes for tests"
OTHER = "another key of at least thirty-two bytes for tests"
VISITOR = "XqCLAhp8XUwA2dKb9BiCEw"


def sign(flags="form=on", visitor=VISITOR, method="GET", path="/", key=KEY, t=None):
    t = str(int(time.time()) if t is None else t)
    text = "\n".join([t, visitor, flags, method, path])
    v1 = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"t={t}, v1={v1}"


class Dictionary(unittest.TestCase):
    def test_tokens_and_strings(self):
        self.assertEqual(read_dictionary('a=on, b_c=annual_first,\td="2.0"'), {"a": "on", "b_c": "annual_first", "d": "2.0"})
        self.assertEqual(read_dictionary(""), {})

    def test_one_that_is_not_understood_says_nothing(self):
        for text in (
            "a",
            "a=on,",
            ",a=on",
            "A=on",
            "a=on;q=1",
            'a="x',
            "a=ä",
            "a = on",
            "a=?1",
            "=on",
            "a=on b=on",
            "a=" + "x" * 300_000,
        ):
            self.assertIsNone(read_dictionary(text), text[:40])


class Paths(unittest.TestCase):
    def test_readings(self):
        self.assertIn("/a%20b", readings_of("/a b", None))
        self.assertEqual(readings_of("/a/b", "/a%2Fb?c=/d")[0], "/a%2Fb")
        for root in ("/api", "/api/", "/\u00e4 b"):
            raw = "/%C3%A4%20b/c%2Fd" if root == "/\u00e4 b" else root + "/c%2Fd"
            readings = readings_of(root + "/c/d", raw, root)
            self.assertLessEqual({raw, root + "/c/d", "/c%2Fd", "/c/d"}, set(readings))
            self.assertLessEqual(len(readings), MOST_READINGS)
        self.assertEqual(set(readings_of("/apis/c", "/apis/c", "/api", "")), {"/apis/c"})
        self.assertEqual(without_query("http://shop.example/x/y?z"), "/x/y")
        self.assertEqual(without_query("*"), "*")


class Unsigned(unittest.TestCase):
    def flags(self, *headers, **settings):
        return Settings.of(**settings).of_request("GET", ["/"], headers)

    def test_each_and_compact(self):
        for headers in (
            [("X-Flag-New-Form", "on"), ("x-flag-prices", "simple")],
            [("X-Flags", "new_form=on, prices=simple")],
            [("X-FLAGS", "new_form=on"), ("X_FLAGS", "prices=simple")],
        ):
            flags = self.flags(("X-Visitor-Id", VISITOR), *headers)
            self.assertEqual(dict(flags), {"new_form": "on", "prices": "simple"})
            self.assertEqual((flags.source, flags.visitor), (Source.HEADERS, VISITOR))

    def test_no_headers_are_defaults(self):
        flags = self.flags(("Accept", "*/*"), defaults={"form": True, "prices": "simple", "old": False})
        self.assertEqual(flags.source, Source.DEFAULTS)
        self.assertTrue(flags.form and not flags.old)
        self.assertEqual(flags.prices, "simple")

    def test_the_visitor_alone_means_that_all_are_off(self):
        flags = self.flags(("X-Visitor-Id", VISITOR), defaults={"form": True})
        self.assertEqual((flags.source, bool(flags.form)), (Source.HEADERS, False))

    def test_what_is_not_understood_is_not_off(self):
        flags = self.flags(
            ("X-Visitor-Id", VISITOR), ("X-Flags", "form=on, broken"), ("X-Flag-Old", "on"), defaults={"form": True}
        )
        self.assertEqual((flags.source, dict(flags)), (Source.DEFAULTS, {"old": "on"}))
        self.assertTrue(flags.form)

    def test_a_header_by_hand_counts_for_itself(self):
        flags = self.flags(("X-Flag-Form", "on"), defaults={"other": True})
        self.assertTrue(flags.form and flags.other)


class Signed(unittest.TestCase):
    def setUp(self):
        forget()
        self.settings = Settings.of(keys=[KEY], defaults={"prices": "classic"})

    def flags(self, signature, flags="form=on", visitor=VISITOR, method="GET", paths=("/",), more=(), settings=None):
        headers = [("X-Visitor-Id", visitor), ("X-Flags", flags), *more]
        headers += [] if signature is None else [("X-Flags-Signature", signature)]
        return (settings or self.settings).of_request(method, paths, [(n, v) for n, v in headers if v is not None])

    def assertBelieved(self, flags):
        self.assertEqual(flags.source, Source.HEADERS)

    def assertRefused(self, flags):
        self.assertEqual((flags.source, dict(flags), flags.visitor), (Source.DEFAULTS, {}, None))
        self.assertFalse(flags.form)
        self.assertEqual(flags.prices, "classic")

    def test_a_good_one(self):
        flags = self.flags(sign())
        self.assertBelieved(flags)
        self.assertTrue(flags.form)
        self.assertEqual(flags.visitor, VISITOR)
        self.assertBelieved(self.flags(sign(flags=""), flags=None))
        self.assertBelieved(self.flags(sign(method="POST", path="/a%20b"), method="POST", paths=readings_of("/a b", None)))

    def test_either_of_two_keys(self):
        both = Settings.of(keys=f"{OTHER}, {KEY}".encode())
        for key in (KEY, OTHER):
            self.assertBelieved(self.flags(sign(key=key), settings=both))

    def test_bad_ones_are_refused(self):
        with self.assertLogs("flagstaff", "WARNING") as logged:
            self.assertRefused(self.flags(None))
            self.assertRefused(self.flags(sign(key=OTHER)))
            self.assertRefused(self.flags(sign(), flags="form=on, prices=simple"))
            self.assertRefused(self.flags(sign(), flags=None))
            self.assertRefused(self.flags(sign(), visitor="somebody"))
            self.assertRefused(self.flags(sign(), method="POST"))
            self.assertRefused(self.flags(sign(), paths=("/other",)))
            self.assertRefused(self.flags(sign(t=int(time.time()) - 90)))
            self.assertRefused(self.flags(sign(t=int(time.time()) + 90)))
            for age in range(100, 200):
                self.assertRefused(self.flags(sign(t=int(time.time()) - age)))
            for junk in ("", "t=1", "v1=0", "t=x, v1=" + "0" * 64, "t=1, v1=" + "0" * 63, sign().upper(), sign() + " "):
                if junk.strip() != sign():
                    self.assertRefused(self.flags(junk))
        self.assertLess(len(logged.output), 6, "each kind is said once")

    def test_flags_that_are_not_signed_do_not_count(self):
        flags = self.flags(sign(), more=[("X-Flag-Forged", "on")])
        self.assertBelieved(flags)
        self.assertFalse(flags.forged)

    def test_one_that_is_signed_and_not_understood(self):
        flags = self.flags(sign(flags="form"), flags="form")
        self.assertEqual((flags.source, str(flags.prices)), (Source.DEFAULTS, "classic"))

    def test_a_short_key_is_a_mistake(self):
        for keys in (["short"], "short", b"", "", ",", " , ", [""], KEY + ",short"):
            with self.assertRaisesRegex(ValueError, "at least 32 bytes"):
                Settings.of(keys=keys)

    def test_what_is_empty_between_commas_is_no_key(self):
        for keys in (KEY + ",", "," + KEY, f" , {KEY} ,,", [KEY, ""], (KEY + ",").encode()):
            self.assertEqual(Settings.of(keys=keys).keys, (KEY.encode(),))
        self.assertEqual(Settings.of(keys=[]).keys, ())


class AsInNode(unittest.TestCase):
    """tests of clients/node read the same file, so that both packages make the same of a request."""

    def test_all(self):
        forget()
        for case in json.loads((Path(__file__).parent / "vectors/headers.json").read_text(encoding="utf-8")):
            headers, keys = list(case["headers"].items()), ()
            if case["signed"]:
                said = [case["headers"].get(name, "") for name in ("x-flags", "x-visitor-id")]
                headers, keys = [*headers, ("x-flags-signature", sign(*said))], KEY
            flags = Settings.of(keys=keys, defaults=case["defaults"]).of_request("GET", ["/"], headers)
            found = {name: flags.variant(name, "fallback") for name in case["variants"]}
            wanted = (case["source"], case["visitor"], case["variants"])
            self.assertEqual((flags.source.value, flags.visitor, found), wanted, case)


if __name__ == "__main__":
    unittest.main()
