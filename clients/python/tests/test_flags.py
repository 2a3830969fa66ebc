"""Flags, names, overrides."""

import copy
import json
import threading
import unittest

import flagstaff
from flagstaff import Flags, Source, Variant, override
from flagstaff.names import header_name, is_name, name_of_header, snake_case


class Names(unittest.TestCase):
    def test_headers_and_back(self):
        for name, header in {"a": "X-Flag-A", "new_form": "X-Flag-New-Form", "x9_b2": "X-Flag-X9-B2"}.items():
            self.assertEqual(header_name(name), header)
            for spelling in (header, header.lower(), header.upper().replace("-", "_")):
                self.assertEqual(name_of_header(spelling), name)

    def test_headers_of_others(self):
        for header in ("X-Flags", "X-Flag", "X-Flag-", "X-Flag--A", "X-Flag-9", "X-Flag-Ä", "Cookie", "X-Flag-" + "a" * 65):
            self.assertIsNone(name_of_header(header), header)

    def test_the_nearest_name(self):
        # as `flagstaff check` suggests them
        wanted = {"ShowNew-Form": "show_new_form", "new checkout!": "new_checkout", "9lives": "lives", "___": ""}
        for text, name in wanted.items():
            self.assertEqual(snake_case(text), name)
        for name in ("a", "show_new_contact_form", "x9_b"):
            self.assertTrue(is_name(name))
            self.assertEqual(snake_case(name), name)


class Lookups(unittest.TestCase):
    def setUp(self):
        self.flags = Flags({"new_form": "on", "prices": "simple", "old": "off"}, source=Source.HEADERS, visitor="v")

    def test_a_variant_is_a_text_and_true_unless_off(self):
        self.assertEqual(self.flags.prices, "simple")
        self.assertTrue(self.flags.new_form and self.flags["prices"])
        self.assertFalse(self.flags.old or self.flags["never_defined"] or self.flags.never_defined)
        self.assertEqual(str(self.flags.never_defined), "off")
        self.assertIsInstance(self.flags["prices"], Variant)

    def test_a_default_is_for_what_is_off(self):
        self.assertEqual(self.flags.variant("prices", "classic"), "simple")
        self.assertEqual(self.flags.variant("old", "classic"), "classic")
        self.assertEqual(self.flags.variant("never_defined", "classic"), "classic")
        self.assertTrue(self.flags.is_on("prices"))
        self.assertFalse(self.flags.is_on("old"))

    def test_it_is_a_mapping_whose_lookups_never_fail(self):
        self.assertEqual(dict(self.flags), {"new_form": "on", "prices": "simple", "old": "off"})
        self.assertIn("prices", self.flags)
        self.assertNotIn("old", self.flags)
        self.assertEqual((len(self.flags), self.flags.get("x")), (3, "off"))
        with self.assertRaises(AttributeError):
            getattr(self.flags, "_private")  # noqa: B009
        self.assertEqual(copy.copy(self.flags), self.flags)

    def test_names_of_the_app(self):
        flags = Flags({"new_form": "on"}, source=Source.HEADERS, names={"shop.form-v2": "new_form"})
        self.assertTrue(flags.is_on("shop.form-v2") and flags.is_on("NewForm") and flags.is_on("new-form"))

    def test_what_is_not_known_has_the_apps_default(self):
        flags = Flags({"seen": "off"}, defaults={"seen": "on", "unseen": "on", "prices": "simple"})
        self.assertFalse(flags.seen)
        self.assertTrue(flags.unseen)
        self.assertEqual(flags.variant("prices", "classic"), "simple")
        self.assertEqual(flags.variant("other", "classic"), "classic")
        self.assertTrue(flags.knows("seen") and not flags.knows("unseen"))
        # where the proxy said everything, what it did not say is off
        told = Flags({}, source=Source.HEADERS, defaults={"unseen": "on"})
        self.assertFalse(told.unseen)

    def test_a_job_goes_on_with_the_flags_of_a_request(self):
        again = Flags.from_dict(self.flags.as_dict(), visitor=self.flags.visitor)
        self.assertEqual((dict(again), again.visitor, again.is_on("never_defined")), (dict(self.flags), "v", False))
        self.assertEqual(self.flags.as_dict(), {"new_form": "on", "prices": "simple", "old": "off"})

    def test_a_job_answers_as_the_request_did(self):
        words = {"defaults": {"seen": "on", "unseen": "on", "late": "simple"}, "names": {"my.Flag": "unseen", "Seen!": "seen"}}
        asked = ["seen", "unseen", "late", "never_defined", "my.Flag", "Seen!", "SEEN"]
        for source in Source:
            for undecided in ({}, {"late": "its rollout"}):
                flags = Flags({"seen": "off"}, source=source, undecided=undecided, **words)
                again = Flags.from_dict(json.loads(json.dumps(flags.as_dict())))
                self.assertEqual((again.source, again.undecided, dict(again)), (source, undecided, dict(flags)))
                for name in asked:
                    wanted = (flags[name], flags.variant(name, "classic"), flags.knows(name))
                    self.assertEqual((again[name], again.variant(name, "classic"), again.knows(name)), wanted, (source, name))
                self.assertEqual(again.as_dict(), flags.as_dict())


class Overrides(unittest.TestCase):
    def test_they_count_for_all_flags_and_end(self):
        flags = Flags({"form": "off"}, source=Source.HEADERS)
        with override(form=True, prices="simple"):
            self.assertTrue(flags.form and flagstaff.current().form)
            self.assertEqual(flags.prices, "simple")
            with override(form=False):
                self.assertFalse(flags.form)
            self.assertTrue(flags.form)
        self.assertFalse(flags.form or flags.prices)

    def test_off_is_off_as_of_a_request(self):
        flags = Flags({"prices": "simple"}, source=Source.HEADERS)
        for off in (False, "off"):
            with override(prices=off):
                self.assertEqual((flags.variant("prices", "classic"), flags.prices), ("classic", "off"))

    def test_a_test_may_use_any_name_of_a_flag(self):
        flags = Flags({"my_flag": "on", "new_thing": "on"}, source=Source.HEADERS, names={"my.Flag": "my_flag"})
        for asked, spellings in {"my_flag": ("my.Flag", "my_flag", "My-Flag"), "new_thing": ("newThing", "new_thing")}.items():
            for name in spellings:
                with override(**{name: False}):
                    for spelling in spellings:
                        self.assertFalse(flags.is_on(spelling), (name, spelling))
                self.assertTrue(flags.is_on(asked))

    def test_as_a_decorator(self):
        @override(form="on")
        def asks(depth):
            return flagstaff.current().is_on("form") and (depth == 0 or asks(depth - 1))

        self.assertTrue(asks(2))
        self.assertFalse(flagstaff.current().is_on("form"))

    def test_they_reach_other_threads(self):
        seen = []
        with override(form=True):
            thread = threading.Thread(target=lambda: seen.append(flagstaff.current().is_on("form")))
            thread.start()
            thread.join()
        self.assertEqual(seen, [True])


class AsyncOverrides(unittest.IsolatedAsyncioTestCase):
    @override(form=True)
    async def test_a_coroutine(self):
        self.assertTrue(flagstaff.current().form)


if __name__ == "__main__":
    unittest.main()
